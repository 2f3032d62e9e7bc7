"""What should be billed less what is: nothing lost, no more taken back than is left, nothing twice."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.kernel.calendar import Cycle, Period
from core.kernel.money import Money
from invoices.rating.changes import (
    Billed,
    Change,
    Wanted,
    balance,
    billed,
    cancel,
    compare,
    pause,
    switch,
)
from invoices.rating.proration import Recurring, Service, prorate
from invoices.why import Formula, read
from tests.unit.invoices.rating.strategies import prices, round_prices, services, within

ZERO = Money.zero("USD")
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))
PLAN = Recurring.of(Money(3_100, "USD"))


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def whole(price: Recurring = PLAN, period: Period = MARCH, adjusted: int = 0) -> Billed:
    return billed("line 1", Wanted("plan", price, Service.whole(period)), usd(adjusted))


def posted(have: list[Billed], changes: tuple[Change, ...], prices_: dict[str, Wanted]):
    """What is billed once the changes are: repairs with the lines they take from, charges as lines."""
    after = list(have)
    for change in changes:
        if change.repairs is None:
            aim = prices_[change.key]
            line = f"line {len(after) + 1}"
            new = Billed(line, change.key, aim.price, aim.service, change.amount, ZERO, ZERO)
            after.append(new)
        else:
            after = [
                replace(one, repaired=one.repaired - change.amount)
                if one.line == change.repairs
                else one
                for one in after
            ]
    return after


# --- comparing ------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.one_of(prices(), round_prices()), services()),
        max_size=5,
    ),
    st.lists(st.integers(0, 10**6), min_size=5, max_size=5),
)
def test_whatever_is_wanted_next_it_is_reached_and_then_nothing_is_left_to_do(steps, adjusted):
    """One wish after the other, for each key the last one counts; goodwill credits in between."""
    have: list[Billed] = []
    wanted: dict[str, Wanted] = {}
    for (key, price, service), goodwill in zip(steps, adjusted, strict=False):
        wanted[key] = Wanted(key, price, service)
        changes = compare(have, list(wanted.values()))
        for change in changes:
            line = next((one for one in have if one.line == change.repairs), None)
            assert (change.amount.minor < 0) == (line is not None)
            assert line is None or -change.amount <= line.left
            assert change.why.amount == change.amount.decimal()
            assert read(change.why.to_dict()) == change.why
        have = posted(have, changes, wanted)
        assert compare(have, list(wanted.values())) == ()
        for one in wanted.values():
            mine = [line for line in have if line.key == one.key]
            stands = sum(line.stands.minor for line in mine)
            kept_back = sum(line.adjusted.minor for line in mine)
            target = one.rated.amount.minor
            assert target <= stands <= target + kept_back
        if have:
            last = have[-1]
            have[-1] = replace(last, adjusted=min(usd(goodwill), last.stands))


@given(st.one_of(prices(), round_prices()), services())
def test_what_is_wanted_and_billed_is_left_alone(price, service):
    wanted = Wanted("plan", price, service)
    assert compare([billed("line 1", wanted)], [wanted]) == ()


@given(st.one_of(prices(), round_prices()), services())
def test_what_is_wanted_no_more_is_taken_back_whole(price, service):
    one = billed("line 1", Wanted("plan", price, service))
    taken = balance(compare([one], []), "USD")
    assert taken == -one.amount


def test_the_same_thing_is_wanted_once():
    wanted = Wanted("plan", PLAN, Service.whole(MARCH))
    with pytest.raises(ValueError, match="wanted twice"):
        compare([], [wanted, wanted])


def test_a_dearer_price_charges_the_difference_and_a_cheaper_one_gives_it_back():
    dearer = Wanted("plan", Recurring.of(usd(4_000)), Service.whole(MARCH))
    (charge,) = compare([whole()], [dearer])
    assert (charge.amount, charge.repairs) == (usd(900), None)
    assert (charge.why.formula, charge.why.of) == (Formula.FIXED, Decimal("40.00"))
    cheaper = Wanted("plan", Recurring.of(usd(3_000)), Service.whole(MARCH))
    (repair,) = compare([whole()], [cheaper])
    assert (repair.amount, repair.repairs) == (usd(-100), "line 1")
    assert (repair.why.formula, repair.why.source) == (Formula.CREDIT, "line 1")


def test_the_newest_line_gives_first():
    service = Service.whole(MARCH)
    have = [
        Billed("line 1", "plan", PLAN, service, usd(2_000), ZERO, ZERO),
        Billed("line 2", "plan", PLAN, service, usd(1_100), ZERO, ZERO),
    ]
    (late, early) = compare(have, [Wanted("plan", PLAN, service.before(date(2026, 3, 8)))])
    assert (late.repairs, late.amount) == ("line 2", usd(-1_100))
    assert (early.repairs, early.amount) == ("line 1", usd(-1_300))


# --- cancelling, pausing, switching ---------------------------------------------------------------


@given(st.one_of(prices(), round_prices()), services(), st.integers(-5, 400))
def test_used_and_given_back_sum_to_what_was_billed(price, service, at):
    one = billed("line 1", Wanted("plan", price, service))
    on = service.served.start + timedelta(days=at)
    used = prorate(price, service.before(on)).amount
    assert balance(cancel([one], on), "USD") == used - one.amount


@given(round_prices(), st.integers(0, 31), st.integers(0, 10**8))
def test_no_more_is_given_back_than_is_left(price, at, adjusted):
    one = whole(price)
    one = replace(one, adjusted=min(usd(adjusted), one.amount))
    for change in cancel([one], MARCH.start + timedelta(days=at)):
        assert usd(0) < -change.amount <= one.left
        assert change.why.limit in (None, one.left.decimal())


@given(round_prices(), st.lists(st.integers(0, 31), min_size=1, max_size=5))
def test_cancelling_earlier_and_earlier_gives_back_the_same_as_doing_it_at_once(price, days):
    on = [MARCH.start + timedelta(days=day) for day in sorted(days, reverse=True)]
    have = [whole(price)]
    for each in on:
        # A line that ended stays ended: what is wanted is never more than before.
        have = posted(have, cancel(have, each), {})
    at_once = cancel([whole(price)], on[-1])
    assert have[0].repaired == -balance(at_once, "USD")


@given(round_prices(), round_prices(), st.integers(0, 30))
def test_switching_charges_the_days_that_are_left_and_gives_the_old_ones_back(old, new, at):
    on = MARCH.start + timedelta(days=at)
    changes = switch([whole(old)], on, "new", new)
    left = Period(on, MARCH.end)
    unused = Fraction(old.unit_price_micros, 10_000) * Fraction(left.days, 31)
    given_back = sum(change.amount.minor for change in changes if change.repairs)
    charged = sum(change.amount.minor for change in changes if not change.repairs)
    assert abs(given_back + unused) <= Fraction(1, 2)
    assert charged == prorate(new, Service(MARCH, left)).amount.minor
    if old == new:
        assert abs(given_back + charged) <= 1


@given(round_prices(), st.data())
def test_a_pause_gives_back_its_days_once(price, data):
    without = data.draw(within(MARCH))
    assume(without.days)
    have = [whole(price)]
    changes = pause(have, without)
    expected = prorate(price, Service(MARCH, MARCH, (without,))).amount
    assert have[0].amount + balance(changes, "USD") == expected
    after = posted(have, changes, {})
    assert pause(after, without) == ()


def test_a_change_of_interval_runs_to_the_end_of_its_own_period():
    have = [whole()]
    year = Cycle.anchored(MARCH.start, months=12)
    repair, charge = switch(have, date(2026, 3, 11), "year", Recurring.of(usd(36_500)), year)
    assert repair.amount == usd(-2_100)
    assert (charge.why.days, charge.why.of_days) == (355, 365)
    assert charge.amount == usd(35_500)


def test_nothing_is_switched_on_a_day_on_which_nothing_runs():
    with pytest.raises(ValueError, match="nothing runs on 2026-04-01"):
        switch([whole()], MARCH.end, "new", PLAN)


def test_the_reason_of_a_repair_speaks_of_unused_days():
    (repair,) = cancel([whole(Recurring.of(usd(59_995)))], date(2026, 3, 7))
    why = repair.why
    assert (why.formula, why.days, why.of_days) == (Formula.REPAIR, 25, 31)
    assert why.unit_price == Decimal("599.95")
    assert why.amount == Decimal("-483.83")
    assert why.residue == Decimal("-0.000645161290")
    assert why.limit is None


def test_a_repair_that_was_cut_says_to_what():
    one = whole(Recurring.of(usd(24_995)), adjusted=1_000)
    (repair,) = cancel([one], date(2026, 3, 2))
    assert repair.why.limit == Decimal("239.95")
    assert repair.why.amount == repair.amount.decimal() == Decimal("-239.95")


def test_what_is_given_a_second_time_is_charged_for_its_days():
    have = [whole()]
    have = posted(have, cancel(have, date(2026, 3, 11)), {})
    assert have[0].stands == usd(1_000)
    again = Wanted("plan", PLAN, Service.whole(MARCH))
    (charge,) = compare(have, [again])
    assert charge.amount == usd(2_100)
