"""A run of statements: each made once, by whoever runs it and wherever it is stopped, and told by mail."""

import io
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import func, select

from app import worker
from app.commands import statements as command
from app.handlers import HANDLERS, SCHEDULES, Owning
from core.kernel import crash
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import NotFound
from core.kernel.jobs import Job
from core.kernel.numbering import NumberSeries
from core.notices.models import Notice
from core.parties import accounts
from core.parties.models import Account
from core.parties.moves import ParentRefused
from flows import make_statements
from flows.house import House
from invoices.statements import drafting
from invoices.statements.models import Statement, StatementRange, StoredStatement
from payments.gateway import Gateway
from tests import world as worlds
from tests.rooms.invoices.statements.telling import Telling, dollars
from tests.shop import PostBox, make_house
from tests.world import World

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)
OCTOBER_10 = date(2026, 10, 10)


@pytest.fixture
def house(db: Database, world: World, tmp_path: Path) -> House:
    """The house on the morning of December 1; nobody pays here."""
    clock = ManualClock(datetime(2026, 12, 1, 15, tzinfo=UTC))
    return make_house(db, clock, tmp_path, cast(Gateway, None))


def member(house: House, world: World, name: str, *, bill_day: int = 1) -> Account:
    """A customer who can log in."""
    with house.db.transaction() as session:
        made = worlds.account(session, world, house.clock.now(), name=name)
        made.bill_day = bill_day
        user = worlds.user(session, house.clock.now(), email=made.email or "", name=name)
        accounts.join(session, user.id, made.id, "owner", house.clock.now())
    return made


def happened(house: House, world: World, *names: str) -> list[Account]:
    """Customers with a bill each of October."""
    found = [member(house, world, name) for name in names]
    with house.db.transaction() as session:
        for each in found:
            Telling(session, world, OCTOBER_10).charge(each, dollars("40.00"))
    return found


def told(house: House) -> list[tuple[str, str]]:
    """The mails about statements: to whom, with which subject."""
    post = house.sender
    assert isinstance(post, PostBox)
    return [
        (str(mail["To"]), str(mail["Subject"]))
        for mail in post.mails
        if "statement" in str(mail["Subject"])
    ]


def count(house: House, model: type) -> int:
    with house.db.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_a_run_makes_what_is_due_and_a_second_run_makes_nothing(house: House, world: World):
    happened(house, world, "Riley Moreno", "June Alder")
    first = make_statements.run(house, DECEMBER)
    assert (first.accounts, first.made, first.parked) == (2, 4, [])
    second = make_statements.run(house, DECEMBER)
    assert (second.accounts, second.made) == (0, 0)


def test_one_account_alone_and_one_day_alone(house: House, world: World):
    riley, _ = happened(house, world, "Riley Moreno", "June Alder")
    assert make_statements.run(house, NOVEMBER, account_number=riley.number).made == 1
    assert make_statements.run(house, NOVEMBER).made == 1
    assert make_statements.run(house, DECEMBER).made == 2
    with pytest.raises(NotFound):
        make_statements.run(house, DECEMBER, account_number="000000000")


def test_a_bill_day_begins_where_the_account_is(house: House, world: World):
    (riley,) = happened(house, world, "Riley Moreno")
    clock = cast(ManualClock, house.clock)
    clock.set(datetime(2026, 11, 1, 3, 59, tzinfo=UTC))  # October 31, 23:59 in New York
    assert make_statements.by_the_clock(house).made == 0
    clock.advance(timedelta(minutes=1))
    assert make_statements.by_the_clock(house).made == 1
    with house.db.reading() as session:
        assert session.scalars(select(Statement.issue_date)).all() == [NOVEMBER]
    assert riley.time_zone == "America/New_York"


def test_the_worker_makes_them_by_the_clock_prints_them_and_writes(house: House, world: World):
    happened(house, world, "Riley Moreno")
    assert SCHEDULES["statements"] <= 86_400
    assert isinstance(HANDLERS["statements"], Owning)
    worker.tick(house)
    worker.drain(house)
    assert count(house, Statement) == count(house, StoredStatement) == 2
    assert told(house) == [
        ("riley.moreno@example.com", "Your statement of November 1, 2026: $40.00 to pay"),
        ("riley.moreno@example.com", "Your statement of December 1, 2026: $40.00 to pay"),
    ]
    assert worker.drain(house) == 0
    # The processor, which other jobs ask, is not there.
    wrong = select(Job.last_error).where(
        Job.last_error.is_not(None), Job.handler.contains("statement")
    )
    with house.db.reading() as session:
        assert session.scalars(wrong).all() == []


