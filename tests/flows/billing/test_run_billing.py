"""The night: everybody who is due is billed once, whoever runs it, how often, and wherever it was stopped."""

import io
import threading
import uuid
from datetime import date, timedelta

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app import worker
from app.commands import bill as command
from app.settings import Settings
from core.kernel import crash
from core.subscriptions import changing, reading
from core.subscriptions.models import Subscription
from core.tax.service import NoTaxAnswer
from flows import run_billing
from flows.run_billing import Asked
from invoices.billing import difference, parking, runs
from invoices.billing.models import BillMark, BillOutcome, BillParking, BillRun
from invoices.billing.runs import DayAhead, TooLongAgo
from invoices.models import Invoice
from tests import serving
from tests import world as worlds
from tests.flows.billing.conftest import JANUARY_31, Services

FEBRUARY_28 = date(2027, 2, 28)


def people(services: Services, count: int) -> list[uuid.UUID]:
    """So many payers with two services each."""

    def work(session: Session) -> list[uuid.UUID]:
        made = []
        for number in range(count):
            now, plans = services.clock.now(), services.plans
            payer = worlds.account(session, services.world, now, name=f"Payer {number}")
            for goods in (plans.stream, plans.brook):
                serving.running(session, services.world, payer, goods, now, on=services.today)
            made.append(payer.id)
        return made

    return services.within(work)


def invoices(services: Services) -> list[tuple[uuid.UUID, int]]:
    with services.house.db.reading() as session:
        rows = session.execute(
            select(Invoice.payer_account_id, func.count())
            .where(Invoice.kind == "invoice")
            .group_by(Invoice.payer_account_id)
        )
        return [(row[0], row[1]) for row in rows]


def in_currency(services: Services, payer_id: uuid.UUID, currency: str) -> None:
    """Services in a currency, which nobody can reckon with when there is none of that name."""
    rows = update(Subscription).where(Subscription.payer_account_id == payer_id)
    services.within(lambda session: session.execute(rows.values(currency=currency)))


def more_of(services: Services, payers: list[uuid.UUID]) -> None:
    """Three of the first service of some payers from today on, and credit that they have."""
    wish = serving.wish(services.plans.stream, 3)

    def work(session: Session) -> None:
        for payer in payers:
            first = reading.of_payer(session, payer)[0]
            row, now = reading.lock(session, first.id), services.clock.now()
            changing.change(session, row, wish, services.today, "user:kim", now)

    services.within(work)


def run(services: Services, as_of: date, **how: object) -> runs.Totals:
    run_id = run_billing.run(services.house, Asked(as_of, "system", **how))  # type: ignore[arg-type]  # of Asked
    return run_billing.totals(services.house, run_id)


def test_everybody_is_billed_once(services: Services):
    payers = people(services, 30)
    totals = run(services, JANUARY_31)
    assert totals.by_currency["USD"].invoices == 30
    assert totals.by_currency["USD"].billed_minor == 30 * (4800 + 312)
    again = run(services, JANUARY_31)
    assert (again.by_currency, again.accounts) == ({}, 0)
    services.stand_at(FEBRUARY_28)
    assert run(services, FEBRUARY_28).by_currency["USD"].invoices == 30
    assert dict(invoices(services)) == dict.fromkeys(payers, 2)
    services.verify()


def test_a_preview_says_what_the_run_does_and_writes_no_bill(services: Services):
    people(services, 5)
    foreseen = run(services, JANUARY_31, is_preview=True)
    assert not invoices(services)
    assert foreseen.by_currency == run(services, JANUARY_31).by_currency
    ahead = run(services, FEBRUARY_28, is_preview=True)
    assert ahead.by_currency["USD"].invoices == 5


