"""What the database itself refuses, whoever asks: unbalanced postings, late lines, changed history."""

import uuid
from collections.abc import Sequence

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.ids import new_id
from core.ledger.chart import CASH, REVENUE
from core.ledger.models import JournalEntry, JournalLine
from tests.world import World

#: Currency, amount, functional amount.
Side = tuple[str, int, int]
EVEN: Sequence[Side] = (("USD", 700, 700), ("USD", -700, -700))


def lines_of(entry_id: uuid.UUID, world: World, sides: Sequence[Side]) -> list[JournalLine]:
    return [
        JournalLine(
            entry_id=entry_id,
            line_number=number,
            legal_entity_id=world.legal_entity_id,
            ledger_code=CASH if amount > 0 else REVENUE,
            currency=currency,
            amount_minor=amount,
            functional_minor=functional,
        )
        for number, (currency, amount, functional) in enumerate(sides)
    ]


def entry_of(
    entry_id: uuid.UUID, world: World, clock: ManualClock, number: int = 1
) -> JournalEntry:
    return JournalEntry(
        id=entry_id,
        legal_entity_id=world.legal_entity_id,
        posting_number=number,
        kind="test",
        effective_date=clock.now().date(),
        posted_at=clock.now(),
        source_kind="test",
        source_id=new_id(),
    )


def post(session: Session, world: World, clock: ManualClock, sides: Sequence[Side]) -> uuid.UUID:
    entry_id = new_id()
    session.add_all(lines_of(entry_id, world, sides))
    session.flush()
    session.add(entry_of(entry_id, world, clock))
    session.flush()
    return entry_id


def count(db: Database, table: type[JournalEntry] | type[JournalLine]) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize(
    "sides",
    [
        EVEN,
        (("USD", 700, 700), ("USD", -500, -500), ("USD", -200, -200)),
        (("EUR", 700, 760), ("EUR", -700, -760), ("USD", 5, 5), ("USD", -5, -5)),
    ],
)
def test_an_entry_that_balances_is_posted(db: Database, world: World, clock: ManualClock, sides):
    with db.transaction() as session:
        post(session, world, clock, sides)
    assert (count(db, JournalEntry), count(db, JournalLine)) == (1, len(sides))


@pytest.mark.parametrize(
    "sides",
    [
        (("USD", 700, 700), ("USD", -699, -699)),
        (("USD", 700, 700),),
        (("USD", 700, 700), ("EUR", -700, -700)),
        (("USD", 700, 700), ("USD", -700, -699)),
        (),
    ],
    ids=["a cent off", "one side", "two currencies", "functional off", "no lines"],
)
def test_an_entry_that_does_not_balance_is_refused(
    db: Database, world: World, clock: ManualClock, sides
):
    with pytest.raises(DBAPIError, match="does not balance"), db.transaction() as session:
        post(session, world, clock, sides)
    assert (count(db, JournalEntry), count(db, JournalLine)) == (0, 0)


def test_a_line_for_an_entry_that_stands_is_refused(db: Database, world: World, clock: ManualClock):
    with db.transaction() as session:
        entry_id = post(session, world, clock, EVEN)
    late = lines_of(entry_id, world, (*EVEN, ("USD", 100, 100)))[2]
    with pytest.raises(DBAPIError, match="already posted"), db.transaction() as session:
        session.add(late)
    assert count(db, JournalLine) == 2


def test_lines_without_an_entry_are_refused_at_the_commit(db: Database, world: World):
    with pytest.raises(DBAPIError, match=r"(?i)foreign key"), db.transaction() as session:
        session.add_all(lines_of(new_id(), world, EVEN))
    assert count(db, JournalLine) == 0


def test_two_entries_of_one_posting_number_are_refused(
    db: Database, world: World, clock: ManualClock
):
    with db.transaction() as session:
        post(session, world, clock, EVEN)
    with pytest.raises(DBAPIError, match=r"(?i)unique"), db.transaction() as session:
        post(session, world, clock, EVEN)


def test_a_line_to_an_unknown_ledger_account_is_refused(
    db: Database, world: World, clock: ManualClock
):
    entry_id = new_id()
    lines = lines_of(entry_id, world, EVEN)
    lines[0].ledger_code = "petty_cash"
    with pytest.raises(DBAPIError, match=r"(?i)foreign key"), db.transaction() as session:
        session.add_all(lines)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE journal_line SET amount_minor = amount_minor + 1",
        "DELETE FROM journal_line",
        "UPDATE journal_entry SET effective_date = '2020-01-01'",
        "DELETE FROM journal_entry",
        "UPDATE stock_movement SET on_hand = 1",
        "DELETE FROM stock_movement",
    ],
)
def test_history_is_neither_changed_nor_removed(
    db: Database, world: World, clock: ManualClock, change: str
):
    with db.transaction() as session:
        post(session, world, clock, EVEN)
    with pytest.raises(DBAPIError, match="append-only"), db.transaction() as session:
        session.execute(text(change))
    assert (count(db, JournalEntry), count(db, JournalLine)) == (1, 2)


#: Every table whose rows are history.
APPEND_ONLY = (
    "application",
    "audit_entry",
    "currency_rate",
    "invoice",
    "invoice_line",
    "invoice_line_tax",
    "journal_entry",
    "journal_line",
    "open_item",
    "stock_movement",
    "stored_document",
)


def test_every_table_of_history_has_its_fence(db: Database):
    query = (
        "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"
        if db.is_sqlite
        else "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    with db.reading() as session:
        found: dict[str, set[str]] = {}
        for table, name in session.execute(text(query)):
            found.setdefault(table, set()).add(name.removeprefix(f"{table}_"))
    wanted = {"no_update", "no_delete"} if db.is_sqlite else {"append_only", "no_truncate"}
    for table in APPEND_ONLY:
        fence = found[table]
        assert wanted <= fence or {"no_update", "no_delete", "no_truncate"} <= fence, table


def test_on_postgresql_history_is_not_emptied_at_a_stroke(
    postgres_db: Database,
):
    for table in APPEND_ONLY:
        with pytest.raises(DBAPIError, match="append-only"), postgres_db.transaction() as session:
            session.execute(text(f"TRUNCATE {table} CASCADE"))
