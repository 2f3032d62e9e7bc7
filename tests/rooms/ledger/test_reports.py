"""Trial balance, ageing, positions and history: whatever happened, as of any day and at any posting, they
say what the journal says."""

import uuid
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.money import Money
from core.ledger import ageing, balances, book, business, item_proofs, items, movements
from core.ledger.ageing import BUCKETS
from core.ledger.chart import CUSTOMER_CREDIT, RECEIVABLE, UNAPPLIED
from core.ledger.cuts import Cut
from core.ledger.models import JournalEntry
from tests.rooms.ledger.books import DAY, balance, document, receipt, tell_rates
from tests.rooms.ledger.test_any_sequence import STEPS, Story
from tests.world import World, account


def usd(minor: int) -> Money:
    return Money(minor, "USD")


@pytest.fixture
def riley(db: Database, world: World, clock: ManualClock) -> uuid.UUID:
    return db.run_tx(lambda session: account(session, world, clock.now()).id)


def _entries(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(JournalEntry)) or 0


# --- they say what the journal says ---------------------------------------------------------------


def _tells_the_same(story: Story, cut: Cut, today: date) -> None:
    session = story.session
    sums = balances.trial_balance(session, cut)
    assert sum(each.balance.minor for each in sums) == 0
    for each in sums:
        assert each.balance.minor == balance(session, each.code, None, cut.as_of)
    for key in story.people:
        owed = ageing.of_account(session, key, cut, today)
        assert [ages.total.minor for ages in owed if ages.total] == [
            minor for minor in [balance(session, RECEIVABLE, key, cut.as_of)] if minor
        ]
        at = balances.of_account(session, key, cut)
        whole = list(movements.whole(session, key, cut))
        net = sum(each.amount.minor if each.side == "debit" else -each.amount.minor for each in at)
        assert net == (whole[-1].balance.minor if whole else 0)
    both = ageing.totals(session, cut, today)
    rows = list(ageing.rows(session, cut, today))
    assert sum(ages.total.minor for ages in both) == sum(row.ages.total.minor for row in rows)
    assert [row.number for row in rows] == sorted(row.number for row in rows)
    assert all(row.ages.total.minor > 0 for row in rows)


def _history_pages(story: Story, cut: Cut) -> None:
    for key in story.people:
        whole = list(movements.whole(story.session, key, cut))
        paged: list[movements.Movement] = []
        before = None
        while some := movements.newest(story.session, key, cut, before=before, limit=3):
            paged += some
            before = some[-1].place
        assert paged == list(reversed(whole))


def test_reports_say_what_the_journal_says_on_any_day(
    db: Database, world: World, clock: ManualClock
):
    db.run_tx(lambda session: tell_rates(session, clock.now(), 400))
    with Session(db.engine, expire_on_commit=False) as session:

        @given(STEPS, st.sampled_from(["USD", "JPY"]))
        @settings(max_examples=15)
        def check(steps, currency) -> None:
            session.begin()
            try:
                story = Story(session, world, clock, currency)
                for name, *arguments in steps:
                    getattr(story, name)(*arguments)
                days = {DAY - timedelta(days=1), story.today, *(one.since for one in story.kept)}
                for day in sorted(days):
                    cut = Cut(world.legal_entity_id, as_of=day)
                    _tells_the_same(story, cut, day)
                    _history_pages(story, cut)
                _tells_the_same(story, Cut(world.legal_entity_id), story.today)
                assert item_proofs.what_is_open_is_kept(session).offenders == ()
            finally:
                session.rollback()

        check()
        assert _entries(session) == 0


# --- ageing ---------------------------------------------------------------------------------------


def test_a_bill_grows_old_from_the_day_after_it_is_due(
    db: Database, world: World, clock: ManualClock, riley: uuid.UUID
):
    due = DAY + timedelta(days=14)
    with db.transaction() as session:
        business.charge(session, document(world, riley, usd(10_000), due=due), clock.now())
    cut = Cut(world.legal_entity_id)
    with db.snapshot() as session:
        for days, name in ((0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4)):
            [ages] = ageing.of_account(session, riley, cut, due + timedelta(days=days))
            found = {at for at, part in enumerate(ages.buckets) if part}
            assert found == {name}, (days, BUCKETS[name])
            assert ages.total == usd(10_000)


def test_a_bill_without_a_due_date_is_due_on_its_day(
    db: Database, world: World, clock: ManualClock, riley: uuid.UUID
):
    with db.transaction() as session:
        business.charge(session, document(world, riley, usd(100)), clock.now())
    with db.snapshot() as session:
        [ages] = ageing.of_account(
            session, riley, Cut(world.legal_entity_id), DAY + timedelta(days=1)
        )
    assert ages.buckets[1] == usd(100)


