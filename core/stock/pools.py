"""Pools: which numbers, addresses or keys a thing is sold with. Opening one, adding to it, withdrawing.

The pool's level counts them: on hand are all that were not withdrawn, allocated those that are assigned, held
those that a hold keeps, in quarantine too. Called by ``flows.keep_numbers``.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalog.models import Variant
from core.kernel.db import insert_once, insert_rows
from core.kernel.errors import Invalid, NotFound
from core.kernel.ids import new_id
from core.stock import freeing, hold_rows, lapsing, levels, resource_rows, resources
from core.stock.models import (
    Hold,
    Location,
    LogicalResource,
    ResourcePool,
    StockLevel,
    StockMovement,
)
from core.stock.places import NOWHERE
from core.stock.refusals import StockRefused

LONGEST = 120
MOST_AT_ONCE = 2_000


@dataclass(eq=False)
class NotForNumbers(StockRefused):
    """Only what is not sent can be sold with numbers, and no bundle or gift card."""

    code: ClassVar[str] = "not_for_numbers"
    text: ClassVar[str] = "{sku} cannot have numbers: only plans, services and digital goods can."
    sku: str


@dataclass(eq=False)
class HasNumbers(StockRefused):
    """It has a pool already."""

    code: ClassVar[str] = "has_numbers"
    text: ClassVar[str] = "{sku} has its numbers already."
    sku: str


@dataclass(eq=False)
class NumberInUse(StockRefused):
    """Somebody has it, or is about to."""

    code: ClassVar[str] = "number_in_use"
    text: ClassVar[str] = "{value} is {state}: this cannot be done with it now."
    value: str
    state: str


@dataclass(frozen=True)
class Terms:
    """What counts for a pool: whether customers choose theirs, and how many days one rests that was given
    back (None: it is given to nobody again)."""

    picked: bool = False
    quarantine_days: int | None = 30


def open_pool(
    session: Session, sku: str, kind: str, terms: Terms, now: datetime
) -> tuple[ResourcePool, Variant]:
    """From now on each of these is a number, an address or a key of its own. It has none yet.

    Raises NotFound, NotForNumbers, HasNumbers, and Invalid by field.
    """
    variant = session.scalar(select(Variant).where(Variant.sku == sku).with_for_update())
    if variant is None:
        raise NotFound("thing to sell")
    if variant.kind not in ("plan", "service", "digital"):
        raise NotForNumbers(sku)
    if variant.numbered:
        raise HasNumbers(sku)
    check(kind, terms)
    insert_once(session, Location, id=new_id(), **_place())
    place = session.scalars(select(Location.id).where(Location.code == NOWHERE[0])).one()
    level = StockLevel(id=new_id(), location_id=place, variant_id=variant.id)
    session.add(level)
    session.flush()
    pool = ResourcePool(
        id=new_id(),
        variant_id=variant.id,
        level_id=level.id,
        kind=kind,
        picked=terms.picked,
        quarantine_days=terms.quarantine_days,
        created_at=now,
    )
    session.add(pool)
    variant.numbered = True
    session.flush()
    return pool, variant


def _place() -> dict[str, object]:
    blank = dict.fromkeys(("country", "region", "postal_prefix"), "")
    return {"code": NOWHERE[0], "name": NOWHERE[1], "priority": 0, **blank}


def check(kind: str, terms: Terms) -> None:
    """Raises Invalid by field for terms that cannot be."""
    if kind not in resources.KINDS:
        raise Invalid({"kind": "Choose numbers, addresses or licence keys."})
    if terms.picked and resources.is_secret(kind):
        raise Invalid(
            {"picked": "Licence keys cannot be chosen: nobody sees one before it is theirs."}
        )
    if terms.quarantine_days is not None and not 0 <= terms.quarantine_days <= 3650:
        raise Invalid({"quarantine_days": "A whole number of days up to 3,650, or nothing."})


def set_terms(session: Session, pool: ResourcePool, terms: Terms) -> Terms:
    """Other terms; answers those before. What rests already rests as long as it was told."""
    check(pool.kind, terms)
    before = Terms(pool.picked, pool.quarantine_days)
    pool.picked, pool.quarantine_days = terms.picked, terms.quarantine_days
    session.flush()
    return before


def lock(session: Session, pool_id: uuid.UUID) -> ResourcePool:
    """The pool, with its level locked: one change after the other. NotFound when there is none."""
    pool = session.get(ResourcePool, pool_id)
    if pool is None:
        raise NotFound("pool of numbers")
    query = select(StockLevel.id).where(StockLevel.id == pool.level_id).with_for_update()
    session.execute(query).one()
    return pool


def wrong_value(kind: str, value: str) -> str:
    """What is wrong with a number as it was typed, in words; empty when nothing is."""
    word = resources.WORDS[kind][0]
    if not value or not resources.plain(kind, value):
        return f"There is no {word} in it."
    if len(value) > LONGEST or not value.isprintable():
        return f"At most {LONGEST} characters that can be printed."
    return ""


def known(session: Session, kind: str, plains: Sequence[str]) -> set[str]:
    """Which of these are in a pool already, whichever."""
    query = select(LogicalResource.plain).where(
        LogicalResource.kind == kind, LogicalResource.plain.in_(plains)
    )
    return set(session.scalars(query))


def add(
    session: Session,
    pool: ResourcePool,
    values: Sequence[str],
    actor: str,
    note: str,
    now: datetime,
) -> int:
    """Put them into a locked pool, all or none; says how many. Raises Invalid for one that cannot be."""
    if len(values) > MOST_AT_ONCE:
        raise Invalid({"values": f"At most {MOST_AT_ONCE:,} at once."})
    tidy = [" ".join(value.split()) for value in values]
    plains = [resources.plain(pool.kind, value) for value in tidy]
    wrong = next((text for value in tidy if (text := wrong_value(pool.kind, value))), "")
    # One number is in one pool: whoever adds of a kind waits for whoever does, in whichever pool.
    kind = select(ResourcePool.id).where(ResourcePool.kind == pool.kind).order_by(ResourcePool.id)
    session.execute(kind.with_for_update(key_share=True)).all()
    there = known(session, pool.kind, plains)
    if not wrong and (there or len(set(plains)) < len(plains)):
        wrong = "It is there already." if len(plains) == 1 else "Some are there already, or twice."
    if wrong or not tidy:
        raise Invalid({"values": wrong or "Say which."})
    ids = [new_id() for _ in tidy]
    rows = [
        {
            "id": key,
            "pool_id": pool.id,
            "kind": pool.kind,
            "value": value,
            "plain": plain,
            "state": "free",
            "hold_id": None,
            "line_id": None,
            "added_at": now,
        }
        for key, value, plain in zip(ids, tidy, plains, strict=True)
    ]
    insert_rows(session, LogicalResource, rows)
    resource_rows.write_steps(session, ids, "add", now, actor=actor, note=note)
    _count(session, pool, len(ids), "received", actor, note, now)
    freeing.tell(session, [pool.level_id], now)
    return len(ids)


def release(session: Session, one: LogicalResource, actor: str, now: datetime) -> None:
    """What rests is free before its time. Its pool is locked. Raises NumberInUse for any other."""
    _settle(session, one, now)
    if one.state != "quarantined" or one.hold_id is None:
        raise NumberInUse(resources.shown(one.kind, one.value), one.state)
    pool = session.get_one(ResourcePool, one.pool_id)
    hold_rows.shut(session, one.hold_id, "released")
    resource_rows.move(session, [one.id], "release", now, actor=actor)
    levels.shift(session, pool.level_id, held=-1)
    freeing.tell(session, [pool.level_id], now)
    session.refresh(one)


def withdraw(session: Session, one: LogicalResource, actor: str, note: str, now: datetime) -> None:
    """A free one, or one that rests, is sold no more. Its pool is locked. Raises NumberInUse for others."""
    _settle(session, one, now)
    if one.state == "quarantined":
        release(session, one, actor, now)
    if one.state != "free":
        raise NumberInUse(resources.shown(one.kind, one.value), one.state)
    pool = session.get_one(ResourcePool, one.pool_id)
    resource_rows.move(session, [one.id], "withdraw", now, actor=actor, note=note)
    _count(session, pool, -1, "adjusted", actor, note, now)
    session.refresh(one)


def restore(session: Session, one: LogicalResource, actor: str, now: datetime) -> None:
    """One that was withdrawn is free again. Its pool is locked. Raises NumberInUse for any other."""
    if one.state != "withdrawn":
        raise NumberInUse(resources.shown(one.kind, one.value), one.state)
    pool = session.get_one(ResourcePool, one.pool_id)
    resource_rows.move(session, [one.id], "restore", now, actor=actor)
    _count(session, pool, 1, "adjusted", actor, "", now)
    freeing.tell(session, [pool.level_id], now)
    session.refresh(one)


def one(session: Session, resource_id: uuid.UUID, *, locked: bool = False) -> LogicalResource:
    """One by its key; ``locked``: behind its pool. NotFound when there is none."""
    found = session.get(LogicalResource, resource_id)
    if found is None:
        raise NotFound("number")
    if locked:
        lock(session, found.pool_id)
        session.refresh(found)
    return found


def _settle(session: Session, one: LogicalResource, now: datetime) -> None:
    """What only a lapsed hold keeps is free."""
    if one.hold_id is None or session.get_one(Hold, one.hold_id).expires_at > now:
        return
    pool = session.get_one(ResourcePool, one.pool_id)
    lapsing.lapse_at(session, pool.level_id, now)
    session.refresh(one)


def _count(
    session: Session,
    pool: ResourcePool,
    by: int,
    kind: str,
    actor: str,
    note: str,
    now: datetime,
) -> None:
    if not levels.shift(session, pool.level_id, on_hand=by):
        raise Invalid({"values": "Fewer would be there than are sold or held."})
    row = {
        "id": new_id(),
        "level_id": pool.level_id,
        "kind": kind,
        "on_hand": by,
        "allocated": 0,
        "reference": "pool",
        "at": now,
        "actor": actor,
        "note": note or None,
    }
    insert_rows(session, StockMovement, [row])
