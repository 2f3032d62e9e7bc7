"""Time comes from a clock: aware, in UTC, and moved by hand in tests."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.kernel.clock import ManualClock, SystemClock, local_date


def test_the_machines_clock_is_aware_and_in_utc():
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


def test_a_manual_clock_stands_until_it_is_moved():
    clock = ManualClock(datetime(2026, 11, 17, 14, 11, tzinfo=ZoneInfo("America/New_York")))
    assert clock.now() == clock.now() == datetime(2026, 11, 17, 19, 11, tzinfo=UTC)
    assert clock.now().tzinfo is UTC
    clock.advance(timedelta(minutes=30))
    assert clock.now() == datetime(2026, 11, 17, 19, 41, tzinfo=UTC)
    clock.set(datetime(2027, 1, 1, tzinfo=ZoneInfo("Asia/Tokyo")))
    assert clock.now() == datetime(2026, 12, 31, 15, tzinfo=UTC)


def test_the_date_is_the_one_on_the_wall_of_the_place():
    late = datetime(2026, 11, 18, 4, 30, tzinfo=UTC)
    assert local_date(late, "America/New_York") == date(2026, 11, 17)
    assert local_date(late, "Europe/London") == date(2026, 11, 18)
    assert local_date(datetime(2026, 3, 8, 4, 30, tzinfo=UTC), "America/New_York") == date(
        2026, 3, 7
    )
    assert local_date(datetime(2026, 3, 9, 4, 30, tzinfo=UTC), "America/New_York") == date(
        2026, 3, 9
    )
