"""Past due, as it is lived: reminders, a fee, the lock and what opens it; promises, holds and disputes."""

import contextlib
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.entitlements import steps
from core.kernel import crash
from core.kernel.clock import ManualClock
from core.kernel.errors import Invalid, NotFound
from core.parties.models import Account
from core.subscriptions import paying
from flows import (
    activate_service,
    charge_late_fee,
    correct_invoice,
    hold_service,
    rest_case,
    tell_due,
)
from flows.correct_invoice import Correction
from flows.house import House
from flows.rest_case import Wish
from invoices.models import Invoice
from payments.dunning.cases import PromiseRefused
from tests import serving
from tests.late import Late, open_late
from tests.on_file import customer
from tests.telling import happened
from tests.world import World


def die_at(point: str):
    """Die at each passing of a point."""

    def die(passed: str) -> None:
        if passed == point:
            raise crash.SimulatedCrash(passed)

    return die


@pytest.fixture
def late(house: House, clock: ManualClock, world: World) -> Late:
    return open_late(house, clock, world)


def test_who_never_pays_is_reminded_charged_once_locked_and_opened_by_payment(late: Late):
    bill = late.bill()
    late.on(0)
    assert late.case is None, "due today is not late"
    late.live(1, 2, 3, 9, 10, 13, 14, 19, 20, 29, 30, 31)  # each step, and the day before it
    assert late.acts() == [
        (1, "opened"),
        (3, "reminder-1"),
        (10, "reminder-2"),
        (14, "fee"),
        (20, "reminder-3"),
        (30, f"lock-{late.began + timedelta(days=30)}"),
    ]
    assert late.mails() == [
        "A bill is past its date",
        "$45.00 is still open",
        "Please pay $50.00 now",
        "Your services are locked",
    ]
    assert late.is_locked()
    with late.house.db.reading() as session:
        (fee,) = session.scalars(select(Invoice).where(Invoice.reason == "late_fee")).all()
    assert (fee.kind, fee.total_minor, fee.corrects_id) == ("debit_memo", 500, None)

    late.pay(bill.total_minor)
    assert late.is_locked(), "the fee is past due too by now: a part payment opens nothing"
    late.pay(500)
    assert not late.is_locked()
    assert late.case is None
    assert late.mails()[-1] == "Your services are on again"
    late.live(32, 40)
    assert late.acts()[-1] == (31, "unlocked")
    assert len(late.mails()) == 5, "nothing is sent twice, nor after it is paid"
    told = happened(late.house, "CaseMoved")
    assert [kind for kind, _ in told] == [
        "case.opened",
        "case.locked",
        "case.closed",
        "case.unlocked",
    ]
    assert {data["account"] for _, data in told} == {late.riley.number}
    assert told[1][1]["past_due"] == {"amount": 5000, "currency": "USD"}
    late.assert_sound()


def test_a_credit_opens_as_a_payment_does(late: Late):
    bill = late.bill()
    late.live(3, 14, 30)
    assert late.is_locked()
    note = Correction(bill.public_id, None, "goodwill", "once", "user:desk")
    correct_invoice.credit(late.house, note)
    charge_late_fee.waive(late.house, late.open_case.public_id, "user:desk", "our mistake")
    late.drain()
    assert not late.is_locked()
    assert late.case is None
    late.assert_sound()


def test_the_earliest_bill_counts_and_what_was_told_of_it_is_not_told_of_the_next(late: Late):
    late.bill()
    late.on(5)
    late.bill("60.00")
    late.live(10, 12)
    assert late.mails() == ["A bill is past its date", "$105.00 is still open"]
    late.pay(4500)
    assert late.open_case.due_on == late.began + timedelta(days=5)
    assert late.open_case.lock_on is None, "the lock that was told was the other bill's"
    late.live(13, 15)
    assert late.mails()[2:] == ["A bill is past its date", "$60.00 is still open"]
    assert [one for one in late.acts() if one[0] > 12] == [(13, "reminder-1"), (15, "reminder-2")]
    late.assert_sound()


def test_what_is_contested_is_left_out_and_all_of_it_contested_ends_the_case(late: Late):
    bill = late.bill()
    late.on(3)
    late.dispute(bill, 4000)
    late.on(10)
    assert "$5.00" in late.mails()[-1]
    assert late.open_case.lock_on is not None
    late.on(31)
    assert not late.is_locked(), "five dollars are too little for a lock"
    late.dispute(bill, 4500)
    assert late.case is None
    late.on(40)
    assert late.acts()[-1] == (31, "closed")
    late.assert_sound()


def test_a_promise_holds_everything_and_a_broken_one_goes_on_where_it_stopped(late: Late):
    late.bill()
    late.live(3, 10, 11)
    until = late.began + timedelta(days=20)
    rest_case.promise(late.house, late.riley.id, Wish(until, "user:riley", by_customer=True))
    assert late.open_case.next_step == "rest_ends"
    late.live(14, 20)
    assert [step for day, step in late.acts() if day > 11] == []
    assert "by Monday" in late.last_words() or "You will pay" in late.last_words()
    late.live(21, 29, 30)
    assert [one for one in late.acts() if one[0] > 11] == [
        (21, "promise_broken"),
        (21, "reminder-3"),
        (21, "fee"),
        (30, f"lock-{late.began + timedelta(days=30)}"),
    ]
    assert late.mails()[3] == "The day you promised has passed"
    assert "case.promised" in dict(happened(late.house, "CaseMoved"))
    late.pay(5000)
    assert not late.is_locked()
    late.assert_sound()


