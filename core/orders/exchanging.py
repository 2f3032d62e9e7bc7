"""Exchanges: what goes out instead of what a return brings back. Written with the return, moved along its
table, read by pages. Called by ``flows.exchange``; the order is locked by it.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from core.catalog.models import Variant
from core.kernel.db import changed
from core.kernel.errors import StaleState
from core.kernel.ids import new_id
from core.orders import placing
from core.orders.fulfilment_models import EXCHANGE, OrderChange, OrderExchange, OrderExchangeLine
from core.orders.models import OrderLine, OrderLineTax

AFTER, BEFORE = "after", "before"


@dataclass(frozen=True)
class Instead:
    """For the pieces of a line that come back, as many of this. Without a ``unit_price_micros`` they pay for
    it."""

    line: OrderLine
    variant: Variant
    unit_price_micros: int | None


@dataclass(frozen=True)
class Exchange:
    """An exchange with what goes out, by the key of the line that comes back."""

    row: OrderExchange
    lines: Mapping[uuid.UUID, OrderExchangeLine]

    @property
    def is_open(self) -> bool:
        """Is it still to be decided what becomes of it?"""
        return bool(EXCHANGE[self.row.state])


@dataclass(frozen=True)
class Promise:
    """Pieces of a line that come back for what went out before and costs the same: a line of its own."""

    line_id: uuid.UUID
    added: OrderLine
    taxes: Sequence[OrderLineTax]


def write(session: Session, change: OrderChange, instead: Sequence[Instead]) -> Exchange:
    """Write down what is wanted; nothing is held yet."""
    row = OrderExchange(change_id=change.id, state="wanted", sends=AFTER)
    session.add(row)
    session.flush()
    lines = [
        OrderExchangeLine(
            id=new_id(),
            change_id=change.id,
            order_line_id=one.line.id,
            variant_id=one.variant.id,
            sku=one.variant.sku,
            name=one.variant.name,
            unit_price_micros=one.unit_price_micros,
        )
        for one in instead
    ]
    session.add_all(lines)
    session.flush()
    return Exchange(row, {one.order_line_id: one for one in lines})


def move(session: Session, exchange: Exchange, state: str, sends: str | None = None) -> None:
    """Along its table. Raises StaleState when somebody was faster."""
    row = exchange.row
    origins = [one for one, onward in EXCHANGE.items() if state in onward]
    values = {"state": state, "sends": sends or row.sends}
    result = session.execute(
        update(OrderExchange)
        .where(OrderExchange.change_id == row.change_id, OrderExchange.state.in_(origins))
        .values(values)
        .execution_options(synchronize_session=False)
    )
    if changed(result) != 1:
        raise StaleState("exchange", state)
    for name, value in values.items():
        set_committed_value(row, name, value)


def of(session: Session, change_id: uuid.UUID) -> Exchange | None:
    """What goes out instead of a return; None where money goes back."""
    return of_changes(session, [change_id]).get(change_id)


def of_changes(session: Session, change_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Exchange]:
    """The same of several, by return."""
    if not change_ids:
        return {}
    found: dict[uuid.UUID, dict[uuid.UUID, OrderExchangeLine]] = {}
    rows: dict[uuid.UUID, OrderExchange] = {}
    for row, line in session.execute(
        select(OrderExchange, OrderExchangeLine)
        .join(OrderExchangeLine, OrderExchangeLine.change_id == OrderExchange.change_id)
        .where(OrderExchange.change_id.in_(change_ids))
    ):
        rows[row.change_id] = row
        found.setdefault(row.change_id, {})[line.order_line_id] = line
    return {key: Exchange(rows[key], lines) for key, lines in found.items()}


def sent_before(session: Session, change_ids: Sequence[uuid.UUID]) -> frozenset[uuid.UUID]:
    """Those of the changes whose goods were to leave before the others are back."""
    return frozenset(
        session.scalars(
            select(OrderExchange.change_id).where(
                OrderExchange.change_id.in_(change_ids), OrderExchange.sends == BEFORE
            )
        )
    )


def promises(
    session: Session, order_id: uuid.UUID, change_id: uuid.UUID | None = None
) -> list[Promise]:
    """What went out before its return and costs the same: of the returns that are awaited, or of one."""
    which = OrderChange.state == "announced" if change_id is None else OrderChange.id == change_id
    rows = session.execute(
        select(OrderExchangeLine.change_id, OrderLine.id)
        .join(OrderExchange, OrderExchange.change_id == OrderExchangeLine.change_id)
        .join(OrderChange, OrderChange.id == OrderExchange.change_id)
        .join(OrderLine, OrderLine.id == OrderExchangeLine.order_line_id)
        .where(
            which,
            OrderChange.order_id == order_id,
            OrderExchange.state == "added",
            OrderExchange.sends == BEFORE,
            OrderExchangeLine.unit_price_micros.is_(None),
        )
        .order_by(OrderLine.line_number)
    ).all()
    if not rows:
        return []
    added: dict[uuid.UUID | None, list[tuple[OrderLine, Sequence[OrderLineTax]]]] = {}
    for line, taxes in placing.lines_with_taxes(session, order_id).items():
        added.setdefault(line.change_id, []).append((line, taxes))
    # What costs the same was added first, in the order of what it is for.
    return [Promise(line_id, *added[its].pop(0)) for its, line_id in rows]
