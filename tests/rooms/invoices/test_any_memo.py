"""Whatever is billed, credited, charged more, voided, paid and refunded in whatever order: the ledger says
what a small model says, no line is credited beyond itself, and what was voided came to exactly the bill."""

import uuid
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.money import Money
from core.ledger import business, items
from core.ledger.chart import CUSTOMER_CREDIT, RECEIVABLE, TAX_PAYABLE
from invoices.correcting import MoreThanTheLine
from invoices.memos import MemoBelowZero, MoreThanTheBill, NothingToCredit
from invoices.models import Invoice
from tests.rooms.invoices.billing import Billing, line
from tests.rooms.invoices.test_memos import proved
from tests.rooms.ledger.books import balance, receipt
from tests.world import World

prices = st.integers(-300, 2000).filter(bool)
picks = st.integers(0, 20)
#: The steps of a failing example are told; to find fewer takes longer than the whole suite may.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
parts = st.integers(1, 2500)


@dataclass
class Line:
    """A line of a bill as the model knows it: what it was, and what was given back of it."""

    net: int
    tax: int
    given_net: int = 0
    given_tax: int = 0


@dataclass
class Bill:
    """A bill or debit memo, and what is open of it."""

    row: Invoice
    lines: dict[int, Line]
    open: int
    given: int = 0

    @property
    def left(self) -> int:
        """What can still be credited of all of it."""
        return self.row.total_minor - self.given


