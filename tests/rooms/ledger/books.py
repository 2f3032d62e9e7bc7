"""What ledger tests write: documents and receipts, and sums read straight from the journal."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import item_proofs, items, proofs, rates, valuation
from core.ledger.business import Document, Receipt
from core.ledger.chart import CONTRACT_LIABILITY
from core.ledger.items import Open
from core.ledger.models import JournalEntry, JournalLine
from tests.world import World

DAY = date(2026, 11, 17)


def document(
    world: World,
    account_id: uuid.UUID,
    net: Money,
    tax: int = 0,
    *,
    on: date = DAY,
    due: date | None = None,
    nets: Sequence[tuple[str, Money]] | None = None,
    number: str = "100001",
) -> Document:
    """An invoice or memo of one net amount, unless ``nets`` says more."""
    return Document(
        id=new_id(),
        legal_entity_id=world.legal_entity_id,
        account_id=account_id,
        number=number,
        issue_date=on,
        due_date=due,
        nets=nets if nets is not None else [(CONTRACT_LIABILITY, net)],
        tax=Money(tax, net.currency),
    )


def receipt(
    world: World, account_id: uuid.UUID, amount: Money, *, on: date = DAY, number: str = "P-10001"
) -> Receipt:
    """Money that came."""
    return Receipt(new_id(), world.legal_entity_id, account_id, number, amount, on)


def balance(
    session: Session,
    code: str,
    account_id: uuid.UUID | None = None,
    as_of: date | None = None,
) -> int:
    """What the journal has on an account of the chart, debits positive, by one currency's units."""
    query = (
        select(func.coalesce(func.sum(JournalLine.amount_minor), 0))
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(JournalLine.ledger_code == code)
    )
    if account_id is not None:
        query = query.where(JournalLine.account_id == account_id)
    if as_of is not None:
        query = query.where(JournalEntry.effective_date <= as_of)
    return int(session.scalar(query) or 0)


def item(session: Session, item_id: uuid.UUID | None) -> Open:
    """The item, which was opened."""
    assert item_id is not None
    return items.get(session, item_id)


def tell_rates(session: Session, now: datetime, days: int = 7) -> None:
    """Rates to the dollar for so many days from ``DAY`` on, another each week."""
    for step in range(0, days, 7):
        for currency, rate in (("JPY", "0.0065"), ("KWD", "3.26"), ("EUR", "1.10")):
            moved = round(Decimal(rate) * (100 + step % 9) / 100, 6)
            on = DAY + timedelta(days=step)
            rates.tell(session, (currency, "USD"), on, moved, "test", now)


def sound(session: Session, as_of: date | None = None) -> None:
    """The books prove themselves."""
    parts = (
        proofs.entries_balance(session, as_of),
        item_proofs.controls_tie(session, as_of),
        valuation.functional_amounts_tie(session, as_of),
        item_proofs.items_stay_within_bounds(session, as_of),
        item_proofs.ageing_ties(session, as_of, as_of or DAY),
        proofs.postings_have_no_gap(session),
    )
    wrong = [word for part in parts for word in part.offenders]
    assert wrong == [], wrong