def test_a_promise_that_is_kept_leaves_no_fee(late: Late):
    late.bill()
    late.live(3, 10, 11)
    until = late.began + timedelta(days=20)
    rest_case.promise(late.house, late.riley.id, Wish(until, "user:riley", by_customer=True))
    late.on(19)
    late.pay(4500)
    assert [step for _, step in late.acts()][-2:] == ["promise_kept", "closed"]
    late.assert_sound()


def test_a_customer_promises_within_limits(late: Late):
    late.bill()
    late.live(4)

    def promise(days: int, *, by_customer: bool = True) -> str:
        """In so many days; answers why it is refused."""
        until = late.clock.now().date() + timedelta(days=days)
        try:
            rest_case.promise(late.house, late.riley.id, Wish(until, "test", by_customer))
        except PromiseRefused as error:
            return error.reason
        return ""

    assert [promise(0), promise(15), promise(2), promise(5)] == ["past", "too_far", "", "promised"]
    late.live(7)
    assert promise(1) == ""
    late.live(9)
    assert promise(1) == "too_often"
    late.live(30)
    assert late.is_locked()
    assert promise(5) == "locked"
    assert promise(30, by_customer=False) == ""
    assert late.is_locked(), "a promise opens nothing"
    late.pay(5000)
    assert promise(5) == "nothing_due"
    late.assert_sound()


def test_staff_hold_a_case_let_it_go_on_and_remind_by_hand_once_a_day(late: Late):
    late.bill()
    late.on(3)
    key = late.open_case.public_id
    until = late.began + timedelta(days=12)
    rest_case.hold(late.house, key, Wish(until, "user:desk", note="on holiday"))
    late.live(10, 11)
    assert len(late.mails()) == 1
    rest_case.go_on(late.house, key, "user:desk")
    with pytest.raises(NotFound):
        rest_case.go_on(late.house, key, "user:desk")
    late.on(12)
    assert late.acts()[-2:] == [(11, "released"), (12, "reminder-2")]
    assert rest_case.remind_now(late.house, key, "user:desk")
    assert not rest_case.remind_now(late.house, key, "user:desk")
    with pytest.raises(Invalid):
        rest_case.hold(late.house, key, Wish(late.began, "user:desk"))
    late.drain()
    late.assert_sound()


def test_a_waived_fee_is_taken_back_once(late: Late):
    late.bill()
    late.live(3, 14)
    key = late.open_case.public_id
    charge_late_fee.waive(late.house, key, "user:desk", "asked nicely")
    with pytest.raises(NotFound):
        charge_late_fee.waive(late.house, key, "user:desk", "asked again")
    late.live(15, 20)
    assert [step for _, step in late.acts()].count("fee") == 1, "it does not come back"
    late.pay(4500)
    assert late.case is None
    late.assert_sound()


def test_services_are_locked_as_their_payer_stands(late: Late, world: World):
    """A line that begins while its payer is locked is locked; one that another pays for is not."""
    late.bill()
    late.live(3, 30)
    assert late.is_locked()
    with late.house.db.transaction() as session:
        goods = serving.goods(session, "T-BROOK")
        row = serving.ordered(session, world, late.riley, goods, late.clock.now())
    activate_service.activate(
        late.house, hold_service.Asked(row.public_id, "user:desk"), late.began + timedelta(days=30)
    )
    late.drain()
    sam = customer(late.house, world, "Sam Okafor")
    with late.house.db.transaction() as session:
        service = session.merge(late.service)
        payer = session.get_one(Account, sam.id)
        paying.set_payer(session, service, payer, "user:desk", late.clock.now())
    late.drain()
    assert not late.is_locked(), "Sam is not late"
    with late.house.db.reading() as session:
        assert [one.state for one in steps.of_subscription(session, row.id)] == ["locked"]


def test_the_days_round_tells_each_account_once_a_day(late: Late):
    late.bill()
    late.on(1)
    before = late.acts()
    assert tell_due.run(late.house) == 1
    late.drain()
    assert late.acts() == before
    late.assert_sound()


@pytest.mark.parametrize("point", ["chase.before_commit", "late_fee.before_commit"])
def test_a_crash_at_any_step_leaves_nothing_half_done(late: Late, point: str):
    late.bill()
    for day in (3, 10, 14, 20, 30):
        with contextlib.suppress(crash.SimulatedCrash), crash.armed(die_at(point)):
            late.on(day)
        late.clock.advance(timedelta(minutes=10))
        late.drain()
    assert [step for _, step in late.acts()].count("fee") == 1
    assert len(late.mails()) == 4
    assert late.is_locked()
    late.assert_sound()
