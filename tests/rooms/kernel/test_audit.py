"""The audit log can only grow, and whatever is done to a sealed line shows."""

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from core.kernel import audit
from core.kernel.audit import AuditEntry, AuditHead
from core.kernel.clock import ManualClock
from core.kernel.db import Database

PERSON = {"name": "Riley Moreno", "email": "riley@example.com"}


def write(db: Database, clock: ManualClock, *acts: str, personal=None) -> None:
    with db.transaction() as session:
        for act in acts:
            audit.write(
                session,
                clock.now(),
                "user:7",
                act,
                ("order", "F-1"),
                personal=personal,
                amount=9037,
                reason="naïve – “quoted”",
            )


def seal(db: Database, clock: ManualClock, limit: int = 5000) -> int:
    return db.run_tx(lambda s: audit.seal(s, clock.now(), limit))


def broken_at(db: Database) -> int | None:
    with db.snapshot() as session:
        return audit.broken_at(session)


def tamper(db: Database, *statements: str) -> None:
    """What somebody with the database's password could do: take the fence down first."""
    with db.transaction() as session:
        if db.is_sqlite:
            session.execute(text("DROP TRIGGER audit_entry_no_update"))
            session.execute(text("DROP TRIGGER audit_entry_no_delete"))
        else:
            session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER ALL"))
        for statement in statements:
            session.execute(text(statement))
        if not db.is_sqlite:  # and put it up again, so that nobody sees
            session.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER ALL"))


def sealed(db: Database, clock: ManualClock, lines: int = 4) -> None:
    write(db, clock, *(f"act {number}" for number in range(1, lines + 1)))
    assert seal(db, clock) == lines
    assert broken_at(db) is None


# --- the fence ------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["fresh", "sealed"])
@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM audit_entry",
        "UPDATE audit_entry SET act = 'nothing'",
        "UPDATE audit_entry SET actor = 'system'",
        "UPDATE audit_entry SET at = '2020-01-01 00:00:00'",
        "UPDATE audit_entry SET subject_kind = 'cart'",
        "UPDATE audit_entry SET subject_id = 'F-2'",
        "UPDATE audit_entry SET detail = '{}'",
        "UPDATE audit_entry SET id = 99",
        'UPDATE audit_entry SET personal = \'{"name": "Somebody Else"}\'',
    ],
)
def test_a_line_is_neither_changed_nor_removed(
    db: Database, clock: ManualClock, change: str, when: str
):
    write(db, clock, "refunded", personal=PERSON)
    if when == "sealed":
        seal(db, clock)
    with pytest.raises(DBAPIError, match="append-only"), db.transaction() as session:
        session.execute(text(change))
    assert broken_at(db) is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entry SET seal_number = NULL, seal_hash = NULL",
        "UPDATE audit_entry SET seal_hash = NULL",
        "UPDATE audit_entry SET seal_number = 2",
        "UPDATE audit_entry SET seal_hash = 'another'",
    ],
)
def test_a_seal_is_not_broken_again(db: Database, clock: ManualClock, change: str):
    sealed(db, clock, lines=1)
    with pytest.raises(DBAPIError, match="append-only"), db.transaction() as session:
        session.execute(text(change))


def test_on_postgresql_the_log_is_not_emptied_at_a_stroke(
    postgres_db: Database, clock: ManualClock
):
    write(postgres_db, clock, "refunded")
    with pytest.raises(DBAPIError, match="append-only"), postgres_db.transaction() as session:
        session.execute(text("TRUNCATE audit_entry"))


# --- the chain ------------------------------------------------------------------------------------


def test_an_empty_log_is_whole(db: Database, clock: ManualClock):
    assert broken_at(db) is None
    assert seal(db, clock) == 0
    assert broken_at(db) is None


def test_sealing_takes_what_is_new_and_only_that(db: Database, clock: ManualClock):
    write(db, clock, "one", "two")
    assert seal(db, clock) == 2
    assert seal(db, clock) == 0
    write(db, clock, "three")
    assert broken_at(db) is None, "an unsealed line is no fault"
    assert seal(db, clock) == 1
    assert broken_at(db) is None
    with db.reading() as session:
        numbers = session.scalars(select(AuditEntry.seal_number).order_by(AuditEntry.id)).all()
        assert numbers == [1, 2, 3]
        assert session.get_one(AuditHead, 1).seal_number == 3


def test_a_long_log_is_sealed_in_portions(db: Database, clock: ManualClock):
    write(db, clock, *"abcde")
    assert [seal(db, clock, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert broken_at(db) is None


@pytest.mark.parametrize("line", [1, 2, 4])
def test_a_sealed_line_taken_out_is_found_the_last_one_included(
    db: Database, clock: ManualClock, line: int
):
    sealed(db, clock)
    tamper(db, f"DELETE FROM audit_entry WHERE seal_number = {line}")
    assert broken_at(db) == line


def test_a_log_that_was_emptied_is_found(db: Database, clock: ManualClock):
    sealed(db, clock)
    tamper(db, "DELETE FROM audit_entry")
    assert broken_at(db) == 1


def test_a_head_that_was_taken_away_is_found(db: Database, clock: ManualClock):
    sealed(db, clock)
    tamper(db, "DELETE FROM audit_head")
    assert broken_at(db) == 1


@pytest.mark.parametrize(
    "change",
    [
        "act = 'nothing'",
        "actor = 'system'",
        "at = '2020-01-01 00:00:00'",
        "subject_id = 'F-2'",
        "detail = '{\"amount\": 1}'",
        "seal_hash = 'another'",
    ],
)
@pytest.mark.parametrize("line", [2, 4])
def test_a_sealed_line_that_was_changed_is_found(
    db: Database, clock: ManualClock, change: str, line: int
):
    sealed(db, clock)
    tamper(db, f"UPDATE audit_entry SET {change} WHERE seal_number = {line}")
    assert broken_at(db) == line


def test_lines_that_changed_places_are_found(db: Database, clock: ManualClock):
    sealed(db, clock)
    tamper(
        db,
        "UPDATE audit_entry SET seal_number = 99 WHERE seal_number = 2",
        "UPDATE audit_entry SET seal_number = 2 WHERE seal_number = 3",
        "UPDATE audit_entry SET seal_number = 3 WHERE seal_number = 99",
    )
    assert broken_at(db) == 2


def test_personal_data_can_be_erased_and_the_chain_stays_whole(db: Database, clock: ManualClock):
    write(db, clock, "signed up", personal=PERSON)
    seal(db, clock)
    with db.transaction() as session:
        session.execute(update(AuditEntry).values(personal=None))
    with db.reading() as session:
        line = session.scalars(select(AuditEntry)).one()
    assert line.personal is None
    assert line.detail == {"amount": 9037, "reason": "naïve – “quoted”"}
    assert broken_at(db) is None


def test_erased_personal_data_does_not_come_back(db: Database, clock: ManualClock):
    write(db, clock, "signed up", personal=None)
    with pytest.raises(DBAPIError, match="append-only"), db.transaction() as session:
        session.execute(update(AuditEntry).values(personal=PERSON))


def test_a_chain_longer_than_a_page_is_followed_to_its_end(sqlite_db: Database, clock: ManualClock):
    sealed(sqlite_db, clock, lines=1001)
    tamper(sqlite_db, "DELETE FROM audit_entry WHERE seal_number = 1001")
    assert broken_at(sqlite_db) == 1001
