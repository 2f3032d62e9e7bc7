"""Contested amounts: what a payer disputes of an open item is neither dunned nor drawn while it is open.

The reason for it (a dispute, a desk person's note) is the source. Nothing is posted: the debt stands, only
its collection rests. Contested-open = min(amount, open), read by ``items``.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.events import OpenItemsChanged
from core.kernel import jobs
from core.kernel.db import changed
from core.kernel.errors import ShopError, StaleState
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger.items import Open
from core.ledger.models import ContestedAmount


@dataclass(eq=False)
class NothingToContest(ShopError):
    """Only what is owed can be contested, and no more of it than the bill asked for."""

    code: ClassVar[str] = "nothing_to_contest"
    text: ClassVar[str] = "{wanted} of {number} cannot be contested: it asks for {most}."
    number: str
    wanted: Money
    most: Money


def contest(
    session: Session,
    item: Open,
    amount: Money,
    source: tuple[str, uuid.UUID],
    on: date,
    now: datetime,
) -> uuid.UUID:
    """Open a contested amount, or change the one of the same source; answers its key.

    It may be more than is open (a part was paid), never more than the item. NothingToContest otherwise.
    """
    if item.side != "debit" or amount.minor <= 0 or amount > item.amount:
        raise NothingToContest(item.number, amount, item.amount)
    _end(session, item, source, on, now)
    row = ContestedAmount(
        id=new_id(),
        item_id=item.id,
        amount_minor=amount.minor,
        source_kind=source[0],
        source_id=source[1],
        opened_at=now,
        opened_on=on,
    )
    session.add(row)
    session.flush()
    _tell(session, item, now)
    return row.id


def close(
    session: Session, item: Open, source: tuple[str, uuid.UUID], on: date, now: datetime
) -> None:
    """The dispute is over: everything that is open may be collected again. StaleState when it was."""
    if not _end(session, item, source, on, now):
        raise StaleState("contested amount", "open")
    _tell(session, item, now)


def of_item(session: Session, item_id: uuid.UUID) -> Sequence[ContestedAmount]:
    """What is contested of an item now, the oldest first."""
    return session.scalars(
        select(ContestedAmount)
        .where(ContestedAmount.item_id == item_id, ContestedAmount.closed_at.is_(None))
        .order_by(ContestedAmount.opened_at, ContestedAmount.id)
    ).all()


def _end(
    session: Session, item: Open, source: tuple[str, uuid.UUID], on: date, now: datetime
) -> bool:
    result = session.execute(
        update(ContestedAmount)
        .where(
            ContestedAmount.item_id == item.id,
            ContestedAmount.source_kind == source[0],
            ContestedAmount.source_id == source[1],
            ContestedAmount.closed_at.is_(None),
        )
        .values(closed_at=now, closed_on=on)
        .execution_options(synchronize_session=False)
    )
    return changed(result) == 1


def _tell(session: Session, item: Open, now: datetime) -> None:
    jobs.record(session, OpenItemsChanged(str(item.account_id)), now)
