"""Goods that are fetched: set ready at their place, handed over, or put back.

What lies ready is still sold and waits; it is counted as given when it is handed over. Called by
``flows.pick_up``, and by the flows that send or cancel pieces; the order is locked by them.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from core.kernel.db import changed, insert_rows
from core.kernel.errors import NotFound, StaleState
from core.kernel.ids import new_id, new_public_id
from core.orders import deliveries, fulfilling
from core.orders.fulfilling import OrderHeld, Some, TooManyPieces, WrongKind
from core.orders.models import Order, OrderLine
from core.orders.pickup_models import PickUp, PickUpLine
from core.stock.models import Location


@dataclass(frozen=True)
class Ready:
    """A pick-up with its place, and its pieces by order line."""

    row: PickUp
    place: Location
    pieces: dict[uuid.UUID, int]


def set_ready(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    chosen: Sequence[Some],
    actor: str,
    once: str,
    now: datetime,
) -> list[PickUp]:
    """Pieces lie ready, at each place its own pick-up. Raises OrderNotOpen, OrderHeld, WrongKind for what
    is not fetched, and TooManyPieces."""
    fulfilling.is_open(order)
    if order.is_held:
        raise OrderHeld(order.number or "")
    fetched, there = deliveries.picked_up(lines), ready_pieces(session, order.id)
    for one in chosen:
        line = one.line
        if line.id not in fetched:
            raise WrongKind(line.line_number, line.sku, "set ready")
        left = line.waiting - there.get(line.id, 0)
        if not 0 < one.quantity <= left:
            raise TooManyPieces(line.line_number, line.sku, "set ready", one.quantity, left)
    places = sorted({fetched[one.line.id] for one in chosen})
    return [
        _write(
            session,
            order,
            place,
            [one for one in chosen if fetched[one.line.id] == place],
            actor,
            f"{once}:{at}",
            now,
        )
        for at, place in enumerate(places)
    ]


def _write(
    session: Session,
    order: Order,
    place: uuid.UUID,
    chosen: Sequence[Some],
    actor: str,
    once: str,
    now: datetime,
) -> PickUp:
    known = session.scalar(select(func.max(PickUp.number)).where(PickUp.order_id == order.id))
    row = PickUp(
        id=new_id(),
        public_id=new_public_id(),
        order_id=order.id,
        number=(known or 0) + 1,
        location_id=place,
        state="ready",
        ready_at=now,
        ready_by=actor,
        once=once,
    )
    session.add(row)
    session.flush()
    pieces = [
        {"pick_up_id": row.id, "order_line_id": one.line.id, "quantity": one.quantity}
        for one in chosen
    ]
    insert_rows(session, PickUpLine, pieces)
    return row


def left_to_set_ready(session: Session, lines: Sequence[OrderLine]) -> dict[uuid.UUID, int]:
    """How many pieces of each line are fetched, and do not lie ready yet."""
    fetched = deliveries.picked_up(lines)
    if not fetched:
        return {}
    there = ready_pieces(session, lines[0].order_id)
    return {line.id: line.waiting - there.get(line.id, 0) for line in lines if line.id in fetched}


def ready_pieces(session: Session, order_id: uuid.UUID) -> dict[uuid.UUID, int]:
    """How many pieces of each line of an order lie ready."""
    query = (
        select(PickUpLine.order_line_id, func.sum(PickUpLine.quantity))
        .join(PickUp, PickUp.id == PickUpLine.pick_up_id)
        .where(PickUp.order_id == order_id, PickUp.state == "ready")
        .group_by(PickUpLine.order_line_id)
    )
    return {key: int(pieces) for key, pieces in session.execute(query)}


def hand_over(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    pick_up: PickUp,
    actor: str,
    now: datetime,
) -> list[Some]:
    """They are theirs: counted as given, with the delivery. Answers the goods.

    Raises OrderNotOpen, OrderHeld, and StaleState when it was put back or somebody was faster.
    """
    if pick_up.state != "ready":
        raise StaleState("pick-up", "collected")
    by_id = {line.id: line for line in lines}
    goods = [Some(by_id[key], pieces) for key, pieces in _pieces(session, pick_up).items()]
    goods.sort(key=lambda one: one.line.line_number)
    begun = deliveries.begun_with(lines, {one.line.id for one in goods})
    given = [*goods, *(Some(line, line.waiting) for line in begun)]
    once = f"collected:{pick_up.id.hex}"
    row = fulfilling.hand_over(session, order, given, actor, once, now)
    _end(session, pick_up, "collected", actor, now, fulfilment_id=row.id)
    return goods


def put_back(session: Session, pick_up: PickUp, actor: str, now: datetime) -> None:
    """Nobody came, or it was set ready by mistake: the pieces wait again. Raises StaleState."""
    _end(session, pick_up, "put_back", actor, now)


def _end(
    session: Session, row: PickUp, state: str, actor: str, now: datetime, **more: uuid.UUID
) -> None:
    values = {"state": state, "ended_at": now, "ended_by": actor, **more}
    result = session.execute(
        update(PickUp)
        .where(PickUp.id == row.id, PickUp.state == "ready")
        .values(values)
        .execution_options(synchronize_session=False)
    )
    if changed(result) != 1:
        raise StaleState("pick-up", state)
    for name, value in values.items():
        set_committed_value(row, name, value)


def fit(session: Session, lines: Sequence[OrderLine], actor: str, now: datetime) -> None:
    """After pieces were cancelled, or go another way: no more lie ready than still wait, none where they are
    not fetched any more, and what lay ready of them is put back. ``lines``: the order's, as they are now."""
    fetched = deliveries.picked_up(lines)
    by_id = {line.id: line for line in lines}
    for (key, place), pieces in _ready_at(session, lines[0].order_id).items():
        may = by_id[key].waiting if fetched.get(key) == place else 0
        if pieces > may:
            _take_off(session, key, place, pieces - may, actor, now)


