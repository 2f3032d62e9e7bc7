"""A card that is declined is tried again by the bank's code and a schedule, and one link puts it right."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core.kernel import crash
from core.kernel.money import Money
from core.ledger import contested, items
from core.ledger.tender_models import Tender
from flows import manage_cards, pay_bill, reconcile, run_autopay, set_up_method
from flows.charge_on_file import charge
from flows.house import House
from flows.manage_cards import CardNeeded, NotAgain
from flows.pay_bill import PayWish
from flows.set_up_method import SetUpWish
from flows.settle_payment import settle
from payments import autopay, methods, reading, retrying
from payments.models import Authorisation, Payment, PaymentMethod, PaymentOperation
from tests.automatic import ADDRESS, Days, days_of
from tests.on_file import newest, open_stage, set_up, setup_of, still_open
from tests.paying import CARD, drain, house, pass_time, processor, sandbox
from tests.sandbox_process import SandboxProcess
from tests.world import World

__all__ = ["house", "processor", "sandbox"]
MASTERCARD = "5555555555554444"


@pytest.fixture
def days(house: House, sandbox: SandboxProcess, world: World) -> Days:
    """Riley with a card and a bill of 45.00."""
    return days_of(open_stage(house, sandbox, world), sandbox)


def want(days: Days) -> None:
    """The bill of a service that is charged to the card by itself."""
    days.stage.want()
    drain(days.house)


def new_card(days: Days, card: str = MASTERCARD) -> PaymentMethod:
    """Through the mail's link: another card in the place of the one that was declined."""
    with days.house.db.reading() as session:
        old = session.get_one(PaymentMethod, days.stage.method.id)
        consent = manage_cards.consent_instead(session, old, None, days.user.id, ADDRESS)
    wish = SetUpWish(days.stage.riley.id, consent, "/account/cards", "/account/cards")
    days.stage.sandbox.pay(set_up_method.begin(days.house, wish), card)
    assert set_up_method.settle(days.house, setup_of(days.house).id) == "succeeded"
    drain(days.house)
    with days.house.db.reading() as session:
        return methods.of_account(session, days.stage.riley.id)[0]


def test_a_soft_decline_is_tried_again_by_the_schedule_and_told_each_time(days: Days):
    began = days.today
    days.bank.says = ["insufficient_funds"] * 3
    want(days)
    row = days.row()
    assert (row.origin, row.state, row.tries, row.failure) == (
        "bill", "retrying", 1, "insufficient_funds",
    )  # fmt: skip
    assert "We try this card again on" in days.stage.last_words()
    tried = []
    for day in (began + timedelta(days=each) for each in range(1, 20)):
        before = days.bank.asked
        days.live(day)
        if days.bank.asked > before:
            tried.append((day - began).days)
    # three days after the first, five after the second, seven after the third: in the next morning's round
    assert tried == [4, 9, 16]
    assert (days.row().state, days.row().tries) == ("paid", 3)
    days.stage.assert_sound()
    assert days.stage.taken() == 4500
    with days.house.db.reading() as session:
        keys = session.scalars(
            select(PaymentOperation.op_key).where(PaymentOperation.kind == "charge")
        ).all()
    assert sorted(key[-1] for key in keys) == ["1", "2", "3", "4"]
    told = [each for each in days.subjects() if "could not be charged" in each]
    assert len(told) == 3


def test_after_the_last_try_it_is_given_up_and_told(days: Days):
    days.bank.says = ["try_again_later"] * 9
    want(days)
    days.live(days.today + timedelta(days=30))
    assert (days.row().state, days.row().tries, days.bank.asked) == ("failed", 4, 4)
    assert "We do not try this card again" in days.stage.last_words()
    assert days.stage.count(Tender, Tender.state != "released") == 0
    days.stage.assert_sound()


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "expired_card", "pickup_card"])
def test_a_hard_decline_is_never_tried_again(days: Days, code: str):
    days.bank.says = [code]
    want(days)
    days.live(days.today + timedelta(days=30))
    assert (days.row().state, days.row().failure, days.bank.asked) == ("waiting", code, 1)
    with pytest.raises(NotAgain):
        manage_cards.try_again(days.house, days.row().public_id, [days.stage.riley.id], "test")
    with days.house.db.reading() as session:
        assert reading.in_trouble(session) == []
    days.stage.assert_sound()


