"""What a service used, told by a meter, a program or at the desk; told again it stands once."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from core.parties import accounts
from core.prices import plans
from core.subscriptions import reading, usage
from core.subscriptions.errors import NoSuchMeter
from core.subscriptions.models import UsageRecord
from flows.house import House


@dataclass(frozen=True)
class Told:
    """So many units of a meter, under the teller's own key. ``corrects`` is the key of a first record."""

    public_id: str
    meter: str
    key: str
    quantity: Decimal
    #: None for a correction: it stands on the day of the record that it corrects.
    used_at: datetime | None = None
    corrects: str | None = None


def record(house: House, told: Told, source: str) -> UsageRecord:
    """Write it down, once. It is billed with its period, late usage with the next bill.

    Raises NotFound, and what ``usage.record`` raises.
    """
    return house.db.run_tx(lambda session: record_within(session, house, told, source))


def record_within(session: Session, house: House, told: Told, source: str) -> UsageRecord:
    """The same in the caller's transaction: many records may stand in one."""
    row = reading.by_public_id(session, told.public_id)
    meter = plans.meter(session, told.meter)
    if meter is None:
        raise NoSuchMeter(told.meter)
    accounts.lock(session, row.payer_account_id)
    return usage.record(
        session,
        row,
        meter,
        told.key,
        told.quantity,
        told.used_at,
        source,
        house.clock.now(),
        corrects=told.corrects,
    )
