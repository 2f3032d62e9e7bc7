"""The rows of numbers and keys: moving them by one conditional UPDATE, with the step written down.

For ``numbers`` and ``pools``; ``hold_rows`` lets go what an ended hold kept.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable, bindparam, null, update
from sqlalchemy.orm import Session

from core.kernel.db import changed, insert_rows, table
from core.kernel.errors import StaleState
from core.kernel.ids import new_id
from core.stock.models import LogicalResource, ResourceStep
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


def write_steps(
    session: Session, ids: Sequence[uuid.UUID], act: str, now: datetime, **told: Any
) -> None:
    """Write down what was done with each of them."""
    usual = {"hold_id": None, "line_id": None, "reference": "", "actor": "", "note": ""}
    rows = [
        {"id": new_id(), "resource_id": key, "act": act, "at": now, **usual, **told} for key in ids
    ]
    insert_rows(session, ResourceStep, rows)


def free_of_hold(session: Session, hold_id: uuid.UUID) -> None:
    """What a hold kept is free: it is over. Its row tells when."""
    session.execute(_let_go(), {"hold": hold_id})


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
def _let_go() -> Executable:
    one = table(LogicalResource)
    return (
        update(one)
        .where(one.c.hold_id == bindparam("hold"))
        .values(state="free", hold_id=null(), line_id=null())
    )
