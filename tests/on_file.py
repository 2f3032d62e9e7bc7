"""Cards on file for tests: an account and its owner, a set-up that is gone through, a bill to charge."""

from decimal import Decimal

from sqlalchemy import delete, select

from cart import address
from core.kernel.jobs import Job
from core.kernel.money import to_micros
from core.ledger import items
from core.parties import accounts
from core.parties.models import Account
from flows.house import House
from flows.set_up_method import SetUpWish, begin, settle
from invoices import drafts
from invoices.drafts import Draft, DraftLine
from invoices.models import Invoice
from invoices.wording import Printing
from payments.methods import Consent
from payments.models import PaymentMethod, PaymentOperation
from tests import world as worlds
from tests.paying import CARD, drain
from tests.sandbox_process import SandboxProcess
from tests.world import World

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


def wish(account: Account, subject: str = "trial:T-7") -> SetUpWish:
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


def owe(house: House, account: Account, price: str = "45.00") -> Invoice:
    """A bill of so much, without tax; its PDF is left out."""
    now = house.clock.now()
    charged = DraftLine("River 100", Decimal(1), to_micros(price), tax_category="internet")
    printing = Printing(house.links.bill, address.lines)
    with house.db.transaction() as session:
        draft = drafts.start(session, account.id, Draft((charged,)), "test", now)
        issued = drafts.issue(session, draft.public_id, draft.revision, printing, "test", now)
        session.execute(delete(Job).where(Job.name == "InvoiceIssued"))
        return issued


def still_open(house: House, bill: Invoice) -> int:
    """What the ledger says is open of a bill, in cents."""
    with house.db.reading() as session:
        return items.of_sources(session, [bill.id])[bill.id].open.minor
