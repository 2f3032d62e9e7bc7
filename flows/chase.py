"""What is past due is seen to: reminded, charged a fee, locked, and let go when it is paid.

Hears ``OpenItemsChanged``, which comes with each posting and once a day. What is owed is read again here,
under the lock of the account, before anything is done; asked again it does nothing.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.entitlements import locking
from core.events import LateFeeDue
from core.kernel import crash, jobs
from core.kernel.clock import local_date
from core.kernel.money import Money
from core.ledger import items
from core.ledger.chart import RECEIVABLE
from core.ledger.items import Open
from core.ledger.open_now import OpenNow
from core.parties import accounts
from core.parties.models import Account
from core.subscriptions.models import Subscription
from flows import expected, past_due_letters
from flows.expected import Expected
from flows.house import House
from invoices.late_fees import LATE_FEE
from invoices.models import Invoice
from payments import overdue
from payments.dunning import cases, schedule
from payments.dunning.cases import Done
from payments.dunning.models import DunningCase
from payments.dunning.schedule import Standing, Steps
from payments.overdue import PastDue

#: The reason that services are locked for; nobody else locks or unlocks for it.
PAST_DUE = "past_due"
SYSTEM = "system"


@dataclass(frozen=True)
class Late:
    """What an account has past due today, contested amounts and history left out, the earliest first."""

    account: Account
    today: date
    bills: tuple[Open, ...]
    #: What cards are about to pay of it by themselves; known once it was asked for (``asked``).
    expected: Expected = field(default_factory=Expected)

    @property
    def due_on(self) -> date | None:
        """The due date that counts; None when nothing is past due."""
        return overdue.earliest([_as_past_due(item) for item in self.bills], self.today)

    @property
    def amount(self) -> Money:
        """All of it, in the account's currency."""
        currency = self.account.currency
        parts = [one.uncontested for one in self.bills if one.open.currency == currency]
        return Money(sum(part.minor for part in parts), currency)

    @property
    def paid_on(self) -> date:
        """The day on which the last of the planned payments is made."""
        return max(self.expected.planned.values())

    @property
    def tried_on(self) -> date | None:
        """The day on which the card of the earliest bill is tried again."""
        return self.expected.retried.get(self.bills[0].id) if self.bills else None


def look(session: Session, account: Account, now: datetime) -> Late:
    """Read what is past due. Reads no more than what is open."""
    today = local_date(now, account.time_zone)
    found = items.open_now(
        session,
        OpenNow.account_id == account.id,
        OpenNow.ledger_code == RECEIVABLE,
        OpenNow.due < today,
    )
    late = [item for item in found if overdue.earliest([_as_past_due(item)], today)]
    return Late(account, today, tuple(late))


def asked(session: Session, house: House, late: Late) -> Late:
    """What of it is asked for now: without the bills that a planned payment is about to pay."""
    found = expected.look(session, house, late.account, late.bills, late.today)
    bills = tuple(item for item in late.bills if item.id not in found.planned)
    return replace(late, bills=bills, expected=found)


def _as_past_due(item: Open) -> PastDue:
    due = item.due_date or item.effective_date
    return PastDue(due, item.open, item.contested, item.is_history)


def chase(session: Session, house: House, account_id: uuid.UUID) -> None:
    """Do whatever is due for one account today."""
    if not _anything(session, account_id, house.clock.now()):
        return
    account, now = accounts.lock(session, account_id), house.clock.now()
    whole, case = look(session, account, now), cases.open_case(session, account_id)
    if whole.due_on is None:
        if case is not None:
            _let_go(session, house, case, account)
        return
    if case is None:
        case = cases.start(session, account_id, whole.due_on, now)
    late = asked(session, house, whole)
    if late.due_on is not None:
        _go_on(session, house, case, late, late.due_on)
    foresee(session, house, case, late)
    settle_locks(session, account_id, now)
    crash.point("chase.before_commit")


def _go_on(session: Session, house: House, case: DunningCase, late: Late, due_on: date) -> None:
    plan, now = house.rules.dunning, house.clock.now()
    has_moved = cases.move_to(session, case, due_on)
    broken = cases.end_rest(session, case, plan, late.today, now)
    if late.tried_on is not None:
        cases.hold_off(session, case, plan, late.tried_on)
    # Who has just paid a part is not written to in the same breath; the day's round sees to the rest.
    if not has_moved and not cases.is_resting(case, late.today):
        _step(session, house, case, late, is_broken=broken == "broken")


def foresee(session: Session, house: House, case: DunningCase, late: Late) -> None:
    """Write down what comes next for what is asked for: a step, or the payment that is waited for."""
    plan = house.rules.dunning
    if late.due_on is not None:
        cases.foresee(session, case, plan, standing(session, house, case, late), late.today)
        return
    cases.hold_off(session, case, plan, late.paid_on)
    cases.await_payment(session, case, late.paid_on)


def _anything(session: Session, account_id: uuid.UUID, now: datetime) -> bool:
    """Is there anything to look at? Most accounts owe nothing that is late: no lock is taken for them."""
    tomorrow = date.fromordinal(now.date().toordinal() + 1)  # wherever it is tomorrow already
    late = select(OpenNow.item_id).where(
        OpenNow.account_id == account_id,
        OpenNow.ledger_code == RECEIVABLE,
        OpenNow.due < tomorrow,
    )
    if session.scalar(late.limit(1)) is not None:
        return True
    return cases.open_case(session, account_id) is not None


