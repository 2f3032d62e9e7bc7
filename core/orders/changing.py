"""Changes after placing: cancellations, changes of what was ordered, and returns from the wish or the
announcement to the goods' arrival.

Called by the flows; the order is locked by them. Money and stock are theirs too.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from core.kernel.db import changed, insert_rows
from core.kernel.errors import NotFound, ShopError, StaleState
from core.kernel.ids import new_id, new_public_id
from core.orders import fulfilling
from core.orders.fulfilling import Some
from core.orders.fulfilment_models import (
    CHANGE,
    OrderChange,
    OrderChangeLine,
    OrderChangeMemo,
)
from core.orders.models import Order, OrderLine

#: Where a refund goes first, by what was chosen.
WAYS = {
    "usual": ("card", "gift_card", "credit"),
    "gift_card": ("gift_card", "credit", "card"),
    "credit": ("credit", "gift_card", "card"),
}
#: It stays the customer's credit.
KEPT = "kept"


@dataclass(frozen=True)
class NewChange:
    """A change to be written down. ``once`` names the request."""

    kind: str
    reason: str
    note: str
    refund_to: str
    actor: str
    once: str
    details: Mapping[str, Any] | None = None


def return_number(order_number: str, number: int) -> str:
    """What a return is called: ``O-10012-R1``."""
    return f"{order_number}-R{number}"


@dataclass(eq=False)
class AskedAlready(ShopError):
    """A return that the customer asked for waits for its answer: another one can wait."""

    code: ClassVar[str] = "return_asked_already"
    text: ClassVar[str] = "Return {number} waits for our answer. Ask again once you have it."
    number: str


def write(
    session: Session, order: Order, new: NewChange, chosen: Sequence[Some], now: datetime
) -> OrderChange:
    """Count the pieces and write the change: a cancellation or a change is done, a return announced. Of a
    change the caller settles the order, once it has added what is added.

    Raises OrderNotOpen and TooManyPieces.
    """
    fulfilling.is_open(order)
    done = new.kind != "return"
    for one in chosen:
        fulfilling.count(session, one, "cancel" if done else "return")
    row = _add(session, order, new, chosen, "done" if done else "announced", now)
    if new.kind == "cancellation":
        fulfilling.settle(session, order, now)
    return row


def ask(
    session: Session, order: Order, new: NewChange, chosen: Sequence[Some], now: datetime
) -> OrderChange:
    """Write down that a customer wants to return pieces; none is counted yet.

    Raises OrderNotOpen, TooManyPieces and AskedAlready.
    """
    fulfilling.is_open(order)
    waiting = session.scalar(
        select(OrderChange.number).where(
            OrderChange.order_id == order.id, OrderChange.state == "asked"
        )
    )
    if waiting is not None:
        raise AskedAlready(return_number(order.number or "", waiting))
    for one in chosen:
        left = one.line.fulfilled - one.line.returned
        if one.quantity > left:
            number, sku = one.line.line_number, one.line.sku
            raise fulfilling.TooManyPieces(number, sku, "return", one.quantity, left)
    return _add(session, order, new, chosen, "asked", now)


def accept(session: Session, change: OrderChange, lines: Sequence[OrderLine]) -> None:
    """Asked for → announced: the pieces are counted. Raises StaleState and TooManyPieces."""
    for one in pieces_of(session, change, lines):
        fulfilling.count(session, one, "return")
    result = session.execute(
        update(OrderChange)
        .where(OrderChange.id == change.id, OrderChange.state == "asked")
        .values(state="announced")
        .execution_options(synchronize_session=False)
    )
    if changed(result) != 1:
        raise StaleState("return", "announced")
    set_committed_value(change, "state", "announced")


def _add(
    session: Session,
    order: Order,
    new: NewChange,
    chosen: Sequence[Some],
    state: str,
    now: datetime,
) -> OrderChange:
    done = state == "done"
    last = session.scalar(
        select(func.max(OrderChange.number)).where(OrderChange.order_id == order.id)
    )
    row = OrderChange(
        id=new_id(),
        public_id=new_public_id(),
        order_id=order.id,
        number=(last or 0) + 1,
        kind=new.kind,
        state=state,
        reason=new.reason,
        note=new.note,
        refund_to=new.refund_to,
        asked_at=now,
        asked_by=new.actor,
        done_at=now if done else None,
        done_by=new.actor if done else None,
        once=new.once,
    )
    if new.details is not None:  # written as None it would be JSON's null
        row.details = dict(new.details)
    session.add(row)
    session.flush()
    pieces = [
        {
            "change_id": row.id,
            "order_line_id": one.line.id,
            "quantity": one.quantity,
            "restocked": False,
        }
        for one in chosen
    ]
    if pieces:
        insert_rows(session, OrderChangeLine, pieces)
    return row


def end(
    session: Session, change: OrderChange, state: str, actor: str, now: datetime, **values: str
) -> None:
    """Announced → done or withdrawn, asked for → declined. StaleState when somebody was faster."""
    origins = [one for one, onward in CHANGE.items() if state in onward]
    given = {"state": state, "done_at": now, "done_by": actor, **values}
    result = session.execute(
        update(OrderChange)
        .where(OrderChange.id == change.id, OrderChange.state.in_(origins))
        .values(given)
        .execution_options(synchronize_session=False)
    )
    if changed(result) != 1:
        raise StaleState("return", state)
    for name, value in given.items():
        set_committed_value(change, name, value)


def restock(session: Session, change: OrderChange, line_ids: Collection[uuid.UUID]) -> None:
    """Note which lines of a return went back to stock."""
    session.execute(
        update(OrderChangeLine)
        .where(OrderChangeLine.change_id == change.id, OrderChangeLine.order_line_id.in_(line_ids))
        .values(restocked=True)
        .execution_options(synchronize_session=False)
    )


def note_memo(session: Session, change: OrderChange, memo_id: uuid.UUID) -> None:
    """This credit memo came of it."""
    session.add(OrderChangeMemo(memo_id=memo_id, change_id=change.id))
    session.flush()


def way_of_memo(session: Session, memo_id: uuid.UUID) -> Sequence[str] | None:
    """In which order the tenders get what a memo gave back, where a change brought it and says so."""
    chosen = session.scalar(
        select(OrderChange.refund_to)
        .join(OrderChangeMemo, OrderChangeMemo.change_id == OrderChange.id)
        .where(OrderChangeMemo.memo_id == memo_id)
    )
    return WAYS.get(chosen) if chosen is not None else None


def known(session: Session, once: str) -> OrderChange | None:
    """What was written under this name before."""
    return session.scalar(select(OrderChange).where(OrderChange.once == once))


def lock(session: Session, public_id: str) -> OrderChange:
    """The change, locked and read again. NotFound when there is none."""
    row = session.scalar(
        select(OrderChange)
        .where(OrderChange.public_id == public_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound("change of an order")
    return row


def pieces_of(session: Session, change: OrderChange, lines: Sequence[OrderLine]) -> list[Some]:
    """The pieces of a change, by the lines of its order."""
    by_id: Mapping[uuid.UUID, OrderLine] = {line.id: line for line in lines}
    rows = session.scalars(select(OrderChangeLine).where(OrderChangeLine.change_id == change.id))
    found = [Some(by_id[row.order_line_id], row.quantity) for row in rows]
    return sorted(found, key=lambda one: one.line.line_number)


def credited_before(
    session: Session, order_id: uuid.UUID, change_id: uuid.UUID | None = None
) -> dict[uuid.UUID, int]:
    """How many pieces of each line were credited, by changes that are done; not by ``change_id``."""
    query = (
        select(OrderChangeLine.order_line_id, func.sum(OrderChangeLine.quantity))
        .join(OrderChange, OrderChange.id == OrderChangeLine.change_id)
        .where(OrderChange.order_id == order_id, OrderChange.state == "done")
        .group_by(OrderChangeLine.order_line_id)
    )
    if change_id is not None:
        query = query.where(OrderChange.id != change_id)
    return {line_id: int(pieces) for line_id, pieces in session.execute(query)}


def came_back(session: Session, order_id: uuid.UUID) -> dict[uuid.UUID, int]:
    """How many pieces of each line came back: what is only announced is still with its customer."""
    rows = session.execute(
        select(OrderChangeLine.order_line_id, func.sum(OrderChangeLine.quantity))
        .join(OrderChange, OrderChange.id == OrderChangeLine.change_id)
        .where(
            OrderChange.order_id == order_id,
            OrderChange.kind == "return",
            OrderChange.state == "done",
        )
        .group_by(OrderChangeLine.order_line_id)
    )
    return {line_id: int(pieces) for line_id, pieces in rows}
