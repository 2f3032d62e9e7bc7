"""Versions that were sent: their frozen lines and taxes, their order, and moving their state."""

import uuid
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cart.quotes.models import (
    Quote,
    QuoteAcceptance,
    QuoteLine,
    QuoteLineTax,
    QuoteVersion,
)
from core.kernel.db import changed
from core.kernel.errors import StaleState
from core.orders.models import Order
from core.stock.holds import Demand


def current(session: Session, quote: Quote) -> QuoteVersion | None:
    """The version that is sent and not answered."""
    return session.scalar(
        select(QuoteVersion).where(QuoteVersion.quote_id == quote.id, QuoteVersion.state == "sent")
    )


def version_of(session: Session, quote: Quote, number: int) -> QuoteVersion | None:
    """The version with this number, as it is now."""
    return session.scalar(
        select(QuoteVersion)
        .where(QuoteVersion.quote_id == quote.id, QuoteVersion.number == number)
        .execution_options(populate_existing=True)
    )


def pending_order(session: Session, version: QuoteVersion) -> Order | None:
    """The order of a version that is being paid for."""
    order = session.scalar(select(Order).where(Order.quote_version_id == version.id))
    return order if order is not None and order.lifecycle == "pending" else None


def order_of(session: Session, quote: Quote) -> Order | None:
    """The order that a quote has become, or is becoming."""
    return session.scalar(
        select(Order)
        .join(QuoteVersion, QuoteVersion.id == Order.quote_version_id)
        .where(QuoteVersion.quote_id == quote.id)
    )


def quote_of_order(session: Session, order_id: uuid.UUID) -> Quote | None:
    """The quote that an order came from, even when the order was given up."""
    return session.scalar(
        select(Quote)
        .join(QuoteVersion, QuoteVersion.quote_id == Quote.id)
        .join(QuoteAcceptance, QuoteAcceptance.version_id == QuoteVersion.id)
        .where(QuoteAcceptance.order_id == order_id)
    )


def lines(session: Session, version: QuoteVersion) -> list[QuoteLine]:
    """Every line of a version, deliveries last."""
    return list(
        session.scalars(
            select(QuoteLine)
            .where(QuoteLine.version_id == version.id)
            .order_by(QuoteLine.line_number)
        )
    )


def taxes(session: Session, version: QuoteVersion) -> dict[uuid.UUID, list[QuoteLineTax]]:
    """The frozen taxes of a version, by line."""
    found: dict[uuid.UUID, list[QuoteLineTax]] = {}
    rows = session.scalars(
        select(QuoteLineTax)
        .join(QuoteLine, QuoteLine.id == QuoteLineTax.quote_line_id)
        .where(QuoteLine.version_id == version.id)
        .order_by(QuoteLine.line_number, QuoteLineTax.position)
    )
    for row in rows:
        found.setdefault(row.quote_line_id, []).append(row)
    return found


def demands(session: Session, version: QuoteVersion) -> list[Demand]:
    """What a version needs from stock."""
    return [
        Demand(row.id, row.variant_id, row.quantity)
        for row in lines(session, version)
        if row.kind == "physical" and row.variant_id is not None
    ]


def move(session: Session, version: QuoteVersion, state: str, to: str) -> None:
    """Move a version that was sent; StaleState when somebody was faster."""
    result: Any = session.execute(
        update(QuoteVersion)
        .where(QuoteVersion.id == version.id, QuoteVersion.state == state)
        .values(state=to)
        .execution_options(synchronize_session=False)
    )
    if not changed(result):
        raise StaleState("quote", to)
    session.refresh(version)
