"""The rows of holds: reading them locked, writing, changing and ending them. For ``holds`` and ``lapsing``.

Statements are put together once and at first use, when the types of foreign keys are known.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Executable,
    Select,
    bindparam,
    literal_column,
    select,
    update,
)
from sqlalchemy.orm import Session

from core.kernel.db import changed, insert_rows, table
from core.kernel.ids import new_id
from core.stock import levels, resource_rows
from core.stock.levels import IS_ACTIVE
from core.stock.models import Hold, StockLevel

#: So many holds in one statement.
CHUNK = 1000


@dataclass(frozen=True)
class Owner:
    """Whom a hold is for: ``cart``, ``quote``, ``order``, ``offer`` or ``exchange``, and its key."""

    kind: str
    id: uuid.UUID


def write(
    session: Session,
    owner: Owner,
    pieces: Iterable[tuple[uuid.UUID, uuid.UUID, int]],
    expires_at: datetime,
    now: datetime,
    *,
    numbered: bool = False,
) -> list[uuid.UUID]:
    """New holds of so many pieces: line, level, how many; answers their keys. Of what is ``numbered`` the
    caller says which ones."""
    found = [(new_id(), piece) for piece in pieces]
    rows = [_row(key, owner, piece, expires_at, now, numbered=numbered) for key, piece in found]
    insert_rows(session, Hold, rows)
    return [key for key, _ in found]


def write_for_nobody(
    session: Session,
    level_id: uuid.UUID,
    numbers: Iterable[uuid.UUID],
    expires_at: datetime,
    now: datetime,
) -> dict[uuid.UUID, uuid.UUID]:
    """New holds under which numbers of a level rest, one for each; answers their keys by number."""
    found = {number: new_id() for number in numbers}
    rows = [
        _row(
            key,
            Owner("quarantine", number),
            (number, level_id, 1),
            expires_at,
            now,
            numbered=True,
        )
        for number, key in found.items()
    ]
    insert_rows(session, Hold, rows)
    return found


def _row(
    key: uuid.UUID,
    owner: Owner,
    piece: tuple[uuid.UUID, uuid.UUID, int],
    expires_at: datetime,
    now: datetime,
    *,
    numbered: bool,
) -> dict[str, Any]:
    line_id, level_id, quantity = piece
    return {
        "id": key,
        "level_id": level_id,
        "owner_kind": owner.kind,
        "owner_id": owner.id,
        "line_id": line_id,
        "quantity": quantity,
        "expires_at": expires_at,
        "state": "active",
        "created_at": now,
        "numbered": numbered,
    }


def active(session: Session, owner: Owner, line_id: uuid.UUID | None = None) -> Sequence[Any]:
    """The active holds of an owner, or of one of its lines, locked behind their levels."""
    values = _named(owner)
    if line_id is None:
        return session.execute(_active_of_owner(), values).all()
    return session.execute(_active_of_line(), {**values, "line": line_id}).all()


def to_pass_on(session: Session, owner: Owner) -> Sequence[Any]:
    """The active holds of an owner, locked without their levels: these do not change."""
    return session.execute(_to_pass_on(), _named(owner)).all()


def take_all(session: Session, owner: Owner) -> list[Any]:
    """As ``active`` of an owner, and with the same statement they are sold: ``allocated``, their pieces still
    counted as held. ``has_others``: another place has the thing too."""
    rows = session.execute(_all_taken(), _named(owner)).all()
    return sorted(rows, key=lambda row: (row.level_id, row.id))


def give_back(session: Session, rows: Sequence[Any]) -> None:
    """What ``take_all`` of this transaction took is active again: nobody has seen it otherwise."""
    if rows:
        session.execute(_given_back(), {"holds": [row.id for row in rows]})


def until(session: Session, owner: Owner, now: datetime) -> dict[uuid.UUID, datetime]:
    """Until when each line is held: the first of its holds to end."""
    return dict(session.execute(_until(), {**_named(owner), "now": now}).all())


def elsewhere(session: Session, owner: Owner, now: datetime) -> Sequence[Any]:
    """The running holds of an owner on things that other places have too; not locked."""
    return session.execute(_elsewhere(), {**_named(owner), "now": now}).all()


def end(session: Session, row: Any, state: str) -> int:
    """Let one hold go; says how many, 0 when somebody was faster."""
    if not close(session, row, state):
        return 0
    if row.numbered:
        resource_rows.free_of(session, [row.id])
    levels.shift(session, row.level_id, held=-row.quantity)
    return 1


def end_all(session: Session, rows: Sequence[Any], state: str) -> int:
    """As ``end``, for holds that the caller has locked as active: so many in one statement. Says how many."""
    held: dict[uuid.UUID, int] = {}
    for first in range(0, len(rows), CHUNK):
        some = rows[first : first + CHUNK]
        values = {"holds": [row.id for row in some], "new_state": state}
        session.execute(_all_ended(), values)
        numbered = [row.id for row in some if row.numbered]
        if numbered:
            resource_rows.free_of(session, numbered)
        for row in some:
            held[row.level_id] = held.get(row.level_id, 0) + row.quantity
    for level_id, pieces in sorted(held.items()):
        levels.shift(session, level_id, held=-pieces)
    return len(rows)


def close(session: Session, row: Any, state: str) -> bool:
    """An active hold is over; its pieces are still counted as held."""
    return shut(session, row.id, state)


def shut(session: Session, hold_id: uuid.UUID, state: str) -> bool:
    """The same, of a hold by its key."""
    return changed(session.execute(_ended(), {"hold": hold_id, "new_state": state})) == 1


def keep(session: Session, row: Any, quantity: int, expires_at: datetime) -> None:
    """Another quantity or time of an active hold."""
    values = {"hold": row.id, "new_quantity": quantity, "new_expires_at": expires_at}
    session.execute(_kept(), values)


def hand_over(
    session: Session, row: Any, taker: Owner, line_id: uuid.UUID, quantity: int, until: datetime
) -> None:
    """So many pieces of an active hold are another owner's now, for a line of theirs."""
    values: Mapping[str, Any] = {
        "hold": row.id,
        **_named(taker),
        "new_line": line_id,
        "new_quantity": quantity,
        "new_expires_at": until,
    }
    session.execute(_handed_over(), values)


