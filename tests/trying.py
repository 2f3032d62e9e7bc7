"""Trials for tests: Burrow in its three kinds, people who try it, and days that go by."""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from unittest.mock import patch
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import worker
from app.handlers import HANDLERS
from core.catalog.models import Product, Variant
from core.kernel.clock import ManualClock, local_date
from core.kernel.jobs import Job
from core.kernel.money import to_micros
from core.notices.models import Notice
from core.parties import users
from core.parties.models import Account
from core.prices.models import Meter, Plan, UsagePrice
from core.subscriptions import reading, trial_reading, usage
from core.subscriptions.models import Subscription, UsageRecord
from core.subscriptions.trial_models import CARD, FREE_TIER, NO_CARD, Trial, TrialOffer
from flows import bill_account, run_trials, start_trial, trial_offers
from flows.house import House
from flows.start_trial import Newcomer, Started, Wish
from invoices.billing import marks
from invoices.billing.models import BillMark
from invoices.models import Invoice
from tests import world as worlds
from tests.papers import shortened
from tests.sandbox_process import SandboxProcess
from tests.world import ADDRESS, ZONE, World

PASSWORD = "three calm words"
NO_CARD_OFFER, CARD_OFFER, FREE_OFFER = "burrow-14-days", "burrow-30-days", "burrow-5-gb"
#: 9.00 and 6.5 % of it.
WITH_TAX = 959


@dataclass(frozen=True)
class Offers:
    """What can be tried."""

    burrow: uuid.UUID
    small: uuid.UUID
    slug: str
    stored: uuid.UUID


def offer(session: Session, world: World, now: datetime) -> Offers:
    """Put Burrow on a shelf, with its three trials."""
    shelf = worlds._Shelf(session, now, world.price_list_id, world.location_id)
    category = shelf.category("of-burrow", "Burrow", 5)
    goods = shelf.put(category, "BUR-1", "Burrow backup", "plan", "backup", "9.00", None)
    plan = session.scalars(select(Plan).where(Plan.variant_id == goods.variant_id)).one()
    plan.family, plan.features, plan.activation = "burrow", ["backup"], "at_once"
    small = Variant(
        product_id=goods.product_id,
        sku="BUR-0",
        name="Burrow small",
        kind="plan",
        tax_category="backup",
        position=2,
    )
    meter = Meter(code="burrow-stored", name="Stored", unit="GB", counts="max")
    session.add_all([small, meter])
    session.flush()
    free = Plan(
        variant_id=small.id,
        interval="month",
        family="burrow",
        features=["backup"],
        activation="at_once",
    )
    session.add(free)
    session.flush()
    tiers = [["95", 0, to_micros("2.00")], [None, to_micros("0.02"), 0]]
    session.add(
        UsagePrice(plan_id=free.id, meter_id=meter.id, currency="USD", free="5", tiers=tiers)
    )
    for code, kind, variant_id, days in (
        (NO_CARD_OFFER, NO_CARD, goods.variant_id, 14),
        (CARD_OFFER, CARD, goods.variant_id, 30),
        (FREE_OFFER, FREE_TIER, small.id, None),
    ):
        session.add(
            TrialOffer(
                code=code,
                kind=kind,
                variant_id=variant_id,
                days=days,
                follow_up_days=[5, 10, 21] if kind == NO_CARD else [],
                created_at=now,
            )
        )
    session.flush()
    slug = session.get_one(Product, goods.product_id).slug
    return Offers(goods.variant_id, small.id, slug, meter.id)


@contextmanager
def in_a_hurry() -> Iterator[None]:
    """Without what takes its time and is no part of a trial: drawing a PDF, hashing a password well."""
    with (
        shortened(),
        patch.object(users, "_hasher", PasswordHasher(1, 64, 1)),
    ):
        yield


def _trials_ahead(session: Session) -> list[date]:
    """When the trials that run are looked at next. A free tier is each day, and says what it said on the day
    before unless something was stored since."""
    used = select(func.max(UsageRecord.used_on)).where(
        UsageRecord.subscription_id == Trial.subscription_id
    )
    rows = session.execute(
        select(Trial.kind, Trial.next_on, used.scalar_subquery()).where(Trial.state == "running")
    )
    return [
        on
        for kind, on, stored in rows
        if on is not None
        and (kind != FREE_TIER or (stored is not None and on <= stored + timedelta(days=1)))
    ]


