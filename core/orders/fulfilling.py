"""What becomes of the pieces of an order: the one writer of its fulfilment, and of the counts on its lines.

Each count moves by one conditional UPDATE; the database holds the same bounds. Called by the flows that send,
provide, cancel and take back; the order is locked by them.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from core.catalog.models import BUNDLE
from core.kernel.db import changed, insert_rows
from core.kernel.errors import ShopError, StaleState
from core.kernel.ids import new_id, new_public_id
from core.orders import placing
from core.orders.drafting import NewLine
from core.orders.fulfilment_models import Fulfilment, FulfilmentLine
from core.orders.models import REOPENED, Order, OrderLine

#: What nobody has to send or do: it is given with the order.
AT_ONCE = ("digital", "gift_card")


class OrderRefused(ShopError):
    """What an order, as it stands, does not let be done with it."""


@dataclass(eq=False)
class OrderNotOpen(OrderRefused):
    """Only a placed order can be sent, changed or taken back, and not a cancelled one."""

    code: ClassVar[str] = "order_not_open"
    text: ClassVar[str] = "Order {number} is {state}: this cannot be done with it."
    number: str
    state: str


class HoldRefused(OrderRefused):
    """What a held order does not let be done with it, or one that is not."""


@dataclass(eq=False)
class OrderHeld(HoldRefused):
    """Nothing of a held order is sent or begun."""

    code: ClassVar[str] = "order_held"
    text: ClassVar[str] = "Order {number} is held until somebody has checked it."
    number: str


@dataclass(eq=False)
class OrderNotHeld(HoldRefused):
    """There is nothing to approve: the order was never held."""

    code: ClassVar[str] = "order_not_held"
    text: ClassVar[str] = "Order {number} is not held: there is nothing to approve."
    number: str


@dataclass(eq=False)
class TooManyPieces(OrderRefused):
    """More pieces of a line than there are for it. ``what`` is send, provide, cancel or return."""

    code: ClassVar[str] = "too_many_pieces"
    text: ClassVar[str] = "{sku}: {wanted} were asked for, {possible} can be had for this."
    line: int
    sku: str
    what: str
    wanted: int
    possible: int


@dataclass(eq=False)
class NothingChosen(ShopError):
    """No piece was named."""

    code: ClassVar[str] = "nothing_chosen"
    text: ClassVar[str] = "Say how many of which line."


@dataclass(eq=False)
class WrongKind(ShopError):
    """Goods are sent, everything else is provided. ``what`` is the way that does not fit the line."""

    code: ClassVar[str] = "wrong_kind_of_line"
    text: ClassVar[str] = "{sku} cannot be handled this way ({what})."
    line: int
    sku: str
    what: str


@dataclass(frozen=True)
class Tracking:
    """How a parcel travels, as far as it is known."""

    carrier: str = ""
    number: str = ""
    link: str = ""


@dataclass(frozen=True)
class Some:
    """So many pieces of an order line."""

    line: OrderLine
    quantity: int


def choose(lines: Sequence[OrderLine], pieces: Mapping[int, int]) -> list[Some]:
    """The pieces that are named by line number. Raises NothingChosen, and TooManyPieces for a line that is
    not there, is a bundle's own, or fewer than one piece."""
    by_number = {line.line_number: line for line in lines if line.kind != BUNDLE}
    chosen = []
    for number, quantity in sorted(pieces.items()):
        line = by_number.get(number)
        if line is None or quantity < 1:
            raise TooManyPieces(number, line.sku if line else "", "choose", quantity, 0)
        chosen.append(Some(line, quantity))
    if not chosen:
        raise NothingChosen
    return chosen


def is_open(order: Order) -> None:
    """Raises OrderNotOpen for an order that is not placed, or cancelled."""
    if order.lifecycle not in ("confirmed", "completed"):
        raise OrderNotOpen(order.number or "", order.lifecycle)


def send(
    session: Session,
    order: Order,
    chosen: Sequence[Some],
    way: Tracking,
    actor: str,
    once: str,
    now: datetime,
) -> Fulfilment:
    """Write a parcel down. Raises OrderNotOpen, OrderHeld, WrongKind and TooManyPieces."""
    for one in chosen:
        if one.line.kind not in ("physical", "delivery"):
            raise WrongKind(one.line.line_number, one.line.sku, "send")
    return _write(session, order, "parcel", chosen, way, actor, once, now)


def hand_over(
    session: Session, order: Order, chosen: Sequence[Some], actor: str, once: str, now: datetime
) -> Fulfilment:
    """Write down that goods were fetched: they are there at once. Raises as ``send``."""
    row = _write(session, order, "pickup", chosen, Tracking(), actor, once, now)
    row.delivered_at = now
    session.flush()
    return row


def provide(
    session: Session, order: Order, chosen: Sequence[Some], actor: str, once: str, now: datetime
) -> Fulfilment:
    """Write down that something was done or given. Raises OrderNotOpen, OrderHeld, WrongKind and
    TooManyPieces."""
    for one in chosen:
        if one.line.kind in ("physical", "delivery"):
            raise WrongKind(one.line.line_number, one.line.sku, "provide")
    return _write(session, order, "provision", chosen, Tracking(), actor, once, now)


