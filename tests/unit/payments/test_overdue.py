"""How late an account is: by its earliest unpaid item, contested amounts and history left out."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.money import Money
from payments.overdue import PastDue, Stage, earliest, request, stage, stage_days

TODAY = date(2026, 6, 30)
STAGES = [Stage("stopped", 40, stops_service=True), Stage("reminded", 30), Stage("ended", 50)]


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def late(days: int, minor: int = 1_000, contested: int = 0, **more) -> PastDue:
    return PastDue(TODAY - timedelta(days=days), usd(minor), usd(contested), **more)


ITEMS = st.lists(
    st.builds(
        late,
        st.integers(-20, 90),
        st.integers(0, 10**5),
        st.integers(0, 10**5),
        is_history=st.booleans(),
    ),
    max_size=6,
)


@pytest.mark.parametrize(
    "days, name",
    [
        (0, None),
        (29, None),
        (30, "reminded"),
        (39, "reminded"),
        (40, "stopped"),
        (50, "ended"),
        (400, "ended"),
    ],
)
def test_the_state_goes_by_the_days_since_the_due_date(days, name):
    found = stage([late(days)], STAGES, TODAY)
    assert (found.name if found else None) == name


@given(ITEMS)
def test_only_the_earliest_unpaid_item_counts(items):
    due = earliest(items, TODAY)
    asked = [one.due for one in items if one.asked and not one.is_history and one.due < TODAY]
    assert due == (min(asked) if asked else None)
    alone = [] if due is None else [PastDue(due, usd(1), usd(0))]
    assert stage(items, STAGES, TODAY) == stage(alone, STAGES, TODAY)


@given(ITEMS, st.integers(0, 60))
def test_while_nothing_is_paid_it_only_gets_worse(items, days):
    def worst(day: date) -> int:
        found = stage(items, STAGES, day)
        return found.after_days if found else 0

    assert worst(TODAY) <= worst(TODAY + timedelta(days=days))


def test_a_part_payment_clears_nothing_and_whatever_settles_the_item_does():
    assert stage([late(45, 1)], STAGES, TODAY) == STAGES[0]
    assert stage([late(45, 0), late(31)], STAGES, TODAY) == STAGES[1]
    assert stage([late(45, 0)], STAGES, TODAY) is None


def test_what_is_contested_is_not_dunned_and_the_rest_of_it_is():
    assert stage([late(45, 1_000, contested=1_000)], STAGES, TODAY) is None
    assert stage([late(45, 1_000, contested=999)], STAGES, TODAY) == STAGES[0]


def test_history_is_never_dunned():
    assert earliest([late(400, is_history=True)], TODAY) is None
    assert request([late(400, is_history=True)], usd(0), TODAY) is None


def test_what_is_due_today_is_not_late_yet():
    assert earliest([late(0)], TODAY) is None
    assert earliest([late(1)], TODAY) == TODAY - timedelta(days=1)


@given(ITEMS, st.integers(0, 3 * 10**5))
def test_all_that_is_late_is_asked_for_or_nothing(items, threshold):
    whole = sum(one.asked.minor for one in items if one.due < TODAY and not one.is_history)
    found = request(items, usd(threshold), TODAY)
    assert found == (usd(whole) if whole >= max(threshold, 1) else None)


def test_another_currency_is_another_request():
    items = [late(5, 900), PastDue(TODAY - timedelta(days=5), Money(900, "EUR"), Money(0, "EUR"))]
    assert request(items, usd(1_000), TODAY) is None
    assert request(items, Money(900, "EUR"), TODAY) == Money(900, "EUR")


def test_the_states_of_a_debt_in_their_order():
    assert [(day.isoformat(), one.name) for day, one in stage_days(TODAY, STAGES)] == [
        ("2026-07-30", "reminded"),
        ("2026-08-09", "stopped"),
        ("2026-08-19", "ended"),
    ]
