"""A service is changed, paused, resumed, ended, kept, or paid for by somebody else.

What is agreed and what it brings to bill are one commit, and the bill is worked out by the function that the
night uses. A preview asks the same function about the timeline as it would be.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from sqlalchemy.orm import Session

from core.entitlements import granting, locking
from core.kernel.errors import Forbidden, ShopError
from core.kernel.money import Money
from core.parties import accounts
from core.subscriptions import arriving, changing, ending, pausing, paying, reading, states
from core.subscriptions.changing import Wish
from core.subscriptions.errors import NotRunning, TermRuns
from core.subscriptions.models import Subscription
from core.subscriptions.timeline import Timeline
from core.tax.service import Answers
from flows import bill_account, give_numbers_back, hold_service, take_back, wish_service
from flows.bill_account import Billed
from flows.hold_service import PAUSED, Asked
from flows.house import House
from flows.taxing import with_taxes
from flows.wish_service import Wanted
from invoices.billing.previewing import Preview


@dataclass(eq=False)
class BillMoved(ShopError):
    """What was shown is not what would be billed now. Amounts in minor units; below zero goes back."""

    code: ClassVar[str] = "bill_moved"
    text: ClassVar[str] = "This comes to another amount than the one you saw. Look at it once more."
    expected_minor: int
    now_minor: int
    currency: str


@dataclass(eq=False)
class NotBillable(ShopError):
    """The payer's bills wait for a person: a new plan waits with them. ``reason`` is the code."""

    code: ClassVar[str] = "not_billable"
    text: ClassVar[str] = "We are looking at this account's bills just now. Please try again later."
    reason: str


@dataclass(frozen=True)
class Foreseen:
    """A service before and after, from ``on``, and what that would bring to bill on ``today``."""

    row: Subscription
    before: Timeline
    after: Timeline
    on: date
    today: date
    bill: Preview


@dataclass(frozen=True)
class Done:
    """A service as it is now, and what was billed with that."""

    row: Subscription
    timeline: Timeline
    billed: Billed


_Foresee = Callable[[Session, Subscription, Timeline, date], tuple[Timeline, date]]
_Do = Callable[[Session, Subscription, date, datetime], Timeline]


# --- another plan or quantity ----------------------------------------------------------------------


def preview_change(house: House, asked: Asked, wanted: Wanted) -> Foreseen:
    """What another plan or quantity would bring. Writes nothing.

    Raises NotFound, Forbidden, and what ``wish_service.wish`` and ``changing.propose`` raise.
    """

    def propose(
        session: Session, row: Subscription, before: Timeline, today: date
    ) -> tuple[Timeline, date]:
        wish, on = _wish(session, house, row, before, wanted, today)
        return changing.propose(before, wish, on, today=today), on

    return _foreseen(house, asked, propose)


def change(house: House, asked: Asked, wanted: Wanted, expected: Money | None = None) -> Done:
    """Agree to it, and bill what it brings today. ``expected`` is the preview's total, as somebody saw it.

    Raises what the preview raises, BillMoved, NotBillable and StaleState; then nothing is written.
    """

    def work(session: Session, answers: Answers) -> Done:
        row, today, now = _in_hand(session, house, asked)
        before = reading.timeline(session, row.id)
        wish, on = _wish(session, house, row, before, wanted, today)
        after = changing.propose(before, wish, on, today=today)
        _check(session, house, row, after, today, answers, expected)
        changing.change(session, row, wish, on, asked.actor, now)
        granting.grant(session, row, today, asked.actor, now)
        return _billed(session, house, row, today, answers, asked.actor)

    return _run(house, work)


def _wish(
    session: Session,
    house: House,
    row: Subscription,
    before: Timeline,
    wanted: Wanted,
    today: date,
) -> tuple[Wish, date]:
    on = changing.next_day(before, today) if wanted.at_period_end else today
    return wish_service.wish(session, row, before, wanted, on, house.clock.now()), on


def _check(
    session: Session,
    house: House,
    row: Subscription,
    after: Timeline,
    today: date,
    answers: Answers,
    expected: Money | None,
) -> None:
    """Is it what they saw, and can it be billed?"""
    bill = bill_account.preview(session, house, row.payer_account_id, today, answers, [after])
    if bill.parked:
        raise NotBillable(bill.parked)
    if expected is not None and expected != bill.total:
        raise BillMoved(expected.minor, bill.total.minor, bill.currency)


# --- pauses ----------------------------------------------------------------------------------------


def preview_pause(house: House, asked: Asked, until: date | None) -> Foreseen:
    """What a pause from today on would give back. Writes nothing; raises what ``pause`` raises."""
    return _foreseen(
        house,
        asked,
        lambda session, row, before, today: (pausing.proposed(before, today, until), today),
    )


def pause(house: House, asked: Asked, reason: str, note: str, until: date | None) -> Done:
    """Rest from today until a day (the first with service again), or until it is resumed.

    Raises NotFound, Forbidden, StaleState, and what ``pausing.pause`` raises.
    """

    def do(session: Session, row: Subscription, today: date, now: datetime) -> Timeline:
        made = pausing.pause(session, row, today, reason, note, asked.actor, now, until=until)
        locking.lock(session, row, PAUSED, asked.actor, now)
        return made

    return _done(house, asked, do)


def preview_resume(house: House, asked: Asked) -> Foreseen:
    """What service from today on would bring to bill. Writes nothing; raises what ``resume`` raises."""
    return _foreseen(
        house, asked, lambda session, row, before, today: (pausing.resumed(before, today), today)
    )


