"""Pieces go from one place to another: they leave the one, are on their way, and arrive, or not all of them.

Two movements: what is on its way is at neither place, and cannot be sold. Called by ``flows.move_stock``.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from core.catalog.models import Variant
from core.kernel.db import insert_once, insert_rows
from core.kernel.errors import Invalid, NotFound, ShopError, StaleState
from core.kernel.ids import new_id
from core.kernel.looking import found_in
from core.kernel.sorting import Place, Sorts
from core.stock import freeing, lapsing, levels
from core.stock.adjusting import Numbered
from core.stock.models import Location, StockLevel, StockMovement, StockTransfer

SORTS = Sorts(StockTransfer.id, {"sent": StockTransfer.sent_at, "pieces": StockTransfer.quantity})
LAST_SENT = Place("-sent")
STATES = ("on_the_way", "done")


@dataclass(eq=False)
class NotFree(ShopError):
    """Fewer pieces may leave: the rest is sold or held for somebody, or is not there."""

    code: ClassVar[str] = "not_free"
    text: ClassVar[str] = "Only {free} can leave: the others are sold or held, or not there."
    sku: str
    wanted: int
    free: int


@dataclass(frozen=True)
class Sending:
    """So many pieces of a thing, from a place to another; places by their codes."""

    sku: str
    source: str
    target: str
    quantity: int
    note: str = ""


def send(session: Session, asked: Sending, actor: str, now: datetime) -> StockTransfer:
    """The pieces leave. Raises NotFound, Invalid for one place twice, NotFree, and Numbered."""
    if asked.source == asked.target:
        raise Invalid({"target": "Choose another place than the one they leave from."})
    variant = session.scalar(select(Variant).where(Variant.sku == asked.sku))
    if variant is None:
        raise NotFound("thing in stock")
    if variant.numbered:
        raise Numbered
    places = _places(session, asked)
    insert_once(session, StockLevel, **_nothing(variant.id, places[asked.target]))
    rows = {row.location_id: row for row in _locked(session, variant.id, places.values())}
    source = rows.get(places[asked.source])
    if source is None:
        raise NotFound("stock level")
    if _free(source) < asked.quantity and lapsing.lapse_at(session, source.id, now):
        session.refresh(source)
    if _free(source) < asked.quantity:
        raise NotFree(asked.sku, asked.quantity, max(_free(source), 0))
    row = StockTransfer(
        id=new_id(),
        from_level_id=source.id,
        to_level_id=rows[places[asked.target]].id,
        quantity=asked.quantity,
        note=asked.note,
        sent_by=actor,
        sent_at=now,
    )
    session.add(row)
    session.flush()
    levels.shift(session, source.id, on_hand=-asked.quantity)
    _move(session, row, source.id, "sent_on", -asked.quantity, actor, now)
    return row


def arrive(
    session: Session, transfer_id: uuid.UUID, arrived: int, lost: int, actor: str, now: datetime
) -> StockTransfer:
    """So many are here, so many are lost; the rest is still on its way.

    Raises NotFound, StaleState when it is over, and Invalid for more than is on its way, or none.
    """
    row = session.get(StockTransfer, transfer_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("transfer")
    if row.state == "done":
        raise StaleState("transfer", "arrive")
    left = row.quantity - row.arrived - row.lost
    if not 0 < arrived + lost <= left or arrived < 0 or lost < 0:
        raise Invalid(
            {"arrived": f"{left} are on their way: say how many of them are here, or lost."}
        )
    row.arrived += arrived
    row.lost += lost
    if arrived + lost == left:
        row.state, row.done_at = "done", now
    session.flush()
    if arrived:
        levels.shift(session, row.to_level_id, on_hand=arrived)
        _move(session, row, row.to_level_id, "arrived", arrived, actor, now)
        freeing.tell(session, [row.to_level_id], now)
    return row


def _places(session: Session, asked: Sending) -> dict[str, uuid.UUID]:
    query = select(Location.code, Location.id).where(
        Location.code.in_((asked.source, asked.target))
    )
    found = dict(session.execute(query).all())
    if len(found) < 2:
        raise NotFound("place")
    return found


def _nothing(variant_id: uuid.UUID, location_id: uuid.UUID) -> dict[str, Any]:
    counts = ("on_hand", "allocated", "held", "backorder_limit", "low_at", "safety_stock")
    key = {"id": new_id(), "variant_id": variant_id, "location_id": location_id}
    return {**key, **dict.fromkeys((*counts, "preorder_limit"), 0)}


def _locked(session: Session, variant_id: uuid.UUID, places: Any) -> Sequence[StockLevel]:
    query = select(StockLevel).where(
        StockLevel.variant_id == variant_id, StockLevel.location_id.in_(list(places))
    )
    query = query.order_by(StockLevel.id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).all()


def _free(level: StockLevel) -> int:
    """What is promised to nobody. Safety stock may be moved: it is kept from sale, not from staff."""
    return level.on_hand - level.allocated - level.held


def _move(
    session: Session,
    row: StockTransfer,
    level_id: uuid.UUID,
    kind: str,
    by: int,
    actor: str,
    now: datetime,
) -> None:
    values = {
        "id": new_id(),
        "level_id": level_id,
        "kind": kind,
        "on_hand": by,
        "allocated": 0,
        "reference": f"transfer:{row.id.hex}",
        "at": now,
        "actor": actor,
        "note": row.note or None,
    }
    insert_rows(session, StockMovement, [values])


# --- looking --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A transfer in the words of a list: places by name, and by code."""

    transfer: StockTransfer
    sku: str
    name: str
    source: str
    target: str
    source_code: str
    target_code: str

    @property
    def left(self) -> int:
        """How many are still on their way."""
        return self.transfer.quantity - self.transfer.arrived - self.transfer.lost


