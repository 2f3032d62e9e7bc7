"""Whatever is charged, received, used and refunded in whatever order: the books tie, on every day.

A small model keeps each item with what was applied to it and when; the ledger must say the same, now and
as of any day that was.
"""

import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.money import Money
from core.ledger import business, items
from core.ledger.chart import (
    CHART,
    CLEARING,
    CUSTOMER_CREDIT,
    ORDER_DEPOSIT,
    RECEIVABLE,
    UNAPPLIED,
)
from core.ledger.items import Open
from core.ledger.models import OpenItem
from tests.rooms.ledger.books import DAY, balance, document, receipt, sound, tell_rates
from tests.world import World, account

PEOPLE = 2


@dataclass
class Kept:
    """An item as the model knows it."""

    id: uuid.UUID
    person: int
    code: str
    amount: int
    since: date
    applied: list[tuple[date, int]] = field(default_factory=list)

    def open(self, as_of: date) -> int:
        return self.amount - sum(amount for day, amount in self.applied if day <= as_of)


people = st.integers(0, PEOPLE - 1)
sums = st.integers(1, 5_000)
picks = st.integers(0, 50)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("charge"), people, sums, st.integers(0, 500), st.integers(-5, 70)),
        st.tuples(st.just("credit_memo"), people, sums, st.integers(0, 500)),
        st.tuples(st.just("deposit"), people, sums),
        st.tuples(st.just("pay"), people, sums, st.lists(st.tuples(picks, sums), max_size=3)),
        st.tuples(st.just("use"), picks, picks, sums),
        st.tuples(st.just("refund"), picks, sums),
        st.tuples(st.just("sleep"), st.integers(1, 20)),
    ),
    max_size=14,
)


