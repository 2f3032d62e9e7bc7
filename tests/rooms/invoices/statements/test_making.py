"""A statement adds up, begins where the last one ended, and is never touched by what comes later."""

import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.money import Money
from core.ledger import rates
from core.parties.models import Account
from invoices.statements import addressing, making
from invoices.statements.models import Statement, StatementRange
from tests.rooms.invoices.statements.telling import (
    OUTSIDE,
    Telling,
    all_of,
    at_noon,
    dollars,
    read,
)
from tests.world import World, account

NOVEMBER, DECEMBER, JANUARY = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)
FEBRUARY = date(2027, 2, 1)


def riley(session: Session, world: World, *, bill_day: int = 1, name: str = "Riley") -> Account:
    made = account(session, world, at_noon(date(2026, 9, 1)), name=name)
    made.bill_day = bill_day
    session.flush()
    return made


def figures(statement: Statement) -> list[str]:
    """Previous balance, payments, adjustments, new charges, closing balance."""
    document = read(statement)
    return [
        str(each)
        for each in (
            document.opening,
            document.payments,
            document.adjustments,
            document.charges,
            document.closing,
        )
    ]


def test_two_periods_of_the_oracle_on_the_books(db: Database, world: World):
    with db.transaction() as session:
        who = riley(session, world)
        tell = Telling(session, world, date(2026, 10, 10))
        first = tell.charge(who, dollars("120.00"), number="100001")
        tell.day = NOVEMBER
        assert [figures(each) for each in tell.state(who)] == [
            ["0.00", "0.00", "0.00", "120.00", "120.00"]
        ]
        tell.day = date(2026, 11, 12)
        payment = tell.pay(who, dollars("100.00"), [first])
        tell.credit(who, dollars("5.00"))
        second = tell.charge(who, dollars("89.50"), number="100002")
        tell.day = DECEMBER
        assert [figures(each) for each in tell.state(who)] == [
            ["120.00", "-100.00", "-5.00", "89.50", "104.50"]
        ]
        tell.day = date(2026, 12, 9)
        tell.charge_back(payment, dollars("100.00"))
        tell.use_all_credit(who, first)
        tell.pay(who, dollars("104.50"), [first, second])
        tell.charge(who, dollars("89.50"), number="100003")
        tell.day = JANUARY
        (third,) = tell.state(who)
        assert figures(third) == ["104.50", "-104.50", "100.00", "89.50", "189.50"]
        told = read(third)
        assert told.previous_number == "S-100002"
        assert told.previous_date == DECEMBER
        assert told.composition.charged_back == Decimal("100.00")
        # The bank decides over what it took back; nobody is asked to pay it.
        assert told.amount_due == Decimal("89.50")
        assert told.scan_line is not None
        assert told.scan_line.split()[1:3] == ["00000000", "0000008950"]


def test_numbers_and_periods_follow_one_another_without_a_gap(db: Database, world: World):
    with db.transaction() as session:
        who, other = riley(session, world), riley(session, world, name="June")
        tell = Telling(session, world, date(2026, 10, 10))
        for each in (who, other):
            tell.charge(each, dollars("10.00"))
        tell.day = JANUARY
        tell.state(who)
        tell.state(other)
        numbers = session.scalars(select(Statement.number).order_by(Statement.number)).all()
        assert numbers == [f"S-{100_000 + at}" for at in range(1, 7)]
        periods = [(each.period_start, each.period_end) for each in all_of(session, who)]
    day = timedelta(days=1)
    assert periods == [
        (date(2026, 10, 10), NOVEMBER - day),
        (NOVEMBER, DECEMBER - day),
        (DECEMBER, JANUARY - day),
    ]


def test_a_second_run_makes_nothing(db: Database, world: World):
    with db.transaction() as session:
        who = riley(session, world)
        tell = Telling(session, world, date(2026, 10, 10))
        tell.charge(who, dollars("10.00"))
        tell.day = DECEMBER
        assert len(tell.state(who)) == 2
        assert tell.state(who) == []
        assert addressing.due(session, DECEMBER) == []


