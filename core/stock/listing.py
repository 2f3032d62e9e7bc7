"""Reading the stock for staff: levels as a list, the movements of one, and holds about to lapse."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from core.catalog.models import Product, Variant
from core.kernel.db import table
from core.kernel.errors import NotFound
from core.kernel.looking import found_in
from core.kernel.sorting import Place, Sorts
from core.stock import levels
from core.stock.levels import IS_ACTIVE
from core.stock.models import Hold, Location, StockLevel, StockMovement
from core.stock.places import NOWHERE

#: What the desk's lists may be sorted by: levels, and holds.
SORTS = Sorts(StockLevel.id, {"sku": Variant.sku, "on-hand": StockLevel.on_hand})
BY_SKU = Place("sku")
HOLD_SORTS = Sorts(Hold.id, {"until": Hold.expires_at, "pieces": Hold.quantity})
FIRST_TO_LAPSE = Place("until")
#: What the list can be narrowed to.
STATES = ("low", "gone", "held", "short")


@dataclass(frozen=True)
class Row:
    """A level in the words of a list. ``held`` counts holds that run; ``available`` what can be had now."""

    level: StockLevel
    variant: Variant
    product: str
    slug: str
    location: str
    #: The place's code.
    code: str
    held: int
    available: int

    @property
    def sku(self) -> str:
        """What it is a level of."""
        return self.variant.sku

    @property
    def name(self) -> str:
        """The same in words."""
        return self.variant.name

    @property
    def is_low(self) -> bool:
        """Are so few left that somebody should see to it?"""
        return self.available <= self.level.low_at


def page(
    session: Session,
    now: datetime,
    *,
    state: str = "",
    words: str = "",
    location: str = "",
    place: Place = BY_SKU,
    limit: int = 50,
) -> list[Row]:
    """Levels from a place on. ``words`` are looked for in SKU and names."""
    query = SORTS.apply(_query(now, state, words, location), place, limit)
    return [_row(row) for row in session.execute(query)]


def one(session: Session, level_id: uuid.UUID, now: datetime) -> Row:
    """One level. NotFound when there is none."""
    row = session.execute(_query(now, "", "", "").where(StockLevel.id == level_id)).first()
    if row is None:
        raise NotFound("stock level")
    return _row(row)


def of_variants(session: Session, variant_ids: Sequence[uuid.UUID], now: datetime) -> list[Row]:
    """The levels of some variants, by SKU."""
    query = _query(now, "", "", "").where(StockLevel.variant_id.in_(variant_ids))
    return [_row(row) for row in session.execute(SORTS.apply(query, BY_SKU, None))]


def of_sku(session: Session, sku: str, now: datetime) -> list[Row]:
    """The levels of one thing, by the names of their places."""
    query = _query(now, "", "", "").where(Variant.sku == sku)
    return [_row(row) for row in session.execute(query.order_by(Location.name, StockLevel.id))]


def _row(found: Sequence[Any]) -> Row:
    """A database's sums may be decimals."""
    level, variant, product, slug, location, code, held, available = found
    return Row(level, variant, product, slug, location, code, int(held), int(available))


