"""Reading what became of orders' pieces: parcels, cancellations, returns."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from core.kernel.errors import NotFound
from core.kernel.sorting import Place, Sorts
from core.orders.fulfilment_models import (
    Fulfilment,
    FulfilmentLine,
    OrderChange,
    OrderChangeLine,
)
from core.orders.models import Order
from core.parties.models import Account


@dataclass(frozen=True)
class Sent:
    """A parcel or a provision, with its pieces by order line."""

    row: Fulfilment
    pieces: dict[uuid.UUID, int]


@dataclass(frozen=True)
class Change:
    """A cancellation, a change or a return, with its pieces by order line, and which went back to stock."""

    row: OrderChange
    pieces: dict[uuid.UUID, int]
    restocked: frozenset[uuid.UUID]


def sent(session: Session, order_id: uuid.UUID) -> list[Sent]:
    """What left or was done of an order, the oldest first."""
    rows = session.execute(
        select(Fulfilment, FulfilmentLine)
        .join(FulfilmentLine, FulfilmentLine.fulfilment_id == Fulfilment.id)
        .where(Fulfilment.order_id == order_id)
        .order_by(Fulfilment.number)
    )
    found: dict[uuid.UUID, Sent] = {}
    for row, line in rows:
        found.setdefault(row.id, Sent(row, {})).pieces[line.order_line_id] = line.quantity
    return list(found.values())


def changes(session: Session, order_id: uuid.UUID) -> list[Change]:
    """The changes of an order, the oldest first."""
    rows: Sequence[Any] = session.execute(
        select(OrderChange, OrderChangeLine)
        .outerjoin(OrderChangeLine, OrderChangeLine.change_id == OrderChange.id)
        .where(OrderChange.order_id == order_id)
        .order_by(OrderChange.number)
    ).all()
    back = frozenset(
        (row.id, line.order_line_id) for row, line in rows if line is not None and line.restocked
    )
    found: dict[uuid.UUID, Change] = {}
    for row, line in rows:
        mine = frozenset(line_id for change_id, line_id in back if change_id == row.id)
        one = found.setdefault(row.id, Change(row, {}, mine))
        if line is not None:  # a change may only add
            one.pieces[line.order_line_id] = line.quantity
    return list(found.values())


def change(session: Session, public_id: str) -> tuple[OrderChange, Order]:
    """A change and its order. NotFound when there is none."""
    row = session.execute(
        select(OrderChange, Order)
        .join(Order, Order.id == OrderChange.order_id)
        .where(OrderChange.public_id == public_id)
    ).first()
    if row is None:
        raise NotFound("change of an order")
    return row[0], row[1]


def parcel(session: Session, public_id: str) -> tuple[Fulfilment, Order]:
    """A parcel or provision and its order. NotFound when there is none."""
    row = session.execute(
        select(Fulfilment, Order)
        .join(Order, Order.id == Fulfilment.order_id)
        .where(Fulfilment.public_id == public_id)
    ).first()
    if row is None:
        raise NotFound("parcel")
    return row[0], row[1]


def to_ask_about(session: Session, before: datetime, limit: int = 200) -> Sequence[uuid.UUID]:
    """The keys of parcels that arrived before a moment and whose customers were not asked since."""
    return session.scalars(
        select(Fulfilment.id)
        .where(Fulfilment.delivered_at <= before, Fulfilment.asked_at.is_(None))
        .order_by(Fulfilment.delivered_at, Fulfilment.id)
        .limit(limit)
    ).all()


def is_all_there(session: Session, order: Order) -> bool:
    """Is an order complete, and has each of its parcels arrived?"""
    missing = select(Fulfilment.id).where(
        Fulfilment.order_id == order.id,
        Fulfilment.kind == "parcel",
        Fulfilment.delivered_at.is_(None),
    )
    return order.fulfilment == "fulfilled" and session.scalar(missing.limit(1)) is None


def of_orders(session: Session, order_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Sent]]:
    """What left or was done of several orders."""
    rows = session.execute(
        select(Fulfilment, FulfilmentLine)
        .join(FulfilmentLine, FulfilmentLine.fulfilment_id == Fulfilment.id)
        .where(Fulfilment.order_id.in_(order_ids))
        .order_by(Fulfilment.order_id, Fulfilment.number)
    )
    made: dict[uuid.UUID, Sent] = {}
    found: dict[uuid.UUID, list[Sent]] = {}
    for row, line in rows:
        if row.id not in made:
            made[row.id] = Sent(row, {})
            found.setdefault(row.order_id, []).append(made[row.id])
        made[row.id].pieces[line.order_line_id] = line.quantity
    return found


def asked_for() -> Select[uuid.UUID]:
    """The keys of returns that customers asked for and nobody has answered."""
    return select(OrderChange.id).where(OrderChange.state == "asked")


#: What the desk's list of returns may be sorted by.
SORTS = Sorts(OrderChange.id, {"asked": OrderChange.asked_at})
NEWEST = Place("-asked")


def returns(
    session: Session,
    *,
    state: str = "",
    words: str = "",
    place: Place = NEWEST,
    limit: int = 50,
) -> list[tuple[OrderChange, Order, str]]:
    """Returns with their orders and who pays, from a place on; ``words`` in number, name and e-mail."""
    query = (
        select(OrderChange, Order, Account.name)
        .join(Order, Order.id == OrderChange.order_id)
        .join(Account, Account.id == Order.payer_account_id)
        .where(OrderChange.kind == "return")
    )
    if state:
        query = query.where(OrderChange.state == state)
    if words:
        number, _, rest = words.upper().rpartition("-R")
        query = query.where(
            or_(
                Order.number == (number if number and rest.isdigit() else words),
                Order.email == words.lower(),
                Account.name.icontains(words, autoescape=True),
            )
        )
    rows = session.execute(SORTS.apply(query, place, limit))
    return [(row, order, name) for row, order, name in rows]
