"""Goods that a customer fetches: they are set ready at their place and handed over there, or put back.

The goods leave the stock when they are handed over. Asked twice, each happens once.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.events import PickUpMoved
from core.kernel import audit, crash, jobs
from core.orders import fulfilling, pickups, placing
from core.orders.fulfilling import Some
from core.orders.models import Order, OrderLine
from core.orders.pickup_models import PickUp
from core.parties import accounts
from core.stock import sold
from flows import add_goods, once
from flows.house import House
from invoices.earned import orders as earned


@dataclass(frozen=True)
class Pieces:
    """So many pieces by line number lie ready. ``once`` names the request, of at most 60."""

    public_id: str
    pieces: Mapping[int, int]
    actor: str
    once: str


def set_ready(house: House, asked: Pieces) -> list[PickUp]:
    """They lie ready, and the customer is told where.

    Raises NotFound, OrderNotOpen, OrderHeld, NothingChosen, WrongKind, TooManyPieces, NotOnHand and
    BackOrderWaits.
    """

    def work(session: Session) -> list[PickUp]:
        now = house.clock.now()
        order = _lock(session, placing.by_public_id(session, asked.public_id))
        name = f"{order.id.hex[-16:]}:{asked.once}"[:76]
        once.same(session, "pick-up", name, ("ready", sorted(asked.pieces.items())), now)
        known = pickups.known(session, order.id, name)
        if known:
            return known
        lines = placing.lines_of(session, order.id)
        chosen = fulfilling.choose(lines, asked.pieces)
        rows = pickups.set_ready(session, order, lines, chosen, asked.actor, name, now)
        about = sold.reference(order.public_id)
        for (variant_id, sku), lie in _lying(session, order, lines, chosen).items():
            sold.is_there(session, about, variant_id, sku, lie, now)
        pieces = {str(one.line.line_number): one.quantity for one in chosen}
        for row in rows:
            _tell(session, row, "ready", now)
        subject = ("order", order.public_id)
        audit.write(session, now, asked.actor, "order.set_ready", subject, lines=pieces)
        crash.point("ready.before_commit")
        return rows

    return house.db.run_tx(work)


def _lying(
    session: Session, order: Order, lines: Sequence[OrderLine], chosen: Sequence[Some]
) -> dict[tuple[uuid.UUID, str], int]:
    """How many pieces of each thing that was chosen are to lie ready of the order, with those that do."""
    ready = pickups.ready_pieces(session, order.id)
    things = {one.line.variant_id for one in chosen}
    found: dict[tuple[uuid.UUID, str], int] = {}
    for line in lines:
        if line.variant_id is not None and line.variant_id in things and ready.get(line.id):
            key = (line.variant_id, line.sku)
            found[key] = found.get(key, 0) + ready[line.id]
    return found


def hand_over(house: House, pick_up_id: str, actor: str) -> PickUp:
    """They came for it: it is theirs, and leaves the stock. Handed over already, it stays so.

    Raises NotFound, OrderNotOpen, OrderHeld, NotOnHand, AwaitsPayment for what was added and is not paid,
    and StaleState when it was put back.
    """

    def work(session: Session) -> PickUp:
        now = house.clock.now()
        row, order = pickups.by_public_id(session, pick_up_id)
        order = _lock(session, order)
        session.refresh(row)
        if row.state == "collected":
            return row
        lines = placing.lines_of(session, order.id)
        goods = pickups.hand_over(session, order, lines, row, actor, now)
        add_goods.may_leave(session, order, goods)
        crash.point("hand_over.counted")
        about = sold.reference(order.public_id)
        for one in sorted(goods, key=lambda one: one.line.variant_id or one.line.id):
            if one.line.variant_id is not None:
                sold.ship(session, about, one.line.variant_id, one.line.sku, one.quantity, now)
        _tell(session, row, "collected", now)
        pieces = {str(one.line.line_number): one.quantity for one in goods}
        subject = ("order", order.public_id)
        audit.write(session, now, actor, "order.handed_over", subject, lines=pieces)
        earned.settle(session, order, now, lines)
        crash.point("hand_over.before_commit")
        return row

    return house.db.run_tx(work)


def put_back(house: House, pick_up_id: str, actor: str) -> PickUp:
    """It is not there to be fetched any more: its pieces wait again. Put back already, it stays so.

    Nobody is written to. Raises NotFound, and StaleState when it was handed over.
    """

    def work(session: Session) -> PickUp:
        now = house.clock.now()
        row, order = pickups.by_public_id(session, pick_up_id)
        _lock(session, order)
        session.refresh(row)
        if row.state != "put_back":
            pickups.put_back(session, row, actor, now)
            subject = ("order", order.public_id)
            audit.write(session, now, actor, "order.put_back", subject, pick_up=row.number)
        return row

    return house.db.run_tx(work)


def _tell(session: Session, row: PickUp, how: str, now: datetime) -> None:
    event = PickUpMoved(str(row.id), how)
    jobs.record(session, event, now, key=f"pick-up:{row.id}:{how}", priority=1)


def _lock(session: Session, order: Order) -> Order:
    """The order, locked behind its payer."""
    accounts.lock(session, order.payer_account_id)
    return placing.lock(session, order.id)