class Story:
    """One example: the ledger and the model go through the same steps."""

    def __init__(self, session: Session, world: World, clock: ManualClock, currency: str) -> None:
        self.session, self.world, self.now = session, world, clock.now()
        self.currency, self.today = currency, DAY
        self.people = [account(session, world, self.now).id for _ in range(PEOPLE)]
        self.kept: list[Kept] = []
        self.cleared = 0

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)

    def on(self, side: str) -> list[Kept]:
        return [one for one in self.kept if (one.code == RECEIVABLE) == (side == "debit")]

    def add(self, item_id: uuid.UUID | None, person: int, code: str, amount: int) -> None:
        assert item_id is not None
        self.kept.append(Kept(item_id, person, code, amount, self.today))

    def newest_of(self, person: int, code: str, source_id: uuid.UUID) -> uuid.UUID:
        (found,) = items.find(
            self.session, OpenItem.source_id == source_id, OpenItem.ledger_code == code
        )
        assert found.account_id == self.people[person]
        return found.id

    # --- the steps ---

    def charge(self, person: int, net: int, tax: int, days: int) -> None:
        due = self.today + timedelta(days=days)
        issued = document(
            self.world, self.people[person], self.money(net), tax, on=self.today, due=due
        )
        self.add(business.charge(self.session, issued, self.now), person, RECEIVABLE, net + tax)

    def credit_memo(self, person: int, net: int, tax: int) -> None:
        memo = document(self.world, self.people[person], self.money(net), tax, on=self.today)
        item_id = business.credit_customer(self.session, memo, self.now)
        self.add(item_id, person, CUSTOMER_CREDIT, net + tax)

    def deposit(self, person: int, amount: int) -> None:
        came = receipt(self.world, self.people[person], self.money(amount), on=self.today)
        item_id = business.receive_for_order(self.session, came, uuid.uuid4(), self.now)
        self.cleared += amount
        self.add(item_id, person, ORDER_DEPOSIT, amount)

    def pay(self, person: int, amount: int, wanted: list[tuple[int, int]]) -> None:
        mine = [one for one in self.on("debit") if one.person == person]
        chosen = [(mine[pick % len(mine)], most) for pick, most in wanted] if mine else []
        came = receipt(self.world, self.people[person], self.money(amount), on=self.today)
        asked = [(items.get(self.session, one.id), self.money(most)) for one, most in chosen]
        left = business.receive_for_items(self.session, came, asked, self.now)
        rest = amount
        for one, most in chosen:
            part = min(most, one.open(self.today), rest)
            if part:
                one.applied.append((self.today, part))
                rest -= part
        assert left == self.money(rest)
        self.cleared += amount
        if rest:
            found = self.newest_of(person, UNAPPLIED, came.payment_id)
            self.add(found, person, UNAPPLIED, rest)

    def use(self, held_pick: int, owed_pick: int, amount: int) -> None:
        if not self.on("credit") or not self.on("debit"):
            return
        held = self.on("credit")[held_pick % len(self.on("credit"))]
        owed = self.on("debit")[owed_pick % len(self.on("debit"))]
        given = (items.get(self.session, held.id), items.get(self.session, owed.id))
        if amount > min(held.open(self.today), owed.open(self.today)):
            with pytest.raises(ValueError, match="cannot apply"):
                business.use_credit(self.session, *given, self.money(amount), self.today, self.now)
            return
        business.use_credit(self.session, *given, self.money(amount), self.today, self.now)
        held.applied.append((self.today, amount))
        owed.applied.append((self.today, amount))

    def refund(self, pick: int, amount: int) -> None:
        if not self.on("credit"):
            return
        held = self.on("credit")[pick % len(self.on("credit"))]
        item = items.get(self.session, held.id)
        more = (self.money(amount), uuid.uuid4(), self.today, self.now)
        if amount > held.open(self.today):
            with pytest.raises(ValueError, match="cannot refund"):
                business.refund_credit(self.session, item, *more)
            return
        business.refund_credit(self.session, item, *more)
        held.applied.append((self.today, amount))
        self.cleared -= amount

    def sleep(self, days: int) -> None:
        self.today += timedelta(days=days)

    # --- what must hold ---

    def check(self) -> None:
        everything = items.find(self.session, OpenItem.account_id.in_(self.people))
        assert {one.id: one.open for one in everything} == {
            one.id: self.money(one.open(self.today)) for one in self.kept
        }
        assert all(0 <= one.open.minor <= one.amount.minor for one in everything)
        assert balance(self.session, CLEARING) == self.cleared
        sound(self.session)
        days = {DAY - timedelta(days=1), self.today, *(one.since for one in self.kept)}
        for day in sorted(days):
            self.check_as_of(day)

    def check_as_of(self, day: date) -> None:
        sound(self.session, day)
        assert sum(balance(self.session, code, None, day) for code, _, _ in CHART) == 0
        for person, key in enumerate(self.people):
            then = [one for one in self.kept if one.person == person and one.since <= day]
            for side, read in (("debit", items.owed_by), ("credit", items.held_for)):
                mine = [one for one in then if one in self.on(side) and one.open(day)]
                assert {one.id: one.open for one in read(self.session, [key], day)} == {
                    one.id: self.money(one.open(day)) for one in mine
                }
            for code in (RECEIVABLE, ORDER_DEPOSIT, CUSTOMER_CREDIT, UNAPPLIED):
                total = sum(one.open(day) for one in then if one.code == code)
                signed = total if code == RECEIVABLE else -total
                assert balance(self.session, code, key, day) == signed


def test_the_books_tie_after_any_sequence_and_as_of_any_day(
    db: Database, world: World, clock: ManualClock
):
    with db.transaction() as session:
        tell_rates(session, clock.now(), 400)
    with Session(db.engine, expire_on_commit=False) as session:

        @given(STEPS, st.sampled_from(["USD", "JPY", "KWD"]))
        @settings(max_examples=25)
        def check(steps, currency) -> None:
            session.begin()
            try:
                story = Story(session, world, clock, currency)
                for name, *arguments in steps:
                    getattr(story, name)(*arguments)
                story.check()
            finally:
                session.rollback()

        check()
        assert items.find(session) == []


def test_what_is_due_first_stands_first(db: Database, world: World, clock: ManualClock):
    with db.transaction() as session:
        key = account(session, world, clock.now()).id
        for days in (30, 10, 20):
            due = DAY + timedelta(days=days)
            issued = document(world, key, Money(100, "USD"), due=due)
            business.charge(session, issued, clock.now())
        business.charge(session, document(world, key, Money(100, "USD")), clock.now())
    with db.reading() as session:
        owed: list[Open] = items.owed_by(session, [key])
    assert [one.due_date for one in owed] == [
        None,
        *(DAY + timedelta(days=days) for days in (10, 20, 30)),
    ]
