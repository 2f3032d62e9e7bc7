"""Bill runs and parked accounts as they are found in the books, without a night that made them."""

import uuid
from datetime import date, datetime

from sqlalchemy.orm import Session

from core.parties.models import Account
from invoices.billing import parking, runs
from invoices.billing.bounds import TooMuch
from invoices.billing.models import PREVIEW, BillRun


def past_run(session: Session, account_ids: list[uuid.UUID], as_of: date, now: datetime) -> BillRun:
    """A finished run in which each of the accounts was to be billed 48.00."""
    run = runs.plan(session, PREVIEW, as_of, "system", now, account_id=account_ids[0])
    runs.note(
        session,
        [
            {
                "run_id": run.id,
                "account_id": key,
                "kind": "billed",
                "currency": "USD",
                "amount_minor": 4800,
                "invoice_id": None,
            }
            for key in account_ids
        ],
    )
    return run


def parked(session: Session, account: Account, now: datetime) -> str:
    """An account that came to too much; answers the parking's public id."""
    error = TooMuch("Lines of one invoice", 900, 500)
    parking.park(session, account.id, error, now.date(), "system", now)
    ((row, _),) = parking.listing(session, limit=1)
    return row.public_id
