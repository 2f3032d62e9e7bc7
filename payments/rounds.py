"""Rounds of the reconciler, as the desk sees them: what was looked at, found and mended.

Written by ``flows.reconcile`` at the end of each round; those that found nothing are forgotten after days.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session

from core.kernel.db import changed
from core.kernel.errors import NotFound
from core.kernel.ids import new_id, new_public_id
from core.kernel.sorting import Place, Sorts
from payments.models import PaymentOperation, ReconcileFinding, ReconcileRun

#: Rounds are kept so long; those with nothing to tell are forgotten much sooner.
KEPT, QUIET_KEPT = timedelta(days=180), timedelta(days=2)


@dataclass(frozen=True)
class Finding:
    """What a round did about one thing: ``mended``, still ``open``, or a ``problem``."""

    kind: str
    outcome: str
    words: str = ""
    operation_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Round:
    """A round that is over. ``found`` are events of the processor that nobody had told us of."""

    actor: str
    started_at: datetime
    looked_at: int
    found: int
    mended: int
    findings: Sequence[Finding]


def write(session: Session, done: Round, now: datetime) -> ReconcileRun:
    """Keep a round with what it found."""
    run = ReconcileRun(
        id=new_id(),
        public_id=new_public_id(),
        actor=done.actor,
        started_at=done.started_at,
        ended_at=now,
        looked_at=done.looked_at,
        found=done.found,
        mended=done.mended,
        indeterminate=sum(one.outcome == "problem" for one in done.findings),
    )
    session.add(run)
    session.flush()
    session.add_all(
        ReconcileFinding(
            id=new_id(),
            run_id=run.id,
            position=position,
            kind=one.kind,
            operation_id=one.operation_id,
            outcome=one.outcome,
            words=one.words[:2000],
        )
        for position, one in enumerate(done.findings)
    )
    return run


#: What the desk's list may be sorted by.
SORTS = Sorts(ReconcileRun.id, {"ended": ReconcileRun.ended_at})
NEWEST = Place("-ended")


def listing(
    session: Session,
    *,
    telling: bool = False,
    place: Place = NEWEST,
    limit: int = 50,
) -> Sequence[ReconcileRun]:
    """Rounds from a place on; ``telling``: only those that found something."""
    query = select(ReconcileRun)
    if telling:
        query = query.where(~_quiet())
    return session.scalars(SORTS.apply(query, place, limit)).all()


def one(session: Session, public_id: str) -> ReconcileRun:
    """A round by its public id. NotFound when there is none."""
    found = session.scalar(select(ReconcileRun).where(ReconcileRun.public_id == public_id))
    if found is None:
        raise NotFound("round")
    return found


def findings_of(
    session: Session, run_id: uuid.UUID, *, after: int = -1, limit: int = 50
) -> list[tuple[ReconcileFinding, PaymentOperation | None]]:
    """What a round did, thing by thing, with the operation where there is one."""
    rows = session.execute(
        select(ReconcileFinding, PaymentOperation)
        .outerjoin(PaymentOperation, PaymentOperation.id == ReconcileFinding.operation_id)
        .where(ReconcileFinding.run_id == run_id, ReconcileFinding.position > after)
        .order_by(ReconcileFinding.position)
        .limit(limit)
    )
    return [(finding, operation) for finding, operation in rows]


def forget(session: Session, now: datetime) -> int:
    """Delete what is kept no longer; says how many rounds."""
    over = or_(
        ReconcileRun.ended_at < now - KEPT,
        and_(ReconcileRun.ended_at < now - QUIET_KEPT, _quiet()),
    )
    keys = select(ReconcileRun.id).where(over)
    session.execute(delete(ReconcileFinding).where(ReconcileFinding.run_id.in_(keys)))
    return changed(session.execute(delete(ReconcileRun).where(over)))


def _quiet() -> ColumnElement[bool]:
    return and_(
        ReconcileRun.found == 0,
        ReconcileRun.mended == 0,
        ReconcileRun.indeterminate == 0,
    )


def operations_by_gateway_id(
    session: Session, gateway_ids: Sequence[str]
) -> dict[str, PaymentOperation]:
    """The operations whose object at the processor has one of these ids."""
    if not gateway_ids:
        return {}
    rows = session.scalars(
        select(PaymentOperation).where(PaymentOperation.gateway_id.in_(gateway_ids))
    )
    return {row.gateway_id: row for row in rows if row.gateway_id is not None}
