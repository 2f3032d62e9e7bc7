"""What a payment settled, for receipts: read from the applications."""

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger import items
from core.ledger.items import Open
from core.ledger.models import Application, OpenItem


@dataclass(frozen=True)
class Settled:
    """So much of a payment went to this item, which now is as open as it says."""

    item: Open
    amount: Money


def of_payment(session: Session, payment_id: uuid.UUID) -> list[Settled]:
    """What the payment settled by itself, reversals taken off, the earliest due first.

    What it first left as a deposit or unapplied, and was used later, is not in here.
    """
    rows = session.execute(
        select(Application.debit_item_id, func.sum(Application.amount_minor))
        .where(
            Application.source_kind == "payment",
            Application.source_id == payment_id,
            Application.credit_item_id.is_(None),
            Application.debit_item_id.is_not(None),
        )
        .group_by(Application.debit_item_id)
    )
    sums = {item_id: int(minor) for item_id, minor in rows if item_id is not None}
    if not sums:
        return []
    found = items.find(session, OpenItem.id.in_(list(sums)))
    settled = [Settled(item, Money(sums[item.id], item.amount.currency)) for item in found]
    return [each for each in settled if each.amount]