def page(
    session: Session, *, state: str = "", words: str = "", place: Place = LAST_SENT, limit: int = 50
) -> list[Row]:
    """Transfers from a place on."""
    query = _query()
    if state:
        query = query.where(StockTransfer.state == state)
    if words:
        query = query.where(found_in(words, Variant.sku, Variant.name, StockTransfer.note))
    return [Row(*found) for found in session.execute(SORTS.apply(query, place, limit))]


def one(session: Session, transfer_id: uuid.UUID) -> Row:
    """One transfer. NotFound when there is none."""
    found = session.execute(_query().where(StockTransfer.id == transfer_id)).first()
    if found is None:
        raise NotFound("transfer")
    return Row(*found)


def counts(session: Session) -> dict[str, int]:
    """How many are in each state, and all of them as ``""``."""
    query = select(StockTransfer.state, func.count()).group_by(StockTransfer.state)
    found = {state: int(count) for state, count in session.execute(query)}
    return {"": sum(found.values()), **found}


def coming(session: Session, level_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, int]:
    """How many pieces are on their way to each of these levels."""
    left = StockTransfer.quantity - StockTransfer.arrived - StockTransfer.lost
    query = (
        select(StockTransfer.to_level_id, func.sum(left))
        .where(StockTransfer.to_level_id.in_(level_ids), StockTransfer.state == "on_the_way")
        .group_by(StockTransfer.to_level_id)
    )
    return {key: int(count) for key, count in session.execute(query)}


def _query() -> Select[*tuple[Any, ...]]:
    source, target = aliased(StockLevel), aliased(StockLevel)
    here, there = aliased(Location), aliased(Location)
    return (
        select(
            StockTransfer, Variant.sku, Variant.name, here.name, there.name, here.code, there.code
        )
        .join(source, source.id == StockTransfer.from_level_id)
        .join(target, target.id == StockTransfer.to_level_id)
        .join(here, here.id == source.location_id)
        .join(there, there.id == target.location_id)
        .join(Variant, Variant.id == source.variant_id)
    )
