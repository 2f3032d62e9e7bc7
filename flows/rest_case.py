"""A case rests: the payer promises to pay by a day, or staff hold it. Nothing happens until then; whoever
was locked stays locked."""

import uuid
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from core.kernel import crash
from core.kernel.errors import Invalid, NotFound
from core.parties import accounts
from flows import chase, past_due_letters
from flows.house import House
from payments.dunning import cases, schedule
from payments.dunning.cases import LONGEST_HOLD, Done, PromiseRefused
from payments.dunning.models import DunningCase


@dataclass(frozen=True)
class Wish:
    """Until which day; of a customer with the account that the case is of."""

    until: date
    actor: str
    by_customer: bool = False
    note: str = ""


def promise(house: House, account_id: uuid.UUID, wish: Wish) -> DunningCase:
    """All that is past due will be paid by that day. Raises PromiseRefused."""

    def work(session: Session) -> DunningCase:
        account, now = accounts.lock(session, account_id), house.clock.now()
        case, late = cases.open_case(session, account_id), chase.look(session, account, now)
        if late.due_on is None:
            raise PromiseRefused("nothing_due", "Nothing is past due. Thank you.")
        if case is None:
            case = cases.start(session, account_id, late.due_on, now)
        plan = house.rules.dunning
        cases.end_rest(session, case, plan, late.today, now)
        cases.check_promise(case, plan, wish.until, late.today, by_customer=wish.by_customer)
        case.promise_until = wish.until
        case.promises += wish.by_customer
        done = Done("promised", wish.actor, until=wish.until, amount=late.amount, note=wish.note)
        cases.write(session, case, done, now)
        _foresee(session, house, case)
        past_due_letters.promised(session, house, case, late.bills)
        crash.point("promise.before_commit")
        return case

    return house.db.run_tx(work)


def hold(house: House, case_id: str, wish: Wish) -> None:
    """Staff hold a case up to and including a day. Invalid for one that is past or too far ahead."""

    def work(session: Session) -> None:
        case = _open(session, case_id)
        account = accounts.lock(session, case.account_id)
        today = chase.look(session, account, house.clock.now()).today
        if not today <= wish.until <= today + LONGEST_HOLD:
            raise Invalid({"until": "Choose a day from today on, within half a year."})
        case.hold_until = wish.until
        done = Done("held", wish.actor, until=wish.until, note=wish.note)
        cases.write(session, case, done, house.clock.now())
        _foresee(session, house, case)

    house.db.run_tx(work)


def go_on(house: House, case_id: str, actor: str) -> None:
    """Staff end a hold or a promise before its day; it goes on with the next look. NotFound without one."""

    def work(session: Session) -> None:
        case, now = _open(session, case_id), house.clock.now()
        account = accounts.lock(session, case.account_id)
        session.refresh(case)
        if case.hold_until is None and case.promise_until is None:
            raise NotFound("hold or promise to end")
        for kind, until in (("released", case.hold_until), ("promise_ended", case.promise_until)):
            if until is not None:
                cases.write(session, case, Done(kind, actor, until=until), now)
        case.hold_until = case.promise_until = None
        today = chase.look(session, account, now).today
        case.lock_on = schedule.after_a_rest(house.rules.dunning, case.lock_on, today)
        session.flush()
        _foresee(session, house, case)

    house.db.run_tx(work)


def remind_now(house: House, case_id: str, actor: str) -> bool:
    """A reminder by hand; False when one was sent by hand today, or nothing is past due."""
    return house.db.run_tx(
        lambda session: chase.remind_now(session, house, _open(session, case_id), actor)
    )


def _open(session: Session, case_id: str) -> DunningCase:
    case = cases.by_public_id(session, case_id)
    if case.state != "open":
        raise NotFound("open case")
    return case


def _foresee(session: Session, house: House, case: DunningCase) -> None:
    account = accounts.lock(session, case.account_id)
    late = chase.look(session, account, house.clock.now())
    if late.due_on is not None:
        chase.foresee(session, house, case, chase.asked(session, house, late))
