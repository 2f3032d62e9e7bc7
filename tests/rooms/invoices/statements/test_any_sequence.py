"""Whatever is posted in whatever order, and whenever statements are cut: a small model says the same.

The model keeps each posting's change of a balance in a list of its own, with what statement took it, and
which accounts are stated together. Accounts move between a statement of their own and their parent's.
"""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.kernel.calendar import bill_days
from core.kernel.db import Database
from core.kernel.money import Money
from core.ledger import items
from core.ledger.models import JournalEntry, JournalLine
from core.parties.models import Account
from invoices.proofs import statements as proofs
from invoices.statements import addressing, reading
from invoices.statements.document import fingerprint
from invoices.statements.models import Statement
from invoices.statements.rolling import BALANCE
from tests.rooms.invoices.statements.telling import Telling, all_of, read
from tests.world import World, account

PEOPLE = 3
START = date(2026, 1, 5)
people = st.integers(0, PEOPLE - 1)
sums = st.integers(1, 9_000)
back = st.integers(0, 70)


class Statements(RuleBasedStateMachine):
    """The ledger and its statements beside a list of changes."""

    db: Database
    world: World

    @initialize(days=st.tuples(st.integers(1, 31), st.integers(1, 31), st.integers(1, 31)))
    def open(self, days: tuple[int, ...]) -> None:
        self.session = Session(self.db.engine, expire_on_commit=False)
        self.session.begin()
        self.tell = Telling(self.session, self.world, START)
        self.people: list[Account] = []
        for day in days:
            made = account(self.session, self.world, self.tell.now)
            made.bill_day = day
            self.people.append(made)
        for child in self.people[1:]:
            child.parent_id = self.people[0].id
        self.session.flush()
        #: Of each account: (posting's change, is it on a statement).
        self.changes: list[list[list[Any]]] = [[] for _ in self.people]
        self.closed = [0] * PEOPLE
        self.frozen: dict[str, str] = {}

    def teardown(self) -> None:
        if hasattr(self, "session"):
            self.session.rollback()
            self.session.close()

    # --- what happens ---

    def _changed(self, person: int, minor: int) -> None:
        self.changes[person].append([minor, False])

    def _owed(self, person: int) -> list[items.Open]:
        return items.owed_by(self.session, [self.people[person].id])

    @rule(person=people, minor=sums, days=back, due=st.integers(-20, 60))
    def charge(self, person: int, minor: int, days: int, due: int) -> None:
        on = self.tell.day - timedelta(days=days)
        self.tell.charge(self.people[person], Money(minor, "USD"), on=on, due_in=due)
        self._changed(person, minor)

    @rule(person=people, minor=sums, days=back, named=st.booleans())
    def pay(self, person: int, minor: int, days: int, named: bool) -> None:
        bills = [item.id for item in self._owed(person)] if named else []
        on = self.tell.day - timedelta(days=days)
        self.tell.pay(self.people[person], Money(minor, "USD"), bills, on=on)
        self._changed(person, -minor)

    @rule(person=people, minor=sums, days=back)
    def credit(self, person: int, minor: int, days: int) -> None:
        self.tell.credit(
            self.people[person], Money(minor, "USD"), on=self.tell.day - timedelta(days=days)
        )
        self._changed(person, -minor)

    @rule(person=people)
    def use_credit(self, person: int) -> None:
        """It only moves within a balance."""
        for bill in self._owed(person):
            self.tell.use_all_credit(self.people[person], bill.id)

    @rule(person=people, minor=sums)
    def refund(self, person: int, minor: int) -> None:
        held = items.held_for(self.session, [self.people[person].id])
        if sum(each.open.minor >= minor for each in held) == 1:
            self.tell.refund(self.people[person], Money(minor, "USD"))
            self._changed(person, minor)

    @rule(person=people, minor=sums)
    def deposit_for_a_bill(self, person: int, minor: int) -> None:
        """Paid with the order: the bill adds, the deposit takes off, the deposit itself is apart."""
        who, money = self.people[person], Money(minor, "USD")
        held = self.tell.deposit(who, money)
        self.tell.use(held, self.tell.charge(who, money), money)
        self._changed(person, minor)
        self._changed(person, -minor)

    @rule(person=st.integers(1, PEOPLE - 1), together=st.booleans())
    def move(self, person: int, together: bool) -> None:
        """From a statement of its own to its parent's, or back."""
        self.people[person].is_stated_with_parent = together
        self.session.flush()

    @rule(days=st.integers(1, 45))
    def sleep(self, days: int) -> None:
        self.tell.day += timedelta(days=days)

    @rule(person=people, more=st.booleans())
    def cut(self, person: int, more: bool) -> None:
        """Make what is due on somebody's next bill day, for them or for everybody."""
        who = self.people[person]
        later = self.tell.day + timedelta(days=40)
        self.tell.day = next(bill_days(who.bill_day, self.tell.day, later))
        for one in self.people if more else [who]:
            for made in self.tell.state(one):
                self._cut(made)

    def _cut(self, made: Statement) -> None:
        numbers = {one.account_number: one for one in reading.ranges(self.session, made.id)}
        postings = self.session.scalars(select(JournalEntry.posting_number)).all()
        assert made.cutoff <= max(postings, default=0)
        change = 0
        for person, who in enumerate(self.people):
            if who.number in numbers:
                taken = self._take(person, numbers[who.number].to)
                assert numbers[who.number].closing.minor == self.closed[person] + taken
                assert numbers[who.number].opening.minor == self.closed[person]
                self.closed[person] += taken
                change += taken
        moved = made.payments_minor + made.adjustments_minor + made.charges_minor
        assert moved == change
        self.frozen[made.number] = made.document_sha256

    def _take(self, person: int, upto: int) -> int:
        """What changed up to a posting number and no statement took yet."""
        posted = self.session.scalars(_posted(self.people[person])).all()
        assert len(posted) == len(self.changes[person])
        taken = 0
        for number, change in zip(posted, self.changes[person], strict=True):
            if number <= upto and not change[1]:
                change[1] = True
                taken += change[0]
        return taken

    # --- what must hold ---

    @invariant()
    def they_prove_themselves(self) -> None:
        if not hasattr(self, "session"):
            return
        for prove in (
            proofs.they_chain,
            proofs.they_take_each_posting_once,
            proofs.they_tie_to_the_ledger,
        ):
            assert prove(self.session, None).offenders == ()
        assert proofs.numbers_have_no_gap(self.session).offenders == ()

    @invariant()
    def what_was_made_stays_as_it_was(self) -> None:
        if not hasattr(self, "session"):
            return
        for who in self.people:
            closing = 0
            for one in all_of(self.session, who):
                assert fingerprint(one.document) == self.frozen[one.number] == one.document_sha256
                assert one.opening_minor == closing
                assert read(one).disagreements() == ()
                closing = one.closing_minor

    @invariant()
    def nobody_who_is_stated_elsewhere_is_due(self) -> None:
        if not hasattr(self, "session"):
            return
        due = {one.account_id for one in addressing.due(self.session, self.tell.day)}
        elsewhere = {who.id for who in self.people if who.is_stated_with_parent}
        assert not due & elsewhere


def _posted(who: Account) -> Any:
    return (
        select(JournalEntry.posting_number)
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .where(JournalLine.account_id == who.id, JournalLine.ledger_code.in_(BALANCE))
        .group_by(JournalEntry.posting_number)
        .having(func.sum(JournalLine.amount_minor) != 0)
        .order_by(JournalEntry.posting_number)
    )


def _run(db: Database, world: World, examples: int, steps: int) -> None:
    machine = type("Here", (Statements,), {"db": db, "world": world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_statements_are_the_models_after_any_sequence(db: Database, world: World):
    _run(db, world, 6, 25)


@pytest.mark.long
def test_statements_are_the_models_after_many_sequences(db: Database, world: World):
    _run(db, world, 250, 50)
