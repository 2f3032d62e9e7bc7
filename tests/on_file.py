"""Cards on file for tests: an account and its owner, a set-up that is gone through, a bill to charge."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import delete, func, select

from core.events import ChargeWanted
from core.kernel import jobs
from core.kernel.jobs import Job
from core.kernel.money import to_micros
from core.ledger import items
from core.ledger.tender_models import Tender
from core.parties import accounts
from core.parties.models import Account
from flows import correct_invoice, reconcile
from flows.charge_on_file import charge
from flows.house import House
from flows.set_up_method import SetUpWish, begin, settle
from flows.verify import verify
from invoices import drafts
from invoices.drafts import Draft, DraftLine
from invoices.models import Invoice
from payments.methods import Consent
from payments.models import Payment, PaymentMethod, PaymentOperation
from tests import world as worlds
from tests.paying import CARD, drain
from tests.sandbox_process import SandboxProcess
from tests.shop import PostBox
from tests.world import World

INTENTS = "/v1/payment_intents"
ON_FILE_ONLY = "4000000000000341"
WANTS_ITS_OWNER = "4000002760003184"
TOO_LITTLE = "4000008260003178"
TEXT = "I allow Fernway to charge this card $45.00 a month from December 17, 2026, until I cancel."


def customer(house: House, world: World, name: str = "Riley Moreno") -> Account:
    """An account with an owner who can log in."""
    now = house.clock.now()
    with house.db.transaction() as session:
        made = worlds.account(session, world, now, name=name)
        email = f"{name.lower().replace(' ', '.')}@example.com"
        owner = worlds.user(session, now, email=email, name=name)
        accounts.join(session, owner.id, made.id, "owner", now)
        return made


def wish(account: Account, subject: str = "example:T-7") -> SetUpWish:
    """A card is to be put on file for a trial."""
    consent = Consent(None, "trial", subject, TEXT, "2026-11", "203.0.113.7")
    return SetUpWish(account.id, consent, "/account/trials/T-7", "/p/hosted-backup")


def set_up(
    house: House, sandbox: SandboxProcess, account: Account, card: str = CARD
) -> PaymentMethod:
    """Go through the processor's page and come back; answers the card on file."""
    url = begin(house, wish(account))
    sandbox.pay(url, card)
    operation = setup_of(house)
    assert settle(house, operation.id) == "succeeded"
    drain(house)
    with house.db.reading() as session:
        return session.scalars(
            select(PaymentMethod).order_by(PaymentMethod.id.desc()).limit(1)
        ).one()


def setup_of(house: House) -> PaymentOperation:
    """The newest set-up."""
    return newest(house, "setup")


def newest(house: House, kind: str) -> PaymentOperation:
    """The newest operation of a kind."""
    with house.db.reading() as session:
        return session.scalars(
            select(PaymentOperation)
            .where(PaymentOperation.kind == kind)
            .order_by(PaymentOperation.id.desc())
            .limit(1)
        ).one()


def owe(
    house: House, account: Account, price: str = "45.00", *, with_paper: bool = False
) -> Invoice:
    """A bill of so much, without tax; its PDF is left out unless it is wanted."""
    now = house.clock.now()
    charged = DraftLine("River 100", Decimal(1), to_micros(price), tax_category="internet")
    printing = correct_invoice.printing(house.links)
    with house.db.transaction() as session:
        draft = drafts.start(session, account.id, Draft((charged,)), "test", now)
        issued = drafts.issue(session, draft.public_id, draft.revision, printing, "test", now)
        if not with_paper:
            session.execute(delete(Job).where(Job.name == "InvoiceIssued"))
        return issued


def still_open(house: House, bill: Invoice) -> int:
    """What the ledger says is open of a bill, in cents."""
    with house.db.reading() as session:
        return items.of_sources(session, [bill.id])[bill.id].open.minor


@dataclass
class Stage:
    """Riley with a card on file and a bill of 45.00."""

    house: House
    sandbox: SandboxProcess
    riley: Account
    method: PaymentMethod
    bill: Invoice

    def charge(self, attempt: int = 1) -> str | None:
        return charge(self.house, self.bill.id, self.method.id, attempt)

    def want(self, attempt: int = 1) -> None:
        """As the billing does: in the transaction of its bill."""
        event = ChargeWanted(str(self.bill.id), str(self.method.id), attempt)
        key = f"charge:{self.bill.id}:{attempt}"
        self.house.db.run_tx(
            lambda session: jobs.record(session, event, self.house.clock.now(), key=key)
        )

    def count(self, model, *where) -> int:
        with self.house.db.reading() as session:
            return session.scalar(select(func.count()).select_from(model).where(*where))

    def mails(self) -> list[str]:
        post = self.house.sender
        assert isinstance(post, PostBox)
        return [mail["Subject"] for mail in post.mails]

    def receipts(self) -> int:
        """How many different receipts were sent; SMTP may deliver one twice."""
        post = self.house.sender
        assert isinstance(post, PostBox)
        return len({mail["Message-ID"] for mail in post.mails if "Receipt" in mail["Subject"]})

    def last_words(self) -> str:
        post = self.house.sender
        assert isinstance(post, PostBox)
        plain = post.mails[-1].get_body(("plain",))
        assert plain is not None
        return " ".join(plain.get_content().split())

    def taken(self) -> int:
        """What the processor took of Riley's card, in cents."""
        query = f"{INTENTS}?customer={self.method.gateway_customer_id}&limit=100"
        found = self.sandbox.control("GET", query)["data"]
        return sum(one["amount_received"] for one in found)

    def tell(self) -> int:
        """Everything that the processor tells goes into the inbox; says how much was new."""
        return reconcile.read_events(self.house)

    def assert_sound(self) -> None:
        assert self.count(Job, Job.state != "done") == 0
        against = [found for found in verify(self.house.db, self.house.clock) if not found.holds]
        # The bill's PDF is left out here.
        assert [found for found in against if "document" not in found.claim] == []

    def assert_charged_once(self) -> None:
        assert self.count(Payment) == 1
        assert self.taken() == 4500
        assert still_open(self.house, self.bill) == 0
        assert self.count(PaymentOperation, PaymentOperation.kind == "charge") == 1
        assert self.count(Tender, Tender.state == "reserved") == 0
        self.assert_sound()


def open_stage(house: House, sandbox: SandboxProcess, world: World, card: str = CARD) -> Stage:
    riley = customer(house, world)
    method = set_up(house, sandbox, riley, card)
    stage = Stage(house, sandbox, riley, method, owe(house, riley))
    drain(house)
    return stage
