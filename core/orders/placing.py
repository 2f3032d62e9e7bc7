"""Writing an order down and moving its states; the only writer of each."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, Update, bindparam, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from core.kernel import numbering
from core.kernel.db import changed, columns_of, insert_new, insert_rows, keep_new, table
from core.kernel.errors import NotFound, StaleState
from core.orders import drafting
from core.orders.drafting import Draft, NewLine, NewOrder
from core.orders.models import (
    FULFILMENT,
    LIFECYCLE,
    PAYMENT,
    Order,
    OrderLine,
    OrderLineCharge,
    OrderLineTax,
)

ORDER_SERIES = "order"
_TABLES = {"lifecycle": LIFECYCLE, "payment": PAYMENT, "fulfilment": FULFILMENT}
#: The first number is one more than this.
BEFORE_FIRST = 10_000


def number_of(position: int) -> str:
    """An order's number, from its position in the series."""
    return f"O-{BEFORE_FIRST + position}"


def write(session: Session, new: NewOrder, now: datetime) -> Order:
    """Write a pending order with its lines. Its cart (or quote version) is unique: it is the only one."""
    drafted = drafting.draft(new, now)
    put(session, drafted)
    return drafted.order


def put(session: Session, drafted: Draft) -> None:
    """Write a draft as it stands."""
    insert_new(session, drafted.order)
    _put_lines(session, drafted.lines, drafted.taxes, drafted.charges)


def put_confirmed(
    session: Session, drafted: Draft, payment: str, now: datetime, held: Sequence[str] = ()
) -> None:
    """Write a draft that is certain already, in one go as ``put`` and ``confirm`` would leave it. Take this
    late, as ``confirm``: the number series is a hot row."""
    order = drafted.order
    position = numbering.take(session, order.legal_entity_id, ORDER_SERIES)
    order.number, order.placed_at = number_of(position), now
    order.lifecycle, order.payment = "confirmed", payment
    if held:
        order.held_at, order.held_reasons = now, ",".join(held)
    put(session, drafted)


def add_lines(
    session: Session,
    order: Order,
    lines: Sequence[NewLine],
    change_id: uuid.UUID,
    known: Sequence[OrderLine],
) -> Sequence[OrderLine]:
    """What a change adds to a placed order, behind the lines that are ``known``. What the order was to cost
    as it was placed stays as it is. For ``core.orders.fulfilling``."""
    last = max((line.line_number for line in known), default=0)
    found, taxes, charges = drafting.lines(order, lines, change_id, last)
    _put_lines(session, found, taxes, charges)
    return found


def _put_lines(
    session: Session,
    lines: Sequence[OrderLine],
    taxes: Sequence[Mapping[str, Any]],
    charges: Sequence[Mapping[str, Any]],
) -> None:
    insert_rows(session, OrderLine, [columns_of(line) for line in lines])
    insert_rows(session, OrderLineTax, taxes)
    insert_rows(session, OrderLineCharge, charges)
    for line in lines:
        keep_new(session, line)


def lines_of(session: Session, order_id: uuid.UUID) -> Sequence[OrderLine]:
    """The lines of an order, in their order."""
    return session.scalars(_lines(), {"order": order_id}).all()


def taxes_of(session: Session, order_id: uuid.UUID) -> dict[uuid.UUID, list[OrderLineTax]]:
    """The tax lines of an order, by order line."""
    found: dict[uuid.UUID, list[OrderLineTax]] = {}
    for row in session.scalars(_taxes(), {"order": order_id}):
        found.setdefault(row.order_line_id, []).append(row)
    return found


def lines_with_taxes(session: Session, order_id: uuid.UUID) -> dict[OrderLine, list[OrderLineTax]]:
    """``lines_of`` and ``taxes_of`` in one question."""
    found: dict[OrderLine, list[OrderLineTax]] = {}
    for line, tax in session.execute(_lines_with_taxes(), {"order": order_id}):
        taxes = found.setdefault(line, [])
        if tax is not None:
            taxes.append(tax)
    return found


def by_public_id(session: Session, public_id: str) -> Order:
    """The order that a program or a link names. NotFound when there is none."""
    order = session.scalar(_of_public_id(), {"public_id": public_id})
    if order is None:
        raise NotFound("order")
    return order


