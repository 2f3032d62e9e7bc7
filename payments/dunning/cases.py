"""Cases: opened, moved on and closed, each step written down once. All under the lock of the account.

What is owed is not known here: ``flows.chase`` reads the ledger before each act. Nothing here writes to
anybody or locks anything.
"""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.events import CaseMoved
from core.kernel import audit, jobs
from core.kernel.db import changed, insert_once
from core.kernel.errors import NotFound, ShopError, StaleState
from core.kernel.ids import new_id, new_public_id
from core.kernel.money import Money
from payments.dunning import schedule as schedules
from payments.dunning.models import DunningAct, DunningCase
from payments.dunning.schedule import Schedule, Standing

#: Staff may hold a case for so long at most.
LONGEST_HOLD = timedelta(days=180)
#: What other programs are told of; reminders and holds are between the house and its payer.
TOLD = ("opened", "promised", "locked", "unlocked", "closed")


@dataclass(eq=False)
class PromiseRefused(ShopError):
    """A promise that is not taken: ``reason`` is past, too_far, too_often, locked, promised, nothing_due."""

    code: ClassVar[str] = "promise_refused"
    text: ClassVar[str] = "{words}"
    reason: str
    words: str


@dataclass(frozen=True)
class Done:
    """What a line of a case's history says beside its kind."""

    kind: str
    actor: str = "system"
    step: str = ""
    key: str | None = None
    until: date | None = None
    amount: Money | None = None
    document_id: uuid.UUID | None = None
    note: str = ""


def open_case(session: Session, account_id: uuid.UUID) -> DunningCase | None:
    """The account's open case."""
    return session.scalar(
        select(DunningCase)
        .where(DunningCase.account_id == account_id, DunningCase.state == "open")
        .execution_options(populate_existing=True)
    )


def by_public_id(session: Session, public_id: str) -> DunningCase:
    """A case by its public id. NotFound when there is none."""
    found = session.scalar(select(DunningCase).where(DunningCase.public_id == public_id))
    if found is None:
        raise NotFound("case")
    return found


def start(session: Session, account_id: uuid.UUID, due_on: date, now: datetime) -> DunningCase:
    """Open a case: something of the account's is past due."""
    case = DunningCase(
        id=new_id(),
        public_id=new_public_id(),
        account_id=account_id,
        state="open",
        opened_at=now,
        due_on=due_on,
        promises=0,
        next_step="",
    )
    session.add(case)
    session.flush()
    write(session, case, Done("opened"), now)
    return case


def write(session: Session, case: DunningCase, done: Done, now: datetime) -> bool:
    """A line of the case's history, and of the audit log; False when its key was there already."""
    amount, key = done.amount, new_id()
    is_new = insert_once(
        session,
        DunningAct,
        id=key,
        case_id=case.id,
        key=done.key,
        kind=done.kind,
        step=done.step,
        at=now,
        actor=done.actor,
        until=done.until,
        amount_minor=amount.minor if amount is not None else None,
        currency=amount.currency if amount is not None else None,
        document_id=done.document_id,
        note=done.note,
    )
    if is_new:
        subject = ("case", case.public_id)
        audit.write(session, now, done.actor, f"past_due.{done.kind}", subject, step=done.step)
        if done.kind in TOLD:
            jobs.record(session, CaseMoved(str(key)), now, key=f"case-moved:{key}")
    return is_new


def step_key(account_id: uuid.UUID, due_on: date, step: str) -> str:
    """Each step is done once for each account and due date, in whichever case."""
    return f"{account_id}:{due_on.isoformat()}:{step}"


def steps_done(session: Session, account_id: uuid.UUID, due_on: date) -> set[str]:
    """The names of the steps that were done for this due date."""
    prefix = step_key(account_id, due_on, "")
    keys = session.scalars(
        select(DunningAct.key)
        .join(DunningCase, DunningCase.id == DunningAct.case_id)
        .where(
            DunningCase.account_id == account_id,
            DunningAct.key.startswith(prefix, autoescape=True),
        )
    )
    return {key.removeprefix(prefix) for key in keys if key is not None}


def is_resting(case: DunningCase, today: date) -> bool:
    """Does a promise or a hold still stand?"""
    until = max((day for day in (case.promise_until, case.hold_until) if day), default=None)
    return until is not None and today <= until