def test_a_new_card_is_charged_at_once_and_takes_over_everything(days: Days):
    """The mail's one link: a new card, and what was declined is paid; AutoPay goes on with it."""
    rule = days.autopay()
    later = days.plan("balance", days.stage.bill.due_date + timedelta(days=9))
    days.bank.says = ["stolen_card"]
    days.live(days.stage.bill.due_date)
    assert {row.origin: row.state for row in days.rows()} == {
        "autopay": "waiting",
        "customer": "planned",
    }
    better = new_card(days)
    assert better.brand == "mastercard"
    assert {row.origin: (row.state, row.payment_method_id) for row in days.rows()} == {
        "autopay": ("paid", better.id),
        "customer": ("planned", better.id),
    }
    assert days.stage.taken() == 4500
    with days.house.db.reading() as session:
        assert session.get_one(Authorisation, rule.authorisation_id).ended_at is not None
        running = autopay.active(session, days.stage.riley.id)
        assert running is not None
        assert running.payment_method_id == better.id
        kept = session.get_one(Authorisation, running.authorisation_id)
    assert "in place of Visa ending 4242" in kept.text
    assert "AutoPay" in kept.text
    second = days.owe("20.00")
    days.live(later.on_date)
    assert still_open(days.house, second) == 0
    manage_cards.stored(days.house, setup_of(days.house).id)  # the return page, later
    drain(days.house)
    days.stage.assert_sound()


def test_a_card_that_wants_its_owner_waits_for_them_and_paying_by_hand_closes_it(
    house: House, sandbox: SandboxProcess, world: World
):
    days = days_of(open_stage(house, sandbox, world, "4000002760003184"), sandbox)
    want(days)
    assert (days.row().state, days.row().failure) == ("waiting", "authentication_required")
    assert "confirm this payment yourself" in days.stage.last_words()
    days.live(days.today + timedelta(days=20))
    assert days.bank.asked == 1
    url = pay_bill.pay(days.house, PayWish(days.user.id, [days.stage.bill.id]))
    assert url is not None
    sandbox.pay(url)
    assert settle(days.house, newest(days.house, "checkout").id) == "succeeded"
    drain(days.house)
    assert days.row().state == "nothing_due"
    days.stage.assert_sound()


def test_money_on_the_card_again_and_it_is_tried_at_once(days: Days):
    days.bank.says = ["insufficient_funds"]
    want(days)
    manage_cards.try_again(days.house, days.row().public_id, [days.stage.riley.id], "test")
    drain(days.house)
    assert (days.row().state, days.row().tries) == ("paid", 1)
    days.live(days.today + timedelta(days=9))
    assert days.bank.asked == 2
    assert days.stage.taken() == 4500
    days.stage.assert_sound()


def test_tried_again_while_its_payer_is_at_the_pay_page_it_is_charged_when_they_leave(days: Days):
    days.bank.says = ["insufficient_funds"]
    want(days)
    days.move_to(days.today + timedelta(days=4))
    assert pay_bill.pay(days.house, PayWish(days.user.id, [days.stage.bill.id]))
    days.round()
    assert newest(days.house, "charge").state == "pending"
    manage_cards.try_again(days.house, days.row().public_id, [days.stage.riley.id], "test")
    drain(days.house)
    for _ in range(3):
        pass_time(days.house, days.stage.sandbox, timedelta(minutes=45))
        assert reconcile.run(days.house).problems == ()
        days.round()
    assert (days.row().state, days.stage.taken()) == ("paid", 4500)
    assert days.stage.count(Payment) == 1
    days.stage.assert_sound()


def test_what_autopay_was_declined_for_is_read_again_before_each_try(days: Days):
    days.autopay()
    days.bank.says = ["insufficient_funds"]
    days.live(days.stage.bill.due_date)
    assert days.rows()[0].state == "retrying"
    url = pay_bill.pay(days.house, PayWish(days.user.id, [days.stage.bill.id]))
    days.stage.sandbox.pay(url)
    assert settle(days.house, newest(days.house, "checkout").id) == "succeeded"
    drain(days.house)
    days.live(days.today + timedelta(days=9))
    assert (days.rows()[0].state, days.bank.asked) == ("nothing_due", 1)
    days.stage.assert_sound()


def test_a_stop_ends_the_tries(days: Days):
    days.autopay()
    days.bank.says = ["insufficient_funds"]
    days.live(days.stage.bill.due_date)
    assert run_autopay.stop(days.house, days.stage.riley.id, "test")
    days.live(days.today + timedelta(days=20))
    assert (days.row().state, days.bank.asked) == ("cancelled", 1)


