"""Robin's part in the eighteen months: whose card is declined, who is late, disputes, and pays twice over.

Each act is one day's; ``test_eighteen_months`` lives through them, night after night.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select

from core.entitlements import asking
from core.kernel.clock import ManualClock, local_date
from core.ledger import items
from core.notices.models import Notice
from core.parties.models import Account, User
from flows import (
    activate_service,
    change_service,
    correct_invoice,
    open_dispute,
    resolve_dispute,
    run_autopay,
    take_transfer,
    talk_about_dispute,
)
from flows.correct_invoice import Correction
from flows.hold_service import Asked as AskedService
from flows.house import House
from flows.open_dispute import Asked, Author
from flows.pay_bill import PayWish, pay
from flows.place_order import place
from flows.resolve_dispute import Answer
from flows.take_transfer import Transfer
from invoices.models import Invoice
from payments.models import Payment, Refund
from tests.on_file import ON_FILE_ONLY, customer, set_up
from tests.paying import CARD, fill_cart, usd, wish
from tests.sandbox_process import SandboxProcess
from tests.world import ZONE, World

BY = Author("staff", "Kim", "user:kim", None)
FROM = "203.0.113.7"
#: Mails of these templates tell the story.
ABOUT = (
    *("service", "card", "planned", "charge_failed", "past_due", "receipt", "refund"),
    *("dispute_opened", "dispute_closed"),
)


@dataclass
class Robin:
    """The customer, and what they do."""

    house: House
    clock: ManualClock
    world: World
    sandbox: SandboxProcess
    account: Account
    user: User
    service: str = ""
    dispute: str = ""

    @classmethod
    def comes(cls, house: House, clock: ManualClock, world: World, box: SandboxProcess) -> "Robin":
        """An account with a log-in."""
        account = customer(house, world, "Robin Vale")
        with house.db.reading() as session:
            user = session.scalars(select(User).where(User.email == account.email)).one()
        return cls(house, clock, world, box, account, user)

    @property
    def today(self) -> date:
        return local_date(self.clock.now(), ZONE)

    @property
    def author(self) -> Author:
        return Author("customer", self.user.name, f"user:{self.user.id}", self.user.id)

    # --- looking ---------------------------------------------------------------------------------

    def bills(self) -> list[Invoice]:
        """The bills, the oldest first."""
        with self.house.db.reading() as session:
            mine = Invoice.payer_account_id == self.account.id
            query = select(Invoice).where(mine, Invoice.kind == "invoice")
            return list(session.scalars(query.order_by(Invoice.issued_at, Invoice.id)))

    def open(self) -> list[int]:
        """What is open of each bill, in cents."""
        bills = self.bills()
        with self.house.db.reading() as session:
            found = items.of_sources(session, [bill.id for bill in bills])
        return [found[bill.id].open.minor for bill in bills]

    def may_use(self) -> bool:
        with self.house.db.reading() as session:
            return asking.may_use(session, self.account.id, "internet").allowed

    def told(self) -> list[tuple[str, str]]:
        """Day and subject of the mails that ``TOLD`` is about."""
        with self.house.db.reading() as session:
            mine = select(Notice).where(
                Notice.to_address == self.user.email, Notice.template.in_(ABOUT)
            )
            return [
                (f"{local_date(row.created_at, ZONE)}", row.subject)
                for row in session.scalars(mine.order_by(Notice.id))
            ]

    def payments(self) -> list[int]:
        """What cards and the processor's page brought, in cents."""
        with self.house.db.reading() as session:
            mine = select(Payment.amount_minor).where(Payment.account_id == self.account.id)
            return list(session.scalars(mine.order_by(Payment.id)))

    def refunds(self) -> list[int]:
        with self.house.db.reading() as session:
            return list(session.scalars(select(Refund.amount_minor)))

    # --- doing -----------------------------------------------------------------------------------

    def orders(self, sku: str) -> uuid.UUID:
        asked = wish(fill_cart(self.house, sku), "invoice", email=self.user.email)
        return place(self.house, replace(asked, user_id=self.user.id)).order_id

    def is_connected(self) -> None:
        activate_service.activate(self.house, AskedService(self.service, BY.actor), self.today)

    def lets_pay(self, card: str) -> None:
        method = set_up(self.house, self.sandbox, self.account, card)
        run_autopay.start(self.house, method.id, self.user.id, FROM)

    def pays_by_bank(self, minor: int) -> None:
        came = Transfer(f"T-{self.today}", usd(minor), self.today, self.account.number)
        take_transfer.record(self.house, self.world.legal_entity_id, came, "bank")

    def is_credited(self) -> None:
        """Staff give back what is open of the oldest bill."""
        bill, left = next(
            (bill, left) for bill, left in zip(self.bills(), self.open(), strict=True) if left
        )
        parts = {1: left}  # there is no tax on it
        correct_invoice.credit(
            self.house, Correction(bill.public_id, parts, "goodwill", "once", BY.actor)
        )

    def disputes(self, which: int, wish_: str = "keep") -> None:
        asked = Asked(
            self.bills()[which].public_id, 1, "not_received", None, "It was off.", wish=wish_
        )
        self.dispute = open_dispute.open_one(self.house, asked, self.author, [self.account.id])

    def is_answered(self, credit: int) -> None:
        state = resolve_dispute.decide(
            self.house, self.dispute, Answer(usd(credit), "You are right."), BY
        )
        assert state == "resolved"

    def has_it_back(self) -> None:
        talk_about_dispute.have_back(self.house, self.dispute, self.author.actor, [self.account.id])

    def stops_autopay(self) -> None:
        assert run_autopay.stop(self.house, self.account.id, self.author.actor)

    def pays_and_closes_the_tab(self) -> None:
        """At the processor's page, whose word about it is lost on the way."""
        url = pay(self.house, PayWish(self.user.id, [self.bills()[-1].id]))
        assert url is not None
        self.sandbox.send_webhooks_to(None)
        self.sandbox.pay(url)
        assert self.open()[-1] > 0

    def leaves(self) -> None:
        """With the period that is paid for."""
        asked = AskedService(self.service, self.author.actor)
        change_service.end(self.house, asked, "moving", "", at_period_end=True)