def test_an_account_that_fails_is_parked_and_the_others_are_billed(services: Services):
    payers = people(services, 5)
    in_currency(services, payers[2], "XXQ")
    totals = run(services, JANUARY_31)
    assert (totals.by_currency["USD"].invoices, totals.parked) == (4, 1)
    assert run(services, JANUARY_31).parked == 0, "it is not tried again until somebody looked"
    with services.house.db.reading() as session:
        ((row, account),) = parking.listing(session)
    assert (account.id, row.released_at) == (payers[2], None)
    in_currency(services, payers[2], "USD")
    services.within(
        lambda s: parking.release(s, row.public_id, "put right", "user:kim", services.clock.now())
    )
    assert run(services, JANUARY_31).by_currency["USD"].invoices == 1
    services.verify()


def test_usage_that_was_billed_is_looked_at_once(services: Services):
    service = services.begin(services.plans.backup)
    services.stand_at(date(2027, 2, 20))
    services.use(service, "a", "15", date(2027, 2, 10))
    services.stand_at(FEBRUARY_28)
    run(services, FEBRUARY_28)
    services.stand_at(date(2027, 3, 2))
    run_billing.by_the_clock(services.house)
    with services.house.db.reading() as session:
        latest = session.scalars(select(BillRun).order_by(BillRun.started_at.desc())).first()
    assert latest is not None
    assert latest.as_of == FEBRUARY_28, "nothing is due, so nothing is planned"


def test_one_that_is_too_much_is_parked_and_its_group_is_billed(services: Services):
    people(services, 3)
    services.begin(services.plans.stream, quantity=9000)
    people(services, 3)
    totals = run(services, JANUARY_31)
    assert (totals.by_currency["USD"].invoices, totals.parked) == (6, 1)
    services.verify()


def test_too_much_is_parked(services: Services):
    services.begin(services.plans.stream, quantity=9000)
    totals = run(services, JANUARY_31)
    assert totals.parked == 1
    with services.house.db.reading() as session:
        assert session.scalars(select(BillParking.reason)).one() == "too_much"
    assert not invoices(services)


def test_a_day_that_lies_ahead_or_too_far_back_is_refused(services: Services):
    with pytest.raises(DayAhead):
        run(services, JANUARY_31 + timedelta(days=2))
    with pytest.raises(TooLongAgo):
        run(services, JANUARY_31 - timedelta(days=401))


def test_nobody_is_billed_for_a_day_that_has_not_begun_where_they_are(services: Services):
    services.begin(services.plans.stream)
    run(services, JANUARY_31)
    services.stand_at(date(2027, 2, 27), hour=20)  # February 28 has begun on Kiritimati
    assert run(services, FEBRUARY_28).by_currency == {}
    services.stand_at(FEBRUARY_28, hour=0)
    assert run(services, FEBRUARY_28).by_currency["USD"].invoices == 1


def test_two_runs_at_once_bill_everybody_once(services: Services):
    payers = people(services, 12)
    failures: list[BaseException] = []
    gate = threading.Barrier(2)

    def night() -> None:
        try:
            gate.wait()
            run(services, JANUARY_31)
        except BaseException as error:  # told below
            failures.append(error)

    threads = [threading.Thread(target=night) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failures
    assert dict(invoices(services)) == dict.fromkeys(payers, 1)
    with services.house.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(BillOutcome)) == 12
        assert session.scalar(select(func.count()).where(BillRun.finished_at.is_(None))) == 0
    services.verify()


def test_the_desk_s_run_is_done_by_the_worker(services: Services, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runs, "CHUNK", 2)
    people(services, 5)
    run_id = run_billing.start(services.house, Asked(JANUARY_31, "user:kim"), by_jobs=True)
    assert run_billing.counted(services.house, run_id) == (0, 5)
    monkeypatch.setattr("flows.issue_invoice.store", lambda *_: "")
    worker.drain(services.house)
    assert run_billing.counted(services.house, run_id) == (5, 5)
    with services.house.db.reading() as session:
        row = session.get_one(BillRun, run_id)
        assert row.finished_at is not None
        assert row.totals is not None
    assert len(invoices(services)) == 5


def test_the_clock_starts_a_run_only_where_something_is_due(services: Services):
    services.begin(services.plans.stream)
    for _ in range(3):
        run_billing.by_the_clock(services.house)
        worker.drain(services.house)
    with services.house.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(BillRun)) == 1
    assert len(invoices(services)) == 1