def test_an_unanswered_charge_is_given_up_without_another_try(days: Days):
    days.stage.sandbox.fault("stored_500", path="/v1/payment_intents", method="POST")
    want(days)
    pass_time(days.house, days.stage.sandbox, timedelta(hours=21))
    reconcile.run(days.house)
    drain(days.house)
    assert (days.row().state, days.row().failure) == ("failed", "no_answer")
    asked = days.bank.asked
    days.live(days.today + timedelta(days=20))
    assert days.bank.asked == asked


@pytest.mark.parametrize("when", ["before it is prepared", "once it is prepared"])
def test_tries_at_a_disputed_bill_wait_for_the_disputes_end(days: Days, when: str):
    days.bank.says = ["insufficient_funds"]
    want(days)
    source = ("dispute", days.stage.riley.id)
    days.move_to(days.today + timedelta(days=4))
    if when == "once it is prepared":
        with crash.crash_at("charge.prepared"):
            days.round()
    with days.house.db.transaction() as session:
        item = items.of_sources(session, [days.stage.bill.id])[days.stage.bill.id]
        contested.contest(session, item, item.open, source, days.today, days.house.clock.now())
    pass_time(days.house, days.stage.sandbox, timedelta(minutes=10))
    days.round()
    assert (days.row().state, days.bank.asked) == ("retrying", 1)
    days.live(days.today + timedelta(days=1))
    with days.house.db.transaction() as session:
        contested.close(session, item, source, days.today, days.house.clock.now())
    days.live(days.today + timedelta(days=2))
    assert (days.row().state, days.bank.asked, days.stage.taken()) == ("paid", 2, 4500)
    days.stage.assert_sound()


@pytest.mark.parametrize(
    ("minor", "when"),
    [
        (4500, "before it is prepared"),
        (4500, "once it is prepared"),
        (1500, "before it is prepared"),
    ],
)
def test_what_is_disputed_before_its_first_charge_is_charged_by_itself_when_that_is_over(
    days: Days, minor: int, when: str
):
    source = ("dispute", days.stage.riley.id)
    days.stage.want()
    if when == "once it is prepared":
        with crash.crash_at("charge.prepared"):
            drain(days.house)
    with days.house.db.transaction() as session:
        item = items.of_sources(session, [days.stage.bill.id])[days.stage.bill.id]
        part = Money(minor, "USD")
        contested.contest(session, item, part, source, days.today, days.house.clock.now())
    pass_time(days.house, days.stage.sandbox, timedelta(minutes=10))
    drain(days.house)
    assert (days.row().state, days.stage.taken()) == ("planned", 4500 - minor)
    days.live(days.today + timedelta(days=9))
    assert (days.row().state, days.stage.taken()) == ("planned", 4500 - minor)
    with days.house.db.transaction() as session:
        contested.close(session, item, source, days.today, days.house.clock.now())
    drain(days.house)
    days.round()
    assert (days.row().state, days.stage.taken()) == ("paid", 4500)
    days.live(days.today + timedelta(days=3))
    assert days.stage.taken() == 4500
    days.stage.assert_sound()


def test_what_was_disputed_and_paid_another_way_is_not_charged(days: Days):
    source, now = ("dispute", days.stage.riley.id), days.house.clock.now()
    with days.house.db.transaction() as session:
        item = items.of_sources(session, [days.stage.bill.id])[days.stage.bill.id]
        contested.contest(session, item, item.open, source, days.today, now)
    want(days)
    assert days.row().state == "planned"
    assert charge(days.house, days.stage.bill.id, days.stage.method.id) is None
    url = pay_bill.pay(days.house, PayWish(days.user.id, [days.stage.bill.id]))
    days.stage.sandbox.pay(url)
    days.stage.tell()
    drain(days.house)
    days.round()
    assert (days.row().state, days.stage.taken()) == ("nothing_due", 0)
    assert still_open(days.house, days.stage.bill) == 0
    with days.house.db.transaction() as session:
        contested.close(session, item, source, days.today, days.house.clock.now())
    drain(days.house)
    days.stage.assert_sound()


@pytest.mark.parametrize("point", ["charge.failed", "job.before_finish", "charge.before_call"])
def test_a_crash_around_a_decline_counts_one_try(days: Days, point: str):
    days.bank.says = ["insufficient_funds"]
    days.stage.want()
    with crash.crash_at(point):
        drain(days.house)
    pass_time(days.house, days.stage.sandbox, timedelta(minutes=2))
    drain(days.house)
    assert (days.row().tries, days.row().state) == (1, "retrying")
    assert sum("could not be charged" in each for each in days.subjects()) == 1
    days.live(days.today + timedelta(days=5))
    days.stage.assert_sound()
    assert (days.row().state, days.stage.taken()) == ("paid", 4500)