def _is_locked(robin: Robin) -> None:
    assert not robin.may_use()


def _is_open(robin: Robin) -> None:
    assert robin.may_use()


#: What Robin was written about it all, besides bills, statements and links.
TOLD = """
2027-02-03 Stream is running
2027-02-03 AutoPay is on: Visa ending 0341 pays your bills
2027-02-13 AutoPay: $29.00 on February 16, 2027
2027-02-16 $29.00 for bill 100009 could not be charged
2027-02-19 A bill is past its date
2027-02-19 $29.00 for bill 100009 could not be charged
2027-02-24 $29.00 for bill 100009 could not be charged
2027-02-28 $29.00 is still open
2027-03-03 $29.00 for bill 100009 could not be charged
2027-03-10 Please pay $29.00 now
2027-03-16 AutoPay: $29.00 on March 19, 2027
2027-03-18 Your services are locked
2027-03-20 $29.00 for bill 100015 could not be charged
2027-03-22 Your services are on again
2027-03-23 AutoPay is on: Visa ending 4242 pays your bills
2027-04-07 We have your dispute DP100001 and answer by April 14, 2027
2027-04-12 $5.00 back: our answer to your dispute DP100001
2027-04-17 AutoPay: $24.00 on April 20, 2027
2027-04-20 Receipt P-10005: $24.00, thank you
2027-05-17 AutoPay: $29.00 on May 20, 2027
2027-05-28 Receipt P-10007: $29.00, thank you
2027-06-07 We have your dispute DP100002 and answer by June 14, 2027
2027-06-11 $29.00 back: our answer to your dispute DP100002
2027-06-11 $29.00 goes back to you
2027-06-14 AutoPay: $29.00 on June 17, 2027
2027-06-18 Receipt P-10009: $29.00, thank you
2027-06-29 AutoPay is off
2027-07-12 Receipt P-10010: $29.00, thank you
2027-07-28 Stream will end
2027-08-03 Stream has ended
"""


def told() -> list[tuple[str, str]]:
    """Day and subject of each mail."""
    return [(line[:10], line[11:]) for line in TOLD.strip().splitlines()]


#: What happens on which day; without an act it is a night that something waits for.
DAYS: dict[date, list[Callable[[Robin], None]]] = {
    date(2027, 2, 3): [Robin.is_connected, lambda r: r.lets_pay(ON_FILE_ONLY)],
    # a bill of February 1, due on the 16th: told of on the 13th, declined, and three times again
    **{date(2027, 2, day): [] for day in (13, 16, 19, 24)},
    date(2027, 3, 16): [_is_open],
    date(2027, 3, 18): [_is_locked],
    date(2027, 3, 20): [lambda r: r.pays_by_bank(3_900)],
    date(2027, 3, 21): [_is_locked],
    date(2027, 3, 22): [Robin.is_credited],
    date(2027, 3, 23): [_is_open, lambda r: r.lets_pay(CARD)],
    date(2027, 3, 26): [],
    date(2027, 4, 7): [lambda r: r.disputes(-1)],
    date(2027, 4, 12): [lambda r: r.is_answered(500)],
    date(2027, 4, 17): [],
    date(2027, 5, 17): [],
    date(2027, 6, 7): [lambda r: r.disputes(-2)],
    date(2027, 6, 11): [lambda r: r.is_answered(2_900), Robin.has_it_back],
    date(2027, 6, 14): [],
    date(2027, 6, 18): [],
    date(2027, 6, 29): [Robin.stops_autopay],
    date(2027, 7, 11): [Robin.pays_and_closes_the_tab],
    date(2027, 7, 28): [Robin.leaves],
}
