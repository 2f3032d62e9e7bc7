"""Whatever is billed, corrected, paid, moved, given up, refunded and stated in whatever order: it all ties.

A small model keeps what each bill still asks for, what is left of each line, what is held for whom and what
of each payment may still go back. After every act the ledger says the same; at the end the books prove
themselves, each statement closes at what was owed when its day began, and a tampered line is found.
"""

import random
import sqlite3
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.tables import metadata
from core.kernel.calendar import begins_at
from core.kernel.clock import ManualClock, local_date
from core.kernel.db import Database
from core.kernel.errors import ShopError
from core.kernel.money import Money
from core.ledger import business, items, reversals, writeoffs
from core.ledger.chart import CUSTOMER_CREDIT, RECEIVABLE, UNAPPLIED
from core.ledger.models import Application, JournalLine, OpenItem
from flows.verify import verify
from invoices import drafts, memos
from invoices.drafts import Draft, DraftLine
from invoices.memos import Wish
from invoices.models import Invoice
from invoices.statements import making
from invoices.statements.making import Outside
from invoices.statements.models import Statement
from payments import gateway, money
from payments import reading as payments
from payments.models import Payment
from tests import books
from tests.books import PRINTING, Books
from tests.world import OHIO_PPM, ZONE, World, account

PEOPLE = 2
DESK, OTHER = "user:desk", "user:other"
OUTSIDE = Outside(
    lambda public_id: f"http://localhost/s/{public_id}", PRINTING.postal, payments.named
)

people = st.integers(0, PEOPLE - 1)
sums = st.integers(1, 9_000)
picks = st.integers(0, 40)
shares = st.sampled_from([1, 33, 50, 99, 100, 130])
ACTS = st.one_of(
    st.tuples(
        st.just("bill"), people, st.lists(st.tuples(sums, st.booleans()), min_size=1, max_size=3)
    ),
    st.tuples(st.just("credit"), picks, picks, shares),
    st.tuples(st.just("void"), picks),
    st.tuples(st.just("debit"), picks, picks, sums),
    st.tuples(st.just("pay"), picks, shares, st.integers(0, 9)),
    st.tuples(st.just("pay"), picks, shares, st.integers(0, 9)),
    st.tuples(st.just("use"), picks, picks, shares),
    st.tuples(st.just("undo"), picks),
    st.tuples(st.just("refund"), picks, shares),
    st.tuples(st.just("write_off"), picks, shares),
    st.tuples(st.just("state")),
    st.tuples(st.just("sleep"), st.integers(1, 25)),
)


@dataclass
class Bill:
    """A bill as the model knows it: what it asks for and what is left of its lines."""

    key: uuid.UUID
    person: int
    total: int
    open: int
    lines: dict[int, int]
    credited: int = 0
    given_up: int = 0


@dataclass
class Held:
    """Credit or unapplied money."""

    item: uuid.UUID
    person: int
    open: int


@dataclass
class Paid:
    """A payment and what of it has not gone back."""

    key: uuid.UUID
    person: int
    left: int


