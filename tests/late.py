"""Riley with a service and a bill that is not paid: how tests live through the days after its date."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from app import worker
from core.entitlements import asking
from core.kernel.clock import ManualClock
from core.kernel.jobs import Job
from core.ledger import contested, items
from core.notices.models import Notice
from core.parties.models import Account
from core.subscriptions.models import Subscription
from flows import tell_due
from flows.house import House
from flows.take_transfer import Transfer, record
from flows.verify import verify
from invoices.models import Invoice
from payments.dunning import cases, reading
from payments.dunning.models import DunningAct, DunningCase
from payments.dunning.schedule import Fee, Schedule
from tests import serving
from tests.on_file import customer, owe
from tests.paying import usd
from tests.world import ZONE, World

#: Reminders after 3, 10 and 20 days, five dollars after 14, locked after 30.
PLAN = Schedule(fee=Fee(Decimal("5.00")))


@dataclass
class Late:
    """Riley, River at home, and the days that pass."""

    house: House
    clock: ManualClock
    world: World
    riley: Account
    service: Subscription
    began: date

    def bill(self, price: str = "45.00") -> Invoice:
        """A bill of today, due today."""
        made = owe(self.house, self.riley, price)
        worker.drain(self.house)
        return made

    def on(self, days: int, hour: int = 9) -> None:
        """So many days after the first, the day's round is made."""
        day = self.began + timedelta(days=days)
        self.clock.set(datetime.combine(day, time(hour), ZoneInfo(ZONE)))
        tell_due.run(self.house)
        self.drain()

    def live(self, *days: int) -> None:
        """The rounds of some days."""
        for day in days:
            self.on(day)

    def drain(self) -> None:
        """Everything that follows; documents are left out."""
        while True:
            with self.house.db.transaction() as session:
                session.execute(delete(Job).where(Job.name == "InvoiceIssued"))
            if not worker.work(self.house, "test"):
                self._look_for_trouble()
                return

    def _look_for_trouble(self) -> None:
        with self.house.db.reading() as session:
            errors = session.scalars(select(Job.last_error).where(Job.last_error.is_not(None)))
            found = errors.all()
        assert found == [], found

    def pay(self, minor: int) -> None:
        """Money comes to the bank."""
        reference = f"T-{self.clock.now().isoformat()}-{minor}"
        today = self.clock.now().astimezone(ZoneInfo(ZONE)).date()
        transfer = Transfer(reference, usd(minor), today, self.riley.number)
        record(self.house, self.world.legal_entity_id, transfer, "test")
        self.drain()

    def dispute(self, bill: Invoice, minor: int) -> None:
        with self.house.db.transaction() as session:
            item = items.of_sources(session, [bill.id])[bill.id]
            today = self.clock.now().date()
            source = ("note", item.id)  # as the desk writes it down
            contested.contest(session, item, usd(minor), source, today, self.clock.now())
        self.drain()

    @property
    def case(self) -> DunningCase | None:
        with self.house.db.reading() as session:
            return cases.open_case(session, self.riley.id)

    @property
    def open_case(self) -> DunningCase:
        found = self.case
        assert found is not None
        return found

    def acts(self) -> list[tuple[int, str]]:
        """(days after the first, what was done) in every case, the earliest first."""
        with self.house.db.reading() as session:
            found = [
                act
                for case in reading.of_account(session, self.riley.id)
                for act in reading.acts_of(session, case.id)
            ]
        return [
            (self._days(act), act.step or act.kind)
            for act in sorted(found, key=lambda act: (act.at, act.id))
        ]

    def _days(self, act: DunningAct) -> int:
        return (act.at.astimezone(ZoneInfo(ZONE)).date() - self.began).days

    def mails(self) -> list[str]:
        """Subjects of the mails about being late, the first first."""
        with self.house.db.reading() as session:
            query = select(Notice.subject).where(Notice.template == "past_due")
            return list(session.scalars(query.order_by(Notice.created_at, Notice.id)))

    def last_words(self) -> str:
        with self.house.db.reading() as session:
            query = select(Notice.text_body).where(Notice.template == "past_due")
            found = session.scalars(query.order_by(Notice.created_at.desc(), Notice.id.desc()))
            return " ".join(found.first().split())

    def is_locked(self) -> bool:
        with self.house.db.reading() as session:
            answer = asking.may_use(session, self.riley.id, "internet")
        assert answer.reason in ("", "past_due")
        return not answer.allowed

    def assert_sound(self) -> None:
        findings = verify(self.house.db, self.clock)
        wrong = [found for found in findings if not found.holds]
        assert [found for found in wrong if "document" not in found.claim] == []
        with self.house.db.reading() as session:
            left = session.scalars(select(Job.name).where(Job.state != "done")).all()
        assert left == []


def open_late(house: House, clock: ManualClock, world: World, plan: Schedule = PLAN) -> Late:
    """Riley's line runs; nothing is owed yet."""
    house = replace(house, rules=replace(house.rules, dunning=plan))
    riley = customer(house, world)
    with house.db.transaction() as session:
        session.merge(riley).terms_days = 0  # what is billed is due at once
        plans = serving.offer(session, world, clock.now())
        service = serving.running(session, world, riley, plans.stream, clock.now())
    began = clock.now().astimezone(ZoneInfo(ZONE)).date()
    worker.drain(house)
    return Late(house, clock, world, riley, service, began)
