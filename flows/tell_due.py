"""Once a day each account with something due is looked at: by dunning, and by whatever draws money.

By the clock, several times a day: every account's day begins at its own midnight, and what was told of it
today is not told again.
"""

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.events import OpenItemsChanged
from core.kernel import jobs
from core.kernel.clock import local_date
from core.ledger.chart import RECEIVABLE
from core.ledger.open_now import OpenNow
from core.parties.models import Account
from flows.house import House
from payments.dunning.models import DunningCase

#: So many accounts are told of in one commit.
PIECE = 500


def run(house: House) -> int:
    """Tell of every account with something due today or before, and of those with an open case; says of how
    many. ``OpenItemsChanged`` once a day for each."""
    told, after = 0, uuid.UUID(int=0)
    while True:
        with house.db.reading() as session:
            found = _due(session, house, after)
        if not found:
            return told
        house.db.run_tx(lambda session, found=found: _tell(session, house, found))  # type: ignore[misc]  # bound now
        told, after = told + len(found), found[-1][0]


def _due(session: Session, house: House, after: uuid.UUID) -> Sequence[tuple[uuid.UUID, str]]:
    tomorrow = house.clock.now().date() + timedelta(days=1)  # in the farthest east it is already
    owing = select(OpenNow.account_id).where(
        OpenNow.ledger_code == RECEIVABLE, OpenNow.due <= tomorrow
    )
    in_case = select(DunningCase.account_id).where(DunningCase.state == "open")
    query = (
        select(Account.id, Account.time_zone)
        .where(Account.id > after, Account.id.in_(owing.union(in_case)))
        .order_by(Account.id)
        .limit(PIECE)
    )
    return [(key, zone) for key, zone in session.execute(query)]


def _tell(session: Session, house: House, found: Sequence[tuple[uuid.UUID, str]]) -> None:
    now = house.clock.now()
    events = [
        (OpenItemsChanged(str(key)), f"due:{key}:{local_date(now, zone)}") for key, zone in found
    ]
    jobs.record_many(session, events, now)
