"""A service in hand: found for whoever may act on it, its payer and itself locked, and brought to today.

The other flows of services begin here, in a transaction of theirs.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from core.entitlements import granting, locking
from core.kernel.errors import Forbidden, NotFound, StaleState
from core.parties import accounts
from core.subscriptions import ending, pausing, reading, states
from core.subscriptions.models import Subscription
from flows import give_numbers_back
from flows.house import House

#: Why a feature is locked while its service rests.
PAUSED = "paused"


@dataclass(frozen=True)
class Asked:
    """Which service, and who asks. ``accounts``: theirs, and whether they may change what those have;
    None: staff. ``revision`` is of the page that they saw; None: whatever it is now."""

    public_id: str
    actor: str
    accounts: Mapping[uuid.UUID, bool] | None = None
    revision: int | None = None


def find(session: Session, asked: Asked) -> Subscription:
    """The service, for whoever may see it. NotFound for everybody else."""
    row = reading.by_public_id(session, asked.public_id)
    if asked.accounts is not None and not {
        row.service_account_id,
        row.payer_account_id,
    } & set(asked.accounts):
        raise NotFound("service")
    return row


def may_change(row: Subscription, asked: Asked) -> bool:
    """Owners of the account that it serves or of the one that pays may, and staff."""
    if asked.accounts is None:
        return True
    own = asked.accounts
    return own.get(row.service_account_id, False) or own.get(row.payer_account_id, False)


def hold(session: Session, house: House, asked: Asked, *also: uuid.UUID) -> Subscription:
    """The service, locked behind its payer (and ``also`` other accounts), as today makes it.

    Raises NotFound, Forbidden, and StaleState when it is not what they saw.
    """
    row = find(session, asked)
    if not may_change(row, asked):
        raise Forbidden
    payer = row.payer_account_id
    for account_id in sorted({payer, *also}):
        accounts.lock(session, account_id)
    row = reading.lock(session, row.id)
    if row.payer_account_id != payer or asked.revision not in (None, row.revision):
        raise StaleState("service", row.state)
    now = house.clock.now()
    arrive(session, row, states.today(session, row, now), now)
    return row


def arrive(session: Session, row: Subscription, today: date, now: datetime) -> bool:
    """Do what the days up to today bring: an end, the end of a pause, another plan; says whether any did.

    Asked again it changes nothing. The service is locked.
    """
    before = row.revision
    if ending.finish(session, row, now):
        granting.revoke(session, row, "ended", "system", now)
        give_numbers_back.of_service(session, row.id, "system", now)
        return True
    if row.state == "paused":
        rest = pausing.current(session, row)
        if rest.ends_on is not None and rest.ends_on <= today:
            pausing.resume(session, row, rest.ends_on, "system", now)
            locking.unlock(session, row, PAUSED, "system", now)
    if row.state in ("active", "paused"):
        granting.grant(session, row, today, "system", now)
    return row.revision != before