def _write(
    session: Session,
    order: Order,
    kind: str,
    chosen: Sequence[Some],
    way: Tracking,
    actor: str,
    once: str,
    now: datetime,
) -> Fulfilment:
    is_open(order)
    if order.is_held:
        raise OrderHeld(order.number or "")
    what = "provide" if kind == "provision" else "send"
    for one in chosen:
        count(session, one, what)
    known = session.scalar(
        select(func.max(Fulfilment.number)).where(Fulfilment.order_id == order.id)
    )
    row = Fulfilment(
        id=new_id(),
        public_id=new_public_id(),
        order_id=order.id,
        number=(known or 0) + 1,
        kind=kind,
        carrier=way.carrier,
        tracking_number=way.number,
        tracking_link=way.link,
        at=now,
        actor=actor,
        once=once,
    )
    session.add(row)
    session.flush()
    pieces = [
        {"fulfilment_id": row.id, "order_line_id": one.line.id, "quantity": one.quantity}
        for one in chosen
    ]
    insert_rows(session, FulfilmentLine, pieces)
    settle(session, order, now)
    return row


#: What each step counts, and what of the line it is taken from.
_STEPS: dict[str, tuple[str, Callable[[OrderLine], int]]] = {
    "send": ("fulfilled", lambda row: row.waiting),
    "provide": ("fulfilled", lambda row: row.waiting),
    "cancel": ("cancelled", lambda row: row.waiting),
    "return": ("returned", lambda row: row.fulfilled - row.returned),
}


def count(session: Session, some: Some, what: str) -> None:
    """Count pieces of a line as ``what``. Raises TooManyPieces; the database says the last word."""
    column, left = _STEPS[what]
    line, quantity = some.line, some.quantity
    possible = left(line)
    if not 0 < quantity <= possible or not _add(session, line, column, quantity):
        raise TooManyPieces(line.line_number, line.sku, what, quantity, possible)


def uncount_return(session: Session, some: Some) -> None:
    """Pieces that were announced to come back do not come."""
    if not _add(session, some.line, "returned", -some.quantity):
        raise TooManyPieces(some.line.line_number, some.line.sku, "return", 0, 0)


def _add(session: Session, line: OrderLine, column: str, by: int) -> bool:
    now = {name: getattr(line, name) for name in ("fulfilled", "cancelled", "returned")}
    result = session.execute(
        update(OrderLine)
        .where(OrderLine.id == line.id, *(getattr(OrderLine, key) == at for key, at in now.items()))
        .values({column: now[column] + by})
        .execution_options(synchronize_session=False)
    )
    if changed(result) != 1:
        return False
    set_committed_value(line, column, now[column] + by)
    return True


def settle(session: Session, order: Order, now: datetime) -> None:
    """Bring the order's states to what its lines say: partly or wholly fulfilled, completed, cancelled."""
    goods = OrderLine.kind.not_in((BUNDLE, "delivery"))
    waiting, done = session.execute(
        select(
            func.coalesce(
                func.sum(OrderLine.quantity - OrderLine.fulfilled - OrderLine.cancelled), 0
            ),
            func.coalesce(func.sum(OrderLine.fulfilled), 0),
        ).where(OrderLine.order_id == order.id, goods)
    ).one()
    if not done and waiting:
        return
    if not done:
        placing.move(
            session,
            order,
            {"lifecycle": "cancelled"},
            cancelled_at=now,
            cancel_reason="cancelled_by_line",
        )
        return
    state = "partial" if waiting else "fulfilled"
    if order.fulfilment != state:
        placing.move(session, order, {"fulfilment": state})
    if not waiting and order.lifecycle == "confirmed":
        placing.move(session, order, {"lifecycle": "completed"})


def add(
    session: Session,
    order: Order,
    lines: Sequence[NewLine],
    change_id: uuid.UUID,
    known: Sequence[OrderLine],
) -> Sequence[OrderLine]:
    """Add what a change brings to a placed order; one that was complete waits again."""
    is_open(order)
    found = placing.add_lines(session, order, lines, change_id, known)
    moved = {name: to for name, (since, to) in REOPENED.items() if getattr(order, name) == since}
    if not moved:
        return found
    still = (getattr(Order, name) == getattr(order, name) for name in moved)
    result = session.execute(
        update(Order)
        .where(Order.id == order.id, *still)
        .values(moved)
        .execution_options(synchronize_session=False)
    )
    if changed(result) != 1:
        raise StaleState("order", moved.get("lifecycle", order.lifecycle))
    for name, to in moved.items():
        set_committed_value(order, name, to)
    return found


def at_once(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    begun: Sequence[OrderLine],
    now: datetime,
) -> None:
    """What needs nobody's hands, and the plans that have ``begun``, is given with the order, which has just
    become certain or is held no more."""
    given = [Some(line, line.waiting) for line in lines if line.kind in AT_ONCE or line in begun]
    if given:
        provide(session, order, given, "system", f"at-once:{order.id.hex}", now)


def of_subscription(session: Session, subscription_id: uuid.UUID) -> OrderLine | None:
    """The order line that a service was ordered by."""
    return session.scalar(
        select(OrderLine).where(
            OrderLine.subscription_id == subscription_id, OrderLine.period_index == 0
        )
    )


def known(session: Session, once: str) -> Fulfilment | None:
    """What was written under this name before."""
    return session.scalar(select(Fulfilment).where(Fulfilment.once == once))
