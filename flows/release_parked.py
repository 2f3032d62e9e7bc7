"""Somebody has looked: a parked account is let go and billed at once, as the night would."""

import uuid
from datetime import date

from sqlalchemy.orm import Session

from core.kernel.clock import local_date
from core.parties.models import Account
from flows import bill_account
from flows.bill_account import Billed
from flows.house import House
from invoices.billing import parking


def release(house: House, public_id: str, note: str, actor: str) -> Billed:
    """Let an account go and bill what is due where it is today; it may be parked again.

    Raises NotFound, StaleState when somebody else let it go, and NoTaxAnswer: then the next run bills it.
    """

    def work(session: Session) -> tuple[uuid.UUID, date]:
        now = house.clock.now()
        account_id = parking.release(session, public_id, note, actor, now)
        return account_id, local_date(now, session.get_one(Account, account_id).time_zone)

    account_id, today = house.db.run_tx(work)
    return bill_account.bill(house, account_id, today, actor)
