"""Customer credit and unapplied money: used for the oldest bill first, or paid out.

Order deposits are earmarked and stay out of this, and so do bills that are being paid at this moment and
what is contested.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger import allocation, business, items, tenders
from core.ledger.chart import RECEIVABLE
from core.ledger.items import Open
from core.ledger.open_now import OpenNow
from core.ledger.tender_models import Tender


@dataclass(frozen=True)
class Used:
    """So much of a credit went to a bill."""

    held: Open
    owed: Open
    amount: Money


def free(session: Session, account_id: uuid.UUID) -> list[Open]:
    """What is held for the account and may be used for any bill, the oldest first.

    ``open`` leaves out what a tender reserves.
    """
    found = [
        item
        for item in items.held_for(session, [account_id])
        if item.ledger_code in tenders.SPENDABLE
    ]
    found = [item for item in tenders.unreserved(session, found) if item.open]
    return sorted(found, key=lambda item: (item.effective_date, item.id))


def with_any(session: Session, account_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """The accounts for which some credit or unapplied money is held, be it reserved or free."""
    rows = session.scalars(
        select(OpenNow.account_id).where(
            OpenNow.account_id.in_(account_ids), OpenNow.ledger_code.in_(tenders.SPENDABLE)
        )
    )
    return {key for key in rows if key is not None}


def payable(session: Session, account_id: uuid.UUID) -> list[Open]:
    """Bills that credit may pay, the earliest due first: not those with a payment under way."""
    owed = [item for item in items.owed_by(session, [account_id]) if item.ledger_code == RECEIVABLE]
    busy = _being_paid(session, [item.id for item in owed])
    return [item for item in owed if item.id not in busy and item.uncontested]


def oldest_first(bills: Sequence[Open], amount: Money) -> tuple[list[tuple[Open, Money]], Money]:
    """Split an amount over bills of its currency, up to what is uncontested; and what is left."""
    same = [item for item in bills if item.amount.currency == amount.currency]
    done = allocation.oldest_first(amount, same)
    return list(done.parts), done.unapplied


def use_oldest_first(
    session: Session, account_id: uuid.UUID, on: date, now: datetime
) -> list[Used]:
    """Apply what is free to what is owed; the caller has locked the account. Says what went where."""
    used: list[Used] = []
    for held in free(session, account_id):
        parts, _ = oldest_first(payable(session, account_id), held.open)
        for owed, part in parts:
            business.use_credit(session, items.get(session, held.id), owed, part, on, now)
            used.append(Used(held, owed, part))
    return used


def _being_paid(session: Session, item_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    rows = session.scalars(
        select(Tender.open_item_id).where(
            Tender.state == "reserved", Tender.open_item_id.in_(item_ids)
        )
    )
    return {key for key in rows if key is not None}
