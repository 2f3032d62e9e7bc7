"""The night: every account with something to bill by a day is billed, one commit for a few of them.

``run`` owns its commits. Run twice, the second finds nothing to do; two at once do no harm, for each locks
the payers that it bills; stopped anywhere and started again, it goes on. What cannot be billed is parked.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import structlog
from sqlalchemy.orm import Session

from core.events import BillChunkPlanned
from core.kernel import audit, crash, jobs
from core.kernel.clock import FIRST_ZONE, local_date
from core.parties import accounts
from core.tax.service import NoTaxAnswer
from flows import bill_account, bill_group
from flows.bill_account import TROUBLE
from flows.house import House
from flows.taxing import with_taxes
from invoices.billing import marks, parking, runs
from invoices.billing.composing import Ground
from invoices.billing.models import PREVIEW, REAL, BillChunk, BillRun
from invoices.billing.runs import DayAhead, TooLongAgo, Totals

_log = structlog.get_logger("billing")
STAGE = "Accounts"
#: So many accounts are one commit.
GROUP = 50
#: So far ahead may a preview look.
FARTHEST = timedelta(days=400)

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Asked:
    """A run that somebody asks for: by which day, a preview or not, for one account or all."""

    as_of: date
    actor: str
    is_preview: bool = False
    account_number: str | None = None

    @property
    def kind(self) -> str:
        return PREVIEW if self.is_preview else REAL


def today(house: House) -> date:
    """The last day that has begun anywhere: up to here may be billed."""
    return local_date(house.clock.now(), FIRST_ZONE)


def check(house: House, asked: Asked) -> None:
    """Raises DayAhead and TooLongAgo for a day that nobody is billed by."""
    latest = today(house) + (FARTHEST if asked.is_preview else timedelta())
    earliest = today(house) - timedelta(days=house.rules.bills.oldest_days)
    if asked.as_of > latest:
        raise DayAhead(asked.as_of, latest)
    if asked.as_of < earliest:
        raise TooLongAgo(asked.as_of, earliest)


def start(house: House, asked: Asked, *, by_jobs: bool = False) -> uuid.UUID:
    """Plan a run and answer its key; one that was begun for the same and has not ended is gone on with.

    ``by_jobs``: the worker does it, chunk by chunk. Raises DayAhead, TooLongAgo and NotFound.
    """
    check(house, asked)
    return house.db.run_tx(lambda session: _plan(session, house, asked, by_jobs=by_jobs))


def _plan(session: Session, house: House, asked: Asked, *, by_jobs: bool) -> uuid.UUID:
    now, number = house.clock.now(), asked.account_number
    one = accounts.by_number(session, number).id if number else None
    run_ = runs.unfinished(session, asked.kind, asked.as_of, one)
    if run_ is None:
        run_ = runs.plan(session, asked.kind, asked.as_of, asked.actor, now, account_id=one)
        about = ("bill_run", run_.public_id)
        audit.write(session, now, asked.actor, "bill_run.started", about, as_of=str(asked.as_of))
    if by_jobs:
        chunks = [BillChunkPlanned(str(run_.id), one) for one in runs.left(session, run_.id)]
        # A chunk whose job is there already keeps it.
        keyed = [(one, f"bill:{one.run_id}:{one.chunk}") for one in chunks]
        jobs.record_many(session, keyed, now)
    return run_.id


def run(house: House, asked: Asked, *, progress: Tell | None = None) -> uuid.UUID:
    """Plan a run and do it to its end, in this process; answers its key. Raises what ``start`` raises."""
    run_id = start(house, asked)
    while take(house, run_id):
        if progress is not None:
            progress(STAGE, *counted(house, run_id))
    finish(house, run_id)
    if progress is not None:
        progress(STAGE, *counted(house, run_id))
    return run_id


def by_the_clock(house: House) -> None:
    """Where a day has begun, its bills are due: plans them for the worker. Nothing due, nothing planned."""
    as_of = today(house)
    with house.db.snapshot() as session:
        zones = marks.days_of_zones(session, house.clock.now())
        anybody = session.scalar(marks.due(as_of, zones=zones).limit(1))
    if anybody is not None:
        start(house, Asked(as_of, "system"), by_jobs=True)


def take(house: House, run_id: uuid.UUID) -> bool:
    """Do the next chunk that nobody has taken; False when there is none."""
    chunk = house.db.run_tx(lambda session: runs.take(session, run_id, house.clock.now()))
    if chunk is None:
        return False
    do(house, run_id, chunk.number)
    return True


def finish(house: House, run_id: uuid.UUID) -> None:
    """Do what is left: chunks that somebody took and did not end. Twice done they do no harm."""
    with house.db.reading() as session:
        numbers = runs.left(session, run_id)
    for number in numbers:
        do(house, run_id, number)


def counted(house: House, run_id: uuid.UUID) -> tuple[int, int]:
    """Accounts that are done, and all of the run."""
    with house.db.reading() as session:
        found = runs.progress(session, [session.get_one(BillRun, run_id)])[run_id]
    return found.done, found.of


def do(house: House, run_id: uuid.UUID, number: int) -> None:
    """Bill the accounts of one chunk that still have to be, and mark it done."""
    with house.db.reading() as session:
        run_ = session.get_one(BillRun, run_id)
        chunk = runs.chunk(session, run_id, number)
    if chunk.done_at is not None:
        return
    if run_.kind == PREVIEW:
        bill_group.foresee(house, run_, chunk)
        return
    _bill(house, run_, chunk)
    crash.point("bill_run.before_done")
    house.db.run_tx(lambda session: runs.done(session, run_id, number, house.clock.now()))


def _bill(house: House, run_: BillRun, chunk: BillChunk) -> None:
    between = (chunk.first_id, chunk.last_id)
    with house.db.reading() as session:
        zones = marks.days_of_zones(session, house.clock.now(), between)
        query = marks.due(run_.as_of, zones=zones, account_id=run_.account_id, between=between)
        keys = list(session.scalars(query))
    ground = bill_account.ground(house)
    size = 1 if house.taxes.calls_out else GROUP
    for some in runs.parts(keys, size):
        _bill_some(house, ground, run_, some)
        crash.point("bill_run.committed")


def _bill_some(house: House, ground: Ground, run_: BillRun, keys: Sequence[uuid.UUID]) -> None:
    """Bill a few accounts in one commit; where that fails, each by itself, and park those that fail."""
    try:
        _together(house, ground, run_, keys)
    except NoTaxAnswer as error:
        _wait(house, run_, keys, error)
    except TROUBLE as error:
        if len(keys) > 1:
            for key in keys:
                _bill_some(house, ground, run_, [key])
            return
        _park(house, run_, keys[0], error)


def _together(house: House, ground: Ground, run_: BillRun, keys: Sequence[uuid.UUID]) -> None:
    with_taxes(
        house,
        lambda answers: house.db.run_tx(
            lambda session: bill_group.bill(session, house, ground, run_, keys, answers)
        ),
    )


def _park(house: House, run_: BillRun, key: uuid.UUID, error: Exception) -> None:
    def work(session: Session) -> None:
        accounts.lock(session, key)
        reason = parking.park(session, key, error, run_.as_of, run_.started_by, house.clock.now())
        runs.note(session, [bill_group.nothing(session, run_, key, "parked", reason)])

    house.db.run_tx(work)
    _log.error("account.parked", account=str(key), reason=parking.reason_of(error)[0])


def _wait(house: House, run_: BillRun, keys: Sequence[uuid.UUID], error: NoTaxAnswer) -> None:
    """Nobody says the taxes just now: the next run asks again."""

    def work(session: Session) -> None:
        runs.note(
            session,
            [bill_group.nothing(session, run_, key, "waiting", error.code) for key in keys],
        )

    house.db.run_tx(work)


def totals(house: House, run_id: uuid.UUID) -> Totals:
    """What a run came to."""
    with house.db.snapshot() as session:
        return runs.totals(session, session.get_one(BillRun, run_id))
