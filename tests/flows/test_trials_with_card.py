"""Trials with a card: nothing is charged before the end, and everything once, whatever goes wrong."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import delete, func, select

from core.kernel import crash
from core.kernel.clock import ManualClock
from core.kernel.errors import ShopError
from core.kernel.money import to_micros
from core.ledger import items
from core.prices.models import Plan, UsagePrice
from core.subscriptions.trial_models import TrialClaim
from flows import (
    bill_account,
    change_service,
    end_services,
    keep_trial,
    manage_cards,
    reconcile,
    run_trials,
    set_up_method,
    store_trial_card,
)
from flows.hold_service import Asked
from flows.house import House
from flows.set_up_method import SetUpWish
from flows.start_trial import Started
from flows.verify import verify
from flows.wish_service import Wanted
from payments import methods
from payments.models import Authorisation, Payment, PaymentMethod
from tests import world as worlds
from tests.on_file import ON_FILE_ONLY, setup_of
from tests.paying import CARD, house, processor, sandbox
from tests.sandbox_process import SandboxProcess
from tests.together import together
from tests.trying import (
    CARD_OFFER,
    FREE_OFFER,
    NO_CARD_OFFER,
    WITH_TAX,
    Trying,
    in_a_hurry,
    offer,
)
from tests.world import World

__all__ = ["house", "processor", "sandbox"]

ANOTHER_CARD = "5555555555554444"
BEGINS, NOTICE, ENDS = date(2026, 11, 29), date(2026, 12, 22), date(2026, 12, 29)


@pytest.fixture
def trying(
    house: House, clock: ManualClock, world: World, sandbox: SandboxProcess
) -> Iterator[Trying]:
    with house.db.transaction() as session:
        offers = offer(session, world, clock.now())
    made = Trying(house, clock, world, offers, sandbox)
    made.move_to(BEGINS)
    with in_a_hurry():
        yield made


def put_on_file(trying: Trying, started: Started, card: str = CARD) -> None:
    """Go through the processor's page and come back."""
    assert started.set_up is not None
    give_card(trying, started.set_up, card)
    trying.drain()


def give_card(trying: Trying, wish: SetUpWish, card: str = CARD) -> None:
    url = set_up_method.begin(trying.house, wish)
    assert trying.sandbox is not None
    trying.sandbox.pay(url, card)
    assert set_up_method.settle(trying.house, setup_of(trying.house).id) == "succeeded"


def begun(trying: Trying, name: str = "Ash Vale", card: str = CARD) -> Started:
    started = trying.newcomer(CARD_OFFER, name)
    put_on_file(trying, started, card)
    return started


def count(trying: Trying, model, *where) -> int:
    with trying.house.db.reading() as session:
        return session.scalar(select(func.count()).select_from(model).where(*where))


def open_of(trying: Trying, started: Started) -> list[int]:
    """What is open of each bill above nothing, in cents."""
    bills = [bill.id for bill in trying.bills(started) if bill.total_minor]
    with trying.house.db.reading() as session:
        found = items.of_sources(session, bills)
    return [found[key].open.minor for key in bills]


def sound(trying: Trying) -> None:
    trying.drain()
    findings = verify(trying.house.db, trying.clock, blobs=trying.house.blobs)
    assert [line for line in findings if not line.holds] == []


# --- it begins ------------------------------------------------------------------------------------


def test_it_waits_for_its_card_and_begins_when_that_is_on_file(trying: Trying):
    started = trying.newcomer(CARD_OFFER)
    assert trying.trial(started).state == "awaiting_card"
    assert trying.bills(started) == []
    put_on_file(trying, started)
    trial, service = trying.trial(started), trying.service(started)
    assert (trial.state, trial.starts_on, trial.ends_on) == ("running", BEGINS, ENDS)
    assert (service.state, service.ended_on, service.bill_day) == ("active", None, 29)
    assert [bill.total_minor for bill in trying.bills(started)] == [0]
    assert count(trying, Payment) == 0
    with trying.house.db.reading() as session:
        given = session.scalars(select(Authorisation)).one()
    assert (given.purpose, given.subject) == ("trial", f"trial:{trial.id}")
    assert given.text.split("\n") == trial.words
    assert given.address == "192.0.2.7"
    assert service.payment_method_id == given.payment_method_id
    assert [step for _, step in trying.mails(started)] == ["welcome"]
    sound(trying)