def _ready_at(session: Session, order_id: uuid.UUID) -> dict[tuple[uuid.UUID, uuid.UUID], int]:
    """How many pieces of which line lie ready at which place."""
    query = (
        select(PickUpLine.order_line_id, PickUp.location_id, func.sum(PickUpLine.quantity))
        .join(PickUp, PickUp.id == PickUpLine.pick_up_id)
        .where(PickUp.order_id == order_id, PickUp.state == "ready")
        .group_by(PickUpLine.order_line_id, PickUp.location_id)
    )
    return {(key, place): int(pieces) for key, place, pieces in session.execute(query)}


def _take_off(
    session: Session, key: uuid.UUID, place: uuid.UUID, over: int, actor: str, now: datetime
) -> None:
    rows = session.execute(
        select(PickUp, PickUpLine)
        .join(PickUpLine, PickUpLine.pick_up_id == PickUp.id)
        .where(
            PickUp.state == "ready",
            PickUp.location_id == place,
            PickUpLine.order_line_id == key,
        )
        .order_by(PickUp.number.desc())
    ).all()
    for row, pieces in rows:
        part = min(over, pieces.quantity)
        if not part:
            return
        over -= part
        if part < pieces.quantity:
            pieces.quantity -= part
        elif len(_pieces(session, row)) > 1:
            session.delete(pieces)
        else:
            put_back(session, row, actor, now)
        session.flush()


def _pieces(session: Session, row: PickUp) -> dict[uuid.UUID, int]:
    rows = session.scalars(select(PickUpLine).where(PickUpLine.pick_up_id == row.id))
    return {one.order_line_id: one.quantity for one in rows}


# --- reading --------------------------------------------------------------------------------------


def of_order(session: Session, order_id: uuid.UUID) -> list[Ready]:
    """What lies or lay ready of an order, the oldest first."""
    return _read(session, PickUp.order_id == order_id)


def one(session: Session, pick_up_id: uuid.UUID) -> Ready:
    """One of them; it exists."""
    (found,) = _read(session, PickUp.id == pick_up_id)
    return found


def ready_in(session: Session, order_ids: Sequence[uuid.UUID]) -> frozenset[uuid.UUID]:
    """Of which of these orders something lies ready."""
    query = select(PickUp.order_id).where(PickUp.order_id.in_(order_ids), PickUp.state == "ready")
    return frozenset(session.scalars(query))


def _read(session: Session, which: ColumnElement[bool]) -> list[Ready]:
    rows = session.execute(
        select(PickUp, Location, PickUpLine)
        .join(Location, Location.id == PickUp.location_id)
        .join(PickUpLine, PickUpLine.pick_up_id == PickUp.id)
        .where(which)
        .order_by(PickUp.number)
    )
    found: dict[uuid.UUID, Ready] = {}
    for row, place, line in rows:
        found.setdefault(row.id, Ready(row, place, {})).pieces[line.order_line_id] = line.quantity
    return list(found.values())


def by_public_id(session: Session, public_id: str) -> tuple[PickUp, Order]:
    """A pick-up and its order. NotFound when there is none."""
    row = session.execute(
        select(PickUp, Order)
        .join(Order, Order.id == PickUp.order_id)
        .where(PickUp.public_id == public_id)
    ).first()
    if row is None:
        raise NotFound("pick-up")
    return row[0], row[1]


def known(session: Session, order_id: uuid.UUID, once: str) -> list[PickUp]:
    """What was written under this name before."""
    names = PickUp.once.startswith(f"{once}:", autoescape=True)
    query = select(PickUp).where(PickUp.order_id == order_id, names).order_by(PickUp.number)
    return list(session.scalars(query))