def test_a_quiet_account_with_nothing_to_pay_gets_none_until_something_happens(
    db: Database, world: World
):
    with db.transaction() as session:
        who = riley(session, world)
        tell = Telling(session, world, date(2026, 10, 10))
        tell.pay(who, dollars("10.00"), [tell.charge(who, dollars("10.00"))])
        tell.day = JANUARY
        (only,) = tell.state(who)
        assert (only.issue_date, only.closing_minor) == (NOVEMBER, 0)
        assert addressing.due(session, JANUARY) == []
        tell.day = date(2027, 1, 20)
        tell.charge(who, dollars("7.00"))
        tell.day = FEBRUARY
        (later,) = tell.state(who)
        assert (later.period_start, later.period_end) == (NOVEMBER, date(2027, 1, 31))
        assert later.opening_minor == 0


def test_what_is_dated_back_stands_on_the_next_statement_and_changes_none_before(
    db: Database, world: World
):
    with db.transaction() as session:
        who = riley(session, world)
        tell = Telling(session, world, date(2026, 10, 10))
        tell.charge(who, dollars("10.00"))
        tell.day = NOVEMBER
        (before,) = tell.state(who)
        frozen = before.document_sha256
        tell.charge(who, dollars("3.00"), on=date(2026, 10, 20), number="100002")
        tell.day = DECEMBER
        (after,) = tell.state(who)
        assert before.document_sha256 == frozen
        assert figures(after) == ["10.00", "0.00", "0.00", "3.00", "13.00"]
        (late,) = read(after).sections[0].movements
        assert late.is_late
        assert late.on == date(2026, 10, 20)


def test_what_happens_on_the_bill_day_itself_is_on_the_next_statement(db: Database, world: World):
    with db.transaction() as session:
        who = riley(session, world)
        tell = Telling(session, world, date(2026, 10, 31))
        tell.charge(who, dollars("1.00"))
        tell.day = NOVEMBER
        tell.charge(who, dollars("2.00"), number="100002")
        (made,) = tell.state(who)
        assert figures(made)[3] == "1.00"
        tell.day = DECEMBER
        (made,) = tell.state(who)
        assert figures(made)[3] == "2.00"


def test_the_bill_day_is_kept_and_clamped_in_short_months(db: Database, world: World):
    with db.transaction() as session:
        who = riley(session, world, bill_day=31)
        tell = Telling(session, world, date(2027, 1, 30))
        tell.charge(who, dollars("10.00"))
        tell.day = date(2027, 4, 2)
        dates = [each.issue_date for each in tell.state(who)]
    assert dates == [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31)]


def test_deposits_stand_apart_and_a_bill_that_they_pay_adds_nothing(db: Database, world: World):
    with db.transaction() as session:
        who = riley(session, world)
        tell = Telling(session, world, date(2026, 10, 10))
        held = tell.deposit(who, dollars("55.00"))
        bill = tell.charge(who, dollars("40.00"))
        tell.use(held, bill, dollars("40.00"))
        tell.day = NOVEMBER
        (made,) = tell.state(who)
        assert figures(made) == ["0.00", "-40.00", "0.00", "40.00", "0.00"]
        assert read(made).deposits == Decimal("15.00")
        assert not read(made).asks_for_money


def test_credit_is_in_the_payers_favour_and_a_refund_takes_it_away(db: Database, world: World):
    with db.transaction() as session:
        who = riley(session, world)
        tell = Telling(session, world, date(2026, 10, 10))
        tell.pay(who, dollars("30.00"))
        tell.day = NOVEMBER
        (made,) = tell.state(who)
        assert figures(made) == ["0.00", "-30.00", "0.00", "0.00", "-30.00"]
        tell.day = date(2026, 11, 5)
        tell.refund(who, dollars("12.00"))
        tell.day = DECEMBER
        (made,) = tell.state(who)
        assert figures(made) == ["-30.00", "0.00", "12.00", "0.00", "-18.00"]


def test_what_is_owed_is_told_by_age(db: Database, world: World):
    with db.transaction() as session:
        who = riley(session, world)
        tell = Telling(session, world, date(2026, 10, 31))
        for days, amount in (
            (-100, "1.00"),
            (-61, "2.00"),
            (-40, "4.00"),
            (0, "8.00"),
            (1, "16.00"),
        ):
            tell.charge(who, dollars(amount), due_in=days)
        tell.day = NOVEMBER
        (made,) = tell.state(who)
        told = read(made)
    assert [str(age.amount) for age in told.ageing] == ["16.00", "8.00", "4.00", "2.00", "1.00"]
    assert (told.amount_due, told.overdue, told.due_date) == (
        Decimal("31.00"),
        Decimal("15.00"),
        None,
    )