def test_the_mail_has_the_roll_forward_the_paper_and_the_way_to_its_page(
    house: House, world: World
):
    (riley,) = happened(house, world, "Riley Moreno")
    make_statements.run(house, NOVEMBER)
    worker.drain(house)
    mail = cast(PostBox, house.sender).mails[-1]
    plain = mail.get_body(("plain",)).get_content()
    for said in (
        "Dear Riley,",
        "To pay: $40.00",
        "Previous balance (this is the first statement)",
        "New charges",
        "Closing balance",
        "http://localhost:8000/account/statements/",
        "Say so by December 31, 2026",
    ):
        assert said in plain, said
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == "statement-S-100001.pdf"
    assert attached.get_content().startswith(b"%PDF")
    assert riley.number not in mail["Subject"]


def test_a_guest_gets_a_statement_but_no_mail(house: House, world: World):
    with house.db.transaction() as session:
        guest = worlds.account(session, world, house.clock.now(), name="Guest")
        Telling(session, world, OCTOBER_10).charge(guest, dollars("40.00"))
    assert make_statements.run(house, NOVEMBER).made == 1
    worker.drain(house)
    assert told(house) == []


def test_a_preview_says_what_would_be_made_and_writes_nothing(house: House, world: World):
    (riley,) = happened(house, world, "Riley Moreno")
    before = count(house, Job)
    found = [
        (due.number, str(document.closing))
        for due, document in make_statements.preview(house, DECEMBER)
    ]
    assert found == [(riley.number, "40.00")]
    assert count(house, Statement) == count(house, StatementRange) == 0
    assert count(house, Job) == before


def test_an_account_that_does_not_tie_is_parked_and_the_run_goes_on(
    house: House, world: World, monkeypatch: pytest.MonkeyPatch
):
    riley, june = happened(house, world, "Riley Moreno", "June Alder")
    draft = drafting.draft

    def broken(session, basis, naming):
        made = draft(session, basis, naming)
        if basis.account.id == riley.id:
            return replace(made, differences=("the ledger has 1 cent more",))
        return made

    monkeypatch.setattr(drafting, "draft", broken)
    report = make_statements.run(house, NOVEMBER)
    assert report.made == 1
    (words,) = report.parked
    assert riley.number in words
    assert "1 cent more" in words
    monkeypatch.undo()
    assert make_statements.run(house, NOVEMBER).made == 1
    with house.db.reading() as session:
        numbers = session.scalars(select(Statement.number).order_by(Statement.number)).all()
    assert numbers == ["S-100001", "S-100002"]
    assert june.id != riley.id


def test_two_runs_at_once_make_each_statement_once(house: House, world: World):
    happened(house, world, "Riley Moreno", "June Alder", "Ash Vale")
    start, reports, troubles = threading.Barrier(2), [], []

    def run() -> None:
        start.wait()
        try:
            reports.append(make_statements.run(house, DECEMBER))
        except Exception as error:  # told below, in the test's own thread
            troubles.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert troubles == []
    assert [report.parked for report in reports] == [[], []]
    assert sum(report.made for report in reports) == count(house, Statement) == 6


POINTS = (
    "statement.written",
    "statement.before_commit",
    "statement.rendered",
    "statement.bytes_written",
    "job.before_finish",
    "job.before_commit",
    "notice.before_send",
    "notice.sent",
)


def _late(house: House, world: World) -> None:
    """Riley's bill of October is past due; she has been reminded of it before the run begins."""
    happened(house, world, "Riley Moreno")
    worker.drain(house)


def _whole(house: House) -> None:
    make_statements.run(house, DECEMBER)
    worker.drain(house)


def test_these_are_the_points_that_a_run_passes(house: House, world: World):
    _late(house, world)
    passed: list[str] = []
    with crash.armed(passed.append):
        _whole(house)
    assert set(passed) == set(POINTS)


