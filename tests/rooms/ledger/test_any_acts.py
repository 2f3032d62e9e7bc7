"""Whatever a person does with a bill's money, in whatever order, in three currencies: the books tie.

A small model keeps each item with what was applied to it and when. After every run the ledger must say the
same, now and as of days that were, and prove itself.
"""

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import (
    business,
    contested,
    credits,
    currencies,
    items,
    periods,
    reversals,
    unidentified,
    writeoffs,
)
from core.ledger.chart import RECEIVABLE, UNAPPLIED, UNIDENTIFIED
from core.ledger.currencies import Exchange
from core.ledger.items import Open
from core.ledger.journal import PeriodClosed
from core.ledger.models import OpenItem
from core.ledger.reversals import CannotUndo
from core.ledger.unidentified import Found
from core.ledger.writeoffs import SamePerson, TooMuchToWriteOff
from core.parties.models import LegalEntity
from tests.rooms.ledger.books import DAY, document, receipt, sound, tell_rates
from tests.world import World, account

#: A week's rate each, for so many days.
TOLD = 700
KIM, LEE = "user:kim", "user:lee"
NOTES = (("note", uuid.UUID(int=1)), ("note", uuid.UUID(int=2)))

people = st.integers(0, 1)
sums = st.integers(1, 4_000)
picks = st.integers(0, 30)
codes = st.sampled_from(["USD", "EUR", "JPY"])


@dataclass
class Kept:
    """An item as the model knows it."""

    id: uuid.UUID
    who: int | None
    code: str
    currency: str
    amount: int
    since: date
    applied: list[tuple[date, int]] = field(default_factory=list)
    contested: dict[int, int] = field(default_factory=dict)

    def open(self, as_of: date = date.max) -> int:
        return self.amount - sum(minor for day, minor in self.applied if day <= as_of)

    @property
    def free(self) -> int:
        """What of it is open and not contested."""
        return self.open() - min(self.open(), sum(self.contested.values()))