@dataclass
class Trying:
    """A house in which Burrow is tried."""

    house: House
    clock: ManualClock
    world: World
    offers: Offers
    #: The processor, where cards have a part in it; it keeps the same time.
    sandbox: SandboxProcess | None = None

    def newcomer(
        self, code: str, name: str = "Ash Vale", email: str = "", line1: str = "", **where: str
    ) -> Started:
        """Somebody new begins a trial, under the words that they were shown."""
        new = Newcomer(name, email or f"{name.split()[0].lower()}@example.com", PASSWORD)
        place = ADDRESS | {"name": name, "line1": line1 or f"{len(name)} {name} Lane"} | where
        shown = trial_offers.show(self.house, code, None)
        wish = Wish(code, shown.fingerprint, newcomer=new, address=place, agreed_from="192.0.2.7")
        return start_trial.start(self.house, wish)

    def again(self, started: Started, code: str) -> Started:
        """The same person, logged in, begins another."""
        with self.house.db.reading() as session:
            account = session.get_one(Account, self.trial(started).account_id)
        shown = trial_offers.show(self.house, code, account)
        return start_trial.start(self.house, Wish(code, shown.fingerprint, user_id=started.user.id))

    def trial(self, started: Started) -> Trial:
        with self.house.db.reading() as session:
            return session.get_one(Trial, started.id)

    def service(self, started: Started) -> Subscription:
        with self.house.db.reading() as session:
            key = session.get_one(Trial, started.id).subscription_id
            return session.get_one(Subscription, key)

    def move_to(self, day: date, hour: int = 9) -> None:
        """That hour of a day where the shop is."""
        self.clock.set(datetime.combine(day, time(hour), ZoneInfo(ZONE)))
        if self.sandbox is not None:
            self.sandbox.set_clock(self.clock.now().timestamp())

    def drain(self) -> None:
        worker.drain(self.house)

    def walk(self, until: date | None = None) -> None:
        """Live until a day, this one included: each morning the walk, the night's bills, the worker.

        Days for which nobody has planned anything go by as they would: nothing happens on them.
        """
        day = self._today()
        last = until or day
        while day < last:
            self.live(day)
            day = min(self._next_planned(day), last)
        self.live(last)

    def live(self, day: date) -> None:
        """One whole day, whatever is planned for it."""
        self.move_to(day, 5)
        self.night()
        run_trials.run(self.house)
        self.drain()

    def _today(self) -> date:
        return local_date(self.clock.now(), ZONE)

    def _next_planned(self, day: date) -> date:
        """The first day after one that has a trial to look at, a service to bill or a job to do."""
        with self.house.db.reading() as session:
            if session.scalars(marks.due(day).limit(1)).first() is not None:
                return day + timedelta(days=1)
            ahead = _trials_ahead(session)
            bill = session.scalar(select(func.min(BillMark.next_on)))
            job = session.scalar(select(func.min(Job.run_at)).where(Job.state == "ready"))
        ahead += [bill] if bill else []
        ahead += [local_date(job, ZONE)] if job else []
        return max(min(ahead, default=date.max), day + timedelta(days=1))

    def night(self) -> None:
        """Bill everybody who has a service."""
        with self.house.db.reading() as session:
            payers = session.scalars(select(Subscription.payer_account_id).distinct()).all()
        for payer in payers:
            bill_account.bill(self.house, payer, self._today(), "system")

    def store(self, started: Started, gigabytes: str, key: str = "") -> None:
        """So much is stored now."""

        def write(session: Session) -> None:
            trial = session.get_one(Trial, started.id)
            assert trial.subscription_id is not None
            subscription = reading.lock(session, trial.subscription_id)
            meter = session.get_one(Meter, self.offers.stored)
            now = self.clock.now()
            told = key or f"{now.isoformat()}"
            usage.record(session, subscription, meter, told, Decimal(gigabytes), now, "mine", now)

        self.house.db.run_tx(write)

    def bills(self, started: Started) -> list[Invoice]:
        """The person's documents, the oldest first."""
        with self.house.db.reading() as session:
            account_id = session.get_one(Trial, started.id).account_id
            return list(
                session.scalars(
                    select(Invoice)
                    .where(Invoice.payer_account_id == account_id)
                    .order_by(Invoice.issued_at, Invoice.id)
                )
            )

    def mails(self, started: Started) -> list[tuple[date, str]]:
        """Each mail about the trial, with its local day and its step."""
        prefix = f"trial:{started.id}:"
        with self.house.db.reading() as session:
            rows = session.scalars(
                select(Notice).where(Notice.key.startswith(prefix)).order_by(Notice.id)
            ).all()
        return [
            (row.created_at.astimezone(ZoneInfo(ZONE)).date(), row.key.removeprefix(prefix))
            for row in rows
        ]

    def mail(self, started: Started, step: str) -> Notice:
        """One mail about the trial."""
        with self.house.db.reading() as session:
            return session.scalars(
                select(Notice).where(Notice.key == f"trial:{started.id}:{step}")
            ).one()

    def events(self, *names: str) -> list[str]:
        """The names of the events that were recorded, in their order; of these names, when some are given."""
        with self.house.db.reading() as session:
            rows = session.execute(select(Job.key, Job.name).order_by(Job.id)).all()
        others = tuple(f":{handler}" for handler in HANDLERS)  # rows of an event's other handlers
        told = [name for key, name in rows if not key.endswith(others)]
        return [name for name in told if not names or name in names]

    def listed(self, account_ids: Iterable[uuid.UUID]) -> list[Trial]:
        with self.house.db.reading() as session:
            return [one.trial for one in trial_reading.of_accounts(session, list(account_ids))]