def test_return_page_worker_and_reconciler_begin_it_once(trying: Trying):
    started = trying.newcomer(CARD_OFFER)
    assert started.set_up is not None
    give_card(trying, started.set_up)
    operation = setup_of(trying.house)
    answers = together(
        [lambda: store_trial_card.stored(trying.house, operation.id) for _ in range(3)]
    )
    assert answers == [None, None, None]
    reconcile.run(trying.house)
    trying.drain()
    assert trying.trial(started).state == "running"
    assert trying.events("TrialStarted") == ["TrialStarted"]
    assert len(trying.bills(started)) == 1
    sound(trying)


def test_the_tab_is_closed_and_the_reconciler_begins_it(trying: Trying):
    started = trying.newcomer(CARD_OFFER)
    assert started.set_up is not None
    assert trying.sandbox is not None
    trying.sandbox.pay(set_up_method.begin(trying.house, started.set_up), CARD)
    trying.clock.advance(timedelta(minutes=40))
    trying.sandbox.set_clock(trying.clock.now().timestamp())
    reconcile.run(trying.house)
    trying.drain()
    assert trying.trial(started).state == "running"


@pytest.mark.parametrize("point", ["trial.card_before_commit", "setup.before_commit"])
def test_a_crash_while_it_begins_loses_and_doubles_nothing(trying: Trying, point: str):
    started = trying.newcomer(CARD_OFFER)
    assert started.set_up is not None
    assert trying.sandbox is not None
    trying.sandbox.pay(set_up_method.begin(trying.house, started.set_up), CARD)
    operation = setup_of(trying.house)
    with crash.crash_at(point):
        set_up_method.settle(trying.house, operation.id)
        store_trial_card.stored(trying.house, operation.id)
    assert trying.trial(started).state == "awaiting_card"
    set_up_method.settle(trying.house, operation.id)
    trying.drain()
    assert trying.trial(started).state == "running"
    assert (count(trying, PaymentMethod), len(trying.bills(started))) == (1, 1)
    sound(trying)


def test_one_that_is_never_finished_ends_quietly_and_may_be_begun_again(trying: Trying):
    started = trying.newcomer(CARD_OFFER)
    trying.clock.advance(timedelta(hours=3))
    assert run_trials.forget_unfinished(trying.house) == 1
    assert run_trials.forget_unfinished(trying.house) == 0
    trial = trying.trial(started)
    assert (trial.state, trial.close_reason) == ("abandoned", "not_finished")
    assert count(trying, TrialClaim) == 0
    again = trying.again(started, NO_CARD_OFFER)
    assert trying.trial(again).state == "running"
    trying.drain()
    assert trying.mails(started) == []


def test_begun_twice_only_the_second_waits(trying: Trying):
    first = trying.newcomer(CARD_OFFER)
    second = trying.again(first, CARD_OFFER)
    assert trying.trial(first).state == "abandoned"
    put_on_file(trying, second)
    assert trying.trial(second).state == "running"


def test_a_card_for_a_trial_that_was_given_up_begins_none_and_is_off_file(trying: Trying):
    started = trying.newcomer(CARD_OFFER)
    assert started.set_up is not None
    give_card(trying, started.set_up)
    trying.clock.advance(timedelta(hours=3))
    run_trials.forget_unfinished(trying.house)
    trying.drain()
    assert trying.trial(started).state == "abandoned"
    with trying.house.db.reading() as session:
        assert session.scalars(select(PaymentMethod.state)).all() == ["detached"]


