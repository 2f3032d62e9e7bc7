"""The rows of numbers and keys: moving them by one conditional UPDATE, with the step written down.

For ``numbers`` and ``pools``; ``hold_rows`` lets go what an ended hold kept.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable, bindparam, null, update
from sqlalchemy.orm import Session

from core.kernel.db import changed, insert_rows, table
from core.kernel.errors import StaleState
from core.kernel.ids import new_id
from core.stock.models import Hold, LogicalResource, ResourceStep
from core.stock.resources import TRANSITIONS


def move(
    session: Session,
    ids: Sequence[uuid.UUID],
    act: str,
    now: datetime,
    *,
    hold_id: uuid.UUID | None = None,
    line_id: uuid.UUID | None = None,
    reference: str = "",
    actor: str = "",
    note: str = "",
) -> None:
    """Do one thing with some of them, all or none. Raises StaleState when one is not in a state for it."""
    if not ids:
        return
    origins, (to,) = list(TRANSITIONS[act]), set(TRANSITIONS[act].values())
    values = {
        "ids": list(ids),
        "origins": origins,
        "to": to,
        "hold": hold_id if to in ("reserved", "quarantined") else None,
        "line": line_id if to == "assigned" else None,
    }
    if changed(session.execute(_moved(), values)) != len(ids):
        raise StaleState("number", act)
    write_steps(
        session,
        ids,
        act,
        now,
        hold_id=hold_id,
        line_id=line_id,
        reference=reference,
        actor=actor,
        note=note,
    )


def rest(
    session: Session, under: Mapping[uuid.UUID, uuid.UUID], now: datetime, **told: Any
) -> None:
    """Numbers that were assigned rest, each under a hold of its own, all or none: by number, the hold's key.

    Raises StaleState when one is not assigned any more.
    """
    values = {"holds": list(under.values()), "origins": list(TRANSITIONS["quarantine"])}
    if changed(session.execute(_rested(), values)) != len(under):
        raise StaleState("number", "quarantine")
    rows = [
        _step(number, "quarantine", now, hold_id=hold_id, **told)
        for number, hold_id in under.items()
    ]
    insert_rows(session, ResourceStep, rows)


def write_steps(
    session: Session, ids: Sequence[uuid.UUID], act: str, now: datetime, **told: Any
) -> None:
    """Write down what was done with each of them."""
    insert_rows(session, ResourceStep, [_step(key, act, now, **told) for key in ids])


def _step(key: uuid.UUID, act: str, now: datetime, **told: Any) -> dict[str, Any]:
    usual = {"hold_id": None, "line_id": None, "reference": "", "actor": "", "note": ""}
    return {"id": new_id(), "resource_id": key, "act": act, "at": now, **usual, **told}


def free_of(session: Session, hold_ids: Sequence[uuid.UUID]) -> None:
    """What some holds kept is free: they are over. Their rows tell when."""
    session.execute(_let_go(), {"holds": list(hold_ids)})


@cache
def _moved() -> Executable:
    one = table(LogicalResource)
    return (
        update(one)
        .where(
            one.c.id.in_(bindparam("ids", expanding=True)),
            one.c.state.in_(bindparam("origins", expanding=True)),
        )
        .values(state=bindparam("to"), hold_id=bindparam("hold"), line_id=bindparam("line"))
    )


@cache
def _rested() -> Executable:
    one, hold = table(LogicalResource), table(Hold)
    return (
        update(one)
        .where(
            hold.c.id.in_(bindparam("holds", expanding=True)),
            one.c.id == hold.c.owner_id,
            one.c.state.in_(bindparam("origins", expanding=True)),
        )
        .values(state="quarantined", hold_id=hold.c.id, line_id=null())
    )


@cache
def _let_go() -> Executable:
    one = table(LogicalResource)
    return (
        update(one)
        .where(one.c.hold_id.in_(bindparam("holds", expanding=True)))
        .values(state="free", hold_id=null(), line_id=null())
    )
