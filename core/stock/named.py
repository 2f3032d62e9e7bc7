"""Which numbers lines have: what a cart or an order reserved or chose, and what an order was given."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable, and_, bindparam, case, or_, select
from sqlalchemy.orm import Session

from core.kernel.db import table
from core.stock import levels, resources
from core.stock.hold_rows import Owner
from core.stock.models import Hold, LogicalResource, ResourcePick, ResourcePool

#: Holds that ran until before the shop was there are over.
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Named:
    """A number that a line has. ``secret``: only for whoever has it, once it is given."""

    line_id: uuid.UUID
    value: str
    kind: str

    @property
    def secret(self) -> bool:
        """Is it nobody else's to see?"""
        return resources.is_secret(self.kind)


@dataclass(frozen=True)
class Picked:
    """A number that a line has (``kept``: a hold that runs keeps it), or chose and does not have any more."""

    value: str
    kind: str
    chosen: bool
    kept: bool
    #: It can be exchanged for another one that is chosen.
    picked: bool

    @property
    def secret(self) -> bool:
        """Is it nobody else's to see?"""
        return resources.is_secret(self.kind)


def of_owner(
    session: Session, owner: Owner, now: datetime = LONG_AGO
) -> dict[uuid.UUID, tuple[Picked, ...]]:
    """What each line of a cart, or of an order that is not certain yet, has or chose, by line.

    While a cart is being paid for its order's hold keeps them. Without ``now`` whatever nobody else took.
    """
    found: dict[uuid.UUID, tuple[Picked, ...]] = {}
    values = {"kind": owner.kind, "owner": owner.id, "now": now}
    for row in session.execute(_of_owner(), values):
        kept = bool(row.kept)
        if kept or row.chosen:
            one = Picked(row.value, row.kind, row.chosen, kept, row.picked)
            found[row.line_id] = (*found.get(row.line_id, ()), one)
    return found


def of_holds(session: Session, owner: Owner, now: datetime) -> list[tuple[Named, uuid.UUID]]:
    """What is reserved for the lines of an owner just now, each with its variant."""
    values = {"kind": owner.kind, "owner": owner.id, "now": now}
    return [
        (Named(row.line_id, row.value, row.kind), row.variant_id)
        for row in session.execute(_of_holds(), values)
    ]


def of_lines(session: Session, line_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Named]]:
    """What is assigned to lines of orders, in its order."""
    found: dict[uuid.UUID, list[Named]] = {}
    if line_ids:
        for row in session.execute(_of_lines(), {"lines": list(line_ids)}):
            found.setdefault(row.line_id, []).append(Named(row.line_id, row.value, row.kind))
    return found


@cache
def _of_holds() -> Executable:
    one, hold, pool = table(LogicalResource), table(Hold), table(ResourcePool)
    joined = one.join(hold, hold.c.id == one.c.hold_id).join(pool, pool.c.id == one.c.pool_id)
    return (
        select(hold.c.line_id, one.c.value, one.c.kind, pool.c.variant_id)
        .select_from(joined)
        .where(
            hold.c.owner_kind == bindparam("kind"),
            hold.c.owner_id == bindparam("owner"),
            levels.IS_ACTIVE,
            hold.c.expires_at > bindparam("now", type_=Hold.expires_at.type),
        )
        .order_by(one.c.plain)
    )


@cache
def _of_owner() -> Executable:
    """A pick's own line keeps it, or that of the order which took it over with all its picks."""
    one, pick = table(LogicalResource), table(ResourcePick)
    hold, pool = table(Hold), table(ResourcePool)
    taken = pick.alias("taken")
    over = (
        select(taken.c.resource_id)
        .where(taken.c.resource_id == pick.c.resource_id, taken.c.line_id == hold.c.line_id)
        .where(taken.c.picked_at == pick.c.picked_at)
        .correlate(pick, hold)
        .exists()
    )
    runs = and_(
        hold.c.state == "active", hold.c.expires_at > bindparam("now", type_=Hold.expires_at.type)
    )
    joined = (
        pick.join(one, one.c.id == pick.c.resource_id)
        .join(pool, pool.c.id == one.c.pool_id)
        .outerjoin(hold, hold.c.id == one.c.hold_id)
    )
    return (
        select(
            pick.c.line_id,
            one.c.value,
            one.c.kind,
            pool.c.picked,
            pick.c.chosen,
            case((and_(runs, over), 1), else_=0).label("kept"),
        )
        .select_from(joined)
        .where(pick.c.owner_kind == bindparam("kind"), pick.c.owner_id == bindparam("owner"))
        .order_by(pick.c.line_id, one.c.plain)
    )


@cache
def _of_lines() -> Executable:
    one = table(LogicalResource).c
    return (
        select(one.line_id, one.value, one.kind)
        .where(one.line_id.in_(bindparam("lines", expanding=True)))
        .order_by(one.line_id, one.plain)
    )


def still_kept(now: datetime) -> Any:
    """Of a number in a statement that joins its hold, by an outer join: does that hold still run?"""
    hold = table(Hold).c
    return and_(hold.state == "active", hold.expires_at > now)


def is_free(now: datetime) -> Any:
    """Of the same: may somebody take it now?"""
    one = table(LogicalResource).c
    over = and_(one.state.in_(("reserved", "quarantined")), ~still_kept(now))
    return or_(one.state == "free", over)
