"""What is due for billing: the periods that a service should have been billed for by a day.

The bill run asks ``lines_due`` account by account; asked again, it finds nothing to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from core.kernel.calendar import Cycle, Period
from invoices.rating.changes import Billed, Change, Wanted, compare
from invoices.rating.proration import Recurring, Service


@dataclass(frozen=True)
class Terms:
    """How one service is billed: from when, at which price, on which bill days.

    ``ends`` is the first day without service. In advance a period is billed on its first day, in arrears
    on the day after its last.
    """

    key: str
    price: Recurring
    cycle: Cycle
    starts: date
    ends: date | None = None
    pauses: tuple[Period, ...] = ()
    in_advance: bool = True
    #: Its first period is billed also when it costs nothing: a trial.
    is_shown: bool = False


def key_of(terms: Terms, index: int) -> str:
    """What a period's line is for: the service and the period, counted from its first as 0."""
    return f"{terms.key}/{index - terms.cycle.index_of(terms.starts)}"


def wanted(terms: Terms, as_of: date) -> list[Wanted]:
    """Every period of the service that should have been billed by ``as_of``, that day included."""
    if as_of < terms.starts:
        return []
    last = terms.ends
    horizon = terms.cycle.around(as_of).end if terms.in_advance else as_of + timedelta(days=1)
    end = horizon if last is None else min(last, horizon)
    if end <= terms.starts:
        return []
    found: list[Wanted] = []
    for index, served in terms.cycle.served(Period(terms.starts, end)):
        period = terms.cycle.period(index)
        is_over = served.end in (period.end, last) and served.end <= as_of
        if terms.in_advance or is_over:
            service = Service(period, served, terms.pauses)
            shown = terms.is_shown and not found
            found.append(Wanted(key_of(terms, index), terms.price, service, shown))
    return found


def reached(terms: Terms, have: Sequence[Billed], as_of: date) -> list[Wanted]:
    """What ``have`` is to be compared with by ``as_of``: a period that was billed ahead of that day is
    wanted as it is on its own day."""
    last = max([as_of, *(one.service.served.start for one in have)])
    if not terms.in_advance:
        last = max([as_of, *(one.service.served.end for one in have)])
    return wanted(terms, last)


def lines_due(terms: Terms, have: Sequence[Billed], as_of: date) -> tuple[Change, ...]:
    """The lines to post by ``as_of``: new periods, and what earlier ones were billed too much or too little.

    A period that was billed ahead of ``as_of`` stays as it is wanted on its own day.
    """
    return compare(have, reached(terms, have, as_of))
