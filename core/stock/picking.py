"""Looking at numbers: those that a customer may choose, and all of a pool for staff."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, tuple_
from sqlalchemy.orm import Session

from core.catalog.models import Product, Variant
from core.kernel.errors import NotFound
from core.kernel.looking import found_in
from core.kernel.sorting import Place, Sorts
from core.stock import named, resources
from core.stock.models import Hold, LogicalResource, ResourcePool, ResourceStep

#: What the desk's lists may be sorted by.
SORTS = Sorts(
    LogicalResource.id, {"value": LogicalResource.plain, "added": LogicalResource.added_at}
)
BY_VALUE = Place("value")
POOL_SORTS = Sorts(ResourcePool.id, {"sku": Variant.sku, "made": ResourcePool.created_at})
BY_SKU = Place("sku")


@dataclass(frozen=True)
class Choice:
    """A number that can be had now."""

    id: uuid.UUID
    value: str
    plain: str


def page(
    session: Session,
    variant_id: uuid.UUID,
    now: datetime,
    *,
    words: str = "",
    after: str = "",
    limit: int = 50,
) -> list[Choice]:
    """Those that a customer may choose, by their digits, behind ``after``. None where nothing is chosen.

    ``words`` are looked for as digits and letters, however they are written.
    """
    one = LogicalResource
    query = (
        select(one.id, one.value, one.plain)
        .join(ResourcePool, ResourcePool.id == one.pool_id)
        .outerjoin(Hold, Hold.id == one.hold_id)
        .where(ResourcePool.variant_id == variant_id, ResourcePool.picked, named.is_free(now))
        .order_by(one.plain)
        .limit(limit)
    )
    if after:
        query = query.where(one.plain > after)
    if words.strip():
        query = query.where(_reads(words))
    return [Choice(*row) for row in session.execute(query)]


def plain_of(session: Session, resource_id: uuid.UUID) -> str:
    """Behind which a page begins, by the key of its last number; empty for none that is there."""
    query = select(LogicalResource.plain).where(LogicalResource.id == resource_id)
    return session.scalar(query) or ""


def _reads(words: str) -> ColumnElement[bool]:
    one = LogicalResource
    packed = {resources.plain(kind, words) for kind in resources.KINDS} - {""}
    return or_(
        one.value.icontains(words.strip(), autoescape=True),
        *(one.plain.icontains(text, autoescape=True) for text in sorted(packed)),
    )


@dataclass(frozen=True)
class Sold:
    """How a thing with numbers is sold: what they are, and whether customers choose."""

    variant_id: uuid.UUID
    kind: str
    picked: bool

    @property
    def word(self) -> str:
        """What one is called."""
        return resources.WORDS[self.kind][0]

    @property
    def words(self) -> str:
        """What several are called."""
        return resources.WORDS[self.kind][1]


def sold_with(session: Session, variant_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Sold]:
    """How these are sold, of those that have numbers."""
    pool = ResourcePool
    query = select(pool.variant_id, pool.kind, pool.picked).where(pool.variant_id.in_(variant_ids))
    return {row.variant_id: Sold(*row) for row in session.execute(query)}


# --- for staff --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PoolRow:
    """A pool in the words of a list, with how many of its numbers are in each state now."""

    pool: ResourcePool
    variant: Variant
    product: Product
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


def state_now(now: datetime) -> Any:
    """The state of a number as it is at a moment, in a statement that joins its hold."""
    return case((named.is_free(now), "free"), else_=LogicalResource.state)


def pool_page(
    session: Session, now: datetime, *, words: str = "", place: Place = BY_SKU, limit: int = 50
) -> list[PoolRow]:
    """Pools from a place on; ``words`` in SKU and names."""
    query = _pools()
    if words:
        query = query.where(found_in(words, Variant.sku, Variant.name, Product.name))
    rows = session.execute(POOL_SORTS.apply(query, place, limit)).all()
    counted = counts(session, [pool.id for pool, _, _ in rows], now)
    return [PoolRow(pool, variant, product, counted[pool.id]) for pool, variant, product in rows]


def one_pool(session: Session, pool_id: uuid.UUID, now: datetime) -> PoolRow:
    """One pool. NotFound when there is none."""
    row = session.execute(_pools().where(ResourcePool.id == pool_id)).first()
    if row is None:
        raise NotFound("pool of numbers")
    return PoolRow(row[0], row[1], row[2], counts(session, [pool_id], now)[pool_id])


def pool_of_sku(session: Session, sku: str) -> uuid.UUID:
    """The pool of a thing. NotFound when it has none."""
    query = select(ResourcePool.id).join(Variant, Variant.id == ResourcePool.variant_id)
    found = session.scalar(query.where(Variant.sku == sku))
    if found is None:
        raise NotFound("pool of numbers")
    return found


def pool_of_level(session: Session, level_id: uuid.UUID) -> uuid.UUID | None:
    """The pool that a level counts; None for any other level."""
    return session.scalar(select(ResourcePool.id).where(ResourcePool.level_id == level_id))


def _pools() -> Select[ResourcePool, Variant, Product]:
    return (
        select(ResourcePool, Variant, Product)
        .join(Variant, Variant.id == ResourcePool.variant_id)
        .join(Product, Product.id == Variant.product_id)
    )


def counts(
    session: Session, pool_ids: Sequence[uuid.UUID], now: datetime
) -> dict[uuid.UUID, dict[str, int]]:
    """How many numbers of each pool are in each state now."""
    found = {key: dict.fromkeys(resources.STATES, 0) for key in pool_ids}
    state = state_now(now).label("state")
    query = (
        select(LogicalResource.pool_id, state, func.count())
        .outerjoin(Hold, Hold.id == LogicalResource.hold_id)
        .where(LogicalResource.pool_id.in_(pool_ids))
        .group_by(LogicalResource.pool_id, state)
    )
    for pool_id, name, count in session.execute(query):
        found[pool_id][name] = int(count)
    return found


@dataclass(frozen=True)
class Row:
    """A number in the words of a list: its state now, and until when it is reserved or rests."""

    resource: LogicalResource
    state: str
    until: datetime | None
    #: Whose hold keeps it: ``cart``, ``quote``, ``order``, ``offer``; empty where none does.
    held_by: str


def listing(
    session: Session,
    pool_id: uuid.UUID,
    now: datetime,
    *,
    state: str = "",
    words: str = "",
    place: Place = BY_VALUE,
    limit: int = 50,
) -> list[Row]:
    """The numbers of a pool from a place on, in a state or all."""
    query = _listed(now).where(LogicalResource.pool_id == pool_id)
    if state:
        query = query.where(state_now(now) == state)
    if words.strip():
        # Of a secret only all of it finds it: else it could be guessed, letter by letter.
        packed = resources.plain("licence_key", words)
        secret = LogicalResource.kind.in_(
            [one for one in resources.KINDS if resources.is_secret(one)]
        )
        query = query.where(
            or_(and_(~secret, _reads(words)), and_(secret, LogicalResource.plain == packed))
        )
    return [_row(row) for row in session.execute(SORTS.apply(query, place, limit))]


def one(session: Session, resource_id: uuid.UUID, now: datetime) -> Row:
    """One number. NotFound when there is none."""
    row = session.execute(_listed(now).where(LogicalResource.id == resource_id)).first()
    if row is None:
        raise NotFound("number")
    return _row(row)


def _row(found: Sequence[Any]) -> Row:
    resource, state, until, held_by = found
    is_kept = state in ("reserved", "quarantined")
    whose = held_by if state == "reserved" else ""
    return Row(resource, state, until if is_kept else None, whose or "")


def _listed(now: datetime) -> Select[Any, Any, Any, Any]:
    return select(LogicalResource, state_now(now), Hold.expires_at, Hold.owner_kind).outerjoin(
        Hold, Hold.id == LogicalResource.hold_id
    )


@dataclass(frozen=True)
class Step:
    """What became of a number, and of the hold that it began: how that ended, and when at the latest."""

    step: ResourceStep
    hold_state: str
    hold_until: datetime | None


def history(
    session: Session,
    resource_id: uuid.UUID,
    *,
    before: tuple[datetime, uuid.UUID] | None = None,
    limit: int = 50,
) -> list[Step]:
    """What became of one number, the newest first."""
    query = (
        select(ResourceStep, Hold.state, Hold.expires_at)
        .outerjoin(
            Hold,
            and_(Hold.id == ResourceStep.hold_id, ResourceStep.act.in_(("reserve", "quarantine"))),
        )
        .where(ResourceStep.resource_id == resource_id)
    )
    if before is not None:
        query = query.where(tuple_(ResourceStep.at, ResourceStep.id) < tuple_(*before))
    query = query.order_by(ResourceStep.at.desc(), ResourceStep.id.desc()).limit(limit)
    return [Step(step, state or "", until) for step, state, until in session.execute(query)]