def resume(house: House, asked: Asked) -> Done:
    """Service again from today on. Raises NotFound, Forbidden, StaleState and NotRunning."""

    def do(session: Session, row: Subscription, today: date, now: datetime) -> Timeline:
        made = pausing.resume(session, row, today, asked.actor, now)
        locking.unlock(session, row, PAUSED, asked.actor, now)
        return made

    return _done(house, asked, do)


# --- ends ------------------------------------------------------------------------------------------


def preview_end(house: House, asked: Asked, *, at_period_end: bool) -> Foreseen:
    """What an end would give back. Writes nothing; raises what ``end`` raises."""

    def propose(
        session: Session, row: Subscription, before: Timeline, today: date
    ) -> tuple[Timeline, date]:
        on = last_day(row, before, today, asked, at_period_end=at_period_end)
        return ending.proposed(before, on), on

    return _foreseen(house, asked, propose)


def end(house: House, asked: Asked, reason: str, note: str, *, at_period_end: bool) -> Done:
    """End it today, or with the period that runs.

    Raises NotFound, Forbidden, StaleState, TermRuns, and what ``ending.end`` raises.
    """

    def do(session: Session, row: Subscription, today: date, now: datetime) -> Timeline:
        before = reading.timeline(session, row.id)
        on = last_day(row, before, today, asked, at_period_end=at_period_end)
        made = ending.end(session, row, on, reason, note, asked.actor, now)
        if row.state == "ended":
            granting.revoke(session, row, "ended", asked.actor, now)
            give_numbers_back.of_service(session, row.id, asked.actor, now)
        if before.activated_on is None:
            take_back.plan_ended(session, house, row, asked.actor)
        return made

    return _done(house, asked, do)


def last_day(
    row: Subscription, timeline: Timeline, today: date, asked: Asked, *, at_period_end: bool
) -> date:
    """The first day without it. What was agreed for a term ends with it at the earliest, but for staff.

    Raises TermRuns for "today" within a term, and NotRunning.
    """
    if timeline.state == "ended":
        raise NotRunning(timeline.state)
    if timeline.state == "ordered":
        return today
    on = changing.next_day(timeline, today) if at_period_end else today
    until = term_ends(row, timeline)
    if asked.accounts is None or until is None or until <= on:
        return on
    if not at_period_end:
        raise TermRuns(until)
    return until


def term_ends(row: Subscription, timeline: Timeline) -> date | None:
    """The first day behind what it was agreed for; None where it was for any month."""
    if row.term_months is None or timeline.activated_on is None:
        return None
    return reading.after_months(timeline.activated_on, row.term_months)


def keep(house: House, asked: Asked) -> Done:
    """Take back the end that lies ahead, else the change. Raises NotFound, Forbidden, StaleState and what
    ``ending.keep`` raises."""
    return _done(
        house, asked, lambda session, row, today, now: ending.keep(session, row, asked.actor, now)
    )


# --- who pays --------------------------------------------------------------------------------------


def set_payer(house: House, asked: Asked, account_number: str) -> Subscription:
    """Somebody else pays from the next bill on; what is due by today is billed to who paid until now.

    Raises NotFound (for the number, too), StaleState, and what ``paying.set_payer`` raises.
    """

    def work(session: Session, answers: Answers) -> Subscription:
        payer = accounts.by_number(session, account_number)
        row = hold_service.hold(session, house, asked, payer.id)
        now = house.clock.now()
        today = states.today(session, row, now)
        _billed(session, house, row, today, answers, asked.actor)
        paying.set_payer(session, row, payer, asked.actor, now)
        return row

    return with_taxes(house, lambda answers: house.db.run_tx(lambda s: work(s, answers)))


# --- what all of them do ---------------------------------------------------------------------------


def _foreseen(house: House, asked: Asked, propose: _Foresee) -> Foreseen:
    def work(answers: Answers) -> Foreseen:
        with house.db.snapshot() as session:
            row = hold_service.find(session, asked)
            if not hold_service.may_change(row, asked):
                raise Forbidden
            today = states.today(session, row, house.clock.now())
            before = arriving.arrived(reading.timeline(session, row.id), today)
            after, on = propose(session, row, before, today)
            payer = row.payer_account_id
            bill = bill_account.preview(session, house, payer, today, answers, [after])
            return Foreseen(row, before, after, on, today, bill)

    return with_taxes(house, work)


def _done(house: House, asked: Asked, do: _Do) -> Done:
    def work(session: Session, answers: Answers) -> Done:
        row, today, now = _in_hand(session, house, asked)
        do(session, row, today, now)
        return _billed(session, house, row, today, answers, asked.actor)

    return _run(house, work)


def _in_hand(session: Session, house: House, asked: Asked) -> tuple[Subscription, date, datetime]:
    row, now = hold_service.hold(session, house, asked), house.clock.now()
    return row, states.today(session, row, now), now


def _billed(
    session: Session, house: House, row: Subscription, today: date, answers: Answers, actor: str
) -> Done:
    payer = row.payer_account_id
    billed = bill_account.bill_within(session, house, payer, today, answers, actor=actor)
    return Done(row, reading.timeline(session, row.id), billed)


def _run(house: House, work: Callable[[Session, Answers], Done]) -> Done:
    return with_taxes(
        house, lambda answers: house.db.run_tx(lambda session: work(session, answers))
    )
