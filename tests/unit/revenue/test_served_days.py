"""Which days of a line are served by when: cut at the end of each calendar month."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from core.kernel.calendar import Period
from core.subscriptions.timeline import NEVER
from invoices.earned.days import Served

PAID = Period(date(2026, 11, 17), date(2026, 12, 17))
RUNS = Period(date(2026, 11, 17), NEVER)


def test_a_month_is_earned_at_the_end_of_the_calendar_month_and_at_its_own():
    served = Served(PAID, RUNS)
    days = {
        date(2026, 11, 17): (0, date(2026, 12, 1)),
        date(2026, 11, 30): (0, date(2026, 12, 1)),
        date(2026, 12, 1): (14, date(2026, 12, 17)),
        date(2026, 12, 16): (14, date(2026, 12, 17)),
        date(2026, 12, 17): (30, None),
        date(2027, 6, 1): (30, None),
    }
    for today, (done, due) in days.items():
        assert served.until(today) == (done, 30), today
        assert served.due(today) == due, today


def test_what_was_billed_ahead_waits_for_its_days():
    served = Served(PAID, RUNS)
    assert served.until(date(2026, 9, 3)) == (0, 30)
    assert served.due(date(2026, 9, 3)) == date(2026, 12, 1)


def test_days_of_a_pause_and_after_the_end_are_not_served():
    paused = Served(PAID, RUNS, (Period(date(2026, 11, 20), date(2026, 11, 25)),))
    assert paused.until(date(2026, 12, 1)) == (9, 30)
    ended = Served(PAID, Period(PAID.start, date(2026, 11, 21)))
    assert ended.until(date(2026, 12, 1)) == (4, 30)
    assert ended.until(PAID.end) == (30, 30), "what nobody credits is kept"


@given(
    st.dates(date(2024, 1, 1), date(2027, 1, 1)),
    st.integers(1, 400),
    st.integers(0, 500),
)
def test_whoever_looks_on_each_day_that_it_is_due_comes_to_the_end(start, days, later):
    paid = Period(start, date.fromordinal(start.toordinal() + days))
    served = Served(paid, Period(start, NEVER))
    seen, today = 0, start
    while (due := served.due(today)) is not None:
        assert due > today
        assert served.until(due)[0] > seen
        seen, today = served.until(due)[0], due
    assert (seen, today) == (days, paid.end)
    late = date.fromordinal(start.toordinal() + later)
    assert 0 <= served.until(late)[0] <= days
