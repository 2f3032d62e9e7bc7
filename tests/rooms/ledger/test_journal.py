"""Posting: nothing that does not balance gets in, by our code or past it, and no number is lost."""

import uuid
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.ids import new_id
from core.kernel.money import Money, minor_digits
from core.ledger import journal, proofs
from core.ledger.chart import CASH, FEES, REVENUE, TAX_PAYABLE, open_chart
from core.ledger.journal import Posting, Side, Unbalanced, credit, debit
from core.ledger.models import JournalEntry, JournalLine
from core.parties.models import LegalEntity
from tests.rooms.ledger.books import DAY, tell_rates
from tests.together import at_once
from tests.world import World


def posting(world: World, *sides: Side, **more) -> Posting:
    values: dict[str, Any] = {
        "kind": "test",
        "effective_date": DAY,
        "source_kind": "test",
        "source_id": new_id(),
    }
    return Posting(legal_entity_id=world.legal_entity_id, sides=sides, **(values | more))


def even(world: World, minor: int = 100, currency: str = "USD") -> Posting:
    amount = Money(minor, currency)
    return posting(world, debit(CASH, amount), credit(REVENUE, amount))


def lines(session: Session, entry_id: uuid.UUID) -> list[JournalLine]:
    query = select(JournalLine).where(JournalLine.entry_id == entry_id)
    return list(session.scalars(query.order_by(JournalLine.line_number)))


def test_an_entry_has_its_lines_in_order_and_none_of_zero(
    db: Database, world: World, clock: ManualClock
):
    usd = [Money(minor, "USD") for minor in (100, 93, 0, 7)]
    wanted = posting(
        world,
        debit(CASH, usd[0]),
        credit(REVENUE, usd[1]),
        debit(FEES, usd[2]),
        credit(TAX_PAYABLE, usd[3]),
    )
    key = db.run_tx(lambda session: journal.post(session, wanted, clock.now()))
    with db.reading() as session:
        found = [
            (one.line_number, one.ledger_code, one.amount_minor) for one in lines(session, key)
        ]
        entry = session.get_one(JournalEntry, key)
    assert found == [(1, CASH, 100), (2, REVENUE, -93), (3, TAX_PAYABLE, -7)]
    assert (entry.posting_number, entry.posted_at, entry.effective_date) == (1, clock.now(), DAY)


def test_what_does_not_balance_in_each_currency_is_refused(
    db: Database, world: World, clock: ManualClock
):
    dollars, yen = Money(100, "USD"), Money(100, "JPY")
    uneven = [
        posting(world, debit(CASH, dollars), credit(REVENUE, Money(99, "USD"))),
        posting(world, debit(CASH, dollars), credit(REVENUE, yen)),
        posting(world, debit(CASH, dollars)),
    ]
    for one in uneven:
        with pytest.raises(Unbalanced):
            db.run_tx(partial(journal.post, posting=one, now=clock.now()))
    both = posting(
        world,
        debit(CASH, dollars),
        credit(REVENUE, dollars),
        debit(CASH, yen),
        credit(REVENUE, yen),
    )
    with db.transaction() as session:
        tell_rates(session, clock.now())
        journal.post(session, both, clock.now())
    with db.reading() as session:
        assert proofs.entries_balance(session, None).offenders == ()


def test_an_entry_of_nothing_is_refused(db: Database, world: World, clock: ManualClock):
    nothing = posting(world, debit(CASH, Money(0, "USD")))
    for one in (nothing, posting(world)):
        with pytest.raises(ValueError, match="without lines"):
            db.run_tx(partial(journal.post, posting=one, now=clock.now()))
    assert db.run_tx(lambda session: journal.post_many(session, [], clock.now())) == []


def test_the_database_refuses_what_our_code_would_not_post(
    db: Database, world: World, clock: ManualClock
):
    """A line too few, an entry without lines, and a line that comes after its entry."""
    stands = db.run_tx(lambda session: journal.post(session, even(world), clock.now()))

    def line(key: uuid.UUID, minor: int, number: int = 1) -> dict:
        return {
            "entry_id": key,
            "line_number": number,
            "legal_entity_id": world.legal_entity_id,
            "ledger_code": CASH,
            "currency": "USD",
            "amount_minor": minor,
            "functional_minor": minor,
        }

    def entry(key: uuid.UUID) -> dict:
        return {
            "id": key,
            "legal_entity_id": world.legal_entity_id,
            "posting_number": 77,
            "kind": "test",
            "effective_date": DAY,
            "posted_at": clock.now(),
            "source_kind": "test",
            "source_id": key,
        }

    def uneven(session: Session) -> None:
        key = new_id()
        session.execute(insert(JournalLine), [line(key, 5)])
        session.execute(insert(JournalEntry), [entry(key)])

    def empty(session: Session) -> None:
        session.execute(insert(JournalEntry), [entry(new_id())])

    def late(session: Session) -> None:
        session.execute(insert(JournalLine), [line(stands, 5, 3), line(stands, -5, 4)])

    def loose(session: Session) -> None:
        session.execute(insert(JournalLine), [line(new_id(), 5)])

    for work in (uneven, empty, late, loose):
        with pytest.raises(DBAPIError):
            db.run_tx(work)
    with db.reading() as session:
        assert len(lines(session, stands)) == 2
        assert len(session.scalars(select(JournalEntry)).all()) == 1