class Acts(RuleBasedStateMachine):
    """The ledger and the model go through the same acts."""

    db: Database
    world: World
    clock: ManualClock

    @initialize()
    def begin(self) -> None:
        self.session = Session(self.db.engine, expire_on_commit=False)
        self.session.begin()
        self.today, self.closed = DAY, [date.min]
        tell_rates(self.session, self.now, TOLD)
        self.people = [account(self.session, self.world, self.now).id for _ in range(2)]
        self.kept: list[Kept] = []
        self.refunds: dict[uuid.UUID, tuple[Kept, int]] = {}
        self.wishes: dict[uuid.UUID, tuple[Kept, int]] = {}
        self.given_up: dict[uuid.UUID, tuple[Kept, int]] = {}

    def teardown(self) -> None:
        if not hasattr(self, "session"):
            return
        try:
            self.look_back()
        finally:
            self.session.rollback()
            self.session.close()

    @property
    def now(self) -> datetime:
        return self.clock.now() + (getattr(self, "today", DAY) - DAY)

    # --- helping hands ---

    def on(self, code: str | None = None, *, who: int | None = None) -> list[Kept]:
        """Items of one account of the chart, or all that are held for people."""
        held = [one for one in self.kept if one.code not in (RECEIVABLE, UNIDENTIFIED)]
        found = held if code is None else [one for one in self.kept if one.code == code]
        return [one for one in found if who is None or one.who == who]

    def fresh(self, one: Kept) -> Open:
        return items.get(self.session, one.id)

    def keep(self, found: Open, who: int | None) -> Kept:
        minor, currency = found.amount.minor, found.amount.currency
        one = Kept(found.id, who, found.ledger_code, currency, minor, found.effective_date)
        self.kept.append(one)
        return one

    def newest(self, source_id: uuid.UUID, code: str) -> Open:
        """The item that an act has just opened: the one that the model does not know."""
        known = {one.id for one in self.kept}
        where = (OpenItem.source_id == source_id, OpenItem.ledger_code == code)
        (found,) = [one for one in items.find(self.session, *where) if one.id not in known]
        return found

    def first_open(self, day: date) -> date:
        return max(day, self.closed[-1] + timedelta(days=1)) if self.closed[-1] >= day else day

    # --- bills and money ---

    @rule(who=people, minor=sums, currency=codes, back=st.integers(0, 9))
    def charge(self, who: int, minor: int, currency: str, back: int) -> None:
        day = max(DAY, self.today - timedelta(days=back))
        bill = document(self.world, self.people[who], Money(minor, currency), on=day)
        if day <= self.closed[-1]:
            with pytest.raises(PeriodClosed), self.session.begin_nested():
                business.charge(self.session, bill, self.now)
            return
        key = business.charge(self.session, bill, self.now)
        assert key is not None
        self.keep(items.get(self.session, key), who)

    @rule(
        who=people,
        minor=sums,
        currency=codes,
        chosen=st.lists(picks, max_size=3),
        back=st.integers(0, 9),
    )
    def pay(self, who: int, minor: int, currency: str, chosen: list[int], back: int) -> None:
        """Money comes, perhaps late, for some bills or for none."""
        said = max(DAY, self.today - timedelta(days=back))
        day = self.first_open(said)
        mine = [one for one in self.on(RECEIVABLE, who=who) if one.since <= day]
        mine = [one for one in mine if one.currency == currency]
        wanted = [mine[pick % len(mine)] for pick in chosen] if mine else []
        came = receipt(self.world, self.people[who], Money(minor, currency), on=said)
        asked = [(self.fresh(one), Money(one.open(), currency)) for one in wanted]
        left = business.receive_for_items(self.session, came, asked, self.now)
        rest = minor
        for one in wanted:
            part = min(rest, one.open())
            if part:
                one.applied.append((day, part))
                rest -= part
        assert left == Money(rest, currency)
        if rest:
            self.keep(self.newest(came.payment_id, UNAPPLIED), who)

    @rule(who=people, minor=sums, currency=codes)
    def deposit(self, who: int, minor: int, currency: str) -> None:
        came = receipt(self.world, self.people[who], Money(minor, currency), on=self.today)
        key = business.receive_for_order(self.session, came, new_id(), self.now)
        self.keep(items.get(self.session, key), who)

    @rule(pick=picks, other=picks, minor=sums)
    def use(self, pick: int, other: int, minor: int) -> None:
        held, owed = self.on(), self.on(RECEIVABLE)
        if not held or not owed:
            return
        one, bill = held[pick % len(held)], owed[other % len(owed)]
        part = min(minor, one.open(), bill.open())
        if one.currency != bill.currency or not part:
            return
        amount = Money(part, one.currency)
        business.use_credit(
            self.session, self.fresh(one), self.fresh(bill), amount, self.today, self.now
        )
        one.applied.append((self.today, part))
        bill.applied.append((self.today, part))

    @rule(who=people)
    def use_oldest_first(self, who: int) -> None:
        credits.use_oldest_first(self.session, self.people[who], self.today, self.now)
        held = [one for one in self.on(UNAPPLIED, who=who) if one.open()]
        bills = sorted(self.on(RECEIVABLE, who=who), key=lambda one: (one.since, one.id))
        for one in sorted(held, key=lambda one: (one.since, one.id)):
            for bill in bills:
                part = min(one.open(), bill.free) if bill.currency == one.currency else 0
                if part:
                    one.applied.append((self.today, part))
                    bill.applied.append((self.today, part))

    # --- taking back ---

    @precondition(lambda self: self.on(RECEIVABLE))
    @rule(pick=picks, which=picks, other=picks, minor=sums, to_another=st.booleans())
    def put_right(self, pick: int, which: int, other: int, minor: int, to_another: bool) -> None:
        owed = self.on(RECEIVABLE)
        bill = owed[pick % len(owed)]
        found = reversals.of_bill(self.session, self.fresh(bill))
        if not found:
            return
        one = found[which % len(found)]
        amount, key = Money(minor, bill.currency), one.row.id
        if not reversals.can_undo(one) or minor > one.left.minor:
            with pytest.raises(CannotUndo):
                reversals.undo(self.session, key, self.today, self.now, amount)
            return
        into = owed[other % len(owed)]
        if to_another and into.currency == bill.currency:
            moved = reversals.move(
                self.session, key, self.fresh(into), self.today, self.now, amount
            )
        else:
            moved = None
            reversals.undo(self.session, key, self.today, self.now, amount)
        bill.applied.append((self.today, -minor))
        if one.row.credit_item_id is not None:
            (back,) = [held for held in self.kept if held.id == one.row.credit_item_id]
            back.applied.append((self.today, -minor))
        else:
            back = self.keep(self.newest(one.row.source_id, UNAPPLIED), bill.who)
        if moved is not None:
            part = min(minor, into.open())
            assert moved.minor == part
            if part:
                back.applied.append((self.today, part))
                into.applied.append((self.today, part))

    @precondition(lambda self: self.on())
    @rule(pick=picks, minor=sums)
    def refund(self, pick: int, minor: int) -> None:
        held = self.on()
        one, key = held[pick % len(held)], new_id()
        part = min(minor, one.open())
        if part:
            amount = Money(part, one.currency)
            business.refund_credit(self.session, self.fresh(one), amount, key, self.today, self.now)
            one.applied.append((self.today, part))
            self.refunds[key] = (one, part)

    @precondition(lambda self: self.refunds)
    @rule(pick=picks)
    def refund_fails(self, pick: int) -> None:
        key = list(self.refunds)[pick % len(self.refunds)]
        one, part = self.refunds[key]
        back = reversals.refund_failed(self.session, key, self.today, self.now)
        assert back == (Money(part, one.currency) if part else None)
        if part:
            one.applied.append((self.today, -part))
            self.refunds[key] = (one, 0)

    # --- nobody's money, and other currencies ---

    @rule(minor=sums, currency=codes)
    def find(self, minor: int, currency: str) -> None:
        entity = self.world.legal_entity_id
        found = Found(new_id(), entity, "GIRO", Money(minor, currency), self.today)
        key = unidentified.receive(self.session, found, self.now)
        self.keep(items.get(self.session, key), None)

    @precondition(lambda self: any(one.open() for one in self.on(UNIDENTIFIED)))
    @rule(pick=picks, who=people, chosen=picks)
    def identify(self, pick: int, who: int, chosen: int) -> None:
        unknown = [one for one in self.on(UNIDENTIFIED) if one.open()]
        one = unknown[pick % len(unknown)]
        mine = [bill for bill in self.on(RECEIVABLE, who=who) if bill.currency == one.currency]
        wanted = [mine[chosen % len(mine)]] if mine else []
        asked = [(self.fresh(bill), Money(bill.open(), one.currency)) for bill in wanted]
        held = self.fresh(one)
        left = unidentified.identify(
            self.session, held, self.people[who], asked, self.today, self.now
        )
        rest = one.open()
        one.applied.append((self.today, rest))
        for bill in wanted:
            part = min(rest, bill.open())
            if part:
                bill.applied.append((self.today, part))
                rest -= part
        assert left.minor == rest
        if rest:
            self.keep(self.newest(held.source_id, UNAPPLIED), who)

    @precondition(lambda self: self.on())
    @rule(pick=picks, minor=sums, taken=sums, currency=codes)
    def exchange(self, pick: int, minor: int, taken: int, currency: str) -> None:
        held = self.on()
        one = held[pick % len(held)]
        part = min(minor, one.open())
        if not part or currency == one.currency:
            return
        done = Exchange(Money(part, one.currency), Money(taken, currency), self.today)
        found = currencies.exchange_held(self.session, self.fresh(one), done, self.now)
        one.applied.append((self.today, part))
        self.keep(found, one.who)

    # --- disputes and bad debt ---

    @precondition(lambda self: self.on(RECEIVABLE))
    @rule(pick=picks, minor=sums, note=st.integers(0, 1), ends=st.booleans())
    def contest(self, pick: int, minor: int, note: int, ends: bool) -> None:
        owed = self.on(RECEIVABLE)
        one, source = owed[pick % len(owed)], NOTES[note]
        if ends and note in one.contested:
            contested.close(self.session, self.fresh(one), source, self.today, self.now)
            del one.contested[note]
        elif minor <= one.amount:
            amount = Money(minor, one.currency)
            contested.contest(self.session, self.fresh(one), amount, source, self.today, self.now)
            one.contested[note] = minor

    @precondition(lambda self: any(one.open() for one in self.on(RECEIVABLE)))
    @rule(pick=picks, minor=sums)
    def ask_write_off(self, pick: int, minor: int) -> None:
        owed = [one for one in self.on(RECEIVABLE) if one.open()]
        one = owed[pick % len(owed)]
        if one in [bill for bill, _ in self.wishes.values()]:
            return
        part = min(minor, one.open())
        amount = Money(part, one.currency)
        key = writeoffs.request(self.session, self.fresh(one), amount, "gone", KIM, self.now)
        self.wishes[key] = (one, part)

    @precondition(lambda self: self.wishes)
    @rule(pick=picks, by=st.sampled_from([KIM, LEE, LEE]), grant=st.booleans())
    def decide(self, pick: int, by: str, grant: bool) -> None:
        key = list(self.wishes)[pick % len(self.wishes)]
        one, part = self.wishes[key]
        if by == KIM:
            with pytest.raises(SamePerson):
                writeoffs.approve(self.session, key, by, self.today, self.now)
        elif not grant:
            writeoffs.decline(self.session, key, by, self.now)
            del self.wishes[key]
        elif part > one.open():
            with pytest.raises(TooMuchToWriteOff), self.session.begin_nested():
                writeoffs.approve(self.session, key, by, self.today, self.now)
        else:
            writeoffs.approve(self.session, key, by, self.today, self.now)
            one.applied.append((self.today, part))
            self.given_up[key] = self.wishes.pop(key)

    @precondition(lambda self: any(left for _, left in self.given_up.values()))
    @rule(pick=picks, minor=sums)
    def recover(self, pick: int, minor: int) -> None:
        keys = [key for key, (_, left) in self.given_up.items() if left]
        key = keys[pick % len(keys)]
        one, left = self.given_up[key]
        assert one.who is not None
        came = receipt(self.world, self.people[one.who], Money(minor, one.currency), on=self.today)
        rest = writeoffs.recover(self.session, key, came, self.now)
        part = min(minor, left)
        self.given_up[key] = (one, left - part)
        assert rest.minor == minor - part
        if rest:
            self.keep(self.newest(came.payment_id, UNAPPLIED), one.who)

    # --- time ---

    @rule(days=st.integers(1, 9))
    def sleep(self, days: int) -> None:
        self.today = min(self.today + timedelta(days=days), DAY + timedelta(days=TOLD - 1))

    @rule(back=st.integers(1, 12))
    def close_books(self, back: int) -> None:
        through = self.today - timedelta(days=back)
        if through > self.closed[-1]:
            entity = self.session.get_one(LegalEntity, self.world.legal_entity_id)
            periods.close(self.session, entity, through, KIM, self.now)
            self.closed.append(through)

    @precondition(lambda self: len(self.closed) > 1)
    @rule()
    def reopen(self) -> None:
        last = periods.history(self.session, self.world.legal_entity_id)
        (row,) = [
            one for one in last if one.through_date == self.closed[-1] and not one.reopened_at
        ]
        periods.reopen(self.session, row.id, LEE, self.now)
        self.closed.pop()

    # --- what must hold ---

    @invariant()
    def nothing_is_below_zero(self) -> None:
        for one in getattr(self, "kept", []):
            assert 0 <= one.open() <= one.amount

    def look_back(self) -> None:
        found = {one.id: one for one in items.find(self.session)}
        assert found.keys() == {one.id for one in self.kept}
        for one in self.kept:
            now = found[one.id]
            assert now.open.minor == one.open()
            assert now.uncontested.minor == one.free
            assert (now.ledger_code, now.effective_date) == (one.code, one.since)
        sound(self.session)
        for day in {self.today - timedelta(days=back) for back in (3, 11)}:
            sound(self.session, day)
            then = {one.id: one.open.minor for one in items.find(self.session, as_of=day)}
            assert then == {one.id: one.open(day) for one in self.kept if one.since <= day}


def _run(db: Database, world: World, clock: ManualClock, examples: int, steps: int) -> None:
    machine = type("TheseActs", (Acts,), {"db": db, "world": world, "clock": clock})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    with db.reading() as session:
        assert items.find(session) == []


def test_the_books_tie_after_any_acts(db: Database, world: World, clock: ManualClock):
    _run(db, world, clock, examples=12, steps=25)


@pytest.mark.long
def test_the_books_tie_after_a_great_many_acts(db: Database, world: World, clock: ManualClock):
    _run(db, world, clock, examples=200, steps=60)
