"""A payment that is planned for a day is made once on it, and can be changed and cancelled until then."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.kernel import crash
from core.kernel.errors import Invalid, NotFound, StaleState
from core.kernel.money import Money
from flows import pay_bill, reconcile, schedule_payment
from flows.house import House
from flows.pay_bill import PayWish
from flows.schedule_payment import NoLongerPlanned
from payments.models import Authorisation, Payment
from payments.scheduled import BeingCharged
from tests.automatic import Days, days_of
from tests.on_file import newest, open_stage, set_up, still_open
from tests.paying import drain, house, pass_time, processor, sandbox
from tests.sandbox_process import SandboxProcess
from tests.world import World

__all__ = ["house", "processor", "sandbox"]


@pytest.fixture
def days(house: House, sandbox: SandboxProcess, world: World) -> Days:
    """Riley with a card and a bill of 45.00."""
    return days_of(open_stage(house, sandbox, world), sandbox)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def test_all_that_is_owed_is_paid_on_the_day_and_told_before(days: Days):
    row = days.plan("balance", days.today + timedelta(days=10))
    assert days.subjects()[-1].startswith("Your payment of $45.00 is planned for ")
    assert "everything that I owe on that day" in days.stage.last_words()
    second = days.owe("20.00")
    days.live(row.on_date - timedelta(days=1))
    reminder = [each for each in days.subjects() if each.startswith("Your payment of")][-1]
    assert reminder.endswith("$65.00")
    assert days.stage.taken() == 0
    days.live(row.on_date + timedelta(days=2))
    assert days.stage.taken() == 6500
    assert still_open(days.house, second) == still_open(days.house, days.stage.bill) == 0
    assert (days.row().state, days.stage.count(Payment)) == ("paid", 1)
    with days.house.db.reading() as session:
        assert session.get_one(Authorisation, row.authorisation_id).ended_at is not None
    days.stage.assert_sound()


def test_an_amount_goes_to_the_bill_that_is_due_first_and_is_never_more_than_is_owed(days: Days):
    second = days.owe("20.00")
    days.plan("amount", days.today + timedelta(days=3), amount=usd(5000))
    days.plan("amount", days.today + timedelta(days=5), amount=usd(5000))
    days.live(days.today + timedelta(days=3))
    assert (still_open(days.house, days.stage.bill), still_open(days.house, second)) == (0, 1500)
    days.live(days.today + timedelta(days=2))
    assert still_open(days.house, second) == 0
    assert days.stage.taken() == 6500
    days.stage.assert_sound()


def test_chosen_bills_are_paid_and_no_others(days: Days):
    second = days.owe("20.00")
    days.plan("bills", days.today + timedelta(days=3), invoice_ids=[second.id])
    days.live(days.today + timedelta(days=3))
    assert (still_open(days.house, days.stage.bill), still_open(days.house, second)) == (4500, 0)
    days.stage.assert_sound()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"on": 0}, "on"),
        ({"on": 400}, "on"),
        ({"kind": "amount"}, "amount"),
        ({"kind": "amount", "amount": Money(0, "USD")}, "amount"),
        ({"kind": "amount", "amount": Money(100, "EUR")}, "amount"),
        ({"kind": "bills"}, "kind"),
        ({"kind": "everything"}, "kind"),
        ({"on": 366}, None),
    ],
)
def test_what_cannot_be_planned_is_said_at_its_field(days: Days, change: dict, field: str | None):
    change = dict(change)
    on = days.today + timedelta(days=change.pop("on", 5))
    wish = replace(days.wish("balance", on), **change)
    if field is None:
        assert schedule_payment.plan(days.house, wish).state == "planned"
        return
    with pytest.raises(Invalid) as wrong:
        schedule_payment.plan(days.house, wish)
    assert list(wrong.value.fields_) == [field]


def test_a_card_of_others_or_one_that_will_have_expired_is_not_taken(days: Days):
    with pytest.raises(NotFound):
        schedule_payment.plan(days.house, replace(days.wish(), method_id="nobody"))
    with days.house.db.transaction() as session:
        card = session.merge(days.stage.method)
        card.exp_year, card.exp_month = days.today.year, days.today.month
    with pytest.raises(Invalid) as wrong:
        schedule_payment.plan(days.house, days.wish("balance", days.today + timedelta(days=60)))
    assert list(wrong.value.fields_) == ["card"]


def test_changed_it_is_made_as_it_was_agreed_last(days: Days):
    row = days.plan("balance", days.today + timedelta(days=5))
    other = set_up(days.house, days.stage.sandbox, days.stage.riley, "5555555555554444")
    later = days.today + timedelta(days=8)
    wish = replace(
        days.wish("amount", later, amount=usd(2000)), method_id=other.public_id, revision=1
    )
    schedule_payment.change(days.house, row.public_id, wish)
    drain(days.house)
    assert days.subjects()[-1].startswith("Your planned payment has changed: $20.00 on ")
    with pytest.raises(StaleState):
        schedule_payment.change(days.house, row.public_id, wish)
    days.live(later - timedelta(days=1))
    assert days.stage.taken() == 0
    days.live(later)
    operation = newest(days.house, "charge")
    assert (operation.amount_minor, operation.payment_method_id) == (2000, other.id)
    with pytest.raises(NoLongerPlanned):
        schedule_payment.change(
            days.house,
            row.public_id,
            replace(wish, on=days.today + timedelta(days=3), revision=None),
        )
    days.stage.assert_sound()


def test_cancelled_it_is_not_made(days: Days):
    row = days.plan("balance", days.today + timedelta(days=5))
    mine = [days.stage.riley.id]
    for _ in range(2):
        assert schedule_payment.cancel(days.house, row.public_id, mine, "test").state == "cancelled"
    with pytest.raises(NotFound):
        schedule_payment.cancel(days.house, row.public_id, [], "test")
    days.live(row.on_date + timedelta(days=2))
    assert days.bank.asked == 0
    assert sum("is cancelled" in each for each in days.subjects()) == 1
    days.stage.assert_sound()


def test_a_payer_at_the_processors_page_can_still_cancel_and_the_bank_is_not_asked(days: Days):
    row = days.plan("balance", days.today + timedelta(days=2))
    days.move_to(row.on_date)
    pay_bill.pay(days.house, PayWish(days.user.id, [days.stage.bill.id]))
    days.round()
    assert newest(days.house, "charge").state == "pending"
    schedule_payment.cancel(days.house, row.public_id, [days.stage.riley.id], "test")
    pass_time(days.house, days.stage.sandbox, timedelta(hours=2))
    reconcile.run(days.house)
    drain(days.house)
    assert days.bank.asked == 0
    assert newest(days.house, "charge").state == "expired"
    days.stage.assert_sound()


def test_while_the_bank_is_asked_it_is_too_late(days: Days):
    row = days.plan("balance", days.today + timedelta(days=2))
    days.stage.sandbox.fault("drop_after_success", path="/v1/payment_intents", method="POST")
    days.live(row.on_date)
    assert newest(days.house, "charge").state == "indeterminate"
    with pytest.raises(BeingCharged):
        schedule_payment.cancel(days.house, row.public_id, [days.stage.riley.id], "test")
    pass_time(days.house, days.stage.sandbox, timedelta(minutes=5))
    drain(days.house)
    reconcile.run(days.house)
    drain(days.house)
    assert days.row().state == "paid"
    days.stage.assert_charged_once()


def test_nothing_is_open_on_the_day_and_nothing_is_charged(days: Days):
    row = days.plan("amount", days.today + timedelta(days=5), amount=usd(2000))
    days.stage.charge()
    drain(days.house)
    days.live(row.on_date)
    assert days.row().state == "nothing_due"
    assert days.stage.taken() == 4500
    days.stage.assert_sound()


@pytest.mark.parametrize(
    "point",
    [
        "charge.prepared",
        "charge.before_call",
        "charge.asked",
        "charge.before_commit",
        "charge.committed",
        "job.before_finish",
    ],
)
def test_a_crash_at_any_point_makes_it_once(days: Days, point: str):
    row = days.plan("balance", days.today + timedelta(days=2))
    days.move_to(row.on_date)
    with crash.crash_at(point):
        days.round()
    pass_time(days.house, days.stage.sandbox, timedelta(minutes=10))
    days.round()
    assert reconcile.run(days.house).problems == ()
    drain(days.house)
    days.stage.assert_charged_once()


def test_a_crash_before_the_commit_plans_changes_and_cancels_nothing(days: Days):
    with crash.crash_at("schedule.before_commit"):
        days.plan()
    assert days.rows() == []
    row = days.plan()
    with crash.crash_at("schedule.before_commit"):
        schedule_payment.cancel(days.house, row.public_id, [days.stage.riley.id], "test")
    assert days.row().state == "planned"
