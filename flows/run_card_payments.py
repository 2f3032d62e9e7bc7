"""By the clock: payers are told of payments ahead, payments whose day has come are made, and owners of cards
that expire are told.

Each is a commit of its own; one that cannot be done stands in the log and is tried in the next round.
"""

import calendar
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import structlog
from sqlalchemy.orm import Session

from core.events import ScheduledPaymentDue
from core.kernel import crash, jobs
from core.kernel.clock import FIRST_ZONE, LAST_ZONE, local_date
from core.kernel.errors import ShopError
from core.ledger import credits
from core.parties import accounts
from core.parties.models import Account
from flows import card_letters, charge_terms, run_autopay
from flows.house import House
from payments import methods, scheduled
from payments.automatic_models import ScheduledPayment
from payments.models import PaymentMethod

_log = structlog.get_logger("cards")


@dataclass
class Report:
    """How many payers were told ahead, payments were called for, and cards' owners were told."""

    noticed: int = 0
    due: int = 0
    expiring: int = 0
    problems: list[str] = field(default_factory=list)


def run(house: House) -> Report:
    """One round; a second one at the same time finds nothing to do."""
    report = Report()
    _notice(house, report)
    report.due = house.db.run_tx(lambda session: _call_for(session, house))
    _expiring(house, report)
    return report


def _notice(house: House, report: Report) -> None:
    ahead = timedelta(days=house.rules.cards.notice_days)
    until = local_date(house.clock.now(), FIRST_ZONE) + ahead
    after: uuid.UUID | None = None
    while True:
        with house.db.reading() as session:
            waiting = scheduled.to_notice(session, until, after)
        for key in waiting:
            report.noticed += _try(house, report, key, _notice_one)
        if len(waiting) < 200:
            return
        after = waiting[-1]


def _try(
    house: House,
    report: Report,
    key: uuid.UUID,
    work: Callable[[Session, House, uuid.UUID], bool],
) -> bool:
    try:
        return house.db.run_tx(lambda session: work(session, house, key))
    except ShopError as error:
        report.problems.append(f"{key}: {error}")
        _log.error("cards.problem", subject=str(key), error=str(error))
        return False


def _notice_one(session: Session, house: House, payment_id: uuid.UUID) -> bool:
    """Tell of one payment ahead. A late notice makes AutoPay's charge late; it names the bills and the most
    that is charged."""
    now = house.clock.now()
    account = accounts.lock(session, session.get_one(ScheduledPayment, payment_id).account_id)
    row = scheduled.lock(session, payment_id)
    if row.state != "planned" or row.noticed_at is not None:
        return False
    today = local_date(now, account.time_zone)
    soonest = today + timedelta(days=house.rules.cards.notice_days)
    if row.on_date > soonest:
        return False
    if row.origin == "customer":
        return _remind(session, house, account, row, today)
    rows = [one for one in scheduled.open_of(session, [account.id]) if one.origin == "autopay"]
    if max(row.on_date, soonest) in {one.on_date for one in rows if one.id != row.id}:
        return False  # another one of that day takes it along
    credits.use_oldest_first(session, account.id, today, now)
    told = run_autopay.told_of(rows)
    parts = [
        part
        for part in charge_terms.of_payment(session, house, row)
        if str(part[0].source_id) not in told
    ]
    if not parts:
        charge_terms.close(session, row, "nothing_due", now)
        return False
    row.on_date = max(row.on_date, soonest)
    row.next_at = run_autopay.morning(row.on_date, account.time_zone)
    row.noticed_at = now
    row.noticed_minor = charge_terms.total_of(parts, row.currency).minor
    row.invoice_ids = [str(item.source_id) for item, _ in parts]
    session.flush()
    card_letters.tell_ahead(session, house, row, parts)
    crash.point("notice_ahead.before_commit")
    return True


def _remind(
    session: Session, house: House, account: Account, row: ScheduledPayment, today: date
) -> bool:
    """Whoever planned to pay all that is owed is told how much that is; not when they did so just now."""
    row.noticed_at = house.clock.now()
    session.flush()
    planned_on = local_date(row.created_at, account.time_zone)
    if (row.on_date - planned_on).days <= house.rules.cards.notice_days:
        return False
    parts = charge_terms.of_payment(session, house, row)
    parts = charge_terms.with_credit(session, account, parts, row.currency)
    if not parts:
        return False
    card_letters.tell_ahead(session, house, row, parts)
    return True


def _call_for(session: Session, house: House) -> int:
    """Payments whose time has come are made by jobs of their own. Nobody is charged by AutoPay untold."""
    now = house.clock.now()
    called = [
        (
            ScheduledPaymentDue(str(row.id), row.tries),
            f"due:{row.id}:{row.tries}:{row.revision}:{row.next_at.isoformat()}",
        )
        for row in scheduled.due(session, now)
        if row.next_at is not None and (row.origin != "autopay" or row.noticed_at is not None)
    ]
    jobs.record_many(session, called, now)
    return len(called)


def _expiring(house: House, report: Report) -> None:
    now = house.clock.now()
    months = {
        (day.year, day.month) for day in (local_date(now, zone) for zone in (FIRST_ZONE, LAST_ZONE))
    }
    for year, month in sorted(months):
        with house.db.reading() as session:
            keys = [card.id for card in methods.expiring(session, year, month)]
        for key in keys:
            report.expiring += _try(house, report, key, _tell_expiry)


def _tell_expiry(session: Session, house: House, method_id: uuid.UUID) -> bool:
    """Once for each card, before its month ends."""
    now = house.clock.now()
    method = session.get_one(PaymentMethod, method_id, with_for_update=True)
    account = session.get_one(Account, method.account_id)
    today = local_date(now, account.time_zone)
    last = date(
        method.exp_year,
        method.exp_month,
        calendar.monthrange(method.exp_year, method.exp_month)[1],
    )
    left = (last - today).days
    if method.state != "active" or method.expiry_told_at is not None:
        return False
    if not 0 <= left <= house.rules.cards.expiry_days:
        return False
    method.expiry_told_at = now
    session.flush()
    card_letters.tell_expiry(session, house, method, last)
    return True
