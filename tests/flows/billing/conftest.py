"""A payer with services, whose bills the night writes; on both databases."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.settings import Settings
from core.entitlements import granting
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.parties.models import Account
from core.prices.models import Meter
from core.subscriptions import ending, reading, usage
from core.subscriptions.models import Subscription
from core.tax.models import TaxRate
from core.tax.service import Answers
from flows import bill_account
from flows.bill_account import Billed
from flows.house import House
from flows.verify import verify
from invoices.billing.previewing import Preview
from invoices.models import Invoice, InvoiceLine
from payments.gateway import Gateway
from tests import retail, serving
from tests import world as worlds
from tests.serving import Plans
from tests.shop import make_house
from tests.world import ZONE, Goods, World

T = TypeVar("T")
BY = "user:kim"
JANUARY_31 = date(2027, 1, 31)


@dataclass
class Services:
    """Riley's services at Fernway, billed by whoever asks."""

    house: House
    clock: ManualClock
    world: World
    plans: Plans
    payer_id: uuid.UUID

    def within(self, work: Callable[[Session], T]) -> T:
        """In one transaction."""
        return self.house.db.run_tx(work)

    def stand_at(self, day: date, hour: int = 9) -> None:
        """It is that morning where Riley lives."""
        at = datetime.combine(day, time(hour), ZoneInfo(ZONE))
        self.clock.set(at.astimezone(UTC))

    @property
    def today(self) -> date:
        return self.clock.now().astimezone(ZoneInfo(ZONE)).date()

    def begin(self, goods: Goods, *, quantity: int = 1) -> uuid.UUID:
        """A service that nobody ordered in the shop: all of it is billed."""

        def work(session: Session) -> uuid.UUID:
            payer = session.get_one(Account, self.payer_id)
            return serving.running(
                session,
                self.world,
                payer,
                goods,
                self.clock.now(),
                on=self.today,
                quantity=quantity,
            ).id

        return self.within(work)

    def change(self, work: Callable[[Session, Subscription], object], service: uuid.UUID) -> None:
        """Do something to a service."""
        self.within(lambda session: work(session, reading.lock(session, service)))

    def end(self, service: uuid.UUID, on: date) -> None:
        """It ends; what it gives is taken with it."""

        def work(session: Session, row: Subscription) -> None:
            now = self.clock.now()
            ending.end(session, row, on, "moving", "", BY, now)
            if row.state == "ended":
                granting.revoke(session, row, "ended", BY, now)

        self.change(work, service)

    def use(
        self, service: uuid.UUID, key: str, quantity: str, day: date, *, corrects: str | None = None
    ) -> None:
        """Gigabytes moved on a day."""
        at = None if corrects else datetime.combine(day, time(12), ZoneInfo(ZONE))

        def work(session: Session) -> None:
            meter = session.scalars(select(Meter).where(Meter.code == "moved")).one()
            usage.record(
                session,
                reading.lock(session, service),
                meter,
                key,
                Decimal(quantity),
                at.astimezone(UTC) if at else None,
                "meter",
                self.clock.now(),
                corrects=corrects,
            )

        self.within(work)

    def bill(self, as_of: date | None = None) -> Billed:
        """Bill Riley by a day; it is what the preview said, and then nothing is left to bill."""
        day = as_of or self.today
        foreseen = self.preview(day)
        billed = bill_account.bill(self.house, self.payer_id, day, "system")
        if not billed.parked:
            made = sum(one.total_minor for one in billed.invoices)
            back = sum(one.total_minor for one in billed.memos)
            assert (made - back) == foreseen.total.minor
            assert sum(used.minor for used in billed.credit_used) == foreseen.credit_used.minor
            again = bill_account.bill(self.house, self.payer_id, day, "system")
            assert (again.invoices, again.memos) == ((), ()), "a second run is empty"
        return billed

    def preview(self, day: date) -> Preview:
        with self.house.db.reading() as session:
            return bill_account.preview(
                session, self.house, self.payer_id, day, Answers(self.house.taxes)
            )

    def lines(self, invoice: Invoice) -> list[tuple[str, str, int]]:
        """Name, days and net of each line."""
        with self.house.db.reading() as session:
            rows = session.scalars(
                select(InvoiceLine)
                .where(InvoiceLine.invoice_id == invoice.id)
                .order_by(InvoiceLine.line_number)
            ).all()
        return [(row.name, f"{row.period_start}..{row.period_end}", row.net_minor) for row in rows]

    def verify(self) -> None:
        """Everything ties."""
        wrong = [one for one in verify(self.house.db, self.clock) if one.offenders]
        assert not wrong, wrong


@pytest.fixture
def services(db: Database, world: World, tmp_path: Path) -> Services:
    clock = ManualClock(datetime(2027, 1, 31, 14, tzinfo=UTC))
    house = make_house(db, clock, tmp_path, cast(Gateway, None))
    with db.transaction() as session:
        plans = serving.offer(session, world, clock.now())
        session.add(
            TaxRate(
                legal_entity_id=world.legal_entity_id,
                country="US",
                region="OH",
                category="internet",
                jurisdiction="Ohio",
                name="Sales tax",
                rate_ppm=65_000,
                valid_from=date(2020, 1, 1),
            )
        )
        payer = worlds.account(session, world, clock.now())
    return Services(house, clock, world, plans, payer.id)


def days(count: int) -> timedelta:
    return timedelta(days=count)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return retail.settings(tmp_path)