def standing(session: Session, house: House, case: DunningCase, late: Late) -> Standing:
    """How far the case has come, with what is asked for today, which is something."""
    plan = house.rules.dunning
    counts, can_bill = plan.counts(late.amount), late.account.channel_id is not None
    return Standing(
        due=case.due_on,
        done=cases.steps_done(session, case.account_id, case.due_on),
        lock_on=case.lock_on,
        is_locked=case.locked_at is not None,
        counts=counts,
        bears_fee=counts
        and can_bill
        and bool(plan.fee.of(late.amount))
        and not is_fee(session, late.bills[0]),
        not_before=late.tried_on + timedelta(days=1) if late.tried_on else date.min,
    )


def _step(
    session: Session, house: House, case: DunningCase, late: Late, *, is_broken: bool
) -> None:
    plan, now = house.rules.dunning, house.clock.now()
    steps = schedule.due_now(plan, standing(session, house, case, late), late.today)
    for number in steps.passed:
        _did(session, case, schedule.reminder(number), Done("passed_over"), now)
    if steps.lock:
        _lock(session, house, case, late)
    elif steps.remind is not None or is_broken:
        _remind(session, house, case, late, steps, is_broken=is_broken)
    if steps.fee:
        event = LateFeeDue(str(case.account_id), case.due_on.isoformat())
        key = f"late-fee:{case.account_id}:{case.due_on}:{late.today}"
        jobs.record(session, event, now, key=key)


def is_fee(session: Session, item: Open) -> bool:
    """Is this item a late fee itself? There is none upon a fee."""
    found = session.scalar(select(Invoice.reason).where(Invoice.id == item.source_id))
    return found == LATE_FEE


def _did(session: Session, case: DunningCase, step: str, done: Done, now: datetime) -> bool:
    key = cases.step_key(case.account_id, case.due_on, step)
    return cases.write(session, case, replace(done, step=step, key=key), now)


def _remind(
    session: Session,
    house: House,
    case: DunningCase,
    late: Late,
    steps: Steps,
    *,
    is_broken: bool,
) -> None:
    now, number = house.clock.now(), steps.remind
    case.lock_on = steps.lock_on if case.lock_on is None else case.lock_on
    session.flush()
    if number is None:
        key = f"past-due-broken:{case.id}:{late.today}"
    else:
        step = schedule.reminder(number)
        done = Done("reminded", until=case.lock_on, amount=late.amount)
        if not _did(session, case, step, done, now):
            return
        key = f"past-due:{case.account_id}:{case.due_on}:{step}"
    is_last = number is not None and number == len(house.rules.dunning.remind_after)
    past_due_letters.remind(
        session, house, case, late.bills, key, _tried(late), is_broken=is_broken, is_last=is_last
    )


def _tried(late: Late) -> date | None:
    """The day on which a card is tried again for any of it."""
    days = [day for key, day in late.expected.retried.items() if key in {b.id for b in late.bills}]
    return max(days, default=None)


def remind_now(session: Session, house: House, case: DunningCase, actor: str) -> bool:
    """A reminder by hand, besides the schedule; one a day. False when today's was sent, or nothing is asked
    for."""
    account, now = accounts.lock(session, case.account_id), house.clock.now()
    late = asked(session, house, look(session, account, now))
    if late.due_on is None or case.state != "open":
        return False
    key = f"{case.id}:by-hand:{late.today}"
    done = Done("reminded", actor, key=key, until=case.lock_on, amount=late.amount)
    if not cases.write(session, case, done, now):
        return False
    past_due_letters.remind(
        session, house, case, late.bills, f"past-due-by-hand:{key}", _tried(late)
    )
    return True


def _lock(session: Session, house: House, case: DunningCase, late: Late) -> None:
    now = house.clock.now()
    case.locked_at = now
    session.flush()
    met = settle_locks(session, case.account_id, now)
    key = f"{schedule.LOCK}-{case.lock_on}"
    _did(session, case, key, Done("locked", amount=late.amount, note=f"{met}"), now)
    if met:
        past_due_letters.locked(session, house, case, late.bills)


def _let_go(session: Session, house: House, case: DunningCase, account: Account) -> None:
    """Nothing uncontested is past due: by payment, by credit, or because it is disputed."""
    now, was_locked = house.clock.now(), case.locked_at is not None
    cases.close(session, case, now)
    met = settle_locks(session, case.account_id, now)
    if was_locked:
        cases.write(session, case, Done("unlocked", note=f"{met}"), now)
        if met:
            past_due_letters.unlocked(session, house, case, account)


def settle_locks(session: Session, account_id: uuid.UUID, now: datetime) -> int:
    """Lock or unlock what the account pays for, as its case stands; says how many features it met.

    Called too when a service begins or changes its payer, so that no lock is missed and none is left.
    """
    case = cases.open_case(session, account_id)
    is_locked = case is not None and case.locked_at is not None
    do = locking.lock if is_locked else locking.unlock
    return sum(do(session, one, PAST_DUE, SYSTEM, now) for one in _paid_by(session, account_id))


def _paid_by(session: Session, account_id: uuid.UUID) -> Sequence[Subscription]:
    query = select(Subscription).where(
        Subscription.payer_account_id == account_id, Subscription.state != "ended"
    )
    return session.scalars(query.order_by(Subscription.ordered_at, Subscription.id)).all()


def settle_service(session: Session, house: House, subscription_id: uuid.UUID) -> None:
    """A service began, or somebody else pays for it: it is locked as its payer's others are."""
    row = session.get_one(Subscription, subscription_id)
    accounts.lock(session, row.payer_account_id)
    settle_locks(session, row.payer_account_id, house.clock.now())
