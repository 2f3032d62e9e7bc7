"""Terms and consents at checkout: what is asked, what was agreed to with an order, and other words.

Every other word is another version, and what somebody agreed to is kept as it stood there.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Executable, bindparam, func, select
from sqlalchemy.orm import Session

from cart.models import Consent, ConsentAsk
from core.kernel.db import insert_rows, table
from core.kernel.errors import NotFound
from core.kernel.ids import new_id
from core.kernel.kept_rules import Kept
from core.orders.models import Order
from core.parties.models import Channel

STATED, REQUIRED, OPTIONAL = MODES = ("stated", "required", "optional")


@dataclass(frozen=True)
class Ask:
    """What somebody is asked to agree to, in the words that stand now."""

    code: str
    version: int
    mode: str
    text: str
    #: Where all of it can be read, or empty.
    href: str


def asked(session: Session, channel: Channel, under: uuid.UUID | None = None) -> Sequence[Ask]:
    """What is asked on a channel now, in its order. ``under`` this mark what is kept may answer."""
    return [Ask(*row) for row in _KEPT.rows(session, under, {"channel": channel.id})]


@cache
def _asked() -> Executable:
    """Put together once, at first use: each order asks it."""
    ask = table(ConsentAsk).c
    return (
        select(ask.code, ask.version, ask.mode, ask.text, ask.href)
        .where(ask.channel_id == bindparam("channel"), ask.ended_at.is_(None))
        .order_by(ask.position, ask.code)
    )


#: By channel.
_KEPT = Kept(_asked, 500)


def every(session: Session, channel: Channel) -> Sequence[ConsentAsk]:
    """What is and was asked, the newest version of each first."""
    return session.scalars(
        select(ConsentAsk)
        .where(ConsentAsk.channel_id == channel.id)
        .order_by(ConsentAsk.code, ConsentAsk.version.desc())
    ).all()


def missing(asks: Sequence[Ask], given: Mapping[str, int]) -> list[Ask]:
    """What has to be ticked and was not; other words than those that stand now do not count."""
    return [ask for ask in asks if ask.mode == REQUIRED and given.get(ask.code) != ask.version]


def record(
    session: Session,
    order: Order,
    asks: Sequence[Ask],
    given: Mapping[str, int],
    ip: str,
    now: datetime,
) -> None:
    """Keep what an order agreed to: what is stated, and what was ticked in the words that stand now."""
    rows = [
        {
            "order_id": order.id,
            "code": ask.code,
            "version": ask.version,
            "mode": ask.mode,
            "text": ask.text,
            "href": ask.href,
            "email": order.email,
            "given_at": now,
            "ip": ip[:45],
        }
        for ask in asks
        if ask.mode == STATED or given.get(ask.code) == ask.version
    ]
    insert_rows(session, Consent, rows)


def of_order(session: Session, order: Order) -> Sequence[Consent]:
    """What was agreed to with an order."""
    query = select(Consent).where(Consent.order_id == order.id).order_by(Consent.code)
    return session.scalars(query).all()


def put(
    session: Session,
    channel: Channel,
    code: str,
    mode: str,
    text: str,
    href: str,
    actor: str,
    now: datetime,
) -> ConsentAsk:
    """Ask this from now on: the same words stay the version that they are, others are the next one."""
    before = _now(session, channel, code)
    if before is not None and (before.mode, before.text, before.href) == (mode, text, href):
        return before
    mine = (ConsentAsk.channel_id == channel.id, ConsentAsk.code == code)
    last = session.scalar(select(func.max(ConsentAsk.version)).where(*mine)) or 0
    position = session.scalar(select(func.max(ConsentAsk.position))) or 0
    if before is not None:
        before.ended_at, position = now, before.position - 1
        session.flush()
    row = ConsentAsk(
        id=new_id(),
        channel_id=channel.id,
        code=code,
        version=last + 1,
        mode=mode,
        text=text,
        href=href,
        position=position + 1,
        created_at=now,
        created_by=actor,
    )
    session.add(row)
    session.flush()
    return row


def end(session: Session, channel: Channel, code: str, now: datetime) -> None:
    """Ask it no more. NotFound when it is not asked."""
    row = _now(session, channel, code)
    if row is None:
        raise NotFound("consent")
    row.ended_at = now
    session.flush()


def _now(session: Session, channel: Channel, code: str) -> ConsentAsk | None:
    return session.scalar(
        select(ConsentAsk)
        .where(
            ConsentAsk.channel_id == channel.id,
            ConsentAsk.code == code,
            ConsentAsk.ended_at.is_(None),
        )
        .with_for_update()
    )
