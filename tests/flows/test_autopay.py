"""AutoPay charges what is due on its day, told ahead, never more than was told, until it is stopped."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from core.kernel import crash
from core.kernel.money import Money
from core.ledger import contested, items
from core.parties.models import Account
from flows import (
    bill_account,
    charge_terms,
    pay_bill,
    reconcile,
    run_autopay,
    run_card_payments,
)
from flows.house import House
from flows.pay_bill import PayWish
from flows.settle_payment import settle
from invoices.terms import Terms
from payments import autopay, methods
from payments.automatic_models import AutoPayRule
from payments.autopay import AutoPayRuns
from payments.models import Authorisation, Payment, PaymentOperation
from tests import serving
from tests.automatic import ADDRESS, Days, days_of
from tests.on_file import customer, newest, open_stage, set_up, still_open
from tests.paying import drain, house, pass_time, processor, sandbox
from tests.sandbox_process import SandboxProcess
from tests.telling import happened
from tests.together import together
from tests.world import World

__all__ = ["house", "processor", "sandbox"]


@pytest.fixture
def days(house: House, sandbox: SandboxProcess, world: World) -> Days:
    """Riley with a card and a bill of 45.00 that is due in two weeks."""
    return days_of(open_stage(house, sandbox, world), sandbox)


def due(days: Days) -> date:
    assert days.stage.bill.due_date is not None
    return days.stage.bill.due_date


def test_what_is_due_is_told_ahead_and_charged_on_its_day(days: Days):
    days.autopay()
    assert days.subjects()[-1] == "AutoPay is on: Visa ending 4242 pays your bills"
    days.live(due(days) - timedelta(days=4))
    assert (days.row().state, days.row().noticed_at) == ("planned", None)
    days.live(due(days) - timedelta(days=1))
    told = [each for each in days.subjects() if each.startswith("AutoPay: ")]
    assert told == [f"AutoPay: $45.00 on {due(days):%B} {due(days).day}, {due(days).year}"]
    assert "/account/autopay/stop" in days.stage.last_words()
    assert days.stage.taken() == 0
    days.live(due(days))
    assert days.row().state == "paid"
    days.stage.assert_charged_once()
    days.live(due(days) + timedelta(days=3))
    days.stage.assert_charged_once()


def test_what_was_agreed_is_kept_word_for_word(days: Days):
    rule = days.autopay()
    with days.house.db.reading() as session:
        given = session.get_one(Authorisation, rule.authorisation_id)
    assert "may charge Visa ending 4242" in given.text
    assert "3 days before each charge" in given.text
    assert (given.purpose, given.address, given.text_version) == ("autopay", ADDRESS, "2026-11")
    assert (given.user_id, given.agreed_at) == (days.user.id, days.house.clock.now())
    assert given.text in days.stage.last_words()
    with pytest.raises(AutoPayRuns):
        days.autopay()


def test_stopped_before_the_charge_nothing_is_charged(days: Days):
    rule = days.autopay()
    days.live(due(days) - timedelta(days=1))
    assert run_autopay.stop(days.house, days.stage.riley.id, "test")
    assert not run_autopay.stop(days.house, days.stage.riley.id, "test")
    days.live(due(days) + timedelta(days=5))
    assert days.subjects()[-1] == "AutoPay is off"
    assert (days.row().state, days.bank.asked) == ("cancelled", 0)
    with days.house.db.reading() as session:
        assert session.get_one(Authorisation, rule.authorisation_id).ended_at is not None
    assert still_open(days.house, days.stage.bill) == 4500
    days.stage.assert_sound()


def test_only_what_was_told_is_charged_and_what_came_later_has_a_day_of_its_own(days: Days):
    days.autopay()
    days.live(due(days) - timedelta(days=3))
    with days.house.db.transaction() as session:
        session.get_one(Account, days.stage.riley.id).terms_days = 0
    late = days.owe("20.00")
    days.live(due(days))
    assert still_open(days.house, days.stage.bill) == 0
    assert days.stage.taken() == 4500
    days.live(due(days) + timedelta(days=1))
    assert still_open(days.house, late) == 0
    assert [row.state for row in days.rows()] == ["paid", "paid"]
    assert days.stage.taken() == 6500
    days.stage.assert_sound()


def test_several_bills_of_one_day_are_one_charge(days: Days):
    second = days.owe("12.50")
    days.autopay()
    days.live(due(days))
    assert days.stage.taken() == 5750
    assert days.stage.count(Payment) == 1
    assert still_open(days.house, second) == still_open(days.house, days.stage.bill) == 0
    days.stage.assert_sound()


def test_a_payer_of_several_accounts_services_is_charged_for_all_of_them_and_tried_again(
    days: Days, world: World
):
    """One notice and one charge of the whole balance; a decline is tried again for all of it."""
    house, riley = days.house, days.stage.riley
    sites = [customer(house, world, name) for name in ("Site One", "Site Two")]
    with house.db.transaction() as session:
        stream = serving.offer(session, world, house.clock.now()).stream
        for site in sites:
            serving.running(session, world, site, stream, house.clock.now(), payer=riley)
    days.autopay()
    bill_account.bill(house, riley.id, days.today, "system")
    drain(house)
    with house.db.reading() as session:
        owed = items.owed_by(session, [riley.id])
        assert not items.owed_by(session, [site.id for site in sites])
    whole = sum(item.open.minor for item in owed)
    assert whole > 4500
    day = max(charge_terms.due_on(item) for item in owed)
    assert {charge_terms.due_on(item) for item in owed} == {day}
    days.bank.says = ["insufficient_funds"]
    days.live(day - timedelta(days=1))
    assert (days.row().noticed_minor, len(days.row().invoice_ids)) == (whole, len(owed))
    days.live(day)
    assert (days.row().state, days.row().tries, days.stage.taken()) == ("retrying", 1, 0)
    assert "could not be charged" in days.subjects()[-1]
    failed = dict(happened(house, "ChargeFailed"))
    assert failed["payment.failed"]["failure"] == failed["autopay.failed"]["failure"]
    assert failed["autopay.failed"]["next_try"] is not None
    days.live(day + timedelta(days=4))
    assert (days.row().state, days.stage.taken()) == ("paid", whole)
    with house.db.reading() as session:
        assert not [item for item in items.owed_by(session, [riley.id]) if item.open]
    days.stage.assert_sound()


def test_what_is_overdue_when_it_begins_is_charged_after_its_notice(days: Days):
    days.move_to(due(days) + timedelta(days=20))
    days.autopay()
    began = days.today
    days.live(began + timedelta(days=2))
    assert days.stage.taken() == 0
    days.live(began + timedelta(days=3))
    days.stage.assert_charged_once()


def test_a_late_notice_makes_the_charge_late(days: Days):
    days.autopay()
    days.move_to(due(days) + timedelta(days=1))  # the worker stood still
    days.round()
    assert days.stage.taken() == 0
    assert days.row().on_date == days.today + timedelta(days=3)
    days.live(days.today + timedelta(days=3))
    days.stage.assert_charged_once()


def test_disputed_paid_and_credited_amounts_are_left_out(days: Days):
    days.autopay()
    days.live(due(days) - timedelta(days=1))
    with days.house.db.transaction() as session:
        item = items.of_sources(session, [days.stage.bill.id])[days.stage.bill.id]
        source = ("dispute", days.stage.riley.id)
        now = days.house.clock.now()
        contested.contest(session, item, Money(1500, "USD"), source, days.today, now)
    days.live(due(days))
    assert days.stage.taken() == 3000
    assert still_open(days.house, days.stage.bill) == 1500
    with days.house.db.transaction() as session:
        item = items.of_sources(session, [days.stage.bill.id])[days.stage.bill.id]
        contested.close(session, item, source, days.today, days.house.clock.now())
    drain(days.house)
    days.live(days.today + timedelta(days=3))  # told of anew, then charged
    assert still_open(days.house, days.stage.bill) == 0
    assert days.stage.taken() == 4500
    days.stage.assert_sound()


def test_a_bill_that_was_paid_otherwise_is_not_charged(days: Days):
    days.autopay()
    days.live(due(days) - timedelta(days=1))
    url = pay_bill.pay(days.house, PayWish(days.user.id, [days.stage.bill.id]))
    assert url is not None
    days.stage.sandbox.pay(url)
    assert settle(days.house, newest(days.house, "checkout").id) == "succeeded"
    drain(days.house)
    assert days.row().state == "nothing_due"
    days.live(due(days) + timedelta(days=1))
    assert days.bank.asked == 0
    days.stage.assert_sound()


def test_the_early_payment_discount_is_left_off_while_it_lasts(days: Days):
    with days.house.db.transaction() as session:
        account = session.get_one(Account, days.stage.riley.id)
        account.terms = Terms(days=5, discount_ppm=30_000, discount_days=5).to_dict()
    run_autopay.start(days.house, days.stage.method.id, days.user.id, ADDRESS)
    bill = days.owe("100.00")
    assert bill.due_date is not None
    days.live(bill.due_date)
    assert days.stage.taken() == 9700
    assert still_open(days.house, bill) == 0  # the discount was taken by its memo
    days.stage.assert_sound()


def test_another_card_is_another_agreement(days: Days):
    first = days.autopay()
    days.live(due(days) - timedelta(days=1))
    other = set_up(days.house, days.stage.sandbox, days.stage.riley, "5555555555554444")
    second = days.autopay(other)
    with days.house.db.reading() as session:
        assert session.get_one(AutoPayRule, first.id).state == "stopped"
        assert autopay.active(session, days.stage.riley.id).id == second.id
        standing = session.scalars(
            select(Authorisation).where(
                Authorisation.purpose == "autopay", Authorisation.ended_at.is_(None)
            )
        ).all()
    assert [one.payment_method_id for one in standing] == [other.id]
    days.live(due(days) + timedelta(days=3))
    assert newest(days.house, "charge").payment_method_id == other.id
    told = happened(days.house, "AutoPayMoved")
    assert [(kind, data["autopay"]) for kind, data in told] == [
        ("autopay.started", first.public_id),
        ("autopay.stopped", first.public_id),
        ("autopay.started", second.public_id),
    ]
    days.stage.assert_charged_once()


# --- whatever goes wrong --------------------------------------------------------------------------


def test_stopped_while_the_bank_is_asked_the_charge_is_the_last(days: Days):
    days.autopay()
    days.live(due(days) - timedelta(days=1))
    days.stage.sandbox.fault("drop_after_success", path="/v1/payment_intents", method="POST")
    days.live(due(days))
    assert newest(days.house, "charge").state == "indeterminate"
    assert run_autopay.stop(days.house, days.stage.riley.id, "test")
    pass_time(days.house, days.stage.sandbox, timedelta(minutes=5))
    assert reconcile.run(days.house).problems == ()
    drain(days.house)
    days.stage.assert_charged_once()
    assert days.row().state == "paid"


def test_two_rounds_and_two_followers_at_once_plan_and_charge_once(days: Days):
    run_autopay.start(days.house, days.stage.method.id, days.user.id, ADDRESS)
    account = days.stage.riley.id

    def follow() -> None:
        days.house.db.run_tx(lambda session: run_autopay.follow(session, days.house, account))

    assert together([follow] * 3) == [None] * 3
    assert len(days.rows()) == 1
    for day in (due(days) - timedelta(days=3), due(days)):
        days.move_to(day)
        done = together([lambda: run_card_payments.run(days.house)] * 2)
        assert all(isinstance(one, run_card_payments.Report) for one in done), done
        drain(days.house)
    assert sum(subject.startswith("AutoPay: ") for subject in days.subjects()) == 1
    days.stage.assert_charged_once()


def _sweep(days: Days, day: date, point: str) -> None:
    """Crash at a point of a day's round; minutes later the worker is back."""
    days.move_to(day)
    with crash.crash_at(point):
        days.round()
    pass_time(days.house, days.stage.sandbox, timedelta(minutes=10))
    days.round()
    assert reconcile.run(days.house).problems == ()
    drain(days.house)


