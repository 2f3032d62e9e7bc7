"""The nights of days gone by: what runs by the clock, each morning at three."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.demo.fernway.shop import ZONE
from core.kernel.calendar import bill_days
from core.kernel.clock import ManualClock
from core.parties.models import Account
from flows import (
    ask_after,
    earn,
    end_services,
    make_statements,
    provision_service,
    release_back_orders,
    run_billing,
    run_card_payments,
    run_trials,
    tell_due,
    tell_quote,
)
from flows.house import House

#: Late enough for every clock change, early enough for the same date all over the country.
HOUR = time(3)


def mornings(after: datetime, until: datetime) -> Iterator[datetime]:
    """Three in the morning of every day in between."""
    zone = ZoneInfo(ZONE)
    day = after.astimezone(zone).date()
    while (morning := datetime.combine(day, HOUR, zone)) <= until:
        if morning > after:
            yield morning
        day += timedelta(days=1)


def pass_by(house: House, clock: ManualClock, morning: datetime) -> None:
    """What the worker is to do on that morning is asked for; what follows are jobs."""
    clock.set(morning)
    end_services.run(house)
    if problems := earn.run(house).problems:
        raise RuntimeError(f"revenue could not be earned: {problems}")
    run_billing.by_the_clock(house)
    if _states_on(house, morning.date()):
        make_statements.by_the_clock(house)
    if problems := run_trials.run(house).problems:
        raise RuntimeError(f"trials could not be done: {problems}")
    if problems := run_card_payments.run(house).problems:
        raise RuntimeError(f"cards could not be charged: {problems}")
    tell_quote.remind(house)
    tell_due.run(house)
    ask_after.run(house)
    provision_service.run(house)
    release_back_orders.look(house)


def _states_on(house: House, day: date) -> bool:
    """Is it anybody's bill day? Else nobody's statement is due, which takes longer to find out."""
    with house.db.reading() as session:
        days = session.scalars(select(Account.bill_day).distinct()).all()
    return any(list(bill_days(one, day - timedelta(days=1), day)) for one in days)
