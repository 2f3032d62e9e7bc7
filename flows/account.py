"""What an account owes and what happened on it, for whoever may see it. Reads only."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import tuple_
from sqlalchemy.orm import Session

from core.kernel.money import Money, total
from core.ledger import items, standing
from core.ledger import reading as ledger
from core.ledger.chart import RECEIVABLE
from core.ledger.items import Open
from core.ledger.models import OpenItem
from core.ledger.open_now import OpenNow
from core.ledger.standing import Owes
from core.subscriptions import reading as subscriptions
from core.subscriptions.timeline import Timeline
from invoices import reading as invoices
from invoices.models import Invoice
from payments import reading as payments
from payments.dunning import reading as dunning
from payments.dunning.models import DunningCase
from payments.models import Payment, Refund

#: So many open bills stand on the first page.
MOST_OPEN = 5


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

    #: What each account owes, summed, and the first of it, the earliest due first, with its documents.
    owes: Sequence[Owes]
    held: Money
    owed: Sequence[Open]
    documents: dict[uuid.UUID, Invoice]
    #: Accounts with something past due, the longest first.
    cases: Sequence[DunningCase]
    invoices: Sequence[Invoice]
    payments: Sequence[Payment]
    refunds: Sequence[Refund]
    services: Sequence[Timeline]


def overview(
    session: Session, account_ids: Sequence[uuid.UUID], currency: str, today: date
) -> Overview:
    """What is owed and what happened lately in one currency: amounts of several do not add up.

    A constant number of queries, none of which reads more the longer the history is. Needs a snapshot.
    """
    owes, held = standing.stands(session, account_ids, currency, today)
    is_any_late = any(one.late_count for one in owes)
    owed = standing.first_owed(session, account_ids, currency, MOST_OPEN)
    paid, refunds = payments.lately(session, account_ids, currency)
    last, documents = invoices.lately(
        session, account_ids, currency, also=[one.source_id for one in owed]
    )
    return Overview(
        owes=owes,
        held=held,
        owed=owed,
        documents=documents,
        cases=dunning.open_of(session, account_ids) if is_any_late else (),
        invoices=last,
        payments=paid,
        refunds=refunds,
        services=[
            one
            for one in subscriptions.running_of(session, account_ids)
            if one.currency == currency
        ],
    )


def payable(
    session: Session,
    account_ids: Sequence[uuid.UUID],
    *,
    after: tuple[date, uuid.UUID] | None = None,
    limit: int,
) -> list[Open]:
    """What can be paid, the earliest due first, from behind a due day and key."""
    behind = [tuple_(OpenNow.due, OpenNow.item_id) > tuple_(*after)] if after else []
    return items.open_now(
        session,
        OpenNow.account_id.in_(account_ids),
        OpenNow.ledger_code == RECEIVABLE,
        ~OpenItem.is_history,
        *behind,
        limit=limit,
    )


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
