"""Things to put on the shelf and to take from it."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.catalog.models import Product, Variant
from core.stock import levels
from core.stock.models import Hold, Location, StockLevel, StockMovement
from tests.world import World


@dataclass(frozen=True)
class Goods:
    """A variant and its level; None where nothing is counted."""

    variant_id: uuid.UUID
    sku: str
    level_id: uuid.UUID | None


def put(
    session: Session,
    world: World,
    now: datetime,
    pieces: int | None,
    *,
    kind: str = "physical",
    backorder: int = 0,
) -> Goods:
    """A new variant with so many pieces at Harbor Lane; None: without a level."""
    sku = f"FW-{uuid.uuid4().hex[:12]}"
    product = Product(slug=sku.lower(), name=sku, picture="", created_at=now)
    session.add(product)
    session.flush()
    variant = Variant(
        product_id=product.id, sku=sku, name=sku, kind=kind, tax_category="device", position=1
    )
    session.add(variant)
    session.flush()
    if pieces is None:
        return Goods(variant.id, sku, None)
    level_id = levels.receive(session, variant.id, world.location_id, pieces, now)
    session.execute(
        update(StockLevel).where(StockLevel.id == level_id).values(backorder_limit=backorder)
    )
    return Goods(variant.id, sku, level_id)


def second_place(session: Session, **more) -> uuid.UUID:
    """Another warehouse."""
    place = Location(code=f"mill-{uuid.uuid4().hex[:8]}", name="Mill Street", **more)
    session.add(place)
    session.flush()
    return place.id


@dataclass(frozen=True)
class Counts:
    """A level as the database has it."""

    on_hand: int
    allocated: int
    held: int


def counts(session: Session, level_id: uuid.UUID) -> Counts:
    row = session.execute(
        select(StockLevel.on_hand, StockLevel.allocated, StockLevel.held).where(
            StockLevel.id == level_id
        )
    ).one()
    return Counts(*row)


def moved(session: Session, level_id: uuid.UUID) -> tuple[int, int]:
    """What the movements of a level sum to: on hand, allocated."""
    on_hand, allocated = session.execute(
        select(func.sum(StockMovement.on_hand), func.sum(StockMovement.allocated)).where(
            StockMovement.level_id == level_id
        )
    ).one()
    return int(on_hand or 0), int(allocated or 0)


def active(session: Session, level_id: uuid.UUID) -> int:
    """How many pieces active holds keep, those included whose time is over."""
    found = session.scalar(
        select(func.sum(Hold.quantity)).where(Hold.level_id == level_id, Hold.state == "active")
    )
    return int(found or 0)
