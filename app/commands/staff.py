"""``./shop staff add EMAIL``: let somebody in at the desk."""

import argparse
import getpass
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

from sqlalchemy.orm import Session

from app.settings import Settings
from cart.checkout import email_problem
from core.kernel import audit
from core.kernel.clock import Clock
from core.kernel.db import Database
from core.kernel.errors import Invalid
from core.parties import staff, users
from core.parties.models import LinkToken, User
from core.parties.roles import Role
from flows import second_step
from flows.links import Links


def run(argv: Sequence[str], settings: Settings, db: Database, clock: Clock, out: TextIO) -> int:
    """0 when the person may use the desk; 1 when the address or the password cannot be taken."""
    asked = _parser().parse_args(argv)
    if asked.act == "reset":
        return _reset(asked.email, db, clock, out)
    problem = email_problem(asked.email)
    if problem is not None:
        print(f"{asked.email}: {problem}", file=out)
        return 1
    try:
        password = _password(asked)
    except Invalid as error:
        print(" ".join(error.fields_.values()), file=out)
        return 1
    hashed = users.hash_password(password) if password else None
    try:
        with db.transaction() as session:
            said = _add(session, settings, asked, hashed, clock.now())
    except Invalid as error:
        print(" ".join(error.fields_.values()), file=out)
        return 1
    print(*said, f"They log in at {settings.base_url}/desk/login", sep="\n", file=out)
    return 0


def _reset(email: str, db: Database, clock: Clock, out: TextIO) -> int:
    """Somebody has lost their telephone, and there is no admin to help."""
    with db.transaction() as session:
        user = users.find(session, email)
        if user is None or not user.is_staff:
            print(f"Nobody at the desk has the address {email}.", file=out)
            return 1
        had = second_step.reset(session, user, "system", clock.now())
    said = "sets up a second step at the next log-in" if had else "has no second step"
    print(f"{user.email} {said}.", file=out)
    return 0


def _password(asked: argparse.Namespace) -> str | None:
    """The password that was piped in or typed twice; None when a link shall do."""
    if asked.password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    elif sys.stdin.isatty() and not asked.link:
        password = getpass.getpass("Password (empty for a link): ")
        if not password:
            return None
        if getpass.getpass("Once more: ") != password:
            raise Invalid({"password": "The two are not the same."})
    else:
        return None
    users.check_password(password, asked.email)
    return password


def _add(
    session: Session,
    settings: Settings,
    asked: argparse.Namespace,
    hashed: str | None,
    now: datetime,
) -> list[str]:
    """Make the user, or let one who is there in at the desk; says in words what was done."""
    user = users.find(session, asked.email)
    if user is None:
        user = users.add(session, asked.email, asked.name or asked.email, hashed, now)
        assert user is not None  # looked for just now, under the same lock
    elif hashed is not None:
        users.set_password(session, user.id, hashed)
        session.refresh(user)
    said = [f"{user.email} is staff {'already' if user.is_staff else 'now'}."]
    if asked.name:
        user.name = asked.name.strip()
    said += _take_roles(session, user, asked.role)
    user.is_staff = True
    if hashed is None:
        said += _how_they_log_in(session, settings, user, now)
    subject = ("user", user.public_id)
    audit.write(
        session,
        now,
        "system",
        "staff.added",
        subject,
        password_set=hashed is not None,
        roles=list(user.roles),
    )
    return said


def _take_roles(session: Session, user: User, wanted: list[str]) -> list[str]:
    """Give them what they may do. The first at the desk is its admin; whoever follows is told a role."""
    if not wanted and not user.roles:
        if staff.admins(session):
            raise Invalid(
                {"role": f"Say what they do with --role, once or more: {', '.join(Role)}."}
            )
        wanted = [Role.ADMIN]
    if wanted:
        staff.set_roles(session, user, wanted)
    return [f"Their roles: {', '.join(user.roles)}."]


def _how_they_log_in(session: Session, settings: Settings, user: User, now: datetime) -> list[str]:
    if user.password_hash is not None:
        return ["They keep the password that they have."]
    link = session.get_one(LinkToken, users.new_link(session, "invite", user.id, now))
    token = users.link_token(settings.secret_key, link)
    days = users.LINK_LIFE["invite"].days
    return [
        f"By this link they choose a password, once, within {days} days:",
        f"  {Links(settings.base_url, settings.secret_key).invite(token)}",
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./shop staff", description="Who may use the desk, at /desk."
    )
    acts = parser.add_subparsers(dest="act", metavar="add|reset EMAIL", required=True)
    reset = acts.add_parser(
        "reset",
        help="forget somebody's second step",
        description="Forget somebody's telephone and recovery codes: they set up a second step anew. For an "
        "admin who lost the telephone; everybody else asks an admin.",
    )
    reset.add_argument("email", metavar="EMAIL")
    add = acts.add_parser(
        "add",
        help="let somebody in at the desk",
        description="Let somebody in at the desk. Asks for a password on a terminal; elsewhere it prints a "
        "link by which they choose one themselves.",
    )
    add.add_argument("email", metavar="EMAIL")
    add.add_argument("--name", help="how the desk calls them")
    add.add_argument(
        "--role",
        action="append",
        default=[],
        choices=list(Role),
        metavar="ROLE",
        help=f"what they do, once or more: {', '.join(Role)}; the first at the desk is an admin",
    )
    way = add.add_mutually_exclusive_group()
    way.add_argument(
        "--password-stdin", action="store_true", help="the password is the first line of the input"
    )
    way.add_argument("--link", action="store_true", help="print a link even on a terminal")
    return parser
