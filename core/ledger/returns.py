"""What of an order's or a bill's tenders was given back, and how a refund is shared out over them.

By default a refund goes to cards first, up to what they paid, then to gift cards, then to credit; never
more to a tender than it paid. Called by ``flows.give_back`` and ``flows.refund``.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.kernel.errors import ShopError
from core.kernel.ids import new_id
from core.kernel.money import Money, total
from core.ledger.items import Open
from core.ledger.tender_models import Tender, TenderReturn

#: Where a refund goes first, unless whoever refunds states another order.
USUAL = ("card", "gift_card", "credit")


@dataclass(eq=False)
class RefundTooMuch(ShopError):
    """More than was paid, is held, or has not gone back yet."""

    code: ClassVar[str] = "refund_too_much"
    text: ClassVar[str] = "At most {possible} can go back here, not {wanted}."
    wanted: Money
    possible: Money


@dataclass(frozen=True)
class Returnable:
    """A tender with what of it can still go back."""

    tender: Tender
    left: Money


def returnable(
    session: Session,
    order_id: uuid.UUID,
    bill_item_ids: Sequence[uuid.UUID],
    *,
    locked: bool = True,
) -> list[Returnable]:
    """What paid an order, or the bills of it, in the order in which it was paid; locked, to give it back."""
    query = (
        select(Tender)
        .where(
            or_(Tender.order_id == order_id, Tender.open_item_id.in_(bill_item_ids)),
            Tender.state == "committed",
            Tender.kind != "terms",
        )
        .order_by(Tender.created_at, Tender.position, Tender.id)
    )
    found = session.scalars(query.with_for_update() if locked else query).all()
    back = given_back(session, [tender.id for tender in found])
    return [
        Returnable(tender, Money(tender.taken_minor - back.get(tender.id, 0), tender.currency))
        for tender in found
    ]


def given_back(session: Session, tender_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How much of each tender went back."""
    rows = session.execute(
        select(TenderReturn.tender_id, func.sum(TenderReturn.amount_minor))
        .where(TenderReturn.tender_id.in_(tender_ids))
        .group_by(TenderReturn.tender_id)
    )
    return {tender_id: int(minor) for tender_id, minor in rows}


def share(
    amount: Money, found: Sequence[Returnable], order: Sequence[str] = USUAL
) -> list[tuple[Tender, Money]]:
    """How much goes back to which tender: kind by kind as ordered, the last paid first within a kind.

    Raises RefundTooMuch when they did not pay as much; a kind that the order leaves out gets nothing.
    """
    shares, left = [], amount
    for kind in order:
        for one in reversed([one for one in found if one.tender.kind == kind]):
            part = min(left, one.left)
            if part.minor > 0:
                shares.append((one.tender, part))
                left -= part
    if left:
        raise RefundTooMuch(amount, amount - left)
    return shares


class Purse:
    """What is held for the payer, drawn from piece by piece: a payment's own money first."""

    def __init__(self, held: Sequence[Open], currency: str) -> None:
        self._left = {item.id: item.open for item in held if item.open.currency == currency}
        self._held = [item for item in held if item.id in self._left]
        self.total = total(self._left.values(), currency)

    def draw(self, amount: Money, own_source: uuid.UUID | None = None) -> list[tuple[Open, Money]]:
        """Take ``amount`` out. Raises RefundTooMuch when it is not there."""
        parts, left = [], amount
        for item in sorted(self._held, key=lambda item: item.source_id != own_source):
            part = min(left, self._left[item.id])
            if part.minor > 0:
                parts.append((item, part))
                self._left[item.id] -= part
                left -= part
        if left:
            raise RefundTooMuch(amount, amount - left)
        return parts


def record(
    session: Session,
    tender: Tender,
    key: str,
    amount: Money,
    now: datetime,
    refund_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """So much of a tender goes back, once per key; the database refuses more than it paid."""
    row = TenderReturn(
        id=new_id(),
        tender_id=tender.id,
        key=key,
        refund_id=refund_id,
        amount_minor=amount.minor,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row.id


def repeat(
    session: Session, failed_id: uuid.UUID, refund_id: uuid.UUID, key: str, now: datetime
) -> None:
    """A refund is asked for again: it is of the tenders that the failed one was of."""
    rows = session.scalars(
        select(TenderReturn).where(
            TenderReturn.refund_id == failed_id, TenderReturn.reverses_id.is_(None)
        )
    ).all()
    for row in rows:
        tender = session.get_one(Tender, row.tender_id)
        record(session, tender, key, Money(row.amount_minor, tender.currency), now, refund_id)


def is_known(session: Session, key: str) -> bool:
    """Was a refund begun under this key?"""
    return (
        session.scalar(select(TenderReturn.id).where(TenderReturn.key == key).limit(1)) is not None
    )


def refunds_under(session: Session, key: str) -> list[uuid.UUID]:
    """The processor's refunds that were begun under a key."""
    query = select(TenderReturn.refund_id).where(TenderReturn.key == key).distinct()
    return [row for row in session.scalars(query) if row is not None]


def take_back(session: Session, refund_id: uuid.UUID, now: datetime) -> None:
    """A refund could not be paid out: what it was to give back was not given back."""
    rows = session.scalars(
        select(TenderReturn).where(
            TenderReturn.refund_id == refund_id, TenderReturn.reverses_id.is_(None)
        )
    ).all()
    session.add_all(
        TenderReturn(
            id=new_id(),
            tender_id=row.tender_id,
            key=f"{row.key[:73]}:failed",
            refund_id=refund_id,
            amount_minor=-row.amount_minor,
            reverses_id=row.id,
            created_at=now,
        )
        for row in rows
    )
    session.flush()
