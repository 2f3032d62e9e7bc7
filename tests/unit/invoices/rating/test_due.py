"""A bill run finds each period once, whenever and however often it is asked."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.calendar import Cycle, Period
from core.kernel.money import Money
from invoices.rating.changes import Billed, Change, balance
from invoices.rating.due import Terms, lines_due, wanted
from invoices.rating.proration import Recurring, prorate
from tests.unit.invoices.rating.strategies import CYCLES, round_prices

ZERO = Money.zero("USD")
FIRST = date(2026, 1, 10)
DSL = Terms("dsl", Recurring.of(Money(3_100, "USD")), Cycle.on_day(31, FIRST), FIRST)


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    starts = draw(st.dates(date(2024, 1, 1), date(2026, 12, 31)))
    ends = draw(st.one_of(st.none(), st.integers(0, 500)))
    return Terms(
        "dsl",
        draw(round_prices()),
        draw(CYCLES),
        starts,
        ends if ends is None else starts + timedelta(days=ends),
        in_advance=draw(st.booleans()),
    )


def run(one: Terms, have: list[Billed], as_of: date) -> list[Billed]:
    """What is billed after a run; what it posted is in it."""
    by_key = {line.key: line for line in wanted(one, as_of)}
    after = list(have)
    for change in lines_due(one, have, as_of):
        after = _post(after, change, by_key)
    return after


def _post(have: list[Billed], change: Change, by_key) -> list[Billed]:
    if change.repairs is None:
        aim, line = by_key[change.key], f"line {len(have) + 1}"
        new = Billed(line, change.key, aim.price, aim.service, change.amount, ZERO, ZERO)
        return [*have, new]
    return [
        replace(one, repaired=one.repaired - change.amount) if one.line == change.repairs else one
        for one in have
    ]


RUNS = st.lists(st.integers(-40, 700), min_size=1, max_size=6)


@given(terms(), RUNS)
def test_runs_on_any_days_bill_what_one_run_on_the_last_would(one, days):
    have: list[Billed] = []
    for day in days:
        as_of = one.starts + timedelta(days=day)
        have = run(one, have, as_of)
        assert lines_due(one, have, as_of) == ()
    at_once = run(one, [], one.starts + timedelta(days=max(days)))
    assert [(line.key, line.amount) for line in have] == [
        (line.key, line.amount) for line in at_once
    ]
    assert all(not line.repaired for line in have)


@given(terms(), st.integers(-40, 700))
def test_what_is_billed_covers_the_service_without_gap_or_overlap(one, day):
    as_of = one.starts + timedelta(days=day)
    lines = wanted(one, as_of)
    reached = one.starts
    for number, line in enumerate(lines):
        assert line.key == f"dsl/{number}"
        assert line.service.served.start == reached
        reached = line.service.served.end
        begun = line.service.served.start if one.in_advance else line.service.served.end
        assert begun <= as_of
    assert one.ends is None or reached <= max(one.ends, one.starts)
    if one.in_advance and as_of >= one.starts and one.ends is None:
        assert reached > as_of


@given(terms(), st.integers(0, 700), st.integers(0, 700))
def test_a_service_that_ends_later_found_out_is_billed_for_its_days_only(one, until, end):
    one = replace(one, ends=None)
    as_of = one.starts + timedelta(days=until)
    have = run(one, [], as_of)
    ended = replace(one, ends=one.starts + timedelta(days=end))
    have = run(ended, have, as_of)
    billed = sum(line.stands.minor for line in have)
    due = sum(line.rated.amount.minor for line in wanted(ended, as_of))
    assert billed == due
    assert lines_due(ended, have, as_of) == ()


@pytest.mark.parametrize(
    "in_advance, day, keys",
    [
        (True, "2026-01-09", []),
        (True, "2026-01-10", ["dsl/0"]),
        (True, "2026-01-30", ["dsl/0"]),
        (True, "2026-01-31", ["dsl/0", "dsl/1"]),
        (False, "2026-01-30", []),
        (False, "2026-01-31", ["dsl/0"]),
        (False, "2026-02-28", ["dsl/0", "dsl/1"]),
    ],
)
def test_in_advance_on_the_first_day_and_in_arrears_after_the_last(in_advance, day, keys):
    one = replace(DSL, in_advance=in_advance)
    assert [line.key for line in wanted(one, date.fromisoformat(day))] == keys


def test_a_pause_that_is_told_later_is_given_back_by_the_next_run():
    as_of = date(2026, 2, 5)
    have = run(DSL, [], as_of)
    paused = replace(DSL, pauses=(Period(date(2026, 1, 20), date(2026, 2, 3)),))
    changes = lines_due(paused, have, as_of)
    assert all(change.repairs for change in changes)
    expected = [prorate(line.price, line.service).amount for line in wanted(paused, as_of)]
    before = [line.amount for line in have]
    assert balance(changes, "USD") == sum(expected, ZERO) - sum(before, ZERO)