def test_what_was_paid_later_was_owed_then(
    db: Database, world: World, clock: ManualClock, riley: uuid.UUID
):
    later = DAY + timedelta(days=5)
    with db.transaction() as session:
        key = business.charge(session, document(world, riley, usd(900)), clock.now())
        assert key is not None
        owed = items.get(session, key)
        came = receipt(world, riley, usd(1_000), on=later)
        business.receive_for_items(session, came, [(owed, usd(900))], clock.now())
    with db.snapshot() as session:
        then, now = Cut(world.legal_entity_id, as_of=DAY), Cut(world.legal_entity_id, as_of=later)
        assert [ages.total for ages in ageing.totals(session, then, DAY)] == [usd(900)]
        assert ageing.totals(session, now, later) == []
        assert [(at.ledger_code, at.amount) for at in balances.of_account(session, riley, now)] == [
            (UNAPPLIED, usd(100))
        ]
        at_posting = Cut(world.legal_entity_id, posting=1)
        assert [row.ages.total for row in ageing.rows(session, at_posting, later)] == [usd(900)]
        assert [at.amount for at in balances.of_account(session, riley, at_posting)] == [usd(900)]
        assert [each.code for each in balances.trial_balance(session, at_posting)] == [
            RECEIVABLE,
            "contract_liability",
        ]


def test_a_backdated_entry_changes_the_day_and_not_the_posting(
    db: Database, world: World, clock: ManualClock, riley: uuid.UUID
):
    earlier = DAY - timedelta(days=40)
    with db.transaction() as session:
        business.charge(session, document(world, riley, usd(500)), clock.now())
        backdated = document(world, riley, usd(70), on=earlier, number="100002")
        business.charge(session, backdated, clock.now())
    with db.snapshot() as session:
        by_day = Cut(world.legal_entity_id, as_of=earlier)
        assert [ages.total for ages in ageing.totals(session, by_day, earlier)] == [usd(70)]
        by_number = Cut(world.legal_entity_id, posting=1)
        assert [ages.total for ages in ageing.totals(session, by_number, DAY)] == [usd(500)]


def test_the_list_goes_on_page_by_page(db: Database, world: World, clock: ManualClock):
    with db.transaction() as session:
        for _ in range(7):
            key = account(session, world, clock.now()).id
            business.charge(session, document(world, key, usd(100)), clock.now())
    with db.snapshot() as session:
        cut, seen, after = Cut(world.legal_entity_id), [], None
        while page := list(ageing.rows(session, cut, DAY, after=after, limit=3)):
            seen += page
            after = (page[-1].number, "USD")
        assert seen == list(ageing.rows(session, cut, DAY))
    assert len({row.number for row in seen}) == 7


# --- the journal ----------------------------------------------------------------------------------


def test_the_journal_is_found_by_day_kind_and_account(
    db: Database, world: World, clock: ManualClock, riley: uuid.UUID
):
    with db.transaction() as session:
        casey = account(session, world, clock.now(), name="Casey").id
        for day, who in ((0, riley), (1, casey), (2, riley)):
            on = DAY + timedelta(days=day)
            business.charge(session, document(world, who, usd(100), on=on), clock.now())
        memo = document(world, riley, usd(30), on=DAY + timedelta(days=2))
        business.credit_customer(session, memo, clock.now())
    everything = Cut(world.legal_entity_id)
    with db.snapshot() as session:

        def numbers(wanted: book.Wanted, cut: Cut = everything, **more) -> list[int]:
            page = book.page(session, cut, wanted, **{"before": None, "limit": 10, **more})
            return [entry.number for entry in page]

        assert numbers(book.Wanted()) == [4, 3, 2, 1]
        assert numbers(book.Wanted(), limit=3) == [4, 3, 2]
        assert numbers(book.Wanted(), before=2) == [1]
        assert numbers(book.Wanted(first=DAY + timedelta(days=1))) == [4, 3, 2]
        assert numbers(book.Wanted(), Cut(world.legal_entity_id, as_of=DAY)) == [1]
        assert numbers(book.Wanted(kind="credit_memo_issued")) == [4]
        assert numbers(book.Wanted(ledger_code=CUSTOMER_CREDIT)) == [4]
        assert numbers(book.Wanted(account_id=casey)) == [2]
        assert book.kinds(session, world.legal_entity_id) == [
            "credit_memo_issued",
            "invoice_issued",
        ]
        whole = [
            entry for _, _, some in book.whole(session, everything, book.Wanted()) for entry in some
        ]
        assert [entry.number for entry in whole] == [1, 2, 3, 4]
        assert all(sum(line.amount.minor for line in entry.lines) == 0 for entry in whole)


def test_months_sum_what_their_days_do(
    db: Database, world: World, clock: ManualClock, riley: uuid.UUID
):
    days = [date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28), date(2026, 3, 1)]
    with db.transaction() as session:
        for number, day in enumerate(days, start=1):
            issued = document(world, riley, usd(number * 100), on=day)
            business.charge(session, issued, clock.now())
    with db.snapshot() as session:
        cut = Cut(world.legal_entity_id, as_of=date(2026, 2, 28))
        found = [
            (each.month, each.sums.code, each.sums.debits.minor, each.sums.credits.minor)
            for each in balances.by_month(session, cut)
        ]
        later = list(balances.by_month(session, cut, first=date(2026, 2, 2)))
    january, february = date(2026, 1, 1), date(2026, 2, 1)
    assert found == [
        (january, RECEIVABLE, 100, 0),
        (january, "contract_liability", 0, 100),
        (february, RECEIVABLE, 500, 0),
        (february, "contract_liability", 0, 500),
    ]
    assert [each.sums.debits.minor for each in later] == [300, 0]
