"""Pieces of an order leave in a parcel, or are done: a visit, something digital. Its customer is told.

Goods leave the stock with their parcel, and what was given is earned. Asked twice under one name, it happens
once.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.events import OrderDelivered, OrderShipped
from core.kernel import audit, crash, jobs
from core.kernel.errors import Invalid, NotFound
from core.orders import carriers, deliveries, following, fulfilling, pickups, placing
from core.orders.fulfilling import Some, Tracking
from core.orders.fulfilment_models import Fulfilment
from core.orders.models import Order, OrderLine
from core.parties import accounts
from core.stock import sold
from flows import add_goods, once
from flows.house import House
from invoices.earned import orders as earned


@dataclass(frozen=True)
class Parcel:
    """So many pieces by line number, and how they travel. ``once`` names the request, of at most 60."""

    public_id: str
    pieces: Mapping[int, int]
    way: Tracking
    actor: str
    once: str


@dataclass(frozen=True)
class Done:
    """So many pieces by line number were done or given: nothing that is sent."""

    public_id: str
    pieces: Mapping[int, int]
    actor: str
    once: str


def ship(house: House, parcel: Parcel) -> Fulfilment:
    """Send a parcel: the pieces leave the stock, the order is told, its customer is written to.

    Raises NotFound, OrderNotOpen, OrderHeld, NothingChosen, WrongKind, TooManyPieces, NotOnHand, and
    AwaitsPayment for what was added later and is not paid.
    """
    return house.db.run_tx(lambda session: _ship(session, house, parcel))


def _ship(session: Session, house: House, parcel: Parcel) -> Fulfilment:
    now = house.clock.now()
    order = _lock(session, parcel.public_id)
    asked = ("ship", sorted(parcel.pieces.items()), parcel.way)
    once.same(session, "fulfilment", _key(order, parcel.once), asked, now)
    known = fulfilling.known(session, _key(order, parcel.once))
    if known is not None:
        return known
    lines = placing.lines_of(session, order.id)
    chosen = fulfilling.choose(lines, parcel.pieces)
    add_goods.may_leave(session, order, chosen)
    row = fulfilling.send(
        session,
        order,
        [*chosen, *begun(lines, chosen)],
        _tracked(parcel.way),
        parcel.actor,
        _key(order, parcel.once),
        now,
    )
    pickups.fit(session, lines, parcel.actor, now)
    jobs.record(session, OrderShipped(str(row.id)), now, key=f"shipped:{row.id}", priority=1)
    subject = ("order", order.public_id)
    pieces = {str(one.line.line_number): one.quantity for one in chosen}
    audit.write(
        session, now, parcel.actor, "order.shipped", subject, parcel=row.number, lines=pieces
    )
    crash.point("ship.written")
    about = sold.reference(order.public_id)
    for one in sorted(chosen, key=lambda one: one.line.variant_id or one.line.id):
        if one.line.variant_id is not None:
            sold.ship(session, about, one.line.variant_id, one.line.sku, one.quantity, now)
    earned.settle(session, order, now, lines)
    crash.point("ship.before_commit")
    return row


def begun(lines: Sequence[OrderLine], chosen: Sequence[Some]) -> list[Some]:
    """A delivery is done with the first of its goods."""
    keys = {one.line.id for one in chosen}
    return [Some(line, line.waiting) for line in deliveries.begun_with(lines, keys)]


def _tracked(way: Tracking) -> Tracking:
    return Tracking(way.carrier, way.number, carriers.link(way.carrier, way.number, way.link))


def provide(house: House, done: Done) -> Fulfilment:
    """Note that something was done: a visit, say.

    Raises NotFound, OrderNotOpen, OrderHeld, NothingChosen, WrongKind, TooManyPieces, and AwaitsPayment for
    what was added later and is not paid. A plan is provided by activating it, so it is WrongKind here.
    """

    def work(session: Session) -> Fulfilment:
        now = house.clock.now()
        order = _lock(session, done.public_id)
        asked = ("provide", sorted(done.pieces.items()))
        once.same(session, "fulfilment", _key(order, done.once), asked, now)
        known = fulfilling.known(session, _key(order, done.once))
        if known is not None:
            return known
        lines = placing.lines_of(session, order.id)
        chosen = fulfilling.choose(lines, done.pieces)
        for one in chosen:
            if one.line.subscription_id is not None:
                raise fulfilling.WrongKind(one.line.line_number, one.line.sku, "provide")
        add_goods.may_leave(session, order, chosen)
        row = fulfilling.provide(session, order, chosen, done.actor, _key(order, done.once), now)
        subject = ("order", order.public_id)
        pieces = {str(one.line.line_number): one.quantity for one in chosen}
        audit.write(session, now, done.actor, "order.provided", subject, lines=pieces)
        earned.settle(session, order, now, lines)
        crash.point("provide.before_commit")
        return row

    return house.db.run_tx(work)


def activated(session: Session, subscription_id: uuid.UUID, actor: str, now: datetime) -> None:
    """A service began: the line that ordered it is provided. In the caller's transaction.

    Raises OrderHeld, and with it the service does not begin.
    """
    line = fulfilling.of_subscription(session, subscription_id)
    if line is None or not line.waiting:
        return
    order = placing.lock(session, line.order_id)
    if order.lifecycle not in ("confirmed", "completed"):
        return
    some = [Some(line, line.waiting)]
    key = f"activated:{subscription_id.hex}"
    fulfilling.provide(session, order, some, actor, key, now)


def may_begin(session: Session, subscription_id: uuid.UUID) -> None:
    """Raises AwaitsPayment for a service that was added to its order later and is not paid."""
    line = fulfilling.of_subscription(session, subscription_id)
    if line is not None and line.waiting and line.change_id is not None:
        order = session.get_one(Order, line.order_id)
        add_goods.may_leave(session, order, [Some(line, line.waiting)])


def correct_tracking(house: House, public_id: str, way: Tracking, actor: str) -> Fulfilment:
    """Another carrier, number or link of a parcel that has left. Nobody is written to again."""

    def work(session: Session) -> Fulfilment:
        row, order = following.parcel(session, public_id)
        placing.lock(session, order.id)
        found = _tracked(way)
        row.carrier, row.tracking_number, row.tracking_link = (
            found.carrier,
            found.number,
            found.link,
        )
        subject = ("order", order.public_id)
        now = house.clock.now()
        audit.write(session, now, actor, "order.tracking_corrected", subject, parcel=row.number)
        return row

    return house.db.run_tx(work)


def arrived(house: House, public_id: str, at: datetime | None, actor: str) -> Fulfilment:
    """A parcel has arrived, at a moment (None: now); said again it is no change. Its customer is told.

    Raises NotFound, and Invalid by field for a moment before it left or that has not come.
    """

    def work(session: Session) -> Fulfilment:
        row, order = following.parcel(session, public_id)
        if row.kind != "parcel":
            raise NotFound("parcel")
        placing.lock(session, order.id)
        session.refresh(row)
        now = house.clock.now()
        if row.delivered_at is not None:
            return row
        if at is not None and not row.at <= at <= now:
            raise Invalid({"at": "After it left, and not in the future."})
        row.delivered_at = at or now
        session.flush()
        jobs.record(session, OrderDelivered(str(row.id)), now, key=f"delivered:{row.id}")
        subject = ("order", order.public_id)
        audit.write(session, now, actor, "order.delivered", subject, parcel=row.number)
        crash.point("arrived.before_commit")
        return row

    return house.db.run_tx(work)


def _lock(session: Session, public_id: str) -> Order:
    """The order, locked behind its payer, as everything that moves its money locks it."""
    order = placing.by_public_id(session, public_id)
    accounts.lock(session, order.payer_account_id)
    return placing.lock(session, order.id)


def _key(order: Order, once: str) -> str:
    return f"{order.id.hex[-16:]}:{once}"[:80]
