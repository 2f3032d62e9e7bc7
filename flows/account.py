"""What an account owes and what happened on it, for whoever may see it. Reads only."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from core.kernel.money import Money, total
from core.ledger import items
from core.ledger import reading as ledger
from core.ledger.items import Open
from core.ledger.models import OpenItem
from core.subscriptions import reading as subscriptions
from core.subscriptions.timeline import Timeline
from invoices import reading as invoices
from invoices.models import Invoice
from payments import reading as payments
from payments.models import Payment, Refund


@dataclass(frozen=True)
class Settled:
    """So much of a payment went to a document, and what is open of that now."""

    number: str
    public_id: str
    amount: Money
    open: Money


@dataclass(frozen=True)
class Paid:
    """A payment, what it settled, what of it is kept for later, and what went back."""

    payment: Payment
    settled: tuple[Settled, ...]
    kept: Money
    refunds: tuple[Refund, ...]


@dataclass(frozen=True)
class Overview:
    """Everything that an account's first page shows."""

    owed: Sequence[Open]
    held: Sequence[Open]
    invoices: Sequence[Invoice]
    open_items: dict[uuid.UUID, Open]
    payments: Sequence[Payment]
    refunds: Sequence[Refund]
    services: Sequence[Timeline]


def overview(
    session: Session, account_ids: Sequence[uuid.UUID], currency: str | None = None
) -> Overview:
    """What is owed and what happened lately, in a constant number of queries. Needs a snapshot.

    With ``currency`` only what is in it: amounts of several do not add up.
    """
    found = invoices.of_accounts(session, account_ids, currency=currency, limit=10)
    owed = _in(currency, items.owed_by(session, account_ids))
    paid = payments.of_accounts(session, account_ids, currency=currency, limit=10)
    open_items = items.of_sources(session, [row.id for row in found])
    return Overview(
        owed=owed,
        held=_in(currency, items.held_for(session, account_ids)),
        invoices=found,
        open_items=open_items | {item.source_id: item for item in owed},
        payments=paid,
        refunds=payments.refunds_of(session, [row.id for row in paid]),
        services=[
            one
            for one in subscriptions.of_accounts(session, account_ids)
            if currency in (None, one.currency) and one.state != "ended"
        ],
    )


def _in(currency: str | None, found: Sequence[Open]) -> list[Open]:
    return [item for item in found if currency in (None, item.amount.currency)]


def payment(
    session: Session, public_id: str, account_ids: Sequence[uuid.UUID] | None = None
) -> Paid:
    """One payment with what it paid. NotFound when it is none of the accounts' (None: staff)."""
    row = payments.one(session, public_id, account_ids)
    held = items.find(session, OpenItem.source_id == row.id, OpenItem.side == "credit")
    return Paid(
        row,
        tuple(settled_by(session, [row.id]).get(row.id, ())),
        total((item.open for item in held), row.currency),
        tuple(payments.refunds_of(session, [row.id])),
    )


def settled_by(
    session: Session, payment_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[Settled]]:
    """What each payment settled."""
    applied = ledger.applied_from(session, payment_ids)
    keys = [row.item_source_id for row in applied]
    open_items = items.of_sources(session, keys)
    documents = {row.id: row for row in invoices.some(session, keys)}
    found: dict[uuid.UUID, list[Settled]] = {}
    for row in applied:
        document = documents.get(row.item_source_id)
        public_id = document.public_id if document is not None else ""
        settled = Settled(
            row.item_number, public_id, row.amount, open_items[row.item_source_id].open
        )
        found.setdefault(row.source_id, []).append(settled)
    return found


def earliest(owed: Sequence[Open]) -> date | None:
    """When the first of what is owed is due."""
    return min((item.due_date for item in owed if item.due_date is not None), default=None)