class Story:
    """One example: the books and the model go through the same acts."""

    def __init__(self, books: Books) -> None:
        self.books = books
        with books.db.transaction() as session:
            self.people = [account(session, books.world, self.now).id for _ in range(PEOPLE)]
        self.bills: list[Bill] = []
        self.held: list[Held] = []
        self.paid: list[Paid] = []
        #: What each person owed, less what is held for them, at each moment.
        self.balances: list[tuple[datetime, list[int]]] = []
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    @property
    def now(self) -> datetime:
        return self.books.clock.now()

    @property
    def today(self) -> date:
        return local_date(self.now, ZONE)

    def act(self, name: str, *more: Any) -> None:
        """One act; what is refused changed nothing."""
        if name != "sleep":
            with self.books.db.transaction() as session:
                done = getattr(self, name)(session, *more)
        else:
            done = self.sleep(*more)
        self.done[name] += 1 if done else 0
        self.balances.append((self.now, [self.balance(who) for who in range(PEOPLE)]))
        self.check()

    def balance(self, who: int) -> int:
        owed = sum(bill.open for bill in self.bills if bill.person == who)
        return owed - sum(one.open for one in self.held if one.person == who)

    # --- bills and memos ---

    def bill(self, session: Session, who: int, lines: list[tuple[int, bool]]) -> bool:
        written = tuple(
            DraftLine(
                f"Line {n}",
                unit_price_micros=net * 10_000,
                tax_category="device" if taxed else "",
                ledger_code="revenue" if taxed else "contract_liability",
            )
            for n, (net, taxed) in enumerate(lines, start=1)
        )
        draft = drafts.start(session, self.people[who], Draft(written), DESK, self.now)
        made = drafts.issue(session, draft.public_id, draft.revision, PRINTING, DESK, self.now)
        taxed = Decimal(sum(net for net, taxed in lines if taxed)) * OHIO_PPM / 1_000_000
        total = sum(net for net, _ in lines) + int(taxed.quantize(Decimal(1), ROUND_HALF_UP))
        assert made.total_minor == total
        nets = {n: net for n, (net, _) in enumerate(lines, start=1)}
        self.bills.append(Bill(made.id, who, total, total, nets))
        return True

    def credit(self, session: Session, pick: int, line: int, share: int) -> bool:
        if not self.bills:
            return False
        bill = self.bills[pick % len(self.bills)]
        number = sorted(bill.lines)[line % len(bill.lines)]
        net = bill.lines[number] * share // 100
        wish = Wish(bill.key, {number: net}, "goodwill", uuid.uuid4().hex, DESK)
        try:
            with session.begin_nested():
                memo, credited = memos.credit(session, wish, PRINTING, self.now)
        except ShopError as error:
            self.refused[error.code] += 1
            assert net == 0 or net > bill.lines[number]
            return False
        assert 0 < net <= bill.lines[number]
        bill.lines[number] -= net
        self._credited(session, bill, memo)
        return bool(credited.settled or credited.kept)

    def void(self, session: Session, pick: int) -> bool:
        if not self.bills:
            return False
        bill = self.bills[pick % len(self.bills)]
        wish = Wish(bill.key, None, memos.VOID, uuid.uuid4().hex, DESK)
        if not any(bill.lines.values()):
            with pytest.raises(memos.NothingToCredit), session.begin_nested():
                memos.credit(session, wish, PRINTING, self.now)
            return False
        memo, _ = memos.credit(session, wish, PRINTING, self.now)
        bill.lines = dict.fromkeys(bill.lines, 0)
        self._credited(session, bill, memo)
        assert bill.credited == bill.total, "credited in full is the bill to the cent, its tax too"
        return True

    def _credited(self, session: Session, bill: Bill, memo: Invoice) -> None:
        bill.credited += memo.total_minor
        assert bill.credited <= bill.total
        again = min(bill.given_up, max(0, memo.total_minor - bill.open))
        bill.given_up -= again  # what nobody paid comes before what is kept for somebody
        bill.open += again
        settled = min(bill.open, memo.total_minor)
        bill.open -= settled
        if memo.total_minor > settled:
            self._hold(session, bill.person, memo.id, CUSTOMER_CREDIT, memo.total_minor - settled)

    def debit(self, session: Session, pick: int, line: int, net: int) -> bool:
        if not self.bills:
            return False
        bill = self.bills[pick % len(self.bills)]
        number = sorted(bill.lines)[line % len(bill.lines)]
        wish = Wish(bill.key, {number: net}, "more_used", uuid.uuid4().hex, DESK)
        memo = memos.debit(session, wish, PRINTING, self.now)
        assert memo.total_minor >= net
        total = memo.total_minor
        self.bills.append(Bill(memo.id, bill.person, total, total, {number: net}))
        return True

    # --- money ---

    def pay(self, session: Session, pick: int, share: int, days_late: int) -> bool:
        """Money for a bill, also too much, also received some days ago."""
        open_ = [bill for bill in self.bills if bill.open]
        if not open_:
            return False
        bill = open_[pick % len(open_)]
        amount = max(1, bill.open * share // 100)
        payment = books._capture(session, self.books, self.people[bill.person], amount, None)
        receipt = money.receipt_of(payment, self.today - timedelta(days=days_late))
        (owed,) = items.find(session, OpenItem.source_id == bill.key)
        left = business.receive_for_items(session, receipt, [(owed, owed.open)], self.now)
        assert left.minor == max(0, amount - bill.open)
        bill.open -= amount - left.minor
        self.paid.append(Paid(payment.id, bill.person, amount))
        if left:
            self._hold(session, bill.person, payment.id, UNAPPLIED, left.minor)
        return True

    def use(self, session: Session, held_pick: int, owed_pick: int, share: int) -> bool:
        held = [one for one in self.held if one.open]
        owed = [bill for bill in self.bills if bill.open]
        if not held or not owed:
            return False
        one, bill = held[held_pick % len(held)], owed[owed_pick % len(owed)]
        amount = max(1, min(one.open, bill.open) * share // 100)
        (debt,) = items.find(session, OpenItem.source_id == bill.key)
        given = (items.get(session, one.item), debt, Money(amount, "USD"), self.today, self.now)
        if amount > min(one.open, bill.open):
            with pytest.raises(ValueError, match="cannot apply"):
                business.use_credit(session, *given)
            return False
        business.use_credit(session, *given)
        one.open -= amount
        bill.open -= amount
        return True

    def undo(self, session: Session, pick: int) -> bool:
        """What was applied to a bill is held again."""
        rows = [
            row
            for bill in self.bills
            for row in reversals.of_bill(
                session, items.find(session, OpenItem.source_id == bill.key)[0]
            )
            if reversals.can_undo(row)
        ]
        if not rows:
            return False
        row = rows[pick % len(rows)]
        back = reversals.undo(session, row.row.id, self.today, self.now)
        item = items.get(session, row.row.debit_item_id or uuid.uuid4())
        bill = next(one for one in self.bills if one.key == item.source_id)
        bill.open += row.left.minor
        known = next((one for one in self.held if one.item == back.id), None)
        if known is None:
            self.held.append(Held(back.id, bill.person, row.left.minor))
        else:
            known.open += row.left.minor
        return True

    def refund(self, session: Session, pick: int, share: int) -> bool:
        """Held money goes back by a payment of the same person that has as much left."""
        held = [one for one in self.held if one.open]
        if not held:
            return False
        one = held[pick % len(held)]
        amount = max(1, min(one.open, one.open * share // 100))
        payment = next((p for p in self.paid if p.person == one.person and p.left >= amount), None)
        if payment is None:
            return False
        operation = books._operation(
            session, self.books, "refund", self.people[one.person], amount, None, payment.key
        )
        told = gateway.Refund(
            id=f"re_{operation.public_id}",
            status="succeeded",
            amount=Money(amount, "USD"),
            payment_id=session.get_one(Payment, payment.key).gateway_id,
            operation_id=operation.public_id,
            metadata={},
            created=self.now,
            failure=None,
            balance_transaction_id=None,
        )
        refund = money.record_refund(session, operation, told, self.now)
        more = (Money(amount, "USD"), refund.id, self.today, self.now)
        business.refund_credit(session, items.get(session, one.item), *more)
        one.open -= amount
        payment.left -= amount
        return True

    def write_off(self, session: Session, pick: int, share: int) -> bool:
        open_ = [bill for bill in self.bills if bill.open]
        if not open_:
            return False
        bill = open_[pick % len(open_)]
        (owed,) = items.find(session, OpenItem.source_id == bill.key)
        amount = max(1, bill.open * share // 100)
        if amount > bill.open:
            with pytest.raises(writeoffs.TooMuchToWriteOff):
                writeoffs.request(session, owed, Money(amount, "USD"), "gone", DESK, self.now)
            return False
        key = writeoffs.request(session, owed, Money(amount, "USD"), "gone", DESK, self.now)
        with pytest.raises(writeoffs.SamePerson):
            writeoffs.approve(session, key, DESK, self.today, self.now)
        writeoffs.approve(session, key, OTHER, self.today, self.now)
        bill.open -= amount
        bill.given_up += amount
        return True

    def _hold(self, session: Session, who: int, source: uuid.UUID, code: str, amount: int) -> None:
        (found,) = items.find(
            session,
            OpenItem.source_id == source,
            OpenItem.ledger_code == code,
            OpenItem.side == "credit",
        )
        self.held.append(Held(found.id, who, amount))

    # --- statements and days ---

    def state(self, session: Session) -> bool:
        """Every statement that is due; each closes at what was owed when its day began."""
        made = 0
        for who, key in enumerate(self.people):
            while statement := making.make_next(session, key, "USD", self.today, OUTSIDE, self.now):
                made += 1
                begins = begins_at(statement.issue_date, ZONE)
                before = [sums[who] for moment, sums in self.balances if moment < begins]
                assert statement.closing_minor == (before[-1] if before else 0)
        return made > 0

    def sleep(self, days: int) -> bool:
        self.books.clock.advance(timedelta(days=days))
        return True

    # --- what must hold ---

    def check(self) -> None:
        with self.books.db.snapshot() as session:
            theirs = items.find(session, OpenItem.account_id.in_(self.people))
            owed = {item.source_id: item.open.minor for item in theirs if item.side == "debit"}
            credit = [item for item in theirs if item.side == "credit"]
            held = {item.id: item.open.minor for item in credit if item.open}
            assert owed == {bill.key: bill.open for bill in self.bills}
            assert held == {one.item: one.open for one in self.held if one.open}
            for who, key in enumerate(self.people):
                balance = session.scalar(
                    select(func.sum(JournalLine.amount_minor)).where(
                        JournalLine.account_id == key,
                        JournalLine.ledger_code.in_([RECEIVABLE, CUSTOMER_CREDIT, UNAPPLIED]),
                    )
                )
                assert int(balance or 0) == self.balance(who)

    def finish(self) -> None:
        """The books prove themselves, and the statements hang together."""
        against = [one for one in verify(self.books.db, self.books.clock) if not one.holds]
        assert against == []
        with self.books.db.snapshot() as session:
            for key in self.people:
                chain = session.scalars(
                    select(Statement)
                    .where(Statement.account_id == key)
                    .order_by(Statement.sequence)
                ).all()
                assert [one.opening_minor for one in chain[1:]] == [
                    one.closing_minor for one in chain[:-1]
                ]
            assert (
                session.scalar(
                    select(func.count())
                    .select_from(Application)
                    .where(Application.amount_minor == 0)
                )
                == 0
            )


@pytest.fixture
def open_books(db: Database, clock: ManualClock, world: World, tmp_path: Path) -> Books:
    return Books(db, clock, world, tmp_path)


#: An example is long and each act costs queries: it is told as it is, not made smaller.
SUITE = settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
LONG = settings(SUITE, max_examples=400)
LIVES = st.lists(ACTS, min_size=10, max_size=40)


def live(open_books: Books, acts: list[tuple[Any, ...]]) -> Story:
    """Do it all, and see that the books prove themselves."""
    story = Story(open_books)
    for name, *more in acts:
        story.act(str(name), *more)
    story.finish()
    return story


@SUITE
@given(acts=LIVES)
def test_the_books_tie_whatever_is_done_in_whatever_order(
    open_books: Books, acts: list[tuple[Any, ...]]
) -> None:
    live(open_books, acts)


@pytest.mark.long
@LONG
@given(acts=LIVES)
def test_the_books_tie_for_a_long_time(open_books: Books, acts: list[tuple[Any, ...]]) -> None:
    live(open_books, acts)


#: A bit of everything, the last statement included.
A_LIFE: list[tuple[Any, ...]] = [
    ("bill", 0, [(4_999, True), (1_250, False), (333, True)]),
    ("bill", 1, [(8_000, True)]),
    ("sleep", 3),
    ("pay", 0, 50, 2),
    ("credit", 0, 0, 50),
    ("pay", 1, 130, 0),
    ("debit", 0, 1, 700),
    ("use", 0, 0, 50),
    ("undo", 0),
    ("refund", 0, 33),
    ("write_off", 0, 33),
    ("void", 1),
    ("sleep", 25),
    ("state",),
    ("pay", 0, 100, 5),
    ("sleep", 25),
    ("state",),
]
MONEY_COLUMNS = (
    "journal_line.amount_minor",
    "journal_line.functional_minor",
    "open_item.amount_minor",
    "application.amount_minor",
    "invoice.net_minor total_minor",
    "invoice.tax_minor total_minor",
    "invoice_line.net_minor",
    "invoice_line_tax.amount_minor",
    "payment.amount_minor",
    "refund.amount_minor",
    "statement.closing_minor",
    "statement.opening_minor",
    "statement.opening_minor closing_minor",
)


def test_a_tampered_amount_is_always_found(open_books: Books) -> None:
    story = live(open_books, A_LIFE)
    assert set(story.done) == {str(name) for name, *_ in A_LIFE}
    assert all(story.done.values()), story.done
    dice, missed = random.Random(7), []
    for place in MONEY_COLUMNS:
        table, columns = place.split(".")
        names = columns.split()
        keys = [key.name for key in metadata.tables[table].primary_key]
        with open_books.db.reading() as session:
            query = text(f"SELECT {', '.join(keys + names)} FROM {table} ORDER BY 1, 2")
            rows = [tuple(row) for row in session.execute(query)]
        for row in dice.sample(rows, min(3, len(rows))):
            where = " AND ".join(f"{n} = '{v}'" for n, v in zip(keys, row, strict=False))
            was = dict(zip(names, row[len(keys) :], strict=True))
            try:
                open_books.tamper(_change(table, {n: v + 1 for n, v in was.items()}, where))
            except (sqlite3.IntegrityError, IntegrityError):
                continue  # a check of the table itself does not take it
            if all(one.holds for one in verify(open_books.db, open_books.clock)):
                missed.append((place, row))
            open_books.tamper(_change(table, was, where))
    assert missed == []
    story.finish()


def _change(table: str, values: dict[str, int], where: str) -> str:
    return f"UPDATE {table} SET {', '.join(f'{n} = {v}' for n, v in values.items())} WHERE {where}"