POINTS = (
    "bill_run.before_commit",
    "bill_run.committed",
    "bill_run.before_done",
    "bill.many_written",
    "bill.repaired",
    "memo.written",
    "bill.written",
    "bill.before_commit",
)


def test_every_point_is_passed(services: Services):
    passed: list[str] = []
    payers = people(services, 3)
    with crash.armed(passed.append):
        run(services, JANUARY_31)
        services.stand_at(date(2027, 2, 14))
        more_of(services, payers[:1])
        run(services, services.today)
    assert set(POINTS) <= set(passed)


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_it_goes_on(
    services: Services, monkeypatch: pytest.MonkeyPatch, point: str
):
    monkeypatch.setattr(runs, "CHUNK", 4)
    monkeypatch.setattr(run_billing, "GROUP", 2)
    payers = people(services, 9)
    run(services, JANUARY_31)
    services.stand_at(date(2027, 2, 14))
    more_of(services, payers[:2])
    if point != "bill.many_written":
        with crash.crash_at(point):
            run(services, services.today)
    run(services, services.today)
    services.stand_at(FEBRUARY_28)
    more_of(services, payers[2:4])
    if point == "bill.many_written":
        with crash.crash_at(point):
            run(services, FEBRUARY_28)
    run(services, FEBRUARY_28)
    assert dict(invoices(services)) == {key: 3 if key in payers[:2] else 2 for key in payers}
    with services.house.db.reading() as session:
        memos = session.scalar(select(func.count()).where(Invoice.kind == "credit_memo"))
    assert memos == 2
    with services.house.db.reading() as session:
        assert session.scalar(select(func.count()).where(BillRun.finished_at.is_(None))) == 0
    services.verify()


def test_one_that_waits_is_counted_once_however_often_its_chunk_is_done(
    services: Services, monkeypatch: pytest.MonkeyPatch
):
    people(services, 2)

    def silent(*_: object) -> None:
        raise NoTaxAnswer

    monkeypatch.setattr(run_billing, "_together", silent)
    with crash.crash_at("bill_run.before_done"):
        run(services, JANUARY_31)
    totals = run(services, JANUARY_31)
    assert (totals.waiting, totals.accounts, totals.by_currency) == (2, 2, {})
    monkeypatch.undo()
    assert run(services, JANUARY_31).by_currency["USD"].invoices == 2


def test_against_last_time(services: Services):
    payers = people(services, 3)
    run(services, JANUARY_31)
    services.stand_at(date(2027, 2, 10))
    people(services, 1)
    run(services, services.today)
    with services.house.db.transaction() as session:
        rows = update(Subscription).where(Subscription.payer_account_id == payers[0])
        last = services.today + timedelta(days=18)
        session.execute(rows.values(ended_on=last, revision=9))
    services.stand_at(FEBRUARY_28)
    run_id = run_billing.run(services.house, Asked(FEBRUARY_28, "system"))
    found = run_billing.totals(services.house, run_id).changed
    assert (found.same, found.new, found.gone) == (2, 0, 1)
    services.within(lambda s: s.execute(delete(BillMark)))
    assert run_billing.totals(services.house, run_id).changed == found, "it is what it came to then"


def test_the_command_tells_what_it_did(services: Services, settings: Settings):
    people(services, 2)
    out = io.StringIO()
    assert command.run(["--as-of", "2027-01-31"], settings, services.house, out) == 0
    assert "USD  2 invoices: 102.24" in out.getvalue()
    out = io.StringIO()
    assert command.run(["--preview", "--as-of", "2027-02-28"], settings, services.house, out) == 0
    assert "2 invoices would be: 102.24" in out.getvalue()
    assert "2 the same" in out.getvalue()


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2027, 3, 28), date(2027, 2, 27)),
        (date(2027, 3, 31), date(2027, 2, 28)),
        (date(2027, 2, 28), date(2027, 1, 31)),
        (date(2027, 12, 1), date(2027, 11, 1)),
    ],
)
def test_month_ends_stay_month_ends(day: date, before: date):
    assert difference.month_before(day) == before
