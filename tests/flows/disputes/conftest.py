"""A customer with bills to dispute, and three people at the desk."""

import io
import uuid
from dataclasses import dataclass, field, replace

import pytest
from PIL import Image
from sqlalchemy import func, select

from core.kernel.clock import ManualClock
from core.kernel.ids import new_public_id
from core.kernel.jobs import Job
from core.kernel.money import Money
from core.ledger import items
from core.notices.models import Notice
from core.parties import accounts as parties
from core.parties.models import Account, User
from flows import open_dispute, resolve_dispute, settle_payment, take_transfer, talk_about_dispute
from flows.house import House
from flows.open_dispute import Asked, Author
from flows.pay_bill import PayWish, pay
from flows.resolve_dispute import Answer
from flows.take_transfer import Transfer
from flows.verify import verify
from invoices.disputes import reading
from invoices.disputes.reading import Told
from invoices.models import Invoice
from payments.models import PaymentOperation
from tests import world as worlds
from tests.flows.conftest import clock as clock
from tests.flows.conftest import (
    db,
    house,
    new_url,
    postgres_db,
    postgres_server,
    processor,
    sandbox,
    sqlite_db,
    sqlite_file,
    world,
)
from tests.paying import drain
from tests.rooms.invoices.billing import Billing, line
from tests.sandbox_process import SandboxProcess
from tests.world import World

__all__ = [
    "clock",
    "db",
    "house",
    "new_url",
    "postgres_db",
    "postgres_server",
    "processor",
    "sandbox",
    "sqlite_db",
    "sqlite_file",
    "world",
]


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def photo(kind: str = "JPEG") -> bytes:
    """A small picture that tells where it was taken."""
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = "at-home"
    Image.new("RGB", (60, 40), (20, 120, 60)).save(out, kind, exif=exif)
    return out.getvalue()


@dataclass
class Care:
    """A bill's customer on one side, the desk on the other."""

    house: House
    sandbox: SandboxProcess
    payer: Account
    user: User
    staff: list[User]
    bill: Invoice
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def customer(self) -> Author:
        return Author("customer", self.user.name, f"user:{self.user.id}", self.user.id)

    def agent(self, which: int = 0) -> Author:
        who = self.staff[which]
        return Author("staff", who.name, f"user:{who.id}", who.id)

    def open(self, amount: str | None = None, line_number: int = 1, **more) -> str:
        """The customer disputes a line; the dispute's public id."""
        asked = Asked(
            more.pop("bill", self.bill).public_id,
            line_number,
            more.pop("reason", "overcharge"),
            usd(amount) if amount is not None else None,
            more.pop("text", "We had no such thing."),
            **more,
        )
        return open_dispute.open_one(self.house, asked, self.customer, [self.payer.id])

    def decide(self, public_id: str, credit: str, which: int = 0, text: str = "You are right."):
        answer = Answer(usd(credit), text)
        return resolve_dispute.decide(self.house, public_id, answer, self.agent(which))

    def second(self, public_id: str, which: int = 1, *, approved: bool = True, note: str = ""):
        proposal = self.told(public_id).waiting
        return resolve_dispute.second(
            self.house,
            public_id,
            proposal.public_id if proposal else new_public_id(),
            self.agent(which),
            approved=approved,
            note=note,
        )

    def withdraw(self, public_id: str) -> None:
        talk_about_dispute.withdraw(self.house, public_id, self.customer.actor, [self.payer.id])

    def have_back(self, public_id: str) -> None:
        talk_about_dispute.have_back(self.house, public_id, self.customer.actor, [self.payer.id])

    def told(self, public_id: str) -> Told:
        with self.house.db.snapshot() as session:
            return reading.told(session, reading.one(session, public_id))

    def owes(self) -> tuple[str, str]:
        """What is open of the bill, and how much of that may be collected."""
        with self.house.db.reading() as session:
            item = items.of_sources(session, [self.bill.id])[self.bill.id]
        return str(item.open.decimal()), str(item.uncontested.decimal())

    def transfer(self, amount: str) -> None:
        """So much of the bill comes by the bank."""
        when = self.bill.issue_date
        came = Transfer("REF", usd(amount), when, account_number=self.payer.number)
        take_transfer.record(self.house, self.payer.legal_entity_id, came, "test")

    def pay(self) -> None:
        """All of the bill, by card."""
        url = pay(self.house, PayWish(self.user.id, [self.bill.id]))
        assert url is not None
        self.sandbox.pay(url)
        with self.house.db.reading() as session:
            operation = session.scalars(
                select(PaymentOperation).order_by(PaymentOperation.created_at.desc()).limit(1)
            ).one()
        settle_payment.settle(self.house, operation.id)
        drain(self.house)

    def mails(self) -> list[tuple[str, str]]:
        """To whom, and about what, in their order; told once each."""
        with self.house.db.reading() as session:
            rows = session.scalars(select(Notice).order_by(Notice.id)).all()
        return [(row.to_address, row.subject) for row in rows if row.template.startswith("disp")]

    def whole(self) -> None:
        """The books are sound, and nothing is left to do."""
        drain(self.house)
        assert [f.offenders for f in verify(self.house.db, self.house.clock) if not f.holds] == []
        with self.house.db.reading() as session:
            left = session.scalar(select(func.count()).where(Job.state != "done"))
        assert left == 0


@pytest.fixture
def care(house: House, sandbox: SandboxProcess, world: World, clock: ManualClock) -> Care:
    """A bill of 60.00 and 40.00 with 20 % tax each: 72.00 and 48.00, and 120.00 in all."""
    with house.db.transaction() as session:
        billing = Billing.open(session, world, clock)
        bill = replace(billing, session=session).bill(
            line("60.00", name="River 100"), line("40.00", name="Visit")
        )
        user = worlds.user(session, clock.now(), email="riley@example.com")
        parties.join(session, user.id, billing.payer.id, "owner", clock.now())
        staff = []
        for name in ("Kim Lund", "Robin Vale", "Sam Ode"):
            who = worlds.user(
                session, clock.now(), email=f"{uuid.uuid4().hex}@example.com", name=name
            )
            who.is_staff = True
            staff.append(who)
        session.flush()
    drain(house)
    return Care(house, sandbox, billing.payer, user, staff, bill)
