"""Whatever is disputed, answered, withdrawn, credited beside it, voided and paid, in whatever order: no line
is credited beyond itself, no dispute beyond its amount, and once all are closed nothing is contested."""

import uuid
from dataclasses import dataclass
from decimal import Decimal
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
from invoices.correctable import lines_of
from invoices.disputes import deciding, opening
from invoices.disputes.deciding import Decision
from invoices.disputes.models import STANDING, Dispute
from invoices.disputes.opening import Wanted
from invoices.disputes.refusals import (
    CreditTooMuch,
    CreditTooSmall,
    DisputedAlready,
    DisputedTooMuch,
)
from invoices.disputes.talking import Said
from invoices.memos import MoreThanTheBill, NothingToCredit
from invoices.models import Invoice
from invoices.proofs import disputes as proofs
from tests.rooms.invoices.billing import PRINTING, Billing, line
from tests.rooms.invoices.test_memos import proved
from tests.rooms.ledger.books import receipt
from tests.world import World

prices = st.integers(1, 2500)
picks = st.integers(0, 20)
amounts = st.integers(1, 3200)
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
#: A credit over ten needs two people here.
LIMIT = 10
ONE, TWO = "user:one", "user:two"


@dataclass
class Standing:
    """A dispute as the model knows it."""

    row: Dispute
    bill: Invoice
    line_id: uuid.UUID
    amount: int
    state: str = "open"
    credited: int = 0