NOTICE = ("notice_ahead.before_commit", "notice.before_send")
CHARGE = (
    "charge.prepared",
    "charge.before_call",
    "charge.asked",
    "charge.before_commit",
    "charge.committed",
    "job.before_finish",
    "job.before_commit",
)


@pytest.mark.parametrize("point", NOTICE)
def test_a_crash_while_it_is_told_tells_once(days: Days, point: str):
    days.autopay()
    _sweep(days, due(days) - timedelta(days=3), point)
    days.live(due(days))
    assert sum(each.startswith("AutoPay: ") for each in days.subjects()) == 1
    days.stage.assert_charged_once()


@pytest.mark.parametrize("point", CHARGE)
def test_a_crash_at_any_point_of_the_charge_charges_once(days: Days, point: str):
    days.autopay()
    days.live(due(days) - timedelta(days=1))
    _sweep(days, due(days), point)
    days.stage.assert_charged_once()
    assert days.stage.count(PaymentOperation, PaymentOperation.kind == "charge") == 1
    assert (days.row().state, days.stage.receipts()) == ("paid", 1)


def test_a_crash_before_it_begins_or_ends_is_as_if_nothing_was_said(days: Days):
    with crash.crash_at("autopay.before_commit"):
        days.autopay()
    assert days.rows() == []
    days.autopay()
    with crash.crash_at("autopay.before_commit"):
        run_autopay.stop(days.house, days.stage.riley.id, "test")
    with days.house.db.reading() as session:
        rule = autopay.active(session, days.stage.riley.id)
        assert rule is not None
        assert methods.is_authorised(session, rule.payment_method_id)
