"""What an account's cards are about to pay by themselves: nobody is asked for a bill meanwhile.

A planned payment is believed in until it was tried. One that the bank declined and that is tried again is
owed like any other, but nothing is charged or locked for its bill before the next try. Asked by
``flows.chase`` under the lock of the account.
"""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.kernel.clock import local_date
from core.ledger.items import Open
from core.parties.models import Account
from flows import charge_terms, run_autopay
from flows.house import House
from payments import scheduled
from payments.automatic_models import TRIED, ScheduledPayment
from payments.dunning.schedule import Schedule

#: A payment that was not even tried so long after its day is not believed in any more.
BELIEVED = timedelta(days=3)


@dataclass(frozen=True)
class Expected:
    """Bills, by their open items' keys: those that planned payments pay in full, and those whose card was
    declined and is tried again; each with the day."""

    planned: Mapping[uuid.UUID, date] = field(default_factory=dict)
    retried: Mapping[uuid.UUID, date] = field(default_factory=dict)


def look(
    session: Session, house: House, account: Account, late: Sequence[Open], today: date
) -> Expected:
    """Read what is expected for some late bills, the earliest first."""
    known = scheduled.open_of(session, [account.id])
    rows = [row for row in known if row.state in TRIED]
    if not rows or not late:
        return Expected()
    told = run_autopay.told_of([row for row in known if row.origin == "autopay"])
    planned: dict[uuid.UUID, date] = {}
    retried: dict[uuid.UUID, date] = {}
    covered: Counter[uuid.UUID] = Counter()
    believed = _may_be_believed(session, house.rules.dunning, account, late)
    for row in rows:
        for item, amount in charge_terms.of_payment(session, house, row):
            if _is_new(row) and str(item.source_id) in told:
                continue  # another payment was told to be for it
            if row.state == "retrying" and row.next_at is not None:
                again = local_date(row.next_at, account.time_zone)
                retried[item.id] = max(again, retried.get(item.id, again))
            elif believed and _is_soon(house.rules.dunning, account, row, item, today):
                planned[item.id] = max(row.on_date, planned.get(item.id, row.on_date))
                covered[item.id] += amount.minor
    whole = {item.id for item in late if covered[item.id] >= item.uncontested.minor}
    return Expected({key: day for key, day in planned.items() if key in whole}, retried)


def _may_be_believed(
    session: Session, plan: Schedule, account: Account, late: Sequence[Open]
) -> bool:
    """Whoever is late and plans payments only to give them up is believed as often as a promise would be."""
    since = datetime.combine(charge_terms.due_on(late[0]), time(), ZoneInfo(account.time_zone))
    return scheduled.given_up_since(session, account.id, since) < max(plan.promises, 1)


def _is_new(row: ScheduledPayment) -> bool:
    """A payment of AutoPay that nobody was told of yet: it will name what no other one has named."""
    return row.origin == "autopay" and row.noticed_at is None


def _is_soon(
    plan: Schedule, account: Account, row: ScheduledPayment, item: Open, today: date
) -> bool:
    """AutoPay's day is ours; a customer's is at most as far away as one that may be promised."""
    if row.on_date + BELIEVED < today:
        return False
    planned_on = local_date(row.created_at, account.time_zone)
    latest = max(charge_terms.due_on(item), planned_on) + timedelta(days=plan.promise_days)
    return row.origin == "autopay" or row.on_date <= latest