@pytest.mark.parametrize("point", POINTS)
def test_stopped_in_the_middle_and_run_again_it_ends_the_same(
    house: House, world: World, point: str
):
    _late(house, world)
    second_time = _second_time(point)
    with crash.armed(second_time):
        try:
            _whole(house)
        except crash.SimulatedCrash:
            pass
        else:
            raise AssertionError(f"{point} was passed once only")
    clock = cast(ManualClock, house.clock)
    clock.advance(timedelta(minutes=5))  # the lease of what was in hand is over
    _whole(house)
    assert count(house, Statement) == count(house, StoredStatement) == 2
    with house.db.reading() as session:
        positions = session.scalars(select(Statement.series_position)).all()
        following = session.scalars(
            select(NumberSeries.next_number).where(NumberSeries.series == "statement")
        ).one()
        notices = session.execute(select(Notice.template, Notice.state)).all()
    told_of = [("past_due", "sent"), ("statement", "sent"), ("statement", "sent")]
    assert sorted(tuple(row) for row in notices) == told_of
    assert sorted(positions) == [1, 2]
    assert following == 3


def _second_time(point: str) -> Callable[[str], None]:
    passed: list[str] = []

    def die(name: str) -> None:
        passed.append(name)
        if passed.count(point) == 2:
            raise crash.SimulatedCrash(point)

    return die


# --- ./shop statements ----------------------------------------------------------------------------


def _shop(house: House, *words: str) -> tuple[int, str]:
    out = io.StringIO()
    code = command.run(list(words), None, house, out)
    return code, out.getvalue()


def test_the_command_says_what_it_made(house: House, world: World):
    (riley,) = happened(house, world, "Riley Moreno")
    code, said = _shop(house, "--preview")
    assert code == 0
    assert f"{riley.number}  2026-10-10 to 2026-10-31  USD" in said
    assert "1 would be made; nothing was written." in said
    code, said = _shop(house, "--as-of", "2026-11-30")
    assert code == 0
    assert "Statements made               1" in said
    code, said = _shop(house)
    assert "Statements made               1" in said
    code, said = _shop(house)
    assert (code, "Statements made               0" in said) == (0, True)


def test_the_command_has_an_account_stated_with_another_and_by_itself_again(
    house: House, world: World
):
    riley, june = happened(house, world, "Riley Moreno", "June Alder")
    code, said = _shop(house, "--account", june.number, "--addressed-to", riley.number)
    assert (code, said) == (
        0,
        f"From now on account {june.number} stands on the statements of {riley.number}.\n",
    )
    assert make_statements.run(house, NOVEMBER).made == 1
    (together,) = _all(house)
    assert (together.account_id, together.closing_minor) == (riley.id, 8000)
    _shop(house, "--account", june.number, "--addressed-to", "itself")
    assert make_statements.run(house, DECEMBER).made == 2
    assert {(one.account_id, one.closing_minor) for one in _all(house)} == {
        (riley.id, 8000),
        (riley.id, 4000),
        (june.id, 4000),
    }
    with pytest.raises(ParentRefused):
        make_statements.address(house, riley.number, riley.number)
    with pytest.raises(NotFound):
        make_statements.address(house, riley.number, "000000000")


@pytest.mark.parametrize(
    "words", [("--as-of", "soon"), ("--as-of",), ("--nothing",), ("--addressed-to", "1")]
)
def test_the_command_refuses_what_it_does_not_understand(house: House, words: tuple[str, ...]):
    with pytest.raises(SystemExit) as refused:
        _shop(house, *words)
    assert refused.value.code == 2


def test_no_statement_is_made_for_a_day_to_come(house: House, world: World):
    happened(house, world, "Riley Moreno")
    code, said = _shop(house, "--as-of", "2027-01-01")
    assert (code, "lies ahead" in said) == (1, True)
    assert make_statements.run(house, date(2027, 1, 1)).made == 2
    assert max(row.issue_date for row in _all(house)) == DECEMBER


def _all(house: House) -> list[Statement]:
    with house.db.reading() as session:
        return list(session.scalars(select(Statement)))