def end_rest(
    session: Session, case: DunningCase, plan: Schedule, today: date, now: datetime
) -> str:
    """A promise or a hold whose day is over; answers what ended: ``broken``, ``held`` or nothing.

    It goes on where it stopped, but nobody is locked without a new notice.
    """
    ended = ""
    if case.hold_until is not None and case.hold_until < today:
        write(session, case, Done("released", until=case.hold_until), now)
        case.hold_until, ended = None, "held"
    if case.promise_until is not None and case.promise_until < today:
        write(session, case, Done("promise_broken", until=case.promise_until), now)
        case.promise_until, ended = None, "broken"
    if ended:
        case.lock_on = schedules.after_a_rest(plan, case.lock_on, today)
        session.flush()
    return ended


def move_to(session: Session, case: DunningCase, due_on: date) -> bool:
    """Another due date counts from now on: what was told of a lock was told for the other one. Says whether
    it moved."""
    if case.due_on == due_on:
        return False
    case.due_on = due_on
    if case.locked_at is None:
        case.lock_on = None
    session.flush()
    return True


def hold_off(session: Session, case: DunningCase, plan: Schedule, until: date) -> None:
    """A card is tried by itself on a day: if nothing comes of it, there is notice of the lock again."""
    if case.locked_at is None:
        case.lock_on = schedules.after_a_rest(plan, case.lock_on, until)
        session.flush()


def await_payment(session: Session, case: DunningCase, on: date) -> None:
    """All that is past due is about to be paid by a card: nothing happens before."""
    case.next_on, case.next_step = on, "payment"
    session.flush()


def foresee(
    session: Session, case: DunningCase, plan: Schedule, now: Standing, today: date
) -> None:
    """Write down what comes next, for lists."""
    following = schedules.following(plan, now, today)
    resting = [day for day in (case.promise_until, case.hold_until) if day is not None]
    if resting and max(resting) >= today:
        case.next_on, case.next_step = max(resting) + timedelta(days=1), "rest_ends"
    elif following is not None:
        case.next_on, case.next_step = following
    else:
        case.next_on, case.next_step = None, ""
    session.flush()


def close(session: Session, case: DunningCase, now: datetime) -> None:
    """Nothing uncontested is past due any more. StaleState when it was closed meanwhile."""
    if case.promise_until is not None:
        write(session, case, Done("promise_kept", until=case.promise_until), now)
    session.flush()
    result = session.execute(
        update(DunningCase)
        .where(DunningCase.id == case.id, DunningCase.state == "open")
        .values(
            state="closed",
            closed_at=now,
            locked_at=None,
            promise_until=None,
            hold_until=None,
            lock_on=None,
            next_on=None,
            next_step="",
        )
        .execution_options(synchronize_session=False)
    )
    if changed(result) != 1:
        raise StaleState("case", "closed")
    session.refresh(case)
    write(session, case, Done("closed"), now)


def check_promise(
    case: DunningCase, plan: Schedule, until: date, today: date, *, by_customer: bool
) -> None:
    """May it be promised until this day? Raises PromiseRefused with what to do instead."""
    latest = latest_promise(plan, today) if by_customer else today + LONGEST_HOLD
    if until <= today:
        raise PromiseRefused("past", "Choose a day from tomorrow on.")
    if until > latest:
        raise PromiseRefused("too_far", f"Choose a day up to {latest.isoformat()}.")
    if not by_customer:
        return
    if case.locked_at is not None:
        words = "Your services are locked. Pay what is past due, or call us to agree on a day."
        raise PromiseRefused("locked", words)
    if case.promise_until is not None:
        raise PromiseRefused("promised", "You have promised a day already. Call us to change it.")
    if case.promises >= plan.promises:
        raise PromiseRefused("too_often", "No further promise is taken here. Please call us.")


def may_promise(case: DunningCase, plan: Schedule) -> bool:
    """May the customer promise a day by themselves?"""
    return (
        case.state == "open"
        and case.locked_at is None
        and case.promise_until is None
        and case.hold_until is None
        and case.promises < plan.promises
        and plan.promise_days > 0
    )


def latest_promise(plan: Schedule, today: date) -> date:
    """The last day that a customer may promise."""
    return today + timedelta(days=plan.promise_days)