def test_one_trial_for_each_card(trying: Trying):
    begun(trying)
    other = trying.newcomer(CARD_OFFER, "June Alder")
    put_on_file(trying, other)
    trial = trying.trial(other)
    assert (trial.state, trial.close_reason) == ("abandoned", "card_used")
    with trying.house.db.reading() as session:
        states = session.scalars(select(PaymentMethod.state).order_by(PaymentMethod.id)).all()
    assert states == ["active", "detached"]
    # nothing of it counts: with another card, or none, it may begin
    again = trying.again(other, CARD_OFFER)
    put_on_file(trying, again, ANOTHER_CARD)
    assert trying.trial(again).state == "running"


# --- it goes on by itself -------------------------------------------------------------------------


def test_it_is_noticed_a_week_before_and_charged_once_on_its_day(trying: Trying):
    started = begun(trying)
    trying.walk(until=NOTICE)
    assert [step for _, step in trying.mails(started)] == ["welcome", "halfway", "ending"]
    notice = trying.mail(started, "ending")
    assert (
        notice.subject == "Burrow backup: $9.59 with tax from December 29, 2026, unless you cancel"
    )
    said = " ".join(notice.text_body.split())
    assert "Tuesday, December 29, 2026" in said
    assert trying.house.links.trial(started.public_id) in notice.text_body
    trying.walk(until=ENDS - timedelta(days=1))
    assert count(trying, Payment) == 0
    trying.walk(until=ENDS)
    trial = trying.trial(started)
    assert (trial.state, trial.first_net_minor) == ("converted", 900)
    assert [bill.total_minor for bill in trying.bills(started)] == [0, WITH_TAX]
    assert open_of(trying, started) == [0]
    assert count(trying, Payment) == 1
    assert trying.events("TrialStarted", "TrialEnded", "ChargeWanted", "PaymentApplied") == [
        "TrialStarted",
        "ChargeWanted",
        "TrialEnded",
        "PaymentApplied",
    ]
    trying.walk(until=date(2027, 3, 2))
    # the 29th is the 28th in February
    days = [bill.issue_date.isoformat() for bill in trying.bills(started)]
    assert days == ["2026-11-29", "2026-12-29", "2027-01-29", "2027-02-28"]
    assert open_of(trying, started) == [0, 0, 0]
    sound(trying)


def test_another_plan_that_was_agreed_for_afterwards_is_the_one_that_is_told_and_charged(
    trying: Trying,
):
    started = begun(trying)
    with trying.house.db.transaction() as session:
        shelf = worlds._Shelf(
            session, trying.clock.now(), trying.world.price_list_id, trying.world.location_id
        )
        category = shelf.category("large", "Large", 6)
        large = shelf.put(category, "BUR-9", "Burrow large", "plan", "backup", "19.00", None)
        plan = session.scalars(select(Plan).where(Plan.variant_id == large.variant_id)).one()
        plan.family, plan.features, plan.activation = "burrow", ["backup"], "at_once"
    asked = Asked(trying.service(started).public_id, "user:riley")
    change_service.change(trying.house, asked, Wanted("BUR-9", 2, at_period_end=True))
    trying.walk(until=NOTICE)
    notice = trying.mail(started, "ending")
    assert notice.subject == (
        "Burrow large: $40.47 with tax from December 29, 2026, unless you cancel"
    )
    trying.walk(until=ENDS)
    assert [bill.total_minor for bill in trying.bills(started)] == [0, 4_047]
    assert open_of(trying, started) == [0]
    sound(trying)


def test_cancelled_in_time_it_is_never_charged_and_its_card_may_not_be_any_more(trying: Trying):
    started = begun(trying)
    trying.walk(until=NOTICE)
    trying.move_to(ENDS - timedelta(days=1), hour=22)
    assert keep_trial.cancel(trying.house, started.id, "by_mail") == ENDS
    trying.walk(until=ENDS + timedelta(days=3))
    assert trying.trial(started).state == "cancelled"
    assert [bill.total_minor for bill in trying.bills(started)] == [0]
    assert count(trying, Payment) == 0
    assert count(trying, Authorisation, Authorisation.ended_at.is_(None)) == 0
    sound(trying)


