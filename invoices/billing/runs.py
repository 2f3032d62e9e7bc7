"""Bill runs: planned in chunks of accounts, taken and done chunk by chunk, finished with the last.

A run keeps only what its pages show; what is due is found anew from the services each time, so that a run
that was stopped is gone on with, and two at once do no harm.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from core.kernel.db import insert_rows
from core.kernel.errors import NotFound, ShopError
from core.kernel.ids import new_id
from core.kernel.sorting import Place, Sorts
from core.parties.models import Account
from invoices.billing import difference, marks
from invoices.billing.difference import Counts
from invoices.billing.models import REAL, BillChunk, BillOutcome, BillRun

#: So many accounts are one chunk: one job, and one step of the progress bar.
CHUNK = 200


@dataclass(eq=False)
class DayAhead(ShopError):
    """Nobody is billed for a day that has not begun anywhere."""

    code: ClassVar[str] = "day_ahead"
    text: ClassVar[str] = "{as_of} lies ahead of us. Bills are written up to {latest}."
    as_of: date
    latest: date


@dataclass(eq=False)
class TooLongAgo(ShopError):
    """The day is past the bound that the settings give."""

    code: ClassVar[str] = "too_long_ago"
    text: ClassVar[str] = "{as_of} is too long ago. The earliest day is {earliest}."
    as_of: date
    earliest: date


@dataclass(frozen=True)
class Sum:
    """What came together in one currency, in minor units, tax included."""

    billed_minor: int = 0
    credited_minor: int = 0
    invoices: int = 0
    memos: int = 0


@dataclass(frozen=True)
class Totals:
    """What a run came to: sums by currency, how many accounts got none, and what is other than last time."""

    by_currency: Mapping[str, Sum] = field(default_factory=dict)
    accounts: int = 0
    parked: int = 0
    waiting: int = 0
    changed: Counts = field(default_factory=Counts)

    def to_dict(self) -> dict[str, Any]:
        """As a finished run keeps it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Totals":
        """What ``to_dict`` wrote."""
        sums = {code: Sum(**values) for code, values in data["by_currency"].items()}
        changed = Counts(**data["changed"])
        return cls(sums, data["accounts"], data["parked"], data["waiting"], changed)


@dataclass(frozen=True)
class Progress:
    """How far a run is: accounts that its done chunks hold, of all."""

    done: int
    of: int

    @property
    def percent(self) -> int:
        """From 0 to 100."""
        return 100 * self.done // self.of if self.of else 100


def parts(keys: Sequence[uuid.UUID], size: int) -> list[Sequence[uuid.UUID]]:
    """The keys in parts of a size, the last perhaps smaller."""
    return [keys[at : at + size] for at in range(0, len(keys), size)]


def plan(
    session: Session,
    kind: str,
    as_of: date,
    actor: str,
    now: datetime,
    *,
    account_id: uuid.UUID | None = None,
) -> BillRun:
    """Write a run over the accounts that have to be looked at by a day; done at once when there are none."""
    zones = marks.days_of_zones(session, now) if kind == REAL else None
    keys = list(session.scalars(marks.due(as_of, zones=zones, account_id=account_id)))
    run = BillRun(
        id=new_id(),
        kind=kind,
        as_of=as_of,
        account_id=account_id,
        accounts=len(keys),
        started_by=actor,
        started_at=now,
    )
    session.add(run)
    session.flush()
    chunks = [
        BillChunk(
            run_id=run.id, number=number, first_id=some[0], last_id=some[-1], accounts=len(some)
        )
        for number, some in enumerate(parts(keys, CHUNK))
    ]
    session.add_all(chunks)
    session.flush()
    if not chunks:
        _finish(session, run, now)
    return run


def unfinished(
    session: Session, kind: str, as_of: date, account_id: uuid.UUID | None
) -> BillRun | None:
    """A run for the same that was begun and is not finished: the last of them."""
    same = BillRun.account_id.is_not_distinct_from(account_id)
    return session.scalar(
        select(BillRun)
        .where(BillRun.kind == kind, BillRun.as_of == as_of, same, BillRun.finished_at.is_(None))
        .order_by(BillRun.started_at.desc())
        .limit(1)
    )


