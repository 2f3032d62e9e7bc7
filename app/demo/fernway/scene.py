"""What an act of the history works with: when it happens, the house at that hour, and who is who.

An act may be asked for again, by a seed that goes on where it was interrupted. Its steps stand at minutes of
their own, so the audit log tells which of them are done.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.demo.fernway.people import Person
from app.demo.fernway.shop import ZONE
from core.catalog.models import Variant
from core.kernel.audit import AuditEntry
from core.kernel.clock import ManualClock
from core.parties import accounts, users
from core.parties.models import Account
from core.subscriptions.models import Subscription, SubscriptionPhase
from core.subscriptions.reading import after_months
from flows.hold_service import Asked
from flows.house import House


@dataclass(frozen=True)
class Ago:
    """So many days before the demo opens, and so many months before that day; ``at`` as HH:MM there."""

    days: int
    at: str
    months: int = 0

    def moment(self, opens: date) -> datetime:
        """The moment, for a demo that opens on this day."""
        day = after_months(opens - timedelta(days=self.days), -self.months)
        return datetime.combine(day, time.fromisoformat(self.at), ZoneInfo(ZONE))


@dataclass(frozen=True)
class Scene:
    """Fernway at one moment of its past. The house has the scene's clock."""

    house: House
    clock: ManualClock

    @property
    def today(self) -> date:
        """The day at Fernway's."""
        return self.clock.now().astimezone(ZoneInfo(ZONE)).date()

    def step(self, act: str, work: Callable[[], object]) -> None:
        """Do the work of this minute unless the audit log says that it is done; then the minute is over.

        ``act`` is the line that the work itself writes, in its own commit.
        """
        with self.house.db.reading() as session:
            line = select(AuditEntry.id).where(
                AuditEntry.at == self.clock.now(), AuditEntry.act == act
            )
            is_done = session.scalar(line.limit(1)) is not None
        if not is_done:
            work()
        self.clock.advance(timedelta(minutes=1))

    def user_id(self, who: Person) -> uuid.UUID:
        """Of somebody who logs in, or could."""
        with self.house.db.reading() as session:
            user = users.find(session, who.email)
        assert user is not None  # moved in before the history began
        return user.id

    def actor(self, who: Person) -> str:
        """Somebody as the audit log names them."""
        return f"user:{self.user_id(who)}"

    def account(self, who: Person) -> Account:
        """Somebody's account; of who asked for a quote, the one that was opened with their order."""
        with self.house.db.reading() as session:
            if who.account_number is not None:
                return accounts.by_number(session, who.account_number)
            return session.scalars(select(Account).where(Account.email == who.email)).one()

    def service(self, who: Person, sku: str, place: str = "") -> Subscription:
        """Somebody's service that began with this plan; ``place`` is the line of its address."""
        with self.house.db.reading() as session:
            rows = session.scalars(
                select(Subscription)
                .join(SubscriptionPhase, SubscriptionPhase.subscription_id == Subscription.id)
                .join(Variant, Variant.id == SubscriptionPhase.variant_id)
                .join(Account, Account.id == Subscription.service_account_id)
                .where(
                    SubscriptionPhase.number == 0, Variant.sku == sku, Account.email == who.email
                )
            ).all()
        (found,) = [
            row for row in rows if not place or (row.service_location or {}).get("line1") == place
        ]
        return found

    def asked(self, who: Person, sku: str, by: Person, place: str = "") -> Asked:
        """Somebody asks about a service; who has no part in it is of the staff."""
        service = self.service(who, sku, place)
        if by.is_staff:
            return Asked(service.public_id, self.actor(by))
        return Asked(service.public_id, self.actor(by), {self.account(by).id: True})


class Act(Protocol):
    """Something that happened."""

    @property
    def when(self) -> Ago:
        """When."""
        ...

    def happen(self, scene: Scene) -> None:
        """Do it, once, at the scene's present moment, which moves on a little."""
        ...
