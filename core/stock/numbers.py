"""Numbers, addresses and keys on the hold of what they are sold as: which ones a line has.

A hold of numbered things keeps as many of them as it has pieces. Each function here is called with the level
locked, or the hold; which ones a line had is remembered as its picks, so that it takes them again.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import Executable, Select, and_, bindparam, case, delete, func, or_, select, update
from sqlalchemy.orm import Session

from core.catalog.models import Variant
from core.kernel.db import insert_once_each, insert_rows, table
from core.kernel.errors import ShopError
from core.kernel.ids import new_id
from core.stock import hold_rows, levels, resource_rows, resources
from core.stock.hold_rows import Owner
from core.stock.models import (
    Hold,
    LogicalResource,
    ResourcePick,
    ResourcePool,
    StockLevel,
    StockMovement,
)
from core.stock.sourcing import Demand, OutOfStock

#: Holds that ran until before the shop was there are over.
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(eq=False)
class NumberTaken(OutOfStock):
    """Somebody else has the one that was chosen."""

    code: ClassVar[str] = "number_taken"
    text: ClassVar[str] = "Somebody else took {value} in the meantime. Please choose another one."
    value: str = ""


@dataclass(eq=False)
class NoSuchNumber(ShopError):
    """It is not one of those that can be chosen."""

    code: ClassVar[str] = "no_such_number"
    text: ClassVar[str] = "{value} is not one that can be chosen here."
    value: str


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
        values = {"level": kept.level_id, "but": wanted, "most": missing}
        wanted += session.scalars(_free(), values).all()
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
    _remember(session, owner, kept.line_id, new, now)
    if spare:
        session.execute(_forgotten(), {"line": kept.line_id, "ids": spare})


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
        if elsewhere and row.expires_at <= now and _lapse(session, row.hold_id, now):
            pass  # free now
        elif row.id not in bound and row.state != "free":
            if row.chosen:
                raise _short(session, kept, kept.quantity - 1, row.value)
            gone.append(row.id)
            continue
        wanted.append(row.id)
    if gone:
        session.execute(_forgotten(), {"line": kept.line_id, "ids": gone})
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
    resource_rows.free_of_hold(session, hold_id)
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


# --- what was chosen --------------------------------------------------------------------------------


def choose(
    session: Session,
    owner: Owner,
    line_id: uuid.UUID,
    variant_id: uuid.UUID,
    value: str,
    now: datetime,
    *,
    instead_of: str = "",
) -> bool:
    """A line wants this one; False when it has it, or had it. Nothing is held by it alone: the caller does.

    ``instead_of``: not that one any more. Raises NoSuchNumber for one that nobody can choose.
    """
    found = one_to_choose(session, variant_id, value)
    if found is None:
        raise NoSuchNumber(value)
    if instead_of:
        given_up = one_to_choose(session, variant_id, instead_of)
        if given_up is not None and given_up.id != found.id:
            session.execute(_forgotten(), {"line": line_id, "ids": [given_up.id]})
    key = {"line": line_id, "resource": found.id}
    is_new = not session.scalar(_picked_already(), key)
    session.execute(_forgotten(), {"line": line_id, "ids": [found.id]})
    insert_rows(session, ResourcePick, [_pick(owner, line_id, found.id, now, chosen=True)])
    return is_new


def one_to_choose(session: Session, variant_id: uuid.UUID, value: str) -> Any:
    """The number of this value that customers of a variant may choose, in whatever state; None for none."""
    row = session.execute(_pool(), {"variant": variant_id}).first()
    if row is None or not row.picked:
        return None
    plain = resources.plain(row.kind, value)
    return session.execute(_of_plain(), {"pool": row.id, "plain": plain}).first()


def pass_picks(
    session: Session, giver: Owner, taker: Owner, demands: Sequence[Demand], now: datetime
) -> None:
    """What lines of one owner chose and were given, lines of the other want: by the thing, as many as each
    demands. Without numbered things nothing is asked of the database."""
    numbered = [one for one in demands if one.numbered]
    if not numbered:
        return
    mine = {one.line_id for one in numbered}
    found: dict[uuid.UUID, list[Any]] = {}
    for row in session.execute(_picks_of_owner(), {"kind": giver.kind, "owner": giver.id}):
        if row.line_id not in mine:
            found.setdefault(row.variant_id, []).append(row)
    rows = []
    for demand in numbered:
        pile = found.get(demand.variant_id, [])
        for row in pile[: demand.quantity]:
            one = _pick(taker, demand.line_id, row.resource_id, now, chosen=row.chosen)
            rows.append(one | {"picked_at": row.picked_at})
        del pile[: demand.quantity]
    if rows:
        insert_once_each(session, ResourcePick, rows)


def hand_over(
    session: Session, line_id: uuid.UUID, taker: Owner, to: uuid.UUID | None = None
) -> None:
    """What a line chose is another owner's, or another line's, with it."""
    values = {"line": line_id, "kind": taker.kind, "owner": taker.id, "to": to or line_id}
    if to is not None:
        session.execute(_doubles(), {"line": line_id, "to": to})
    session.execute(_handed_over(), values)


def forget(session: Session, line_id: uuid.UUID) -> None:
    """A line is not there any more: what it chose it does not want again."""
    session.execute(delete(ResourcePick).where(ResourcePick.line_id == line_id))


def _remember(
    session: Session, owner: Owner, line_id: uuid.UUID, ids: Sequence[uuid.UUID], now: datetime
) -> None:
    if ids:
        rows = [_pick(owner, line_id, key, now, chosen=False) for key in ids]
        insert_once_each(session, ResourcePick, rows)


def _pick(
    owner: Owner, line_id: uuid.UUID, resource_id: uuid.UUID, now: datetime, *, chosen: bool
) -> dict[str, Any]:
    return {
        "line_id": line_id,
        "resource_id": resource_id,
        "owner_kind": owner.kind,
        "owner_id": owner.id,
        "chosen": chosen,
        "picked_at": now,
    }


# --- given up ---------------------------------------------------------------------------------------


def give_up(
    session: Session,
    line_id: uuid.UUID,
    pieces: int | None,
    reference: str,
    now: datetime,
    actor: str = "",
) -> int:
    """So many of an order's line (None: all) are not its customer's any more: they rest as long as their pool
    says, or for ever. Says how many."""
    pool = session.execute(_pool_of_line(), {"line": line_id}).first()
    if pool is None:
        return 0
    session.execute(
        select(StockLevel.id).where(StockLevel.id == pool.level_id).with_for_update()
    ).one()
    found = list(session.scalars(_assigned(), {"line": line_id}))
    ids = found if pieces is None else found[:pieces]
    if not ids:
        return 0
    told: dict[str, Any] = {"line_id": line_id, "reference": reference, "actor": actor}
    gone = 0
    if pool.quarantine_days is None:
        resource_rows.move(session, ids, "withdraw", now, **told)
        gone = len(ids)
        levels.shift(session, pool.level_id, on_hand=-gone, allocated=-gone)
    else:
        until = now + timedelta(days=pool.quarantine_days)
        levels.shift(session, pool.level_id, allocated=-len(ids), held=len(ids))
        for key in ids:
            piece = [(key, pool.level_id, 1)]
            nobody = Owner("quarantine", key)
            (hold_id,) = hold_rows.write(session, nobody, piece, until, now, numbered=True)
            resource_rows.move(session, [key], "quarantine", now, hold_id=hold_id, **told)
    row = {
        "id": new_id(),
        "level_id": pool.level_id,
        "kind": "deallocated",
        "on_hand": -gone,
        "allocated": -len(ids),
        "reference": reference,
        "at": now,
        "actor": actor or None,
        "note": None,
    }
    insert_rows(session, StockMovement, [row])
    return len(ids)


# --- looking ----------------------------------------------------------------------------------------


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
    one, pool = table(LogicalResource), table(ResourcePool)
    return (
        select(one.c.id)
        .select_from(one.join(pool, pool.c.id == one.c.pool_id))
        .where(
            pool.c.level_id == bindparam("level"),
            one.c.state == "free",
            one.c.id.not_in(bindparam("but", expanding=True)),
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


@cache
def _forgotten() -> Executable:
    pick = table(ResourcePick)
    ids: Any = bindparam("ids", expanding=True)
    return delete(pick).where(pick.c.line_id == bindparam("line"), pick.c.resource_id.in_(ids))


@cache
def _picked_already() -> Select[Any]:
    pick = table(ResourcePick).c
    return select(func.count()).where(
        pick.line_id == bindparam("line"), pick.resource_id == bindparam("resource")
    )


@cache
def _pool() -> Executable:
    pool = table(ResourcePool).c
    return select(pool.id, pool.kind, pool.picked).where(pool.variant_id == bindparam("variant"))


@cache
def _of_plain() -> Executable:
    one = table(LogicalResource).c
    return select(one.id, one.value, one.state).where(
        one.pool_id == bindparam("pool"),
        one.plain == bindparam("plain"),
        one.state != "withdrawn",
    )


@cache
def _picks_of_owner() -> Executable:
    one, pick, _, pool = _tables()
    joined = pick.join(one, one.c.id == pick.c.resource_id).join(pool, pool.c.id == one.c.pool_id)
    return (
        select(
            pick.c.line_id, pick.c.resource_id, pick.c.chosen, pick.c.picked_at, pool.c.variant_id
        )
        .select_from(joined)
        .where(pick.c.owner_kind == bindparam("kind"), pick.c.owner_id == bindparam("owner"))
        .order_by(case((pick.c.chosen, 0), else_=1), pick.c.picked_at, one.c.plain)
    )


@cache
def _doubles() -> Executable:
    pick, other = table(ResourcePick), table(ResourcePick).alias("other")
    there = select(other.c.resource_id).where(other.c.line_id == bindparam("to"))
    return delete(pick).where(pick.c.line_id == bindparam("line"), pick.c.resource_id.in_(there))


@cache
def _handed_over() -> Executable:
    pick = table(ResourcePick)
    return (
        update(pick)
        .where(pick.c.line_id == bindparam("line"))
        .values(line_id=bindparam("to"), owner_kind=bindparam("kind"), owner_id=bindparam("owner"))
    )


@cache
def _pool_of_line() -> Executable:
    one, pool = table(LogicalResource), table(ResourcePool)
    return (
        select(pool.c.level_id, pool.c.quarantine_days)
        .select_from(pool.join(one, one.c.pool_id == pool.c.id))
        .where(one.c.line_id == bindparam("line"))
        .limit(1)
    )


@cache
def _assigned() -> Select[Any]:
    one = table(LogicalResource).c
    query = select(one.id).where(one.line_id == bindparam("line"), one.state == "assigned")
    return query.order_by(one.plain.desc()).with_for_update()


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
    one, pick, hold, pool = _tables()
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


def _tables() -> tuple[Any, Any, Any, Any]:
    return table(LogicalResource), table(ResourcePick), table(Hold), table(ResourcePool)


def still_kept(now: datetime) -> Any:
    """Of a number in a statement that joins its hold, by an outer join: does that hold still run?"""
    hold = table(Hold).c
    return and_(hold.state == "active", hold.expires_at > now)


def is_free(now: datetime) -> Any:
    """Of the same: may somebody take it now?"""
    one = table(LogicalResource).c
    over = and_(one.state.in_(("reserved", "quarantined")), ~still_kept(now))
    return or_(one.state == "free", over)
