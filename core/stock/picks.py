"""Which numbers a line of a cart or an order chose, or was given: it takes them again after its hold lapsed.

Nothing is held by a pick alone: ``numbers`` does that.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import Executable, Select, bindparam, case, delete, func, select, update
from sqlalchemy.orm import Session

from core.kernel.db import insert_once_each, insert_rows, table
from core.kernel.errors import ShopError
from core.stock import resources
from core.stock.hold_rows import Owner
from core.stock.models import LogicalResource, ResourcePick, ResourcePool
from core.stock.planning import Demand


@dataclass(eq=False)
class NoSuchNumber(ShopError):
    """It is not one of those that can be chosen."""

    code: ClassVar[str] = "no_such_number"
    text: ClassVar[str] = "{value} is not one that can be chosen here."
    value: str


@dataclass(eq=False)
class AllAreChosen(ShopError):
    """A line has as many numbers as pieces, each chosen."""

    code: ClassVar[str] = "all_numbers_chosen"
    text: ClassVar[str] = "Each number of this line was chosen already: say again instead of which."


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
            session.execute(forgotten(), {"line": line_id, "ids": [given_up.id]})
    key = {"line": line_id, "resource": found.id}
    is_new = not session.scalar(_picked_already(), key)
    session.execute(forgotten(), {"line": line_id, "ids": [found.id]})
    insert_rows(session, ResourcePick, [_pick(owner, line_id, found.id, now, chosen=True)])
    return is_new


def choose_by_staff(
    session: Session,
    owner: Owner,
    line_id: uuid.UUID,
    variant_id: uuid.UUID,
    values: Sequence[str],
    now: datetime,
) -> None:
    """As ``choose``, all that staff chose for a line, in as few statements as one. Raises NoSuchNumber."""
    found = to_choose(session, variant_id, values, by_staff=True)
    for value in values:
        if value not in found:
            raise NoSuchNumber(value)
    ids = list(dict.fromkeys(found[value].id for value in values))
    session.execute(forgotten(), {"line": line_id, "ids": ids})
    rows = [_pick(owner, line_id, key, now, chosen=True) for key in ids]
    insert_rows(session, ResourcePick, rows)


def chosen_by(session: Session, line_id: uuid.UUID) -> int:
    """How many numbers a line chose."""
    query = select(func.count()).where(ResourcePick.line_id == line_id, ResourcePick.chosen)
    return session.scalar(query) or 0


def one_to_choose(session: Session, variant_id: uuid.UUID, value: str) -> Any:
    """The number of this value that customers of a variant may choose, in whatever state; None for none."""
    return to_choose(session, variant_id, [value]).get(value)


def to_choose(
    session: Session, variant_id: uuid.UUID, values: Sequence[str], *, by_staff: bool = False
) -> dict[str, Any]:
    """Of these values the numbers that customers of a variant may choose, in whatever state.

    ``by_staff``: who choose also where customers do not, but no licence key.
    """
    pool = session.execute(_pool(), {"variant": variant_id}).first()
    if pool is None or not (pool.picked or (by_staff and not resources.is_secret(pool.kind))):
        return {}
    plains = {value: resources.plain(pool.kind, value) for value in values}
    asked = {"pool": pool.id, "plains": sorted(set(plains.values()))}
    there = {row.plain: row for row in session.execute(_of_plains(), asked)}
    return {value: there[plain] for value, plain in plains.items() if plain in there}


def pass_on(
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


def remember(
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


@cache
def forgotten() -> Executable:
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
def _of_plains() -> Executable:
    one = table(LogicalResource).c
    return select(one.id, one.value, one.plain, one.state).where(
        one.pool_id == bindparam("pool"),
        one.plain.in_(bindparam("plains", expanding=True)),
        one.state != "withdrawn",
    )


@cache
def _picks_of_owner() -> Executable:
    one, pick, pool = table(LogicalResource), table(ResourcePick), table(ResourcePool)
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
