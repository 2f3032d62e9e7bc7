"""``./shop invite ACCOUNT EMAIL``: give an account its log-in. The mail goes out by the worker."""

import argparse
from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.settings import Settings
from cart.checkout import email_problem
from core.events import LinkAsked
from core.kernel import audit, jobs
from core.kernel.clock import Clock
from core.kernel.db import Database, changed
from core.parties import accounts, users
from core.parties.models import Account, LegalEntity, LinkToken, User


def run(argv: Sequence[str], settings: Settings, db: Database, clock: Clock, out: TextIO) -> int:
    """0 when the person can come in, now or by the mail; 1 when the account or address is wrong."""
    asked = _parser().parse_args(argv)
    problem = email_problem(asked.email)
    if problem is not None:
        print(f"{asked.email}: {problem}", file=out)
        return 1
    with db.transaction() as session:
        found = _accounts(session, asked.account, asked.entity)
        if len(found) != 1:
            print(_not_one(asked.account, found), file=out)
            return 1
        account, _ = found[0]
        said = _invite(session, account, asked.email, asked.name, clock.now())
    print(said, file=out)
    return 0


def _accounts(
    session: Session, wanted: str, entity: str | None
) -> Sequence[tuple[Account, LegalEntity]]:
    """By number, by the id that another system gave, or by our public id; the number comes first."""
    query = (
        select(Account, LegalEntity)
        .join(LegalEntity, LegalEntity.id == Account.legal_entity_id)
        .order_by(LegalEntity.code)
    )
    if entity is not None:
        query = query.where(LegalEntity.code == entity)
    own = session.execute(query.where(Account.number == wanted.replace(" ", ""))).all()
    rows = own or session.execute(
        query.where(or_(Account.external_ref == wanted, Account.public_id == wanted))
    )
    return [(account, legal) for account, legal in rows]


def _not_one(wanted: str, found: Sequence[tuple[Account, LegalEntity]]) -> str:
    if not found:
        return (
            f"There is no account {wanted}. Give its number, the id that it was imported with, "
            "or its public id."
        )
    codes = ", ".join(legal.code for _, legal in found)
    return f"{wanted} is an account of each of these: {codes}. Say which with --entity CODE."


def _invite(session: Session, account: Account, email: str, name: str | None, now: datetime) -> str:
    user = users.find(session, email)
    if user is None:
        user = users.add(session, email, name or account.name, None, now)
        assert user is not None  # looked for just now, under the same lock
    joined = accounts.join(session, user.id, account.id, "owner", now)
    since = "owns account {} ({}) now." if joined else "is on account {} ({}) already."
    said = [f"{user.email} {since.format(account.number, account.name)}"]
    if user.password_hash is not None:
        said.append("They have a log-in already and see the account there; no mail was sent.")
    else:
        earlier = _end_links(session, user, now)
        link_id = users.new_link(session, "invite", user.id, now, account.id)
        jobs.record(session, LinkAsked(link_id), now, key=f"link:{link_id}")
        days = users.LINK_LIFE["invite"].days
        said.append(f"A link to choose a password goes to them by mail; it works for {days} days.")
        if earlier:
            said.append("The link that was sent before works no longer.")
    audit.write(
        session,
        now,
        "system",
        "account.invited",
        ("account", account.public_id),
        user=user.public_id,
        link=user.password_hash is None,
    )
    return "\n".join(said)


def _end_links(session: Session, user: User, now: datetime) -> int:
    """Invitations that were sent before and not used work no longer; says how many there were."""
    result = session.execute(
        update(LinkToken)
        .where(
            LinkToken.user_id == user.id,
            LinkToken.purpose == "invite",
            LinkToken.used_at.is_(None),
        )
        .values(used_at=now)
    )
    return changed(result)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./shop invite",
        description="Give an account its log-in: whoever reads mail at EMAIL becomes its owner and chooses a "
        "password by a link. Asked again, it sends a new link.",
    )
    parser.add_argument(
        "account",
        metavar="ACCOUNT",
        help="its number, the id it was imported with, or its public id",
    )
    parser.add_argument("email", metavar="EMAIL")
    parser.add_argument("--name", help="how we address them; the account's name otherwise")
    parser.add_argument(
        "--entity", metavar="CODE", help="the legal entity, where an id stands for several accounts"
    )
    return parser