def test_cancelled_and_kept_it_is_charged_as_agreed(trying: Trying):
    started = begun(trying)
    keep_trial.cancel(trying.house, started.id, "by_mail")
    keep_trial.keep(trying.house, started.id)
    trying.walk(until=ENDS)
    assert trying.trial(started).state == "converted"
    assert open_of(trying, started) == [0]


def test_a_card_that_is_declined_leaves_the_bill_open_and_its_payer_told(trying: Trying):
    started = begun(trying, card=ON_FILE_ONLY)
    trying.walk(until=ENDS)
    assert trying.trial(started).state == "converted"
    assert open_of(trying, started) == [WITH_TAX]
    assert trying.events("ChargeFailed") == ["ChargeFailed"]
    # another card takes its place: what is owed is charged at once, and the next month too
    service, mine = trying.service(started), [trying.trial(started).account_id]
    with trying.house.db.reading() as session:
        old = session.get_one(PaymentMethod, service.payment_method_id)
        consent = manage_cards.consent_instead(session, old, None, started.user.id, "192.0.2.7")
    assert "Burrow backup" in consent.text
    give_card(trying, SetUpWish(mine[0], consent, "/account/cards", "/account/cards"), ANOTHER_CARD)
    trying.drain()
    assert open_of(trying, started) == [0]
    assert trying.service(started).payment_method_id != old.id
    trying.walk(until=date(2027, 1, 30))
    assert open_of(trying, started) == [0, 0]
    sound(trying)


def test_nobody_is_charged_without_a_notice_a_week_before(trying: Trying):
    """The walk stood still for weeks: the charge waits for its notice."""
    started = begun(trying)
    late = ENDS - timedelta(days=2)
    trying.move_to(late)
    run_trials.run(trying.house)
    trial = trying.trial(started)
    assert (trial.noticed_on, trial.ends_on) == (late, late + timedelta(days=7))
    assert "January 3, 2027" in trying.mail(started, "ending").subject
    trying.walk(until=late + timedelta(days=6))
    assert count(trying, Payment) == 0
    trying.walk(until=late + timedelta(days=7))
    assert trying.trial(started).state == "converted"
    days = [bill.issue_date for bill in trying.bills(started)]
    assert days == [BEGINS, late + timedelta(days=7)]
    sound(trying)


def test_whoever_cancelled_is_not_kept_longer_by_a_late_notice(trying: Trying):
    started = begun(trying)
    keep_trial.cancel(trying.house, started.id, "by_mail")
    trying.move_to(ENDS - timedelta(days=2))
    run_trials.run(trying.house)
    assert trying.trial(started).ends_on == ENDS


# --- one first bill -------------------------------------------------------------------------------


def test_night_walk_and_portal_at_once_post_one_first_bill(trying: Trying):
    started = begun(trying)
    account = trying.trial(started).account_id
    trying.walk(until=NOTICE)
    trying.move_to(ENDS)
    house, today = trying.house, ENDS
    outcomes = together(
        [
            lambda: bill_account.bill(house, account, today, "system"),
            lambda: run_trials.step(house, started.id),
            lambda: run_trials.step(house, started.id),
            lambda: keep_trial.go_on(house, started.public_id, [account], "now"),
        ]
    )
    assert [
        one for one in outcomes if isinstance(one, Exception) and not isinstance(one, ShopError)
    ] == []
    run_trials.run(house)
    trying.drain()
    assert trying.trial(started).state == "converted"
    assert [bill.total_minor for bill in trying.bills(started)] == [0, WITH_TAX]
    assert trying.events("TrialEnded") == ["TrialEnded"]
    assert count(trying, Payment) == 1
    sound(trying)


def _by_the_walk(trying: Trying, started: Started) -> None:
    run_trials.run(trying.house)
    trying.drain()


def _by_the_night(trying: Trying, started: Started) -> None:
    trying.night()
    run_trials.run(trying.house)
    trying.drain()