class Memos(RuleBasedStateMachine):
    """One example: the room and the model go through the same steps, and nothing is kept of it."""

    session: Session
    world: World
    clock: ManualClock

    def __init__(self) -> None:
        super().__init__()
        self.session.begin()
        self.billing = Billing.open(self.session, self.world, self.clock)
        self.bills: list[Bill] = []
        self.kept: dict[uuid.UUID, int] = {}

    def teardown(self) -> None:
        proved(self.session)
        self.session.rollback()
        self.session.expunge_all()

    def add(self, row: Invoice) -> None:
        rows = self.billing.lines(row)
        lines = {one.line_number: Line(one.net_minor, one.tax_minor) for one in rows}
        assert sum(one.net + one.tax for one in lines.values()) == row.total_minor
        self.bills.append(Bill(row, lines, row.total_minor))

    def pick(self, pick: int) -> Bill:
        return self.bills[pick % len(self.bills)]

    @rule(nets=st.lists(prices, min_size=1, max_size=3))
    def bill(self, nets: list[int]) -> None:
        lines = [line(str(Decimal(net) / 100)) for net in nets]
        if sum(nets) < 0 or _tax(sum(nets)) + sum(nets) < 0:
            with pytest.raises(MemoBelowZero):
                self.billing.bill(*lines)
            return
        self.add(self.billing.bill(*lines))

    @precondition(lambda self: self.bills)
    @rule(pick=picks, which=picks, net=parts)
    def credit(self, pick: int, which: int, net: int) -> None:
        bill = self.pick(pick)
        number = sorted(bill.lines)[which % len(bill.lines)]
        one = bill.lines[number]
        signed = net if one.net > 0 else -net
        wanted = {number: signed}
        if net > abs(one.net - one.given_net):
            with pytest.raises(MoreThanTheLine):
                self.billing.credit(bill.row, wanted)
        elif one.net < 0:
            with pytest.raises(MemoBelowZero):
                self.billing.credit(bill.row, wanted)
        elif net + _tax_with(one, net) > bill.left:
            with pytest.raises(MoreThanTheBill):
                self.billing.credit(bill.row, wanted)
        else:
            self.given(bill, *self.billing.credit(bill.row, wanted))

    @precondition(lambda self: self.bills)
    @rule(pick=picks)
    def void(self, pick: int) -> None:
        bill = self.pick(pick)
        if all(one.net == one.given_net for one in bill.lines.values()):
            with pytest.raises(NothingToCredit):
                self.billing.credit(bill.row, reason="void")
            return
        self.given(bill, *self.billing.credit(bill.row, reason="void"))
        assert bill.given == bill.row.total_minor, "tax included, to the cent"

    def given(self, bill: Bill, memo: Invoice, credited) -> None:
        """The memo's lines go into the model; its total lowers what is open, the rest is kept."""
        for row in self.billing.lines(memo):
            one = bill.lines[row.line_number]
            one.given_net += row.net_minor
            one.given_tax += row.tax_minor
            exact = Decimal(one.tax * one.given_net) / one.net
            assert abs(one.given_tax - exact) <= Decimal("0.5")
        settled = min(memo.total_minor, bill.open)
        bill.open -= settled
        bill.given += memo.total_minor
        assert (credited.settled.minor, credited.kept.minor) == (
            settled,
            memo.total_minor - settled,
        )
        if credited.item_id is not None:
            self.kept[credited.item_id] = credited.kept.minor

    @precondition(lambda self: self.bills)
    @rule(pick=picks, which=picks, net=parts)
    def debit(self, pick: int, which: int, net: int) -> None:
        bill = self.pick(pick)
        number = sorted(bill.lines)[which % len(bill.lines)]
        memo = self.billing.debit(bill.row, {number: net})
        assert memo.total_minor == net + _tax(net)
        self.add(memo)

    @precondition(lambda self: self.bills)
    @rule(pick=picks, minor=parts)
    def pay(self, pick: int, minor: int) -> None:
        bill = self.pick(pick)
        part = min(minor, bill.open)
        if not part:
            return
        amount = Money(part, "USD")
        owed = items.of_sources(self.session, [bill.row.id])[bill.row.id]
        came = receipt(self.world, self.billing.payer.id, amount, on=bill.row.issue_date)
        business.receive_for_items(self.session, came, [(owed, amount)], self.clock.now())
        bill.open -= part

    @precondition(lambda self: self.kept)
    @rule(pick=picks, minor=parts)
    def refund(self, pick: int, minor: int) -> None:
        key = sorted(self.kept)[pick % len(self.kept)]
        held = items.get(self.session, key)
        more = (uuid.uuid4(), held.effective_date, self.clock.now())
        if minor > self.kept[key]:
            with pytest.raises(ValueError, match="cannot refund"):
                business.refund_credit(self.session, held, Money(minor, "USD"), *more)
            return
        business.refund_credit(self.session, held, Money(minor, "USD"), *more)
        self.kept[key] -= minor

    @invariant()
    def the_ledger_says_the_same(self) -> None:
        owed = items.of_sources(self.session, [bill.row.id for bill in self.bills])
        assert {key: item.open.minor for key, item in owed.items()} == {
            bill.row.id: bill.open for bill in self.bills if bill.row.total_minor
        }
        payer = self.billing.payer.id
        assert balance(self.session, RECEIVABLE, payer) == sum(b.open for b in self.bills)
        assert -balance(self.session, CUSTOMER_CREDIT, payer) == sum(self.kept.values())
        lines = [one for bill in self.bills for one in bill.lines.values()]
        assert -balance(self.session, TAX_PAYABLE, payer) == sum(
            one.tax - one.given_tax for one in lines
        )


def _tax_with(one: Line, net: int) -> int:
    """The tax that goes with crediting so much more of a line."""
    whole = Decimal(one.tax * (one.given_net + net)) / one.net
    return int(whole.quantize(Decimal(1), ROUND_HALF_UP)) - one.given_tax


def _tax(net: int) -> int:
    """20 %, rounded half up, as one line or the whole of a document."""
    return int((Decimal(net) / 5).quantize(Decimal(1), ROUND_HALF_UP))


def run(db: Database, world: World, clock: ManualClock, examples: int, steps: int) -> None:
    with Session(db.engine, expire_on_commit=False) as session:
        here = {"session": session, "world": world, "clock": clock}
        machine: Any = type("Here", (Memos,), here)
        machine.TestCase.settings = settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=PHASES,
            suppress_health_check=list(HealthCheck),
        )
        machine.TestCase().runTest()


def test_memos_after_any_sequence(db: Database, world: World, clock: ManualClock):
    run(db, world, clock, 8, 14)


@pytest.mark.long
def test_memos_after_any_long_sequence(db: Database, world: World, clock: ManualClock):
    run(db, world, clock, 100, 60)
