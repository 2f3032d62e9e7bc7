"""CSV: what is written is read back whole, and nothing that people typed runs in a spreadsheet."""

import csv
import io
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel import sheet
from core.kernel.money import Money

#: What a file may hold: no NUL, no half of a surrogate pair.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


def _file(rows: list[list[sheet.Cell]], head: tuple[str, ...] = ("one", "two")) -> bytes:
    return b"".join(sheet.pieces(head, rows))


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=2), max_size=20))
def test_what_is_written_is_read_back(rows: list[list[str]]):
    written = _file([[sheet.words(cell) for cell in row] for row in rows])
    read = list(csv.reader(io.StringIO(written.decode(), newline="")))
    assert read[0] == ["one", "two"]
    assert [[cell.removeprefix("'") for cell in row] for row in read[1:]] == [
        [cell.removeprefix("'") for cell in row] for row in rows
    ]


@given(TEXTS)
def test_no_typed_word_begins_like_a_formula(text: str):
    cell = sheet.words(text)
    assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert cell in (text, f"'{text}")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "＝1"])
def test_a_formula_becomes_words(text: str):
    assert sheet.words(text) == f"'{text}"


def test_lines_end_and_cells_are_quoted_as_rfc_4180_says():
    cells = [sheet.words('a "b"'), sheet.words("c, d\ne")]
    assert _file([cells]) == b'one,two\r\n"a ""b""","c, d\ne"\r\n'


def test_amounts_days_and_moments_have_one_form():
    assert sheet.amount(Money(-120450, "USD")) == "-1204.50"
    assert sheet.amount(Money(1204, "JPY")) == "1204"
    assert sheet.debit_credit(Money(-5, "USD")) == ("", "0.05")
    assert sheet.debit_credit(Money(5, "USD")) == ("0.05", "")
    assert sheet.day(date(2026, 2, 3)) == "2026-02-03"
    assert sheet.moment(datetime(2026, 2, 3, 4, 5, 6, 7, UTC)) == "2026-02-03T04:05:06Z"


def test_a_long_file_comes_in_pieces_and_a_short_one_in_one():
    row = [sheet.words("x" * 50), sheet.words("y" * 50)]
    found = list(sheet.pieces(("one", "two"), [row] * 5_000))
    assert len(found) > 5
    assert max(map(len, found)) < 100_000
    assert b"".join(found).count(b"\r\n") == 5_001
