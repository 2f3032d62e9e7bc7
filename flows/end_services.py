"""What the days bring to services: ends, the ends of pauses, and plans that were agreed to begin.

Run by the clock; owns its commits, one for each service. A service that cannot be brought to today is told
in the log and tried again in the next round, and keeps nobody else waiting.
"""

import uuid
from dataclasses import dataclass, field

import structlog
from sqlalchemy.orm import Session

from core.kernel.clock import FIRST_ZONE, local_date
from core.kernel.errors import ShopError
from core.parties import accounts
from core.subscriptions import arriving, reading, states
from core.subscriptions.models import Subscription
from flows import hold_service
from flows.house import House

_log = structlog.get_logger("services")


@dataclass
class Report:
    """How many services were looked at and changed; ``problems`` names those that could not be."""

    seen: int = 0
    changed: int = 0
    problems: list[str] = field(default_factory=list)


def run(house: House) -> Report:
    """Bring every service to today, wherever it is used."""
    today = local_date(house.clock.now(), FIRST_ZONE)
    report, after = Report(), None
    while True:
        with house.db.reading() as session:
            waiting = arriving.waiting(session, today, after=after)
        for service_id in waiting:
            report.seen += 1
            try:
                report.changed += _bring(house, service_id)
            except ShopError as error:
                report.problems.append(f"{service_id}: {error}")
                _log.error("service.not_arrived", service=str(service_id), error=str(error))
        if len(waiting) < arriving.CHUNK:
            return report
        after = waiting[-1]


def _bring(house: House, service_id: uuid.UUID) -> bool:
    def work(session: Session) -> bool:
        accounts.lock(session, session.get_one(Subscription, service_id).payer_account_id)
        row, now = reading.lock(session, service_id), house.clock.now()
        today = states.today(session, row, now)
        is_changed = hold_service.arrive(session, row, today, now)
        arriving.mark(session, row, today)
        return is_changed

    return house.db.run_tx(work)