def test_currencies_have_statements_of_their_own(db: Database, world: World):
    with db.transaction() as session:
        who = riley(session, world)
        tell = Telling(session, world, date(2026, 10, 10))
        rates.tell(session, ("JPY", "USD"), tell.day, Decimal("0.0065"), "a bank", tell.now)
        tell.charge(who, dollars("10.00"))
        tell.pay(who, Money(700, "JPY"))
        tell.day = NOVEMBER
        assert {due.currency for due in addressing.due(session, NOVEMBER)} == {"JPY", "USD"}
        (in_yen,) = tell.state(who, "JPY")
        (in_dollars,) = tell.state(who)
        assert (in_yen.closing_minor, in_dollars.closing_minor) == (-700, 1000)


# --- what the database refuses --------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE statement SET closing_minor = closing_minor + 1, charges_minor = charges_minor + 1",
        "DELETE FROM statement",
        "UPDATE statement_range SET to_posting = to_posting + 1",
        "DELETE FROM statement_range",
    ],
)
def test_nobody_changes_or_deletes_a_statement(db: Database, world: World, statement: str):
    with db.transaction() as session:
        who = riley(session, world)
        tell = Telling(session, world, date(2026, 10, 10))
        tell.charge(who, dollars("10.00"))
        tell.day = NOVEMBER
        tell.state(who)
    with pytest.raises(DBAPIError, match="append-only"), db.transaction() as session:
        session.execute(text(statement))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("opening_minor", 1),
        ("previous_sequence", None),
        ("sequence", 5),
        ("series_position", 1),
        ("period_end", NOVEMBER - timedelta(days=1)),
    ],
)
def test_a_statement_that_does_not_follow_the_one_before_is_refused(
    db: Database, world: World, field: str, value: object
):
    with db.transaction() as session:
        who = riley(session, world)
        tell = Telling(session, world, date(2026, 10, 10))
        tell.charge(who, dollars("10.00"))
        tell.day = DECEMBER
        tell.state(who)
        last = all_of(session, who)[-1]
    names = [column.key for column in Statement.__table__.columns]
    copy = {name: getattr(last, name) for name in names if name not in ("id", "public_id")}
    copy |= {
        "sequence": last.sequence + 1,
        "previous_id": last.id,
        "previous_sequence": last.sequence,
        "series_position": last.series_position + 1,
        "opening_minor": last.closing_minor,
        "period_end": last.period_end + timedelta(days=31),
        field: value,
    }
    copy["closing_minor"] = copy["opening_minor"] + last.charges_minor
    with pytest.raises(IntegrityError), db.transaction() as session:
        session.add(Statement(**copy))


@pytest.mark.parametrize("change", [{"after_posting": 0}, {"opening_minor": 7}, {"sequence": 1}])
def test_a_posting_cannot_be_taken_twice_nor_left_out(
    db: Database, world: World, change: dict[str, int]
):
    with db.transaction() as session:
        who = riley(session, world)
        tell = Telling(session, world, date(2026, 10, 10))
        tell.charge(who, dollars("10.00"))
        tell.day = DECEMBER
        _, last = tell.state(who)
        (taken,) = session.scalars(
            select(StatementRange).where(StatementRange.statement_id == last.id)
        )
        other = riley(session, world, name="June")
        tell.charge(other, dollars("10.00"))
        tell.day = JANUARY
        (elsewhere,) = tell.state(other)
    again = {
        "account_id": who.id,
        "currency": "USD",
        "sequence": taken.sequence + 1,
        "previous_sequence": taken.sequence,
        "statement_id": elsewhere.id,
        "after_posting": taken.to_posting,
        "to_posting": taken.to_posting + 5,
        "opening_minor": taken.closing_minor,
        "closing_minor": 0,
    }
    with pytest.raises(IntegrityError), db.transaction() as session:
        session.add(StatementRange(**(again | change)))


def test_two_who_make_the_same_statement_at_once_make_one(
    db: Database, world: World, clock: ManualClock
):
    with db.transaction() as session:
        who = riley(session, world)
        Telling(session, world, date(2026, 10, 10)).charge(who, dollars("10.00"))
    start, made, troubles = threading.Barrier(2), [], []

    def run() -> None:
        start.wait()
        try:
            made.append(
                db.run_tx(
                    lambda session: making.make_next(
                        session, who.id, "USD", NOVEMBER, OUTSIDE, at_noon(NOVEMBER)
                    )
                )
            )
        except Exception as error:  # told below, in the test's own thread
            troubles.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert troubles == []
    assert sum(one is not None for one in made) == 1