def take(session: Session, run_id: uuid.UUID, now: datetime) -> BillChunk | None:
    """The next chunk that nobody has taken; None when there is none."""
    free = (
        select(BillChunk.number)
        .where(BillChunk.run_id == run_id, BillChunk.taken_at.is_(None))
        .order_by(BillChunk.number)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    number = session.scalar(free)
    if number is None:
        return None
    session.execute(
        update(BillChunk)
        .where(BillChunk.run_id == run_id, BillChunk.number == number)
        .values(taken_at=now)
    )
    return chunk(session, run_id, number)


def chunk(session: Session, run_id: uuid.UUID, number: int) -> BillChunk:
    """One chunk of a run."""
    return session.get_one(BillChunk, (run_id, number), populate_existing=True)


def left(session: Session, run_id: uuid.UUID) -> list[int]:
    """The numbers of the chunks that are not done."""
    query = select(BillChunk.number).where(BillChunk.run_id == run_id, BillChunk.done_at.is_(None))
    return list(session.scalars(query.order_by(BillChunk.number)))


def done(
    session: Session,
    run_id: uuid.UUID,
    number: int,
    now: datetime,
    rows: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Mark a chunk done, with what is still to be noted of it, and the run finished with its last chunk.
    A chunk that was done before stays as it is.

    The run's row is locked, so that of the last two one sees the other.
    """
    run = session.get_one(BillRun, run_id, with_for_update=True, populate_existing=True)
    found = chunk(session, run_id, number)
    if found.done_at is not None:
        return
    found.done_at = now
    note(session, rows)
    session.flush()
    if not left(session, run_id):
        _finish(session, run, now)


def _finish(session: Session, run: BillRun, now: datetime) -> None:
    came = replace(totals(session, run), changed=difference.counts(session, run))
    run.finished_at, run.totals = now, came.to_dict()
    session.flush()


def note(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write down what became of some accounts: columns of ``BillOutcome``, without keys.

    That they waited before, in this run, is over by it: a chunk may be done again.
    """
    for run_id in {row["run_id"] for row in rows}:
        theirs = {row["account_id"] for row in rows if row["run_id"] == run_id}
        session.execute(
            delete(BillOutcome).where(
                BillOutcome.run_id == run_id,
                BillOutcome.account_id.in_(theirs),
                BillOutcome.kind == "waiting",
            )
        )
    insert_rows(session, BillOutcome, [{"id": new_id(), "reason": "", **row} for row in rows])


def totals(session: Session, run: BillRun) -> Totals:
    """What a run came to so far; once it is finished, what it came to then. ``changed`` is told then only."""
    if run.totals is not None:
        return Totals.from_dict(run.totals)
    rows = session.execute(
        select(
            BillOutcome.kind,
            BillOutcome.currency,
            func.count(),
            func.sum(BillOutcome.amount_minor),
        )
        .where(BillOutcome.run_id == run.id)
        .group_by(BillOutcome.kind, BillOutcome.currency)
    ).all()
    counts = {(kind, currency): (int(n), int(minor)) for kind, currency, n, minor in rows}
    sums = {
        currency: Sum(
            *(counts.get((kind, currency), (0, 0))[1] for kind in ("billed", "credited")),
            *(counts.get((kind, currency), (0, 0))[0] for kind in ("billed", "credited")),
        )
        for currency in sorted({code for kind, code in counts if kind in ("billed", "credited")})
    }
    gone = {
        kind: sum(n for (found, _), (n, _) in counts.items() if found == kind)
        for kind in ("parked", "waiting")
    }
    whose = select(func.count(BillOutcome.account_id.distinct()))
    accounts = session.scalar(whose.where(BillOutcome.run_id == run.id)) or 0
    return Totals(sums, int(accounts), gone["parked"], gone["waiting"])


def progress(session: Session, runs: Sequence[BillRun]) -> dict[uuid.UUID, Progress]:
    """How far some runs are."""
    rows = session.execute(
        select(BillChunk.run_id, func.sum(BillChunk.accounts))
        .where(BillChunk.run_id.in_([run.id for run in runs]), BillChunk.done_at.is_not(None))
        .group_by(BillChunk.run_id)
    )
    found = {run_id: int(count) for run_id, count in rows}
    return {run.id: Progress(found.get(run.id, 0), run.accounts) for run in runs}


def one(session: Session, public_id: str) -> BillRun:
    """A run by its public id. NotFound when there is none."""
    found = session.scalar(select(BillRun).where(BillRun.public_id == public_id))
    if found is None:
        raise NotFound("bill run")
    return found


#: What the desk's list may be sorted by.
SORTS = Sorts(BillRun.id, {"started": BillRun.started_at, "upto": BillRun.as_of})
NEWEST = Place("-started")


def listing(
    session: Session, *, kind: str = "", place: Place = NEWEST, limit: int = 50
) -> Sequence[BillRun]:
    """Runs from a place on; of one kind, or all."""
    query = select(BillRun)
    if kind:
        query = query.where(BillRun.kind == kind)
    return session.scalars(SORTS.apply(query, place, limit)).all()


def without_bill(
    session: Session, run_id: uuid.UUID, *, limit: int = 200
) -> list[tuple[str, str, str]]:
    """Account numbers that a run parked or that wait for their taxes, with kind and reason."""
    rows = session.execute(
        select(Account.number, BillOutcome.kind, BillOutcome.reason)
        .join(Account, Account.id == BillOutcome.account_id)
        .where(BillOutcome.run_id == run_id, BillOutcome.reason != "")
        .order_by(Account.number)
        .limit(limit)
    )
    return [(number, kind, reason) for number, kind, reason in rows]
