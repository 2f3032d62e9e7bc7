"""A history of the till's shape ties to the file's own sums, by document, by customer and by day."""

import random
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest

from tests import retail, retail_sums
from tests.retail_sums import Sums

DOCUMENTS = 60


def _history() -> list[list[str]]:
    """Nine days of sales: memos, notes without a price, lines without a customer, odd prices."""
    dice = random.Random(1088)
    at, rows = datetime(2010, 12, 1, 8, 26), []  # noqa: DTZ001  # the till's own time
    for number in range(DOCUMENTS):
        at += timedelta(minutes=dice.randrange(60, 300))
        memo, note = number % 8 == 3, number % 9 == 4
        customer = "" if number % 5 == 2 else f"{12_000 + dice.randrange(20)}.0"
        for _ in range(1 if note else dice.randrange(1, 8)):
            quantity = -dice.randrange(1, 6) if memo else dice.randrange(1, 49)
            price = "0.0" if note else str(Decimal(dice.randrange(100, 19_950)) / 1000)
            rows.append(
                retail.line(
                    f"{'C' if memo else ''}{536_365 + number}",
                    str(quantity),
                    price,
                    sku=f"{dice.randrange(20_000, 23_000)}",
                    at=f"{at:%Y-%m-%d %H:%M:%S}",
                    customer=customer,
                )
            )
    return rows


@pytest.fixture
def brought_in(till) -> Sums:
    """The history, brought in; answers the file's own sums."""
    retail.write(till.file, _history())
    code, said = till.bring_in("--settled-on", "issue")
    assert code == 0, said
    sums, documents = retail_sums.of_file(till.file)
    assert len(documents) == DOCUMENTS
    return sums


def test_the_books_are_the_file_by_document_customer_and_day(till, brought_in):
    books = retail_sums.of_books(till.db, till.clock)
    assert brought_in.differences(books) == {
        "by_document": set(),
        "by_account": set(),
        "by_day": set(),
    }
    assert len(brought_in.by_day) > 3


def test_another_amount_in_the_file_would_be_seen(till, brought_in):
    books = retail_sums.of_books(till.db, till.clock)
    brought_in.add("536365", "12000", "2010-12-01", Decimal("0.01"))
    assert all(brought_in.differences(books).values())


def test_brought_in_twice_every_file_of_the_books_is_the_same_to_the_byte(till, brought_in):
    kinds = ("journal", "general-journal", "trial-balance", "ageing")
    before = [retail_sums.file_of(till.db, till.clock, kind) for kind in kinds]
    code, said = till.bring_in("--settled-on", "issue")
    assert code == 0
    assert "0 documents added" in said
    assert [retail_sums.file_of(till.db, till.clock, kind) for kind in kinds] == before


def test_the_months_sum_what_the_journal_has(till, brought_in):
    lines, months = (
        retail_sums.exported(till.db, till.clock, what) for what in ("journal", "general-journal")
    )
    by_line: Counter[tuple[str, str]] = Counter()
    for row in lines:
        month = row["effective_date"][:7]
        by_line[month, row["ledger_account"]] += round(float(row["debit"] or "0") * 100)
    assert {key: cents for key, cents in by_line.items() if cents} == {
        (row["period"], row["ledger_account"]): round(float(row["debits"]) * 100)
        for row in months
        if float(row["debits"])
    }


def test_left_unpaid_all_that_was_billed_by_a_day_is_what_ages_on_that_day(till):
    retail.write(till.file, _history())
    code, said = till.bring_in("--settled-on", "never")
    assert code == 0, said
    billed: Counter[str] = Counter()
    for number, _, _, quantity, at, price, *_ in _history():
        if not number.startswith("C"):
            line = (Decimal(quantity) * Decimal(price)).quantize(Decimal("0.01"), ROUND_HALF_UP)
            billed[at[:10]] += int(line * 100)
    for day in (date(2010, 12, 1), date(2010, 12, 4), date(2010, 12, 31)):
        rows = retail_sums.exported(till.db, till.clock, "ageing", day)
        owed = sum(Decimal(row["total"]) * 100 for row in rows)
        assert owed == sum(minor for on, minor in billed.items() if on <= day.isoformat()) > 0
