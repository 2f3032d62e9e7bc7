"""``./shop export``: files of the books that read back to the same sums, the same bytes each time."""

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import pytest

from app.commands import export as command
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import NotFound
from core.kernel.money import Money
from core.ledger import business
from tests import retail
from tests.rooms.ledger.books import DAY, document
from tests.world import World, account


@pytest.fixture
def shop(db: Database, world: World, clock: ManualClock) -> Database:
    """Two bills a month apart; one account's name is a formula, the other's has a comma and a quote."""
    with db.transaction() as session:
        for days, name in ((0, "=HYPERLINK(1)"), (30, 'Casey "C", junior')):
            key = account(session, world, clock.now(), name=name).id
            issued = document(
                world, key, Money(10_000 + days, "USD"), 700, on=DAY + timedelta(days=days)
            )
            business.charge(session, issued, clock.now())
    clock.advance(timedelta(days=40))
    return db


def _run(shop: Database, clock: ManualClock, folder: Path, *argv: str) -> tuple[int, str, bytes]:
    out, said = folder / "out.csv", io.StringIO()
    code = command.run([*argv, "--out", str(out)], retail.settings(folder), shop, clock, said)
    return code, said.getvalue(), out.read_bytes() if out.exists() else b""


def _rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


@pytest.mark.parametrize("what", command.WHAT)
def test_each_file_is_the_same_twice_and_ends_its_lines_as_it_should(
    shop: Database, clock: ManualClock, tmp_path: Path, what: str
):
    code, said, data = _run(shop, clock, tmp_path, what)
    assert code == 0
    assert data == _run(shop, clock, tmp_path, what)[2]
    rows = _rows(data)
    assert said == f"{len(rows):,} rows in {tmp_path / 'out.csv'}.\n"
    assert rows
    assert data.count(b"\r\n") == data.count(b"\n") == len(rows) + 1
    assert not list(tmp_path.glob("*.part"))


def test_a_name_that_is_a_formula_is_only_a_name(
    shop: Database, clock: ManualClock, tmp_path: Path
):
    names = {row["name"] for row in _rows(_run(shop, clock, tmp_path, "ageing")[2])}
    assert names == {"'=HYPERLINK(1)", 'Casey "C", junior'}


def test_days_bound_what_is_in_a_file(shop: Database, clock: ManualClock, tmp_path: Path):
    later = (DAY + timedelta(days=1)).isoformat()
    first = _rows(_run(shop, clock, tmp_path, "journal", "--to", DAY.isoformat())[2])
    second = _rows(_run(shop, clock, tmp_path, "journal", "--from", later)[2])
    both = _rows(_run(shop, clock, tmp_path, "journal")[2])
    assert [*first, *second] == both
    assert {row["effective_date"] for row in first} == {DAY.isoformat()}
    [row] = _rows(_run(shop, clock, tmp_path, "ageing", "--as-of", DAY.isoformat())[2])
    assert (row["as_of"], row["current"], row["total"]) == (DAY.isoformat(), "107.00", "107.00")
    months = _rows(_run(shop, clock, tmp_path, "general-journal")[2])
    assert [row["period"] for row in months if row["ledger_account"] == "tax_payable"] == [
        "2026-11",
        "2026-12",
    ]


def test_debits_are_credits_in_every_file_that_has_both(
    shop: Database, clock: ManualClock, tmp_path: Path
):
    for what, debit, credit in (
        ("journal", "debit", "credit"),
        ("journal", "functional_debit", "functional_credit"),
        ("general-journal", "debits", "credits"),
        ("trial-balance", "debit_balance", "credit_balance"),
    ):
        rows = _rows(_run(shop, clock, tmp_path, what)[2])
        sums = [
            sum(round(float(row[name] or "0") * 100) for row in rows) for name in (debit, credit)
        ]
        assert sums[0] == sums[1] == 21_430, what


def test_what_is_asked_the_wrong_way_is_told(shop: Database, clock: ManualClock, tmp_path: Path):
    for argv in (
        ("journal", "--as-of", "2026-11-17"),
        ("ageing", "--from", "2026-11-17"),
        ("journal", "--from", "2026-11-18", "--to", "2026-11-17"),
        ("journal", "--from", "soon"),
        ("secrets",),
    ):
        with pytest.raises(SystemExit) as end:
            _run(shop, clock, tmp_path, *argv)
        assert end.value.code == 2, argv
    with pytest.raises(NotFound):
        _run(shop, clock, tmp_path, "journal", "--legal-entity", "nobody")
    assert _run(shop, clock, tmp_path / "nowhere", "journal")[0] == 1


def test_only_one_legal_entitys_books(
    shop: Database, world: World, clock: ManualClock, tmp_path: Path
):
    rows = _rows(_run(shop, clock, tmp_path, "trial-balance")[2])
    [code] = {row["legal_entity"] for row in rows}
    assert _rows(_run(shop, clock, tmp_path, "trial-balance", "--legal-entity", code)[2]) == rows


def test_before_there_was_anything_a_file_has_its_head_only(
    shop: Database, clock: ManualClock, tmp_path: Path
):
    before = date(2001, 1, 1).isoformat()
    for what, option in (("journal", "--to"), ("trial-balance", "--as-of"), ("ageing", "--as-of")):
        assert _run(shop, clock, tmp_path, what, option, before)[2].count(b"\r\n") == 1
