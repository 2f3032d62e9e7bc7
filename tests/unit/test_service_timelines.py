"""Timelines of services: whatever is agreed, the days of service are told once each, and the past stays."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.errors import ShopError
from core.subscriptions import changing, ending, pausing
from core.subscriptions.arriving import arrived
from core.subscriptions.changing import Wish
from core.subscriptions.errors import (
    AlreadyThere,
    FreeTier,
    NothingAhead,
    NotRunning,
    OnTrial,
    SameAgain,
    TooManyOf,
    WrongDay,
)
from core.subscriptions.timeline import NEVER, Phase, Timeline

DAY = timedelta(days=1)
PLANS = [uuid4(), uuid4(), uuid4()]


def phase(starts_on: date | None, *, number: int = 0, kind: str = "paid", plan: int = 0) -> Phase:
    return Phase(
        id=uuid4(),
        number=number,
        kind=kind,
        variant_id=PLANS[plan],
        sku=f"P{plan}",
        name=f"Plan {plan}",
        tax_category="internet",
        quantity=1,
        unit_price_micros=0 if kind == "trial" else 9_000_000,
        interval="month",
        interval_count=1,
        starts_on=starts_on,
        cycle_from=starts_on,
    )


def service(activated_on: date, *phases: Phase) -> Timeline:
    return Timeline(
        id=uuid4(),
        public_id="service",
        currency="USD",
        state="active",
        payer_account_id=uuid4(),
        service_account_id=uuid4(),
        activated_on=activated_on,
        bill_day=activated_on.day,
        ended_on=None,
        phases=phases or (phase(activated_on),),
    )


def wish(plan: int, quantity: int = 1, interval: str = "month") -> Wish:
    return Wish(PLANS[plan], f"P{plan}", f"Plan {plan}", "internet", quantity, 9_000_000, interval)


def assert_whole(timeline: Timeline) -> None:
    """Every day from activation to the end lies in exactly one phase; pauses do not touch."""
    spans = [days for _, days in timeline.spans()]
    assert spans[0].start == timeline.activated_on
    assert all(one.end == following.start for one, following in pairwise(spans))
    assert spans[-1].end == (timeline.ended_on or NEVER)
    assert all(one.end <= following.start for one, following in pairwise(timeline.pauses))
    assert len({one.id for one in timeline.phases}) == len(timeline.phases)


def served(timeline: Timeline, until: date) -> list[tuple[object, bool]]:
    """What was had on each day up to a day."""
    assert timeline.activated_on is not None
    days = (until - timeline.activated_on).days
    each = [timeline.activated_on + timedelta(days=n) for n in range(days)]
    return [(getattr(timeline.phase_on(day), "id", None), timeline.rests_on(day)) for day in each]


STEPS = st.one_of(
    st.tuples(st.just("change"), st.integers(0, 2), st.integers(1, 3), st.booleans()),
    st.tuples(st.just("year"), st.integers(0, 2), st.integers(1, 3), st.booleans()),
    st.tuples(st.just("pause"), st.one_of(st.none(), st.integers(-2, 60))),
    st.tuples(st.just("resume")),
    st.tuples(st.just("end"), st.booleans()),
    st.tuples(st.just("keep")),
)


def act(timeline: Timeline, today: date, step: tuple) -> Timeline:
    match step:
        case ("change" | "year" as how, plan, quantity, is_now):
            on = today if is_now else changing.next_day(timeline, today)
            interval = "year" if how == "year" else "month"
            return changing.propose(timeline, wish(plan, quantity, interval), on, today=today)
        case ("pause", days):
            until = None if days is None else today + timedelta(days=days)
            return pausing.proposed(timeline, today, until)
        case ("resume",):
            return pausing.resumed(timeline, today)
        case ("end", is_now):
            on = today if is_now else changing.next_day(timeline, today)
            return ending.proposed(timeline, on)
        case _:
            return ending.kept(timeline, today)


@given(
    st.dates(date(2024, 1, 1), date(2025, 12, 31)),
    st.lists(st.tuples(st.integers(0, 45), STEPS), max_size=12),
)
def test_days_are_told_once_each_and_the_past_stays(begins: date, steps: list):
    timeline, today = service(begins), begins
    assert_whole(timeline)
    for days, step in steps:
        today += timedelta(days=days)
        timeline = arrived(timeline, today)
        before = served(timeline, today)
        try:
            after = act(timeline, today, step)
        except ShopError:
            continue
        assert after != timeline
        assert_whole(after)
        assert served(after, today) == before
        timeline = after


@given(st.dates(date(2024, 1, 1), date(2025, 12, 31)), st.integers(0, 400), st.booleans())
def test_a_plan_of_the_same_interval_keeps_its_bill_days(begins: date, days: int, is_now: bool):
    timeline, today = service(begins), begins + timedelta(days=days)
    on = today if is_now else changing.next_day(timeline, today)
    after = changing.propose(timeline, wish(1), on, today=today)
    old, new = after.phases
    assert after.cycle(new) == after.cycle(old)
    assert after.phase_on(on) == new
    assert after.phase_on(on - DAY) == (old if on > begins else None)


def test_another_interval_counts_from_the_day_of_the_change():
    timeline = service(date(2025, 1, 31))
    after = changing.propose(timeline, wish(1, interval="year"), date(2025, 2, 28))
    assert after.cycle(after.phases[1]).period(0).start == date(2025, 2, 28)
    assert after.cycle(after.phases[1]).bill_day(1) == date(2026, 2, 28)
    assert after.cycle(after.phases[1]).index_of(date(2025, 2, 28)) == 0


def test_a_later_change_takes_the_place_of_one_that_lies_ahead():
    today = date(2025, 3, 10)
    first = changing.propose(service(date(2025, 1, 15)), wish(1), date(2025, 3, 15), today=today)
    second = changing.propose(first, wish(2), date(2025, 3, 15), today=today)
    assert [one.sku for one in second.phases] == ["P0", "P2"]
    now = changing.propose(first, wish(2), today)
    assert [one.sku for one in now.phases] == ["P0", "P2"]
    assert changing.ahead(first, today) == first.phases[1]
    assert ending.kept(first, today).phases == first.phases[:1]


def test_a_second_change_on_one_day_leaves_the_first_without_a_day():
    today = date(2025, 3, 10)
    first = changing.propose(service(date(2025, 1, 15)), wish(1), today)
    second = changing.propose(first, wish(2), today)
    assert [days.days for _, days in second.spans()][:2] == [(today - date(2025, 1, 15)).days, 0]
    assert_whole(second)


def test_a_trial_is_changed_from_its_end_on():
    begins, until = date(2025, 3, 1), date(2025, 3, 15)
    trial = service(begins, phase(begins, kind="trial"), phase(until, number=1))
    assert changing.next_day(trial, date(2025, 3, 5)) == until
    with pytest.raises(OnTrial) as caught:
        changing.propose(trial, wish(1), date(2025, 3, 5))
    assert caught.value.until == until
    after = changing.propose(trial, wish(1), until, today=date(2025, 3, 5))
    assert [one.sku for one in after.phases] == ["P0", "P1"]
    with pytest.raises(NothingAhead):
        ending.kept(trial, date(2025, 3, 5))
    with pytest.raises(OnTrial):
        pausing.proposed(trial, date(2025, 3, 5))
    assert [trial.trial_end(day) for day in (date(2025, 2, 28), begins, until)] == [
        None,
        until,
        None,
    ]


def test_what_is_free_without_an_end_is_changed_at_once_and_has_nothing_to_pause():
    begins, today = date(2025, 3, 1), date(2025, 3, 5)
    free = service(begins, phase(begins, kind="trial"))
    assert free.trial_end(today) is None
    assert changing.next_day(free, today) == date(2025, 4, 1)
    assert changing.propose(free, wish(1), today).phase_on(today).sku == "P1"
    with pytest.raises(FreeTier):
        pausing.proposed(free, today)


def test_what_cannot_be():
    begins, today = date(2025, 1, 15), date(2025, 3, 10)
    runs = service(begins)
    paused = pausing.proposed(runs, today)
    over = replace(ending.proposed(runs, today), state="ended")
    refused = [
        (SameAgain, lambda: changing.propose(runs, wish(0), today)),
        (TooManyOf, lambda: changing.propose(runs, wish(0, 0), today)),
        (TooManyOf, lambda: changing.propose(runs, wish(0, changing.MOST + 1), today)),
        (NotRunning, lambda: changing.propose(paused, wish(1), today)),
        (NotRunning, lambda: changing.propose(over, wish(1), today)),
        (NotRunning, lambda: changing.propose(ending.proposed(runs, today), wish(1), today)),
        (AlreadyThere, lambda: pausing.proposed(paused, today)),
        (NotRunning, lambda: pausing.proposed(over, today)),
        (WrongDay, lambda: pausing.proposed(runs, today, today)),
        (WrongDay, lambda: pausing.proposed(runs, today, today + timedelta(days=367))),
        (NotRunning, lambda: pausing.resumed(runs, today)),
        (NotRunning, lambda: ending.proposed(over, today)),
        (AlreadyThere, lambda: ending.proposed(ending.proposed(runs, today), today)),
        (NothingAhead, lambda: ending.kept(runs, today)),
        (NotRunning, lambda: ending.kept(over, today)),
        (NothingAhead, lambda: ending.kept(ending.proposed(runs, today), today)),
    ]
    for kind, attempt in refused:
        with pytest.raises(kind):
            attempt()


def test_an_end_comes_nearer_but_not_later():
    runs = service(date(2025, 1, 15))
    ends = ending.proposed(runs, date(2025, 4, 15))
    assert ending.proposed(ends, date(2025, 4, 1)).ended_on == date(2025, 4, 1)
    with pytest.raises(AlreadyThere):
        ending.proposed(ends, date(2025, 5, 15))
    assert ending.kept(ends, date(2025, 4, 1)) == runs