def of_cart(session: Session, cart_id: uuid.UUID) -> Order | None:
    """The order that a cart has become, or is becoming."""
    return session.scalar(_of_cart(), {"cart": cart_id})


def lock(session: Session, order_id: uuid.UUID) -> Order:
    """The order, locked and read again; it exists."""
    return session.scalars(_locked(), {"order": order_id}).one()


def confirm(
    session: Session, order: Order, payment: str, now: datetime, held: Sequence[str] = ()
) -> None:
    """Pending → confirmed, with its number; raises StaleState when somebody else was first.

    ``payment`` is ``paid`` or ``on_terms``; ``held`` says why it is held. Take this late: the number series
    is a hot row.
    """
    position = numbering.take(session, order.legal_entity_id, ORDER_SERIES)
    number = number_of(position)
    states = {"lifecycle": "confirmed", "payment": payment}
    why = {"held_at": now, "held_reasons": ",".join(held)} if held else {}
    move(session, order, states, number=number, placed_at=now, **why)


def cancel(session: Session, order: Order, reason: str, now: datetime) -> None:
    """Pending → cancelled; its cart or quote is free for another attempt. StaleState when it was too late."""
    states = {"lifecycle": "cancelled", "payment": "released"}
    freed = {"cart_id": None, "quote_version_id": None}
    move(session, order, states, **freed, cancelled_at=now, cancel_reason=reason)


def set_payment(session: Session, order: Order, state: str) -> None:
    """Move the payment state along its table."""
    move(session, order, {"payment": state})


def comes_to(session: Session, order_id: uuid.UUID, more_minor: int) -> None:
    """A document added something to a placed order, or gave something of it back (below zero)."""
    values = {"worth_minor": Order.worth_minor + more_minor}
    session.execute(update(Order).where(Order.id == order_id).values(values))


def move(session: Session, order: Order, states: dict[str, str], **values: Any) -> None:
    """For the writers of the states: in one statement all move and the values are set, or StaleState is
    raised."""
    allowed = {
        f"from_{name}": [one for one, onward in _TABLES[name].items() if to in onward]
        for name, to in states.items()
    }
    session.flush()  # an order that was only added is not there yet
    result = session.execute(
        _moved(tuple(states), tuple(values)), {"order": order.id, **allowed, **states, **values}
    )
    if changed(result) == 0:
        raise StaleState("order", next(iter(states.values())))
    for name, value in {**states, **values}.items():
        set_committed_value(order, name, value)


# --- statements, each put together once and at first use, when the types of foreign keys are known ------


@cache
def _moved(states: tuple[str, ...], values: tuple[str, ...]) -> Update:
    row = table(Order)
    conditions = [row.c[name].in_(bindparam(f"from_{name}", expanding=True)) for name in states]
    return (
        update(row)
        .where(row.c.id == bindparam("order"), *conditions)
        .values({name: bindparam(name) for name in (*states, *values)})
    )


@cache
def _locked() -> Select[Order]:
    locked = select(Order).where(Order.id == bindparam("order")).with_for_update()
    return locked.execution_options(populate_existing=True)


@cache
def _of_public_id() -> Select[Order]:
    return select(Order).where(Order.public_id == bindparam("public_id"))


@cache
def _of_cart() -> Select[Order]:
    return select(Order).where(Order.cart_id == bindparam("cart"))


@cache
def _lines() -> Select[OrderLine]:
    return (
        select(OrderLine)
        .where(OrderLine.order_id == bindparam("order"))
        .order_by(OrderLine.line_number)
    )


@cache
def _taxes() -> Select[OrderLineTax]:
    return (
        select(OrderLineTax)
        .join(OrderLine, OrderLine.id == OrderLineTax.order_line_id)
        .where(OrderLine.order_id == bindparam("order"))
        .order_by(OrderLine.line_number, OrderLineTax.position)
    )


@cache
def _lines_with_taxes() -> Select[OrderLine, OrderLineTax]:
    return (
        select(OrderLine, OrderLineTax)
        .outerjoin(OrderLineTax, OrderLineTax.order_line_id == OrderLine.id)
        .where(OrderLine.order_id == bindparam("order"))
        .order_by(OrderLine.line_number, OrderLineTax.position)
    )
