"""A person with a line, on both databases."""

import uuid
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.subscriptions import reading
from core.subscriptions.models import Subscription
from core.subscriptions.timeline import Timeline
from tests import serving
from tests import world as worlds
from tests.serving import Plans
from tests.world import World

#: The clock's day when a test begins.
TODAY = date(2026, 11, 17)
BEGAN = date(2026, 10, 15)


@dataclass
class Line:
    """Riley's line, active since October 15."""

    db: Database
    clock: ManualClock
    world: World
    plans: Plans
    account_id: uuid.UUID
    id: uuid.UUID

    def row(self, session: Session) -> Subscription:
        """The subscription, locked."""
        return reading.lock(session, self.id)

    def timeline(self) -> Timeline:
        """As it is stored."""
        with self.db.reading() as session:
            return reading.timeline(session, self.id)

    def pass_days(self, days: int) -> date:
        """So many days go by; answers the new day."""
        self.clock.advance(timedelta(days=days))
        return TODAY + timedelta(days=(self.clock.now().date() - TODAY).days)


@pytest.fixture
def line(db: Database, clock: ManualClock, world: World) -> Line:
    with db.transaction() as session:
        plans = serving.offer(session, world, clock.now())
        account = worlds.account(session, world, clock.now())
        made = serving.running(session, world, account, plans.stream, clock.now(), on=BEGAN)
        return Line(db, clock, world, plans, account.id, made.id)
