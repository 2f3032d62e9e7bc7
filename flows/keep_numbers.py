"""Staff keep the numbers, addresses and keys that things are sold with; in the audit log, without the keys.

Adding is done once per request; a file is looked at first, then done as a whole or not at all.
"""

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from core.kernel import audit, crash, idempotency
from core.kernel.errors import Invalid, NotFound
from core.kernel.ids import token_hash
from core.stock import number_sheets, pools, resources
from core.stock.models import LogicalResource, ResourcePool
from core.stock.number_sheets import Looked
from core.stock.pools import Terms
from flows.house import House

_SCOPE = "numbers"
_LONGEST_NOTE = 200


def open_pool(house: House, sku: str, kind: str, terms: Terms, actor: str) -> uuid.UUID:
    """A thing is sold with numbers from now on; answers the pool's key. It has none yet.

    Raises NotFound, NotForNumbers, HasNumbers and Invalid.
    """

    def work(session: Session) -> uuid.UUID:
        now = house.clock.now()
        pool, variant = pools.open_pool(session, sku.strip(), kind, terms, now)
        told: dict[str, Any] = {"sku": variant.sku, "kind": kind, **asdict(terms)}
        audit.write(session, now, actor, "numbers.opened", _subject(pool), **told)
        crash.point("open_pool.before_commit")
        return pool.id

    return house.db.run_tx(work)


def set_terms(house: House, pool_id: uuid.UUID, terms: Terms, actor: str) -> None:
    """Whether customers choose, and how long one rests. Raises NotFound and Invalid."""

    def work(session: Session) -> None:
        pool = pools.lock(session, pool_id)
        before, after = asdict(pools.set_terms(session, pool, terms)), asdict(terms)
        told: dict[str, Any] = {
            name: [before[name], after[name]] for name in after if before[name] != after[name]
        }
        if told:
            now = house.clock.now()
            audit.write(session, now, actor, "numbers.terms", _subject(pool), **told)

    house.db.run_tx(work)


def add(
    house: House, pool_id: uuid.UUID, values: Sequence[str], note: str, actor: str, once: str
) -> int:
    """Add some; says how many. Asked again under the same name it answers the same.

    Raises NotFound, Invalid by field, and KeyReused for another wish of that name.
    """
    note = " ".join(note.split())
    if len(note) > _LONGEST_NOTE:
        raise Invalid({"note": f"At most {_LONGEST_NOTE} characters."})

    def work(session: Session) -> int:
        now = house.clock.now()
        wish = token_hash("\n".join([pool_id.hex, *values]))
        known = idempotency.begin(session, _SCOPE, once, wish, now)
        if known is not None:
            return int(known.body["added"])
        pool = pools.lock(session, pool_id)
        done = pools.add(session, pool, values, actor, note, now)
        audit.write(session, now, actor, "numbers.added", _subject(pool), count=done)
        idempotency.finish(session, _SCOPE, once, 200, {"added": done})
        crash.point("add_numbers.before_commit")
        return done

    return house.db.run_tx(work)


def look(house: House, pool_id: uuid.UUID, text: str) -> Looked:
    """What a file would add. Raises NotFound."""
    with house.db.snapshot() as session:
        pool = session.get(ResourcePool, pool_id)
        if pool is None:
            raise NotFound("pool of numbers")
        return number_sheets.look(session, pool, text)


def apply(
    house: House, pool_id: uuid.UUID, text: str, mark: str | None, actor: str, once: str
) -> int:
    """Add what a file says; says how many. ``mark`` is what was looked at; None: as it is now.

    Raises NotFound, Invalid for a file with something wrong in it, and KeyReused.
    """

    def work(session: Session) -> int:
        now = house.clock.now()
        known = idempotency.begin(session, _SCOPE, once, token_hash(text), now)
        if known is not None:
            return int(known.body["added"])
        pool = pools.lock(session, pool_id)
        found = number_sheets.look(session, pool, text)
        if not found.is_sound or mark not in (None, found.mark):
            raise Invalid({"file": found.wrong or "Some lines cannot be done: see below."})
        by_note: dict[str, list[str]] = {}
        for line in found.lines:
            by_note.setdefault(line.note, []).append(line.value)
        done = sum(
            pools.add(session, pool, values, actor, note, now) for note, values in by_note.items()
        )
        audit.write(session, now, actor, "numbers.imported", _subject(pool), count=done)
        idempotency.finish(session, _SCOPE, once, 200, {"added": done})
        crash.point("import_numbers.before_commit")
        return done

    return house.db.run_tx(work)


def release(house: House, resource_id: uuid.UUID, actor: str) -> None:
    """One that rests is free before its time. Raises NotFound and NumberInUse."""

    def work(session: Session) -> None:
        one, now = pools.one(session, resource_id, locked=True), house.clock.now()
        pools.release(session, one, actor, now)
        _told(session, house, one, "numbers.released", actor)

    house.db.run_tx(work)


def withdraw(house: House, resource_id: uuid.UUID, note: str, actor: str) -> None:
    """One is sold no more, until it is put back. Raises NotFound and NumberInUse."""

    def work(session: Session) -> None:
        one, now = pools.one(session, resource_id, locked=True), house.clock.now()
        pools.withdraw(session, one, actor, " ".join(note.split())[:_LONGEST_NOTE], now)
        _told(session, house, one, "numbers.withdrawn", actor)

    house.db.run_tx(work)


def restore(house: House, resource_id: uuid.UUID, actor: str) -> None:
    """One that was withdrawn is free again. Raises NotFound and NumberInUse."""

    def work(session: Session) -> None:
        one, now = pools.one(session, resource_id, locked=True), house.clock.now()
        pools.restore(session, one, actor, now)
        _told(session, house, one, "numbers.restored", actor)

    house.db.run_tx(work)


def _told(session: Session, house: House, one: LogicalResource, act: str, actor: str) -> None:
    value: dict[str, Any] = {} if resources.is_secret(one.kind) else {"value": one.value}
    subject = ("resource", str(one.id))
    audit.write(session, house.clock.now(), actor, act, subject, **value)
    crash.point("keep_number.before_commit")


def _subject(pool: ResourcePool) -> tuple[str, str]:
    return ("resource_pool", str(pool.id))