def test_an_account_that_is_not_in_the_chart_is_refused(
    db: Database, world: World, clock: ManualClock
):
    amount = Money(100, "USD")
    wanted = posting(world, debit("petty_cash", amount), credit(REVENUE, amount))
    with pytest.raises(DBAPIError):
        db.run_tx(lambda session: journal.post(session, wanted, clock.now()))


def test_many_postings_are_numbered_in_their_order(db: Database, world: World, clock: ManualClock):
    wanted = [even(world, minor) for minor in (1, 2, 3)]
    keys = db.run_tx(lambda session: journal.post_many(session, wanted, clock.now()))
    with db.reading() as session:
        assert [session.get_one(JournalEntry, key).posting_number for key in keys] == [1, 2, 3]
        assert [lines(session, key)[0].amount_minor for key in keys] == [1, 2, 3]


def test_postings_at_once_leave_no_gap(db: Database, world: World, clock: ManualClock):
    def good(session: Session) -> object:
        return journal.post(session, even(world), clock.now())

    def bad(session: Session) -> None:
        good(session)
        raise RuntimeError("the lights went out")

    outcomes = at_once(db, [good, bad] * 6)
    assert sum(isinstance(each, uuid.UUID) for each in outcomes) == 6
    assert sum(isinstance(each, RuntimeError) for each in outcomes) == 6
    with db.reading() as session:
        numbers = session.scalars(select(JournalEntry.posting_number)).all()
        assert sorted(numbers) == [1, 2, 3, 4, 5, 6]
        assert proofs.postings_have_no_gap(session).offenders == ()


def test_each_legal_entity_numbers_its_own(db: Database, world: World, clock: ManualClock):
    with db.transaction() as session:
        entity = LegalEntity(
            code="second",
            name="Second",
            address=[],
            country="GB",
            time_zone="Europe/London",
            functional_currency="GBP",
        )
        session.add(entity)
        session.flush()
        open_chart(session, entity.id)
        other = even(world, currency="GBP")
        other = Posting(**(vars(other) | {"legal_entity_id": entity.id}))
        first = journal.post(session, even(world), clock.now())
        second = journal.post(session, other, clock.now())
        numbers = [session.get_one(JournalEntry, key).posting_number for key in (first, second)]
        with pytest.raises(ValueError, match="several legal entities"):
            journal.post_many(session, [even(world), other], clock.now())
    assert numbers == [1, 1]


# --- functional amounts ---------------------------------------------------------------------------

CURRENCIES = st.sampled_from(["USD", "JPY", "KWD", "GBP"])
RATES = st.decimals("0.0001", "400", places=6)
DEBITS = st.lists(st.integers(1, 10**7), min_size=1, max_size=6)


def test_functional_amounts_sum_to_zero_and_are_a_unit_from_exact_at_most(
    db: Database, world: World, clock: ManualClock
):
    with Session(db.engine, expire_on_commit=False) as session:

        @given(DEBITS, CURRENCIES, CURRENCIES, RATES)
        @settings(max_examples=40)
        def check(amounts: list[int], currency: str, functional: str, rate: Decimal) -> None:
            session.begin()
            try:
                sides = [debit(CASH, Money(minor, currency)) for minor in amounts]
                sides.append(credit(REVENUE, Money(sum(amounts), currency)))
                wanted = posting(world, *sides, rate=rate, functional_currency=functional)
                rows = lines(session, journal.post(session, wanted, clock.now()))
                assert sum(row.functional_minor for row in rows) == 0
                scale = Fraction(10) ** (minor_digits(functional) - minor_digits(currency))
                for row in rows:
                    exact = row.amount_minor * Fraction(rate) * scale
                    assert abs(row.functional_minor - exact) < 1
                    assert Decimal(row.rate) == rate
            finally:
                session.rollback()

        check()


@pytest.mark.parametrize(
    "amount, functional, rate, wanted",
    [
        (Money(1_000, "JPY"), "USD", "0.0065", 650),  # 1,000 yen are 6.50 dollars
        (Money(10_000, "USD"), "JPY", "153.5", 15_350),  # 100 dollars are 15,350 yen
        (Money(1_000, "KWD"), "USD", "3.26", 326),  # one dinar is 3.26 dollars
        (Money(326, "USD"), "KWD", "0.306748", 1_000),
        (Money(100, "GBP"), "GBP", "1", 100),
    ],
)
def test_a_rate_is_between_major_units(
    amount: Money,
    functional: str,
    rate: str,
    wanted: int,
    db: Database,
    world: World,
    clock: ManualClock,
):
    asked = posting(
        world,
        debit(CASH, amount),
        credit(REVENUE, amount),
        rate=Decimal(rate),
        functional_currency=functional,
    )
    key = db.run_tx(lambda session: journal.post(session, asked, clock.now()))
    with db.reading() as session:
        found = [row.functional_minor for row in lines(session, key)]
    assert sum(found) == 0
    assert abs(found[0] - wanted) <= 1
