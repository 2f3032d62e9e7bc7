"""Numbers, addresses and keys on the hold of what they are sold as: which ones a line has.

A hold of numbered things keeps as many of them as it has pieces. Each function here is called with the level
locked, or the hold; which ones a line had is remembered as its picks, so that it takes them again.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import Executable, Select, and_, bindparam, case, select, update
from sqlalchemy.orm import Session

from core.catalog.models import Variant
from core.kernel.db import table
from core.stock import hold_rows, levels, picks, resource_rows
from core.stock.hold_rows import Owner
from core.stock.models import (
    Hold,
    LogicalResource,
    ResourcePick,
    ResourcePool,
    StockLevel,
)
from core.stock.sourcing import OutOfStock


@dataclass(eq=False)
class NumberTaken(OutOfStock):
    """Somebody else has the one that was chosen."""

    code: ClassVar[str] = "number_taken"
    text: ClassVar[str] = "Somebody else took {value} in the meantime. Please choose another one."
    value: str = ""


@dataclass(frozen=True)
class Kept:
    """A hold of numbered things: its key, the line it is for, its level and how many."""

    hold_id: uuid.UUID
    line_id: uuid.UUID
    level_id: uuid.UUID
    quantity: int


# --- which ones a hold keeps ------------------------------------------------------------------------


def fit(session: Session, owner: Owner, kept: Kept, now: datetime) -> None:
    """See to it that a hold keeps as many as it has pieces: first those its line chose, then those it had,
    then any. Raises NumberTaken when somebody else has a chosen one."""
    bound = [row.id for row in session.execute(_bound(), {"hold": kept.hold_id})]
    wanted = _wanted(session, kept, bound, now)
    wanted += [key for key in bound if key not in wanted][: kept.quantity - len(wanted)]
    missing = kept.quantity - len(wanted)
    if missing > 0:
        values = {"level": kept.level_id, "but": wanted, "most": missing, "line": kept.line_id}
        mine = {"kind": owner.kind, "owner": owner.id}
        wanted += session.scalars(_free(), {**values, **mine}).all()
    if len(wanted) < kept.quantity:
        raise _short(session, kept, len(wanted), "")
    spare = [key for key in bound if key not in wanted]
    new = [key for key in wanted if key not in bound]
    if spare:
        session.execute(_spared(), {"ids": spare, "hold": kept.hold_id})
    resource_rows.move(
        session,
        new,
        "reserve",
        now,
        hold_id=kept.hold_id,
        line_id=kept.line_id,
        reference=owner.kind,
    )
    picks.remember(session, owner, kept.line_id, new, now)
    if spare:
        session.execute(picks.forgotten(), {"line": kept.line_id, "ids": spare})


def _wanted(
    session: Session, kept: Kept, bound: Sequence[uuid.UUID], now: datetime
) -> list[uuid.UUID]:
    """The picks of a line that this hold is to keep. One that only a lapsed hold keeps is taken from it."""
    wanted: list[uuid.UUID] = []
    gone: list[uuid.UUID] = []
    for row in session.execute(_picks_of_line(), {"line": kept.line_id, "level": kept.level_id}):
        if len(wanted) == kept.quantity:
            break
        elsewhere = row.hold_id is not None and row.hold_id != kept.hold_id
        if elsewhere and row.held_for == kept.line_id and row.expires_at > now:
            continue  # another hold of the same line keeps it
        if row.line_id == kept.line_id:
            continue  # the line has it for good
        if elsewhere and row.expires_at <= now and _lapse(session, row.hold_id, now):
            pass  # free now
        elif row.id not in bound and row.state != "free":
            if row.chosen:
                raise _short(session, kept, kept.quantity - 1, row.value)
            gone.append(row.id)
            continue
        wanted.append(row.id)
    if gone:
        session.execute(picks.forgotten(), {"line": kept.line_id, "ids": gone})
    return wanted


def _lapse(session: Session, hold_id: uuid.UUID, now: datetime) -> bool:
    """Let go what only a lapsed hold keeps; False when somebody took that hold over meanwhile."""
    over = (Hold.id == hold_id, levels.IS_ACTIVE, Hold.expires_at <= now)
    row = session.execute(select(*hold_rows.columns()).where(*over).with_for_update()).first()
    return row is not None and hold_rows.end(session, row, "lapsed") == 1


def _short(session: Session, kept: Kept, available: int, value: str) -> OutOfStock:
    query = (
        select(Variant.sku)
        .join(StockLevel, StockLevel.variant_id == Variant.id)
        .where(StockLevel.id == kept.level_id)
    )
    sku = session.scalars(query).one()
    if value:
        return NumberTaken(sku, kept.quantity, available, value)
    return OutOfStock(sku, kept.quantity, available)


def share_out(
    session: Session, owner: Owner, hold_id: uuid.UUID, given: Iterable[Kept], now: datetime
) -> None:
    """A hold was shared out among several, itself one of them, or has fewer pieces: each keeps its own."""
    resource_rows.free_of(session, [hold_id])
    for kept in given:
        fit(session, owner, kept, now)


def assign(
    session: Session,
    hold_id: uuid.UUID,
    shares: Iterable[tuple[uuid.UUID, int]],
    reference: str,
    now: datetime,
) -> None:
    """What a hold kept that has just ended is assigned to lines of an order, so many to each; the rest is
    free."""
    bound = [row.id for row in session.execute(_bound(), {"hold": hold_id})]
    for line_id, pieces in shares:
        mine, bound = bound[:pieces], bound[pieces:]
        resource_rows.move(
            session, mine, "assign", now, hold_id=hold_id, line_id=line_id, reference=reference
        )
    if bound:
        session.execute(_spared(), {"ids": bound, "hold": hold_id})


# --- statements, each put together once and at first use --------------------------------------------


@cache
def _bound() -> Executable:
    """What a hold keeps, the chosen ones first."""
    one, pick, hold = table(LogicalResource), table(ResourcePick), table(Hold)
    mine = and_(pick.c.resource_id == one.c.id, pick.c.line_id == hold.c.line_id)
    joined = one.join(hold, hold.c.id == one.c.hold_id).outerjoin(pick, mine)
    return (
        select(one.c.id)
        .select_from(joined)
        .where(one.c.hold_id == bindparam("hold"))
        .order_by(case((pick.c.chosen, 0), else_=1), one.c.plain)
    )


@cache
def _picks_of_line() -> Executable:
    one, pick, hold, pool = _tables()
    joined = (
        pick.join(one, one.c.id == pick.c.resource_id)
        .join(pool, pool.c.id == one.c.pool_id)
        .outerjoin(hold, hold.c.id == one.c.hold_id)
    )
    return (
        select(
            one.c.id,
            one.c.value,
            one.c.state,
            one.c.hold_id,
            one.c.line_id,
            pick.c.chosen,
            hold.c.line_id.label("held_for"),
            hold.c.expires_at,
        )
        .select_from(joined)
        .where(pick.c.line_id == bindparam("line"), pool.c.level_id == bindparam("level"))
        .order_by(case((pick.c.chosen, 0), else_=1), pick.c.picked_at, one.c.plain)
    )


@cache
def _free() -> Select[Any]:
    """What is free, but for what another line of the same owner chose."""
    one, pick, _, pool = _tables()
    chosen = select(pick.c.resource_id).where(
        pick.c.owner_kind == bindparam("kind"),
        pick.c.owner_id == bindparam("owner"),
        pick.c.line_id != bindparam("line"),
        pick.c.chosen,
    )
    return (
        select(one.c.id)
        .select_from(one.join(pool, pool.c.id == one.c.pool_id))
        .where(
            pool.c.level_id == bindparam("level"),
            one.c.state == "free",
            one.c.id.not_in(bindparam("but", expanding=True)),
            one.c.id.not_in(chosen),
        )
        .order_by(one.c.plain)
        .limit(bindparam("most", type_=StockLevel.on_hand.type))
    )


@cache
def _spared() -> Executable:
    one = table(LogicalResource)
    return (
        update(one)
        .where(one.c.id.in_(bindparam("ids", expanding=True)), one.c.hold_id == bindparam("hold"))
        .values(state="free", hold_id=None)
    )


def _tables() -> tuple[Any, Any, Any, Any]:
    return table(LogicalResource), table(ResourcePick), table(Hold), table(ResourcePool)