class Disputes(RuleBasedStateMachine):
    """One example: the room and the model go through the same steps, and nothing is kept of it."""

    session: Session
    world: World
    clock: ManualClock

    def __init__(self) -> None:
        super().__init__()
        self.session.begin()
        self.billing = Billing.open(self.session, self.world, self.clock)
        self.bills: list[Invoice] = []
        self.known: list[Standing] = []

    def teardown(self) -> None:
        for one in [one for one in self.known if one.state in STANDING]:
            deciding.withdraw(self.session, one.row, "user:payer", self.clock.now())
        owed = items.of_sources(self.session, [bill.id for bill in self.bills])
        assert all(item.contested.minor == 0 for item in owed.values())
        assert all(item.uncontested == item.open for item in owed.values())
        self._proved()
        proved(self.session)
        self.session.rollback()
        self.session.expunge_all()

    def _proved(self) -> None:
        for part in (
            proofs.contested_is_what_stands(self.session),
            proofs.credits_are_their_memos(self.session),
        ):
            assert part.offenders == ()

    @rule(nets=st.lists(prices, min_size=1, max_size=3))
    def bill(self, nets: list[int]) -> None:
        self.bills.append(self.billing.bill(*[line(str(Decimal(net) / 100)) for net in nets]))

    @precondition(lambda self: self.bills)
    @rule(pick=picks, which=picks, minor=amounts)
    def dispute(self, pick: int, which: int, minor: int) -> None:
        bill = self.bills[pick % len(self.bills)]
        lines = lines_of(self.session, bill.id)
        found = lines[which % len(lines)]
        said = Said("customer", "Riley", "It is too much.", "user:payer")
        number, amount = found.row.line_number, Money(minor, "USD")
        wanted = Wanted(bill.id, number, "overcharge", amount, said, by_staff=True)
        open_now = [
            one for one in self.known if one.line_id == found.row.id and one.state in STANDING
        ]
        refusal: type[Exception] | None = None
        if open_now:
            refusal = DisputedAlready
        elif minor > found.creditable.left_total:
            refusal = DisputedTooMuch
        if refusal is not None:
            with pytest.raises(refusal):
                opening.open_one(self.session, wanted, 5, self.clock.now())
            return
        row = opening.open_one(self.session, wanted, 5, self.clock.now())
        self.known.append(Standing(row, bill, found.row.id, minor))

    @precondition(lambda self: any(one.state == "open" for one in self.known))
    @rule(pick=picks, minor=st.integers(0, 3200))
    def decide(self, pick: int, minor: int) -> None:
        open_now = [one for one in self.known if one.state == "open"]
        one = open_now[pick % len(open_now)]
        self._answer(one, minor, lambda amount: deciding.decide(
            self.session,
            one.row,
            Decision(amount, "Because.", ONE),
            LIMIT,
            PRINTING,
            self.clock.now(),
        ))  # fmt: skip

    @precondition(lambda self: any(one.state == "waiting" for one in self.known))
    @rule(pick=picks, approved=st.booleans())
    def second(self, pick: int, approved: bool) -> None:
        waiting = [one for one in self.known if one.state == "waiting"]
        one = waiting[pick % len(waiting)]
        proposal = deciding.asked_of(self.session, one.row)
        say: dict[str, Any] = {
            "note": "",
            "actor": TWO,
            "user_id": None,
            "printing": PRINTING,
            "now": self.clock.now(),
        }
        if not approved:
            deciding.second(self.session, one.row, proposal.public_id, approved=False, **say)
            one.state = "open"
            return
        nested = self.session.begin_nested()
        try:
            deciding.second(self.session, one.row, proposal.public_id, approved=True, **say)
            nested.commit()
        except (CreditTooMuch, CreditTooSmall, MoreThanTheBill):
            # Somebody credited the line in the meantime: it waits until it is given back.
            nested.rollback()
            self.session.refresh(one.row)
            return
        self._took(one, proposal.amount_minor)

    def _answer(self, one: Standing, minor: int, decide: Any) -> None:
        left = deciding.most(self.session, one.row).minor
        if minor > left:
            with pytest.raises(CreditTooMuch):
                decide(Money(minor, "USD"))
            return
        nested = self.session.begin_nested()
        try:
            decide(Money(minor, "USD"))
            nested.commit()
        except (CreditTooSmall, MoreThanTheBill):
            nested.rollback()
            self.session.refresh(one.row)
            return
        if one.row.state == "waiting":
            one.state = "waiting"
            assert minor > LIMIT * 100
        else:
            self._took(one, minor)

    def _took(self, one: Standing, minor: int) -> None:
        one.state, one.credited = "resolved", one.row.credited_minor
        assert one.row.state == "resolved"
        assert one.credited == minor <= one.amount, "to the cent"

    @precondition(lambda self: any(one.state in STANDING for one in self.known))
    @rule(pick=picks)
    def withdraw(self, pick: int) -> None:
        standing = [one for one in self.known if one.state in STANDING]
        one = standing[pick % len(standing)]
        deciding.withdraw(self.session, one.row, "user:payer", self.clock.now())
        one.state = "withdrawn"

    @precondition(lambda self: self.bills)
    @rule(pick=picks, which=picks, net=st.integers(1, 1500))
    def credit(self, pick: int, which: int, net: int) -> None:
        bill = self.bills[pick % len(self.bills)]
        lines = lines_of(self.session, bill.id)
        found = lines[which % len(lines)]
        if found.creditable.bears(net):
            self.billing.credit(bill, {found.row.line_number: net})

    @precondition(lambda self: self.bills)
    @rule(pick=picks)
    def void(self, pick: int) -> None:
        bill = self.bills[pick % len(self.bills)]
        if sum(one.creditable.left_total for one in lines_of(self.session, bill.id)):
            self.billing.credit(bill, reason="void")
        else:
            with pytest.raises(NothingToCredit):
                self.billing.credit(bill, reason="void")

    @precondition(lambda self: self.bills)
    @rule(pick=picks, minor=amounts)
    def pay(self, pick: int, minor: int) -> None:
        bill = self.bills[pick % len(self.bills)]
        owed = items.of_sources(self.session, [bill.id])[bill.id]
        amount = Money(min(minor, owed.open.minor), "USD")
        if not amount:
            return
        came = receipt(self.world, self.billing.payer.id, amount, on=bill.issue_date)
        business.receive_for_items(self.session, came, [(owed, amount)], self.clock.now())

    @invariant()
    def no_line_gives_more_than_itself_and_what_stands_is_contested(self) -> None:
        owed = items.of_sources(self.session, [bill.id for bill in self.bills])
        for bill in self.bills:
            for one in lines_of(self.session, bill.id):
                assert 0 <= one.creditable.left_net <= one.creditable.net_minor
                assert one.creditable.left_tax >= 0
            disputed = sum(
                one.amount for one in self.known if one.bill.id == bill.id and one.state in STANDING
            )
            item = owed[bill.id]
            assert item.contested.minor == min(disputed, item.open.minor)


def run(db: Database, world: World, clock: ManualClock, examples: int, steps: int) -> None:
    with Session(db.engine, expire_on_commit=False) as session:
        here = {"session": session, "world": world, "clock": clock}
        machine: Any = type("Here", (Disputes,), here)
        machine.TestCase.settings = settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=PHASES,
            suppress_health_check=list(HealthCheck),
        )
        machine.TestCase().runTest()


def test_disputes_after_any_sequence(db: Database, world: World, clock: ManualClock):
    run(db, world, clock, 8, 14)


@pytest.mark.long
def test_disputes_after_any_long_sequence(db: Database, world: World, clock: ManualClock):
    run(db, world, clock, 100, 60)
