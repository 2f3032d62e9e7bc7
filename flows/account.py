"""What an account owes and what happened on it, for whoever may see it. Reads only."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from core.catalog.models import Variant
from core.kernel.errors import NotFound
from core.kernel.money import Money
from core.ledger import items
from core.ledger.items import Open
from core.ledger.models import Application, OpenItem
from core.subscriptions.models import Subscription
from invoices import reading
from invoices.models import Invoice
from payments.models import Payment, PaymentOperation


@dataclass(frozen=True)
class Paid:
    """A payment with what it settled: number, document's public id, amount, what is open after."""

    payment: Payment
    settled: tuple[tuple[str, str, Money, Money], ...]
    kept: Money


@dataclass(frozen=True)
class Overview:
    """Everything that an account's first page shows."""

    owed: Sequence[Open]
    held: Sequence[Open]
    invoices: Sequence[Invoice]
    open_items: dict[uuid.UUID, Open]
    payments: Sequence[Payment]
    services: Sequence[tuple[Subscription, str]]


def overview(session: Session, account_ids: Sequence[uuid.UUID]) -> Overview:
    """What is owed and what happened lately, in a constant number of queries. Needs a snapshot."""
    found = reading.of_accounts(session, account_ids, limit=10)
    owed = items.owed_by(session, account_ids)
    by_source = items.of_sources(session, [row.id for row in found])
    by_source |= {item.source_id: item for item in owed}
    services = session.execute(
        select(Subscription, Variant.name)
        .join(Variant, Variant.id == Subscription.variant_id)
        .where(Subscription.service_account_id.in_(account_ids), Subscription.state != "ended")
        .order_by(Subscription.ordered_at)
    )
    return Overview(
        owed=owed,
        held=items.held_for(session, account_ids),
        invoices=found,
        open_items=by_source,
        payments=payments(session, account_ids, limit=10),
        services=[(subscription, name) for subscription, name in services],
    )


def payments(
    session: Session,
    account_ids: Sequence[uuid.UUID],
    *,
    before: tuple[datetime, uuid.UUID] | None = None,
    limit: int = 25,
) -> Sequence[Payment]:
    """The accounts' payments, the newest first, behind ``before``."""
    query = select(Payment).where(Payment.account_id.in_(account_ids))
    if before is not None:
        query = query.where(tuple_(Payment.captured_at, Payment.id) < tuple_(*before))
    return session.scalars(
        query.order_by(Payment.captured_at.desc(), Payment.id.desc()).limit(limit)
    ).all()


def payment(
    session: Session, public_id: str, account_ids: Sequence[uuid.UUID] | None = None
) -> Paid:
    """One payment with what it paid. NotFound when it is none of the accounts'."""
    query = select(Payment).where(Payment.public_id == public_id)
    if account_ids is not None:
        query = query.where(Payment.account_id.in_(account_ids))
    row = session.scalar(query)
    if row is None:
        raise NotFound("payment")
    settled = settled_by(session, [row.id])
    held = items.find(session, OpenItem.source_id == row.id, OpenItem.side == "credit")
    kept = sum((item.open for item in held), Money.zero(row.currency))
    return Paid(row, tuple(settled.get(row.id, ())), kept)


def settled_by(
    session: Session, payment_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[tuple[str, str, Money, Money]]]:
    """What each payment settled: number, document's public id, amount, what is open of it now."""
    rows = session.execute(
        select(Application, OpenItem.source_id)
        .join(OpenItem, OpenItem.id == Application.debit_item_id)
        .where(Application.source_kind == "payment", Application.source_id.in_(payment_ids))
        .order_by(Application.posted_at, Application.id)
    ).all()
    open_items = items.of_sources(session, [source_id for _, source_id in rows])
    public = {
        key: (number, public_id)
        for key, number, public_id in session.execute(
            select(Invoice.id, Invoice.number, Invoice.public_id).where(
                Invoice.id.in_([source_id for _, source_id in rows])
            )
        )
    }
    found: dict[uuid.UUID, list[tuple[str, str, Money, Money]]] = {}
    for application, source_id in rows:
        item = open_items[source_id]
        number, public_id = public.get(source_id, (item.number, ""))
        found.setdefault(application.source_id, []).append(
            (number, public_id, Money(application.amount_minor, item.amount.currency), item.open)
        )
    return found


def underway(session: Session, account_ids: Sequence[uuid.UUID]) -> Sequence[PaymentOperation]:
    """Payments of bills that were begun and may still arrive."""
    return session.scalars(
        select(PaymentOperation).where(
            PaymentOperation.account_id.in_(account_ids),
            PaymentOperation.kind == "checkout",
            PaymentOperation.order_id.is_(None),
            PaymentOperation.state.in_(["sent", "indeterminate"]),
        )
    ).all()


def earliest(owed: Sequence[Open]) -> date | None:
    """When the first of what is owed is due."""
    return min((item.due_date for item in owed if item.due_date is not None), default=None)