def _by_hand(trying: Trying, started: Started) -> None:
    trial = trying.trial(started)
    if trial.state == "running":
        keep_trial.go_on(trying.house, started.public_id, [trial.account_id], "now")
    trying.drain()


WAYS = [_by_the_walk, _by_the_night, _by_hand]


@pytest.mark.parametrize("way", WAYS)
def test_a_crash_while_it_converts_loses_and_doubles_nothing(
    trying: Trying, way: Callable[[Trying, Started], None]
):
    _sweep(trying, way, lambda point: point.startswith("trial."))


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
def test_a_crash_at_any_point_of_a_conversion_loses_and_doubles_nothing(
    trying: Trying, way: Callable[[Trying, Started], None]
):
    _sweep(trying, way, lambda point: True)


def _sweep(
    trying: Trying, way: Callable[[Trying, Started], None], meant: Callable[[str], bool]
) -> None:
    """Convert one trial whole to learn the points that are passed, then one for each of them."""
    passed: list[str] = []
    first = begun(trying)
    day = ENDS if way is not _by_hand else ENDS - timedelta(days=3)
    trying.move_to(NOTICE)
    run_trials.run(trying.house)
    trying.move_to(day)
    with crash.armed(passed.append):
        way(trying, first)
    points = [point for point in dict.fromkeys(passed) if meant(point)]
    assert "trial.before_commit" in points
    for number, point in enumerate(points):
        trying.move_to(BEGINS)
        _forget_card(trying)
        started = begun(trying, f"{chr(65 + number)}lex Vale")
        trying.move_to(NOTICE)
        run_trials.run(trying.house)
        trying.drain()
        trying.move_to(day)
        with crash.crash_at(point):
            way(trying, started)
        trying.clock.advance(timedelta(minutes=10))  # what was in hand is free again
        way(trying, started)
        reconcile.run(trying.house)
        trying.drain()
        assert trying.trial(started).state == "converted", point
        assert [bill.total_minor for bill in trying.bills(started)] == [0, WITH_TAX], point
        assert open_of(trying, started) == [0], point
        mine = Payment.account_id == trying.trial(started).account_id
        assert count(trying, Payment, mine) == 1, point
    sound(trying)


def _forget_card(trying: Trying) -> None:
    """The processor has few cards for tests: the one there is may be used once more."""
    with trying.house.db.transaction() as session:
        session.execute(delete(TrialClaim).where(TrialClaim.kind == "card"))


# --- going on with a card -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("purpose", "on"),
    [(store_trial_card.FROM_END, date(2026, 12, 13)), (store_trial_card.FROM_NOW, BEGINS)],
)
def test_one_without_a_card_goes_on_with_one(trying: Trying, purpose: str, on: date):
    started = trying.newcomer(NO_CARD_OFFER)
    wish = store_trial_card.card_for(
        trying.house,
        started.public_id,
        [trying.trial(started).account_id],
        "now" if purpose == store_trial_card.FROM_NOW else "end",
        "192.0.2.8",
    )
    assert wish.consent.purpose == purpose
    assert "$9.59 with tax" in wish.consent.text
    give_card(trying, wish)
    with trying.house.db.reading() as session:
        given = session.scalars(select(Authorisation)).one()
    for _ in range(2):  # the return page and the worker
        store_trial_card.stored(trying.house, given.operation_id)
    trying.drain()
    trying.walk(until=date(2026, 12, 13))
    store_trial_card.stored(trying.house, given.operation_id)
    with trying.house.db.reading() as session:
        assert methods.is_authorised(session, given.payment_method_id)
    assert trying.trial(started).state == "converted"
    assert [bill.issue_date for bill in trying.bills(started)][:2] == [BEGINS, on]
    assert open_of(trying, started) == [0]
    sound(trying)


