"""What waits to be looked at: days that are over, lines of services that nobody looked at yet, and orders of
which something was given before anybody kept count of what is earned.
"""

import uuid
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import Session

from core.catalog.models import BUNDLE
from core.ledger.chart import CONTRACT_LIABILITY
from core.orders.models import Order, OrderLine
from core.revenue.models import Obligation
from core.subscriptions.models import SubscriptionPhase
from invoices.models import Invoice, InvoiceLine

#: So many are read at a time.
PAGE = 500

#: (payer, line of a bill)
Line = tuple[uuid.UUID, uuid.UUID]


def due(session: Session, today: date, after: uuid.UUID | None) -> Sequence[Line]:
    """Lines of services of which more days are over, by their keys."""
    query = (
        select(Invoice.payer_account_id, InvoiceLine.id)
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .join(Obligation, Obligation.invoice_line_id == InvoiceLine.id)
        .where(Obligation.due_on <= today)
    )
    return _page(session, query, InvoiceLine.id, after)


def fresh(session: Session, today: date, after: uuid.UUID | None) -> Sequence[Line]:
    """Lines of services that have begun, and of days that staff wrote, that nobody looked at yet."""
    query = (
        select(Invoice.payer_account_id, InvoiceLine.id)
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .outerjoin(SubscriptionPhase, SubscriptionPhase.id == InvoiceLine.phase_id)
        .where(is_by_days(), SubscriptionPhase.withdrawn_at.is_(None), ~_has_line())
        .where(or_(InvoiceLine.phase_id.is_(None), SubscriptionPhase.starts_on <= today))
    )
    return _page(session, query, InvoiceLine.id, after)


def orders(session: Session, after: uuid.UUID | None) -> Sequence[tuple[uuid.UUID, uuid.UUID]]:
    """(payer, order) of which something was given and nobody looked at what is earned."""
    query = (
        select(Order.payer_account_id, Order.id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(is_given_and_new())
        .distinct()
    )
    return _page(session, query, Order.id, after)


def _page(
    session: Session, query: Select[uuid.UUID, uuid.UUID], key: Any, after: uuid.UUID | None
) -> Sequence[tuple[uuid.UUID, uuid.UUID]]:
    if after is not None:
        query = query.where(key > after)
    return [(payer, one) for payer, one in session.execute(query.order_by(key).limit(PAGE))]


@cache
def is_by_days() -> ColumnElement[bool]:
    """Lines of bills that are earned by the days of service, of which something is to be earned."""
    line = InvoiceLine
    of_plan = and_(line.charge_key.is_not(None), line.meter_id.is_(None))
    written = and_(
        line.charge_key.is_(None), line.period_start.is_not(None), line.period_end.is_not(None)
    )
    return and_(
        line.memo_of_id.is_(None),
        line.ledger_code == CONTRACT_LIABILITY,
        line.net_minor != 0,
        or_(of_plan, written),
    )


@cache
def is_given_and_new() -> ColumnElement[bool]:
    """Lines of orders of which something was given, and of which nothing is written down."""
    line = OrderLine
    return and_(
        line.fulfilled > 0,
        line.kind.not_in((BUNDLE, "gift_card")),
        line.subscription_id.is_(None),
        line.net_minor != 0,
        ~exists().where(Obligation.order_line_id == line.id),
    )


def _has_line() -> ColumnElement[bool]:
    return exists().where(Obligation.invoice_line_id == InvoiceLine.id)
