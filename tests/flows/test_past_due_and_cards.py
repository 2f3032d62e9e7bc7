"""Past due while a card is about to pay: nobody is asked for what is collected by itself, until it failed."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.kernel.clock import ManualClock
from core.parties.models import Membership
from flows import run_autopay, run_card_payments, schedule_payment
from flows.house import House
from flows.schedule_payment import Wish
from invoices.models import Invoice
from payments.models import PaymentMethod
from tests.automatic import ADDRESS, Bank
from tests.late import Late, open_late
from tests.on_file import set_up
from tests.sandbox_process import SandboxProcess
from tests.world import World


@dataclass
class Carded(Late):
    """Late, with a card on file at a bank that says what it is told to."""

    bank: Bank
    card: PaymentMethod
    sandbox: SandboxProcess

    def on(self, days: int, hour: int = 9) -> None:
        """After midnight the day's round, in the morning the cards'."""
        super().on(days, 1)
        self.clock.advance(timedelta(hours=hour - 1))
        self.sandbox.set_clock(self.clock.now().timestamp())
        run_card_payments.run(self.house)
        self.drain()

    @property
    def user_id(self):
        with self.house.db.reading() as session:
            query = select(Membership.user_id).where(Membership.account_id == self.riley.id)
            return session.scalars(query).one()

    def autopay(self) -> None:
        """Its first notice goes out at once."""
        run_autopay.start(self.house, self.card.id, self.user_id, ADDRESS)
        run_card_payments.run(self.house)
        self.drain()

    def plan(self, days: int, *bills: Invoice) -> str:
        """A payment of certain bills, or of all that is owed, on a day; answers its public id."""
        kind, keys = "bills" if bills else "balance", tuple(bill.id for bill in bills)
        wish = Wish(
            self.riley.id, self.user_id, self.card.public_id, kind,
            self.began + timedelta(days=days), ADDRESS, invoice_ids=keys,
        )  # fmt: skip
        made = schedule_payment.plan(self.house, wish)
        self.drain()
        return made.public_id

    def give_up(self, public_id: str) -> None:
        schedule_payment.cancel(self.house, public_id, [self.riley.id], "test")
        self.drain()


@pytest.fixture
def late(house: House, clock: ManualClock, world: World, sandbox: SandboxProcess) -> Carded:
    bank = Bank(house.gateway)
    opened = open_late(replace(house, gateway=bank), clock, world)
    card = set_up(opened.house, sandbox, opened.riley)
    return Carded(**vars(opened), bank=bank, card=card, sandbox=sandbox)


def test_nobody_is_asked_for_what_autopay_is_about_to_charge(late: Carded):
    late.bill()
    late.on(2)
    late.autopay()
    late.live(3, 4)
    assert (late.open_case.next_step, late.open_case.next_on) == (
        "payment",
        late.began + timedelta(days=5),
    )
    late.live(5, 6)
    assert late.case is None
    assert late.acts() == [(2, "opened"), (5, "closed")]
    assert late.mails() == []
    late.assert_sound()


def test_a_declined_charge_is_reminded_of_with_its_next_try_and_costs_nothing_before_the_last(
    late: Carded,
):
    late.bank.says = ["insufficient_funds"] * 4
    late.bill()
    late.on(2)
    late.autopay()
    late.live(5, 6)  # tried and declined; tried again after 3, 5 and 7 days
    assert late.mails() == ["A bill is past its date"]
    assert f"We try it again on {late.began + timedelta(days=8):%A}" in late.last_words()
    late.live(8, 13, 14, 19)
    assert "Your card was declined. We try it again on" in late.last_words()
    assert "fee" not in [step for _, step in late.acts()], "the last try is not made yet"
    late.live(20, 21)
    assert late.bank.asked == 4
    late.live(29, 30)
    lock = f"lock-{late.began + timedelta(days=30)}"
    assert late.acts()[1:] == [
        (6, "reminder-1"),
        (13, "reminder-2"),
        (20, "reminder-3"),
        (21, "fee"),
        (30, lock),
    ]
    late.assert_sound()


def test_nobody_is_locked_before_a_planned_payment_was_tried_nor_without_notice_after_it(
    late: Carded,
):
    late.bank.says = ["stolen_card"]
    late.bill()
    late.live(3, 20, 28)
    assert late.open_case.lock_on == late.began + timedelta(days=30)
    late.plan(33)
    late.live(30, 33)
    assert late.bank.asked == 1
    assert late.open_case.lock_on == late.began + timedelta(days=40)
    late.live(34, 39)
    assert not late.is_locked()
    late.on(40)
    assert late.is_locked()
    late.assert_sound()


def test_a_bill_that_no_payment_is_planned_for_is_asked_for_alone(late: Carded):
    late.bank.says = ["stolen_card"]
    first = late.bill()
    late.on(5)
    late.bill("60.00")
    late.plan(12, first)
    late.live(6, 8)
    assert late.mails()[-1] == "A bill is past its date"
    assert "$60.00 was due" in late.last_words()
    late.live(12, 13)
    assert late.open_case.due_on == late.began, "the earliest counts again"
    late.on(14)
    assert late.mails()[-1] == "$105.00 is still open"


def test_planning_and_giving_up_holds_nothing_for_ever(late: Carded):
    late.bill()
    late.on(1)
    far = late.plan(16)
    late.on(3)
    assert late.acts()[-1] == (3, "reminder-1"), "further away than a day that may be promised"
    late.give_up(far)
    late.give_up(late.plan(12))
    late.plan(12)
    late.on(10)
    assert late.acts()[-1] == (10, "reminder-2"), "given up as often as one may promise"
    late.on(12)
    assert late.case is None
    late.assert_sound()