def test_a_second_card_that_comes_too_late_leaves_the_first_on_file(trying: Trying):
    started = trying.newcomer(NO_CARD_OFFER)
    mine, house = [trying.trial(started).account_id], trying.house
    later = store_trial_card.card_for(house, started.public_id, mine, "end", "192.0.2.8")
    url = set_up_method.begin(house, later)
    second = setup_of(house).id
    give_card(trying, store_trial_card.card_for(house, started.public_id, mine, "now", "192.0.2.8"))
    trying.drain()
    assert trying.trial(started).state == "converted"
    assert trying.sandbox is not None
    trying.sandbox.pay(url, "5555555555554444")
    assert set_up_method.settle(house, second) == "succeeded"
    trying.drain()
    with house.db.reading() as session:
        brands = {one.id: one.brand for one in session.scalars(select(PaymentMethod))}
        stands = {
            brands[one.payment_method_id]: one.ended_at is None
            for one in session.scalars(select(Authorisation))
        }
        states = {one.brand: one.state for one in session.scalars(select(PaymentMethod))}
    assert stands == {"visa": True, "mastercard": False}
    assert states == {"visa": "active", "mastercard": "detached"}
    assert open_of(trying, started) == [0]
    sound(trying)


@pytest.mark.parametrize(("then", "charged"), [("end", "visa"), ("now", "mastercard")])
def test_of_two_cards_only_the_one_that_is_charged_stays_on_file(
    trying: Trying, then: keep_trial.When, charged: str
):
    """From the end by one card; then again from the end, which is too late, or from today by another."""
    started = trying.newcomer(NO_CARD_OFFER)
    mine, house = [trying.trial(started).account_id], trying.house
    first = store_trial_card.card_for(house, started.public_id, mine, "end", "192.0.2.8")
    second = store_trial_card.card_for(house, started.public_id, mine, then, "192.0.2.9")
    give_card(trying, first)
    trying.drain()
    give_card(trying, second, ANOTHER_CARD)
    trying.drain()
    with house.db.reading() as session:
        on_file = methods.of_account(session, mine[0])
        (stands,) = session.scalars(select(Authorisation).where(Authorisation.ended_at.is_(None)))
        kept = [
            one.brand for one in house.gateway.list_payment_methods(on_file[0].gateway_customer_id)
        ]
    assert [one.brand for one in on_file] == kept == [charged]
    assert stands.payment_method_id == on_file[0].id == trying.service(started).payment_method_id
    trying.walk(until=date(2026, 12, 13))
    assert open_of(trying, started) == [0]
    sound(trying)


def test_the_last_bill_of_what_was_used_is_charged_as_agreed(trying: Trying):
    """It is billed after the service has ended, and what was agreed covers what was used until then."""
    with trying.house.db.transaction() as session:
        plan = session.scalars(select(Plan).where(Plan.variant_id == trying.offers.burrow)).one()
        stored = UsagePrice(
            plan_id=plan.id,
            meter_id=trying.offers.stored,
            currency="USD",
            free="5",
            tiers=[[None, to_micros("2.00"), 0]],
        )
        session.add(stored)
    started = begun(trying)
    trying.walk(until=ENDS)
    trying.move_to(date(2027, 1, 9))
    trying.store(started, "15")
    asked = Asked(trying.service(started).public_id, "test", None)
    change_service.end(trying.house, asked, "moving", "", at_period_end=True)
    trying.move_to(date(2027, 1, 29), 1)
    end_services.run(trying.house)
    trying.drain()
    trying.clock.advance(timedelta(minutes=1))
    trying.walk(until=date(2027, 1, 30))
    assert trying.service(started).state == "ended"
    with trying.house.db.reading() as session:
        (given,) = session.scalars(select(Authorisation))
        last = trying.bills(started)[-1]
        assert given.ended_at is not None
        assert given.ended_at < last.issued_at
    assert (last.kind, last.total_minor) == ("invoice", 2130)  # ten gigabytes and tax
    assert open_of(trying, started)[-1] == 0
    assert trying.events("ChargeFailed") == []
    sound(trying)


def test_a_free_tier_needs_no_card_ever(trying: Trying):
    started = trying.newcomer(FREE_OFFER)
    assert started.set_up is None
