"""Payments without their payer, for tests: Riley's card, days that go by, and what the bank says."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from core.kernel.clock import ManualClock, local_date
from core.parties.models import User
from flows import run_autopay, run_card_payments, schedule_payment
from flows.house import House
from flows.schedule_payment import Wish
from invoices.models import Invoice
from payments.automatic_models import AutoPayRule, ScheduledPayment
from payments.gateway import Declined, Gateway
from payments.models import PaymentMethod
from tests.on_file import Stage, owe
from tests.paying import drain
from tests.sandbox_process import SandboxProcess
from tests.world import ZONE

ADDRESS = "203.0.113.7"


@dataclass
class Bank:
    """A processor whose bank first says what it is told to; ``asked`` counts the calls."""

    honest: Gateway
    says: list[str] = field(default_factory=list)
    asked: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.honest, name)

    def charge_saved(self, request: Any) -> Any:
        self.asked += 1
        if self.says:
            raise Declined("card_declined", self.says.pop(0))
        return self.honest.charge_saved(request)


@dataclass
class Days:
    """A stage whose days can be lived through."""

    stage: Stage
    user: User
    bank: Bank

    @property
    def house(self) -> House:
        return self.stage.house

    @property
    def today(self) -> date:
        return local_date(self.house.clock.now(), ZONE)

    def move_to(self, day: date, hour: int = 7) -> None:
        clock = self.house.clock
        assert isinstance(clock, ManualClock)
        moment = datetime.combine(day, time(hour), ZoneInfo(ZONE))
        clock.set(max(moment, clock.now()))
        self.stage.sandbox.set_clock(clock.now().timestamp())

    def live(self, until: date) -> None:
        """Each day's morning: the round by the clock, then the worker; up to a day, this one included."""
        day = self.today
        while day <= until:
            self.move_to(day)
            self.round()
            day += timedelta(days=1)

    def round(self) -> None:
        run_card_payments.run(self.house)
        drain(self.house)

    def owe(self, price: str = "45.00") -> Invoice:
        bill = owe(self.house, self.stage.riley, price)
        drain(self.house)
        return bill

    def autopay(self, method: PaymentMethod | None = None) -> AutoPayRule:
        card = method or self.stage.method
        rule = run_autopay.start(self.house, card.id, self.user.id, ADDRESS)
        drain(self.house)
        return rule

    def wish(self, kind: str = "balance", on: date | None = None, **more: Any) -> Wish:
        day = on or self.today + timedelta(days=10)
        return Wish(
            self.stage.riley.id, self.user.id, self.stage.method.public_id, kind, day, ADDRESS, **more
        )  # fmt: skip

    def plan(self, kind: str = "balance", on: date | None = None, **more: Any) -> ScheduledPayment:
        row = schedule_payment.plan(self.house, self.wish(kind, on, **more))
        drain(self.house)
        return row

    def rows(self) -> list[ScheduledPayment]:
        with self.house.db.reading() as session:
            return list(
                session.scalars(select(ScheduledPayment).order_by(ScheduledPayment.created_at))
            )

    def row(self) -> ScheduledPayment:
        (one,) = self.rows()
        return one

    def subjects(self) -> list[str]:
        return self.stage.mails()


def days_of(stage: Stage, sandbox: SandboxProcess) -> Days:
    """The stage with a bank that can be told what to say, and its owner."""
    bank = Bank(stage.house.gateway)
    house = replace(stage.house, gateway=bank)
    with house.db.reading() as session:
        user = session.scalars(select(User)).one()
    return Days(replace(stage, house=house), user, bank)