@pytest.mark.parametrize("point", ["instead.before_commit", "setup.before_commit", "charge.asked"])
def test_a_crash_while_a_new_card_takes_over_pays_once(days: Days, point: str):
    days.bank.says = ["lost_card"]
    want(days)
    with crash.crash_at(point):
        new_card(days)
    pass_time(days.house, days.stage.sandbox, timedelta(minutes=40))
    assert reconcile.run(days.house).problems == ()
    drain(days.house)
    assert days.row().state == "paid"
    assert days.stage.taken() == 4500
    assert days.stage.count(Payment) == 1
    days.stage.assert_sound()


# --- cards ----------------------------------------------------------------------------------------


def test_a_card_that_is_needed_stays_and_says_what_for(days: Days):
    days.autopay()
    days.plan("amount", days.today + timedelta(days=30), amount=Money(1000, "USD"))
    mine, card = [days.stage.riley.id], days.stage.method.public_id
    with pytest.raises(CardNeeded) as told:
        manage_cards.remove(days.house, card, mine, "test")
    assert "AutoPay" in told.value.needed
    assert "planned" in told.value.needed
    other = set_up(days.house, days.stage.sandbox, days.stage.riley, MASTERCARD)
    manage_cards.instead(days.house, card, other.public_id, mine, days.user.id, ADDRESS)
    assert manage_cards.remove(days.house, card, mine, "test").state == "detached"
    assert manage_cards.remove(days.house, card, mine, "test").state == "detached"
    drain(days.house)
    kept = days.house.gateway.list_payment_methods(other.gateway_customer_id)
    assert [one.id for one in kept] == [other.gateway_id]
    days.live(days.stage.bill.due_date)
    assert newest(days.house, "charge").payment_method_id == other.id
    assert still_open(days.house, days.stage.bill) == 0


def test_the_first_card_is_the_chosen_one_or_the_newest(days: Days):
    mine = [days.stage.riley.id]

    def first() -> PaymentMethod | None:
        with days.house.db.reading() as session:
            return methods.default(session, days.stage.riley.id)

    old = days.stage.method
    newer = set_up(days.house, days.stage.sandbox, days.stage.riley, MASTERCARD)
    assert first().id == newer.id
    manage_cards.make_default(days.house, old.public_id, mine, "test")
    assert first().id == old.id
    manage_cards.remove(days.house, old.public_id, mine, "test")
    assert first().id == newer.id


def test_the_owner_of_a_card_that_expires_is_told_once_before_its_month_ends(days: Days):
    last = days.today.replace(day=30)
    with days.house.db.transaction() as session:
        session.execute(
            update(PaymentMethod).values(exp_month=days.today.month, exp_year=days.today.year)
        )
    days.autopay()
    days.move_to(last - timedelta(days=12))
    days.round()
    days.round()
    told = [each for each in days.subjects() if "expires" in each]
    assert told == ["Visa ending 4242 expires at the end of this month"]
    words = days.stage.last_words()
    assert "Charged to it: AutoPay" in words
    assert f"/account/cards/{days.stage.method.public_id}/instead" in words


def test_a_card_on_file_is_not_charged_for_anything_that_was_not_agreed(days: Days):
    """Kept for when its owner says so: a bill that would be charged to it is not."""
    with days.house.db.reading() as session:
        wish = manage_cards.card_to_keep(
            session, days.stage.riley, days.user.id, ADDRESS, "/account/cards"
        )
    days.stage.sandbox.pay(set_up_method.begin(days.house, wish), CARD)
    assert set_up_method.settle(days.house, setup_of(days.house).id) == "succeeded"
    drain(days.house)
    with days.house.db.reading() as session:
        kept = methods.of_account(session, days.stage.riley.id)[0]
    assert charge(days.house, days.stage.bill.id, kept.id) == "failed"
    assert newest(days.house, "charge").failure == "not_authorised"


def test_the_schedule_is_read_from_the_code_and_the_tries():
    schedule = (3, 5)
    assert retrying.judge("do_not_honor", 1, schedule).after == timedelta(days=3)
    assert retrying.judge("a_new_code", 2, schedule).after == timedelta(days=5)
    assert retrying.judge("do_not_honor", 3, schedule).state == "failed"
    assert retrying.judge("lost_card", 1, schedule).state == "waiting"
    assert retrying.judge("authentication_required", 1, schedule).state == "waiting"
    assert retrying.judge("no_answer", 1, schedule).state == "failed"
    assert retrying.judge("insufficient_funds", 1, ()).state == "failed"
