"""Trials as people live them: each kind begun, walked through its days, kept, cancelled and converted."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from core.entitlements import asking
from core.kernel.clock import ManualClock
from core.kernel.errors import Invalid, NotFound
from core.parties.models import Account, User
from core.subscriptions import ending, paying, reading, trial_reading, trial_report
from core.subscriptions.errors import OnTrial
from core.subscriptions.trial_claims import TrialRefused
from core.subscriptions.trial_models import Trial, TrialClaim
from core.subscriptions.trials import NothingToGoOn, TrialOver
from flows import keep_trial, run_trials, start_trial, trial_offers
from flows.house import House
from flows.start_trial import HasThePlan, Newcomer, Wish, WordsChanged
from flows.verify import verify
from tests.paying import house, processor, sandbox
from tests.trying import (
    FREE_OFFER,
    NO_CARD_OFFER,
    PASSWORD,
    WITH_TAX,
    Trying,
    in_a_hurry,
    offer,
)
from tests.world import ADDRESS, ZONE, World

__all__ = ["house", "processor", "sandbox"]

#: A month with both a last day of November and the end of a year ahead.
BEGINS = date(2026, 11, 20)
ENDS = date(2026, 12, 4)
TRIAL = (
    "TrialStarted",
    "TrialEnded",
    "SubscriptionActivated",
    "SubscriptionEnded",
    "InvoiceIssued",
)


@pytest.fixture
def trying(house: House, clock: ManualClock, world: World) -> Iterator[Trying]:
    with house.db.transaction() as session:
        offers = offer(session, world, clock.now())
    made = Trying(house, clock, world, offers)
    made.move_to(BEGINS)
    with in_a_hurry():
        yield made


def sound(trying: Trying) -> None:
    """The books hold, and nothing is left to do."""
    trying.drain()
    findings = verify(trying.house.db, trying.clock, blobs=trying.house.blobs)
    assert [line for line in findings if not line.holds] == []


def may_use(trying: Trying, trial: Trial) -> bool:
    with trying.house.db.reading() as session:
        return asking.may_use(session, trial.account_id, "backup").allowed


# --- it begins ------------------------------------------------------------------------------------


def test_a_trial_without_a_card_begins_at_once_with_a_bill_over_nothing(trying: Trying):
    started = trying.newcomer(NO_CARD_OFFER)
    trial, service = trying.trial(started), trying.service(started)
    assert (trial.state, trial.starts_on, trial.ends_on) == ("running", BEGINS, ENDS)
    assert (service.state, service.activated_on, service.ended_on) == ("active", BEGINS, ENDS)
    (bill,) = trying.bills(started)
    assert (bill.total_minor, bill.kind) == (0, "invoice")
    assert may_use(trying, trial)
    assert trial.agreed_from == "192.0.2.7"
    assert any("ends by itself" in sentence for sentence in trial.words)
    assert trying.events(*TRIAL) == ["SubscriptionActivated", "TrialStarted", "InvoiceIssued"]
    trying.drain()
    assert trying.mails(started) == [(BEGINS, "welcome")]
    for sentence in trial.words:
        assert sentence.split(": ")[0] in " ".join(
            trying.mail(started, "welcome").text_body.split()
        )
    sound(trying)


def test_a_stranger_gets_an_account_in_the_same_step(trying: Trying):
    started = trying.newcomer(NO_CARD_OFFER, "Ash Vale", email="Ash@example.com")
    with trying.house.db.reading() as session:
        user = session.get_one(User, started.user.id)
        account = session.get_one(Account, trying.trial(started).account_id)
    assert (user.email, account.email) == ("ash@example.com", "ash@example.com")
    assert account.billing_address["city"] == ADDRESS["city"]
    assert trying.events("LinkAsked") == ["LinkAsked"]


@pytest.mark.parametrize("what", ["password", "city", "email"])
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_kept(trying: Trying, what: str):
    trying.newcomer(NO_CARD_OFFER, "June Alder")
    new = Newcomer("Ash Vale", "ash@example.com", PASSWORD)
    if what == "password":
        new = Newcomer(new.name, new.email, "short")
    if what == "email":
        new = Newcomer(new.name, "june@example.com", PASSWORD)
    place = ADDRESS | ({"city": ""} if what == "city" else {})
    shown = trial_offers.show(trying.house, NO_CARD_OFFER, None)
    with pytest.raises(Invalid) as refused:
        start_trial.start(
            trying.house, Wish(NO_CARD_OFFER, shown.fingerprint, newcomer=new, address=place)
        )
    assert list(refused.value.fields_) == [what]
    with trying.house.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1
        assert session.scalar(select(func.count()).select_from(Trial)) == 1


def test_nothing_begins_under_words_that_have_changed(trying: Trying):
    shown = trial_offers.show(trying.house, NO_CARD_OFFER, None)
    trying.clock.advance(timedelta(days=1))
    new = Newcomer("Ash Vale", "ash@example.com", PASSWORD)
    with pytest.raises(WordsChanged):
        start_trial.start(
            trying.house, Wish(NO_CARD_OFFER, shown.fingerprint, newcomer=new, address=ADDRESS)
        )
    with trying.house.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 0


def test_an_offer_that_is_switched_off_cannot_be_begun(trying: Trying):
    with trying.house.db.transaction() as session:
        trial_reading.offer(session, NO_CARD_OFFER).offer.is_active = False
    with pytest.raises(NotFound):
        trial_offers.show(trying.house, NO_CARD_OFFER, None)


# --- one each -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ({"line1": "11 chestnut  row", "line2": "Apartment 2"}, "address"),
        ({"email": "ash+again@example.com", "line1": "1 Elsewhere Road"}, "email"),
    ],
)
def test_one_trial_for_each_address_and_e_mail_however_they_are_written(
    trying: Trying, how: dict[str, str], kind: str
):
    first = trying.newcomer(NO_CARD_OFFER, line1="11 Chestnut Row", line2="Apt. 2")
    with pytest.raises(TrialRefused) as refused:
        trying.newcomer(FREE_OFFER, "June Alder", **how)
    assert refused.value.kind == kind
    with trying.house.db.reading() as session:
        assert session.scalars(select(Trial.id)).all() == [first.id]
        assert session.scalar(select(func.count()).select_from(User)) == 1


def test_one_trial_for_each_account_also_long_after(trying: Trying):
    first = trying.newcomer(NO_CARD_OFFER)
    with pytest.raises(HasThePlan):
        trying.again(first, FREE_OFFER)
    trying.walk(until=ENDS)
    trying.move_to(date(2028, 2, 29))
    with pytest.raises(TrialRefused):
        trying.again(first, NO_CARD_OFFER)


def test_claims_tell_nothing_of_what_they_are(trying: Trying):
    started = trying.newcomer(NO_CARD_OFFER)
    with trying.house.db.reading() as session:
        rows = session.scalars(select(TrialClaim).where(TrialClaim.trial_id == started.id)).all()
    assert sorted(row.kind for row in rows) == ["account", "address", "email"]
    assert {row.family for row in rows} == {"burrow"}
    assert all(len(row.digest) == 64 and "ash" not in row.digest for row in rows)


# --- without a card -------------------------------------------------------------------------------


def test_without_a_word_it_lapses_and_nothing_was_ever_charged(trying: Trying):
    started = trying.newcomer(NO_CARD_OFFER)
    for days in range(25):  # each of them, also those for which nothing is planned
        trying.live(BEGINS + timedelta(days=days))
    trial = trying.trial(started)
    assert (trial.state, trial.next_on) == ("lapsed", None)
    assert trying.service(started).state == "ended"
    assert not may_use(trying, trial)
    assert trying.mails(started) == [
        (BEGINS, "welcome"),
        (date(2026, 11, 23), "halfway"),
        (date(2026, 11, 25), "follow-up:2026-11-25"),
        (date(2026, 11, 27), "ending"),
        (date(2026, 11, 30), "follow-up:2026-11-30"),
        (ENDS, "over"),
    ]
    assert [bill.total_minor for bill in trying.bills(started)] == [0]
    assert trying.events(*TRIAL) == [
        "SubscriptionActivated",
        "TrialStarted",
        "InvoiceIssued",
        "TrialEnded",
        "SubscriptionEnded",
    ]
    sound(trying)


def test_it_goes_on_from_its_end_and_is_billed_a_whole_month_once(trying: Trying):
    started = trying.newcomer(NO_CARD_OFFER)
    account = trying.trial(started).account_id
    trying.walk(until=date(2026, 11, 24))
    on = keep_trial.go_on(trying.house, started.public_id, [account], "end")
    assert on == ENDS
    with pytest.raises(NothingToGoOn):
        keep_trial.go_on(trying.house, started.public_id, [account], "end")
    trying.walk(until=date(2027, 1, 10))
    trial = trying.trial(started)
    assert (trial.state, trial.first_net_minor) == ("converted", 900)
    assert [bill.total_minor for bill in trying.bills(started)] == [0, WITH_TAX, WITH_TAX]
    days = [bill.issue_date for bill in trying.bills(started)]
    assert days == [BEGINS, ENDS, date(2027, 1, 4)]
    # whoever has decided is asked no more
    assert [step for _, step in trying.mails(started)] == [
        "welcome",
        "halfway",
        "ending",
    ]
    assert may_use(trying, trial)
    sound(trying)


def test_it_can_be_paid_for_from_today_and_the_bill_is_there_at_once(trying: Trying):
    started = trying.newcomer(NO_CARD_OFFER)
    account = trying.trial(started).account_id
    trying.move_to(date(2026, 11, 30))
    keep_trial.go_on(trying.house, started.public_id, [account], "now")
    trial = trying.trial(started)
    assert (trial.state, trial.ends_on) == ("converted", date(2026, 11, 30))
    assert [bill.total_minor for bill in trying.bills(started)] == [0, WITH_TAX]
    trying.walk(until=date(2027, 3, 31))
    days = [bill.issue_date for bill in trying.bills(started)]
    # the thirtieth, clamped to the end of February, and the thirtieth again
    assert [day.isoformat() for day in days[1:]] == [
        "2026-11-30",
        "2026-12-30",
        "2027-01-30",
        "2027-02-28",
        "2027-03-30",
    ]
    sound(trying)


def test_on_its_last_hour_and_on_the_day_after_it_can_still_be_kept_until_the_walk_has_come(
    trying: Trying,
):
    started = trying.newcomer(NO_CARD_OFFER)
    account = trying.trial(started).account_id
    trying.move_to(ENDS, hour=1)
    keep_trial.go_on(trying.house, started.public_id, [account], "end")
    assert trying.trial(started).state == "converted"


def test_what_is_over_is_over(trying: Trying):
    started = trying.newcomer(NO_CARD_OFFER)
    account = trying.trial(started).account_id
    trying.walk(until=ENDS)
    for act in (
        lambda: keep_trial.cancel(trying.house, started.id, "by_portal"),
        lambda: keep_trial.keep(trying.house, started.id),
        lambda: keep_trial.go_on(trying.house, started.public_id, [account], "now"),
    ):
        with pytest.raises(TrialOver):
            act()


def test_cancelled_it_stays_until_its_end_and_can_be_taken_back_until_then(trying: Trying):
    started = trying.newcomer(NO_CARD_OFFER)
    trying.drain()
    trying.move_to(date(2026, 11, 22))
    assert keep_trial.cancel(trying.house, started.id, "by_mail") == ENDS
    assert keep_trial.cancel(trying.house, started.id, "by_mail") == ENDS
    assert trying.trial(started).state == "running"
    assert may_use(trying, trying.trial(started))
    keep_trial.keep(trying.house, started.id)
    assert trying.service(started).end_reason == "trial_over"
    keep_trial.cancel(trying.house, started.id, "by_portal")
    trying.walk(until=ENDS)
    trial = trying.trial(started)
    assert (trial.state, trial.close_reason) == ("cancelled", "by_portal")
    assert not may_use(trying, trial)
    steps = [step.partition(":")[0] for _, step in trying.mails(started)]
    assert steps == ["welcome", "cancelled", "cancelled", "over"]
    sound(trying)


def test_going_on_takes_a_cancellation_back(trying: Trying):
    started = trying.newcomer(NO_CARD_OFFER)
    account = trying.trial(started).account_id
    keep_trial.cancel(trying.house, started.id, "by_portal")
    keep_trial.go_on(trying.house, started.public_id, [account], "end")
    trying.walk(until=ENDS)
    assert trying.trial(started).state == "converted"


def test_a_trial_that_was_to_go_on_and_is_cancelled_is_never_billed(trying: Trying):
    started = trying.newcomer(NO_CARD_OFFER)
    account = trying.trial(started).account_id
    keep_trial.go_on(trying.house, started.public_id, [account], "end")
    keep_trial.cancel(trying.house, started.id, "by_mail")
    trying.walk(until=ENDS + timedelta(days=40))
    assert trying.trial(started).state == "cancelled"
    assert [bill.total_minor for bill in trying.bills(started)] == [0]
    sound(trying)


def test_somebody_elses_trial_is_none(trying: Trying):
    started = trying.newcomer(NO_CARD_OFFER)
    other = trying.newcomer(NO_CARD_OFFER, "June Alder")
    with pytest.raises(NotFound):
        keep_trial.go_on(trying.house, started.public_id, [trying.trial(other).account_id], "now")
    with trying.house.db.reading() as session, pytest.raises(NotFound):
        keep_trial.by_link(
            session,
            trying.house,
            started.public_id,
            trying.house.links.trial_token(other.public_id),
        )


def test_the_service_page_cannot_take_the_end_of_a_trial_away(trying: Trying):
    """Without its end it would be free for ever."""
    started = trying.newcomer(NO_CARD_OFFER)
    with trying.house.db.transaction() as session:
        service = reading.lock(session, trying.service(started).id)
        with pytest.raises(OnTrial):
            ending.keep(session, service, "user:riley", trying.clock.now())


def test_who_pays_may_change_once_the_trial_is_over_and_at_any_time_of_a_free_tier(trying: Trying):
    tried = trying.newcomer(NO_CARD_OFFER)
    free = trying.newcomer(FREE_OFFER, "June Alder")
    keep_trial.go_on(trying.house, tried.public_id, [trying.trial(tried).account_id], "end")
    with trying.house.db.transaction() as session:
        ash, june = (
            session.get_one(Account, trying.trial(one).account_id) for one in (tried, free)
        )
        service = reading.lock(session, trying.service(tried).id)
        with pytest.raises(OnTrial) as refused:
            paying.set_payer(session, service, june, "user:riley", trying.clock.now())
        assert refused.value.until == ENDS
        of_june = reading.lock(session, trying.service(free).id)
        paying.set_payer(session, of_june, ash, "user:riley", trying.clock.now())
    trying.move_to(ENDS)
    with trying.house.db.transaction() as session:
        service = reading.lock(session, trying.service(tried).id)
        paying.set_payer(session, service, june, "user:riley", trying.clock.now())
    trying.walk(until=ENDS)
    assert trying.trial(tried).state == "converted"
    assert [bill.total_minor for bill in trying.bills(tried)] == [0]
    assert [bill.total_minor for bill in trying.bills(free)] == [0, WITH_TAX]
    sound(trying)


def test_ended_as_a_service_it_is_cancelled_as_a_trial(trying: Trying):
    started = trying.newcomer(NO_CARD_OFFER)
    trying.drain()
    with trying.house.db.transaction() as session:
        service = reading.lock(session, trying.service(started).id)
        ending.end(session, service, BEGINS, "not_needed", "", "user:riley", trying.clock.now())
    trying.drain()
    assert trying.trial(started).state == "cancelled"


def test_asked_to_end_as_a_service_it_is_leaving_for_the_desk_and_nobody_calls(trying: Trying):
    started = trying.newcomer(NO_CARD_OFFER)
    trying.newcomer(NO_CARD_OFFER, "June Alder")
    day = BEGINS + timedelta(days=5)
    trying.walk(until=day)
    last = day + timedelta(days=2)
    with trying.house.db.transaction() as session:
        service = reading.lock(session, trying.service(started).id)
        ending.end(session, service, last, "not_needed", "", "user:riley", trying.clock.now())
    with trying.house.db.reading() as session:
        listed = trial_reading.listing(session, state=trial_reading.LEAVING)
        called = trial_reading.follow_ups_due(session, day, limit=9)
        (told,) = (one for one in trial_report.report(session, BEGINS, BEGINS) if one.started)
    assert [one.trial.id for one in listed] == [started.id]
    assert [one.user.name for one in called] == ["June Alder"]
    assert (told.started, told.running, told.cancelled) == (2, 1, 1)


# --- free up to an amount -------------------------------------------------------------------------


def test_a_free_tier_has_no_end_and_costs_nothing_while_little_is_stored(trying: Trying):
    started = trying.newcomer(FREE_OFFER)
    trying.store(started, "3.5")
    trying.walk(until=date(2026, 12, 22))
    trial = trying.trial(started)
    assert (trial.state, trial.ends_on) == ("running", None)
    assert [bill.total_minor for bill in trying.bills(started)] == [0]
    assert trying.mails(started) == [(BEGINS, "welcome")]
    sound(trying)


def test_it_is_told_near_its_end_and_converts_with_the_first_bill_above_nothing(trying: Trying):
    started = trying.newcomer(FREE_OFFER)
    trying.walk(until=date(2026, 11, 24))
    trying.store(started, "4.2")
    trying.walk(until=date(2026, 12, 23))
    trying.store(started, "40")
    trying.walk(until=date(2027, 1, 19))
    assert trying.trial(started).state == "running"
    trying.walk(until=date(2027, 1, 20))
    trial = trying.trial(started)
    assert (trial.state, trial.first_net_minor) == ("converted", 200)
    # 2.00 and 6.5 %
    assert [bill.total_minor for bill in trying.bills(started)] == [0, 213]
    assert trying.mails(started) == [
        (BEGINS, "welcome"),
        (date(2026, 11, 25), "nearly_full"),
        (date(2026, 12, 24), "above_free"),
    ]
    assert "$2.00" in trying.mail(started, "above_free").subject
    assert trying.events("TrialEnded") == ["TrialEnded"]
    trying.store(started, "41")
    trying.move_to(date(2027, 2, 20))
    trying.walk()
    assert [bill.total_minor for bill in trying.bills(started)] == [0, 213, 213]
    sound(trying)


def test_a_free_tier_ends_with_the_month_that_runs(trying: Trying):
    started = trying.newcomer(FREE_OFFER)
    trying.walk(until=date(2026, 12, 27))
    assert keep_trial.cancel(trying.house, started.id, "by_mail") == date(2027, 1, 20)
    keep_trial.keep(trying.house, started.id)
    assert trying.service(started).ended_on is None
    keep_trial.cancel(trying.house, started.id, "by_mail")
    trying.walk(until=date(2027, 1, 20))
    assert trying.trial(started).state == "cancelled"
    assert trying.service(started).state == "ended"
    sound(trying)


# --- the clock ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        # the end of a month, a leap day, and both nights on which clocks change
        (date(2027, 1, 31), date(2027, 2, 14)),
        (date(2028, 2, 15), date(2028, 2, 29)),
        (date(2027, 3, 8), date(2027, 3, 22)),
        (date(2027, 10, 31), date(2027, 11, 14)),
    ],
)
def test_days_are_days_of_the_persons_own_calendar(trying: Trying, begins: date, ends: date):
    trying.clock.set(datetime.combine(begins, datetime.min.time(), ZoneInfo(ZONE)))
    trying.clock.advance(timedelta(hours=23, minutes=30))  # it is tomorrow already in UTC
    started = trying.newcomer(NO_CARD_OFFER)
    trying.walk(until=ends)
    trial = trying.trial(started)
    assert (trial.starts_on, trial.ends_on, trial.state) == (begins, ends, "lapsed")
    told = {step.partition(":")[0]: day for day, step in trying.mails(started)}
    assert told["ending"] == ends - timedelta(days=7)
    assert told["over"] == ends


def test_a_walk_again_the_same_day_does_nothing(trying: Trying):
    started = trying.newcomer(NO_CARD_OFFER)
    trying.walk(until=date(2026, 11, 27))
    before = trying.mails(started), trying.events()
    assert run_trials.run(trying.house).seen == 0
    trying.drain()
    assert (trying.mails(started), trying.events()) == before


def test_after_days_without_a_walk_only_what_still_says_something_is_told(trying: Trying):
    started = trying.newcomer(NO_CARD_OFFER)
    trying.drain()
    trying.move_to(date(2026, 12, 2))
    run_trials.run(trying.house)
    assert [step for _, step in trying.mails(started)] == [
        "welcome",
        "ending",
        "follow-up:2026-11-30",
    ]
