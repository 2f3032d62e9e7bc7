"""What the days bring to revenue: services that served are earned, and so is what nobody looked at before.

Run by the clock; owns its commits, one for each payer of a page. Run again it finds nothing to do. A payer
whose revenue cannot be earned is told in the log and tried again in the next round.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import structlog
from sqlalchemy.orm import Session

from core.kernel import crash
from core.kernel.clock import LAST_ZONE, local_date
from core.kernel.errors import ShopError
from core.orders import placing
from core.parties import accounts
from flows.house import House
from invoices.earned import days, orders, waiting

_log = structlog.get_logger("earned")

#: A page of (payer, what is to be looked at), behind a key.
_Page = Sequence[tuple[uuid.UUID, uuid.UUID]]
_Pages = Callable[[Session, uuid.UUID | None], _Page]
_Work = Callable[[Session, list[uuid.UUID]], None]


@dataclass
class Report:
    """How many orders and lines of services were looked at; ``problems`` names payers that could not be."""

    orders: int = 0
    lines: int = 0
    problems: list[str] = field(default_factory=list)


def run(house: House) -> Report:
    """Earn what was given and nobody looked at, and the days that are over wherever it is sold."""
    report = Report()
    today = local_date(house.clock.now(), LAST_ZONE)
    report.orders = _all(house, report, waiting.orders, partial(_orders, house))
    for pages in (waiting.due, waiting.fresh):
        report.lines += _all(house, report, partial(_by, pages, today), partial(_days, house))
    return report


def _by(
    pages: Callable[[Session, date, uuid.UUID | None], _Page],
    today: date,
    session: Session,
    after: uuid.UUID | None,
) -> _Page:
    return pages(session, today, after)


def _days(house: House, session: Session, keys: list[uuid.UUID]) -> None:
    days.settle(session, keys, house.clock.now())


def _orders(house: House, session: Session, keys: list[uuid.UUID]) -> None:
    for key in keys:
        orders.settle(session, placing.lock(session, key), house.clock.now())


def _all(house: House, report: Report, pages: _Pages, work: _Work) -> int:
    seen, after = 0, None
    while True:
        with house.db.reading() as session:
            page = pages(session, after)
        if not page:
            return seen
        seen, after = seen + len(page), page[-1][1]
        by_payer: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
        for payer_id, key in page:
            by_payer[payer_id].append(key)
        for payer_id, keys in by_payer.items():
            try:
                house.db.run_tx(_locked(payer_id, keys, work))
            except ShopError as error:
                report.problems.append(f"{payer_id}: {error}")
                _log.error("revenue.not_earned", payer=str(payer_id), error=str(error))


def _locked(payer_id: uuid.UUID, keys: list[uuid.UUID], work: _Work) -> Callable[[Session], None]:
    def within(session: Session) -> None:
        accounts.lock(session, payer_id)
        work(session, keys)
        crash.point("earn.before_commit")

    return within