def _query(now: datetime, state: str, words: str, location: str) -> Select[*tuple[Any, ...]]:
    held = _running(now)
    available = levels.free(now)
    query = (
        select(
            StockLevel,
            Variant,
            Product.name,
            Product.slug,
            Location.name,
            Location.code,
            held,
            available,
        )
        .join(Variant, Variant.id == StockLevel.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .join(Location, Location.id == StockLevel.location_id)
    )
    conditions: dict[str, ColumnElement[bool]] = {
        "low": and_(available <= StockLevel.low_at, available > 0),
        "gone": available <= 0,
        "held": held > 0,
        "short": StockLevel.on_hand < StockLevel.allocated,
    }
    if state in conditions:
        query = query.where(conditions[state])
    if words:
        query = query.where(
            or_(
                Variant.sku.icontains(words, autoescape=True),
                Variant.name.icontains(words, autoescape=True),
                Product.name.icontains(words, autoescape=True),
            )
        )
    if location:
        query = query.where(Location.code == location)
    return query


def _running(now: datetime) -> Any:
    hold, level = table(Hold), table(StockLevel)
    return (
        select(func.coalesce(func.sum(hold.c.quantity), 0))
        .where(hold.c.level_id == level.c.id, IS_ACTIVE, hold.c.expires_at > now)
        .correlate(level)
        .scalar_subquery()
    )


def counts(session: Session, now: datetime) -> dict[str, int]:
    """How many levels are in each state, and all of them as ``""``, in one statement."""
    queries = [_query(now, state, "", "").subquery() for state in ("", *STATES)]
    sums = [select(func.count()).select_from(one).scalar_subquery() for one in queries]
    return dict(zip(("", *STATES), map(int, session.execute(select(*sums)).one()), strict=True))


def locations(session: Session) -> list[tuple[str, str]]:
    """Every place with its code and name; not where numbers stand."""
    query = select(Location.code, Location.name).where(Location.code != NOWHERE[0])
    rows = session.execute(query.order_by(Location.name))
    return [(code, name) for code, name in rows]


def movements(
    session: Session,
    level_id: uuid.UUID,
    *,
    before: tuple[datetime, uuid.UUID] | None = None,
    limit: int = 50,
) -> Sequence[StockMovement]:
    """What changed a level, the newest first."""
    query = select(StockMovement).where(StockMovement.level_id == level_id)
    if before is not None:
        query = query.where(tuple_(StockMovement.at, StockMovement.id) < tuple_(*before))
    return session.scalars(
        query.order_by(StockMovement.at.desc(), StockMovement.id.desc()).limit(limit)
    ).all()


def lapsing(
    session: Session,
    now: datetime,
    *,
    level_id: uuid.UUID | None = None,
    words: str = "",
    place: Place = FIRST_TO_LAPSE,
    limit: int = 50,
) -> list[tuple[Hold, str, str]]:
    """Holds that run, from a place on, with SKU and name; ``words`` in these two."""
    query = (
        select(Hold, Variant.sku, Variant.name)
        .join(StockLevel, StockLevel.id == Hold.level_id)
        .join(Variant, Variant.id == StockLevel.variant_id)
        # What rests in quarantine is kept for nobody: its pool tells of it.
        .where(IS_ACTIVE, Hold.expires_at > now, Hold.owner_kind != "quarantine")
    )
    if level_id is not None:
        query = query.where(Hold.level_id == level_id)
    if words:
        query = query.where(found_in(words, Variant.sku, Variant.name))
    rows = session.execute(HOLD_SORTS.apply(query, place, limit))
    return [(hold, sku, name) for hold, sku, name in rows]


def held(session: Session, hold: Hold) -> tuple[Hold, str, str]:
    """A hold with SKU and name."""
    sku, name = session.execute(
        select(Variant.sku, Variant.name)
        .join(StockLevel, StockLevel.variant_id == Variant.id)
        .where(StockLevel.id == hold.level_id)
    ).one()
    return hold, sku, name


def places(session: Session) -> dict[uuid.UUID, str]:
    """The code of every place, by its key."""
    return dict(session.execute(select(Location.id, Location.code)).all())


def sku_of(session: Session, level_id: uuid.UUID) -> str | None:
    """What a level is of; None when there is none."""
    return session.scalar(
        select(Variant.sku)
        .join(StockLevel, StockLevel.variant_id == Variant.id)
        .where(StockLevel.id == level_id)
    )


def level_of(session: Session, sku: str, location: str) -> uuid.UUID | None:
    """The level of a thing at a place; None when there is none."""
    return session.scalar(
        select(StockLevel.id)
        .join(Variant, Variant.id == StockLevel.variant_id)
        .join(Location, Location.id == StockLevel.location_id)
        .where(Variant.sku == sku, Location.code == location)
    )