def columns() -> tuple[Any, ...]:
    """What is read of a hold."""
    hold = table(Hold).c
    return (hold.id, hold.level_id, hold.line_id, hold.quantity, hold.expires_at, hold.numbered)


def _named(owner: Owner) -> dict[str, Any]:
    return {"kind": owner.kind, "owner": owner.id}


def _owned() -> tuple[ColumnElement[bool], ...]:
    hold = table(Hold).c
    return (hold.owner_kind == bindparam("kind"), hold.owner_id == bindparam("owner"), IS_ACTIVE)


def _with_variant() -> Select[Any]:
    hold, level = table(Hold), table(StockLevel)
    joined = level.join(hold, level.c.id == hold.c.level_id)
    query = select(*columns(), level.c.variant_id).select_from(joined).where(*_owned())
    return query.order_by(hold.c.level_id, hold.c.id)


@cache
def _active_of_owner() -> Select[Any]:
    return _with_variant().with_for_update(of=[table(StockLevel), table(Hold)])


@cache
def _active_of_line() -> Executable:
    of_line = table(Hold).c.line_id == bindparam("line")
    query = _with_variant().where(of_line)
    return query.with_for_update(of=[table(StockLevel), table(Hold)])


@cache
def _to_pass_on() -> Executable:
    return _with_variant().with_for_update(of=table(Hold))


#: What an UPDATE of holds tells of each beside its columns. Written out: behind RETURNING the names of tables
#: are left out for SQLite, and of two tables only these say which is meant.
_THING = "(SELECT held.variant_id FROM stock_level AS held WHERE held.id = hold.level_id)"
_OTHERS = (
    "EXISTS (SELECT other.id FROM stock_level AS other, stock_level AS held WHERE held.id = hold.level_id "
    "AND other.variant_id = held.variant_id AND other.id <> held.id)"
)


@cache
def _all_taken() -> Executable:
    """The levels are locked first, in the order of their keys, as everywhere; SQLite has one writer."""
    hold = table(Hold)
    locked = _active_of_owner().cte("locked")
    return (
        update(hold)
        .where(hold.c.id == locked.c.id, IS_ACTIVE)
        .values(state="allocated")
        .returning(
            *columns(),
            literal_column(_THING, StockLevel.variant_id.type).label("variant_id"),
            literal_column(_OTHERS, Boolean()).label("has_others"),
        )
    )


@cache
def _given_back() -> Executable:
    hold = table(Hold)
    these = hold.c.id.in_(bindparam("holds", expanding=True))
    return update(hold).where(these, hold.c.state == "allocated").values(state="active")


@cache
def _elsewhere() -> Executable:
    return _with_variant().where(table(Hold).c.expires_at > bindparam("now"), _has_others())


def _has_others() -> ColumnElement[bool]:
    """Has another place the thing of a level too?"""
    level, other = table(StockLevel), table(StockLevel).alias("other")
    also = select(other.c.id).where(
        other.c.variant_id == level.c.variant_id, other.c.id != level.c.id
    )
    return also.correlate(level).exists()


@cache
def _until() -> Executable:
    hold = table(Hold).c
    query = select(hold.line_id, hold.expires_at).order_by(hold.expires_at.desc())
    return query.where(*_owned(), hold.expires_at > bindparam("now"))


def _of_active(**values: str) -> Executable:
    """Change columns of one active hold; ``values`` are columns and the names of their parameters."""
    hold = table(Hold)
    return (
        update(hold)
        .where(hold.c.id == bindparam("hold"), IS_ACTIVE)
        .values({column: bindparam(name) for column, name in values.items()})
    )


@cache
def _ended() -> Executable:
    return _of_active(state="new_state")


@cache
def _all_ended() -> Executable:
    hold = table(Hold)
    of_these = hold.c.id.in_(bindparam("holds", expanding=True))
    return update(hold).where(of_these, IS_ACTIVE).values(state=bindparam("new_state"))


@cache
def _kept() -> Executable:
    return _of_active(quantity="new_quantity", expires_at="new_expires_at")


@cache
def _handed_over() -> Executable:
    return _of_active(
        owner_kind="kind",
        owner_id="owner",
        line_id="new_line",
        quantity="new_quantity",
        expires_at="new_expires_at",
    )
