"""Another system's invoice file, before anything is written: what a row and a document mean."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from invoices import history, history_documents, history_mapping, history_spool
from invoices.history import Bad, HistoryFileWrong, Row
from invoices.history_mapping import MappingFile, MappingWrong
from invoices.history_spool import Draft, Judged, Spool
from tests import retail
from tests.retail import line

NOW = datetime(2026, 11, 17, 19, 11, tzinfo=UTC)
MAPPING = history_mapping.load(retail.SHIPPED)


def read(path: Path, mapping: MappingFile = MAPPING) -> list[Any]:
    return list(history.read(path, mapping, NOW, lambda done, whole: None))


def rows(tmp_path: Path, *lines: list[str], mapping: MappingFile = MAPPING) -> list[Any]:
    return read(retail.write(tmp_path / "history.csv", lines), mapping)


def only(tmp_path: Path, wrong: list[str]) -> tuple[int, str, str]:
    """The row, column and reason of the one bad row, which stands after a good one."""
    good, bad = rows(tmp_path, line("536365"), wrong)
    assert isinstance(good, Row)
    assert isinstance(bad, Bad)
    return bad.row, bad.column, bad.reason


def documents(
    tmp_path: Path, *lines: list[str], mapping: MappingFile = MAPPING
) -> tuple[dict[str, Draft], list[Bad]]:
    """What pass one makes of a file: judged documents by number, and what cannot be taken."""
    with Spool(mapping) as spool:
        for found in rows(tmp_path, *lines, mapping=mapping):
            spool.refuse(found) if isinstance(found, Bad) else spool.add(found)
        spool.sum_up()
        for page in spool.pages("read"):
            spool.judge(history_documents.judge(mapping, draft, None) for draft in page)
        good = {draft.number: draft for page in spool.pages("new") for draft in page}
        return good, list(spool.bad())


def changed(tmp_path: Path, changes: dict[str, str]) -> MappingFile:
    return history_mapping.load(retail.mapping(tmp_path / "map.toml", changes))


# --- a row ----------------------------------------------------------------------------------------


def test_a_row_is_read_with_its_customer_cleaned_and_its_time_in_utc(tmp_path):
    (row,) = rows(tmp_path, line("536365", "6", "2.55", at="2010-07-01 00:30:00"))

    assert row == Row(
        row=2,
        number="536365",
        moment=datetime(2010, 6, 30, 23, 30, tzinfo=UTC),
        ref="17850",
        country="United Kingdom",
        sku="22139",
        name="COPPER KETTLE",
        quantity=Decimal(6),
        unit_price_micros=2_550_000,
        net_minor=1530,
    )


@pytest.mark.parametrize(
    "quantity, price, minor",
    [("3", "1.255", 377), ("-3", "1.255", -377), ("1", "0.004999", 0), ("0.5", "0.01", 1)],
)
def test_a_price_finer_than_the_currency_is_rounded_once_for_the_whole_line(
    tmp_path, quantity, price, minor
):
    (row,) = rows(tmp_path, line("536365", quantity, price))

    assert row.net_minor == minor


def test_a_line_without_a_customer_goes_to_the_counter(tmp_path):
    (row,) = rows(tmp_path, line("536365", customer=""))

    assert row.ref == "counter-sales"


@pytest.mark.parametrize(
    "wrong, column, reason",
    [
        (line(""), "InvoiceNo", "is empty"),
        (line("B12"), "InvoiceNo", "begins with 'B', which the mapping does not name: 'B12'"),
        (line("TOTAL"), "InvoiceNo", "has no digit, which the mapping does not name: 'TOTAL'"),
        (line("5" * 41), "InvoiceNo", f"is longer than 40 letters: '{'5' * 41}'"),
        (line("536366", "six"), "Quantity", "is not a number: 'six'"),
        (line("536366", "1_000"), "Quantity", "is not a number: '1_000'"),
        (line("536366", "NaN"), "Quantity", "is not a number: 'NaN'"),
        (line("536366", ""), "Quantity", "is empty"),
        (line("536366", "1.00005"), "Quantity", "has more than 4 decimals: '1.00005'"),
        (line("536366", "1", "2,55"), "UnitPrice", "is not a number: '2,55'"),
        (line("536366", "1", "0.0000001"), "UnitPrice", "has more than 6 decimals: '0.0000001'"),
        (line("536366", "1", "1000000001"), "UnitPrice", "is too much: '1000000001'"),
        (
            line("536366", "999999", "999999"),
            "UnitPrice",
            "times quantity is too much: 999999 × 999999",
        ),
        (line("536366", at=""), "InvoiceDate", "is empty"),
        (
            line("536366", at="31/12/2010 08:26"),
            "InvoiceDate",
            "is not a date such as %Y-%m-%d %H:%M:%S: '31/12/2010 08:26'",
        ),
        (
            line("536366", at="2026-11-18 00:00:00"),
            "InvoiceDate",
            "lies ahead of us: '2026-11-18 00:00:00'",
        ),
        (line("536366", name="", sku=""), "Description", "says not what was sold"),
        (line("536366", name="A\x00B"), "Description", "has a control character: 'A\\x00B'"),
        (
            line("536366", customer="counter-sales"),
            "CustomerID",
            "is the counter-sales account's own name: 'counter-sales'",
        ),
        (line("536366")[:7], "", "has 7 cells where the header has 8"),
        ([*line("536366"), "more"], "", "has 9 cells where the header has 8"),
    ],
)
def test_a_bad_row_is_told_with_its_row_its_column_and_the_reason(tmp_path, wrong, column, reason):
    assert only(tmp_path, wrong) == (3, column, reason)


def test_a_row_is_named_by_the_line_of_the_file_that_it_begins_on(tmp_path):
    found = rows(tmp_path, line("536365", name="TWO\nLINES"), line("536366", "?"))

    assert isinstance(found[0], Row)
    assert (found[0].name, found[1].row) == ("TWO LINES", 4)


def test_a_byte_order_mark_and_blank_lines_are_no_rows(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text(
        ",".join(retail.HEADER) + "\n\n" + ",".join(line("536365")) + "\n\n", encoding="utf-8-sig"
    )

    assert [(row.row, row.number) for row in read(path)] == [(3, "536365")]


def test_a_file_that_is_not_utf_8_is_read_in_the_mappings_encoding(tmp_path):
    path = retail.write(tmp_path / "h.csv", [line("536365", name="CAFÉ £1")], encoding="cp1252")

    assert [row.name for row in read(path)] == ["CAFÉ £1"]


def test_a_cell_that_is_in_no_known_encoding_is_a_bad_cell_and_no_more(tmp_path):
    path = retail.write(tmp_path / "h.csv", [line("536365", name="CAF?"), line("536366")])
    path.write_bytes(path.read_bytes().replace(b"CAF?", b"CAF\x81"))

    bad, good = read(path)

    assert (bad.column, bad.reason) == (
        "Description",
        "is not in the encoding of the rest: 'CAF\\udc81'",
    )
    assert isinstance(good, Row)


def test_a_quote_that_never_ends_breaks_the_file(tmp_path):
    path = retail.write(tmp_path / "h.csv", [line("536365"), line("536366")])
    path.write_text(path.read_text().replace("536366,22139,", '536366,22139,"'))

    good, bad = read(path)

    assert isinstance(good, Row)
    assert (bad.row, bad.breaks_file) == (3, True)


def test_a_file_that_lacks_a_column_is_not_read_at_all(tmp_path):
    path = tmp_path / "h.csv"
    path.write_text("InvoiceNo,StockCode\n536365,22139\n")

    with pytest.raises(HistoryFileWrong, match=r"h.csv: has no column 'InvoiceDate'; it has Inv"):
        read(path)


def test_an_empty_or_missing_file_is_said_to_be_so(tmp_path):
    (tmp_path / "empty.csv").touch()

    with pytest.raises(HistoryFileWrong, match="is empty"):
        read(tmp_path / "empty.csv")
    with pytest.raises(HistoryFileWrong, match="No such file"):
        read(tmp_path / "none.csv")


# --- a document -----------------------------------------------------------------------------------


def test_all_rows_of_a_number_are_one_document_wherever_they_stand(tmp_path):
    good, bad = documents(
        tmp_path,
        line("536365", "1", at="2010-12-01 08:27:00"),
        line("536366", "2"),
        line("536365", "3", at="2010-12-01 08:26:00"),
    )

    assert bad == []
    assert [draft.row for draft in good["536365"].lines] == [2, 4]
    assert good["536365"].moment == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert list(good) == ["536365", "536366"]


@pytest.mark.parametrize(
    "other, column, reason",
    [
        ({"customer": "13047.0"}, "CustomerID", "is '13047', but row 2 of the same document"),
        ({"country": "EIRE"}, "Country", "is 'EIRE', but row 2 of the same document"),
        ({"at": "2010-12-02 00:01:00"}, "InvoiceDate", "is '2010-12-02', but row 2 of the same"),
    ],
)
def test_rows_of_one_number_that_disagree_spoil_their_document(tmp_path, other, column, reason):
    good, bad = documents(tmp_path, line("1"), line("2"), line("1", **other))

    assert list(good) == ["2"]
    assert (bad[0].row, bad[0].column, bad[0].number) == (4, column, "1")
    assert bad[0].reason.startswith(reason)


def test_a_bad_row_spoils_its_whole_document_and_no_other(tmp_path):
    good, bad = documents(tmp_path, line("1"), line("2"), line("1", "?"), line("1"), line("3"))

    assert list(good) == ["2", "3"]
    assert [(one.row, one.number) for one in bad] == [(4, "1")]


def test_the_prefix_tells_the_kind_and_a_price_of_zero_makes_a_note(tmp_path):
    good, bad = documents(
        tmp_path, line("1"), line("C2", "-1"), line("3", "-5", "0.0"), line("C4", "-5", "0")
    )

    assert bad == []
    assert [draft.kind for draft in good.values()] == ["invoice", "credit_memo", "note", "note"]


def test_an_invoice_below_zero_becomes_a_credit_memo_where_the_mapping_says_so(tmp_path):
    good, _ = documents(tmp_path, line("A1", "1", "-11062.06"))

    assert good["A1"].kind == "credit_memo"


def test_an_invoice_below_zero_is_bad_where_the_mapping_does_not_say_so(tmp_path):
    strict = changed(tmp_path, {'below_zero = "credit_memo"': 'below_zero = "bad"'})
    _, bad = documents(tmp_path, line("1", "-2"), mapping=strict)

    assert [(one.row, one.column, one.reason) for one in bad] == [
        (2, "InvoiceNo", "is an invoice that comes to less than zero: -5.00 GBP")
    ]


def test_a_credit_memo_that_takes_is_bad(tmp_path):
    _, bad = documents(tmp_path, line("C1", "2"))

    assert [one.reason for one in bad] == [
        "is a credit memo that takes instead of giving: 5.00 GBP"
    ]


def test_a_document_on_more_rows_than_a_page_can_hold_is_bad(tmp_path, monkeypatch):
    monkeypatch.setattr(history_spool, "MOST_LINES", 2)

    good, bad = documents(tmp_path, line("1"), line("1"), line("1"), line("2"))

    assert list(good) == ["2"]
    assert [one.reason for one in bad] == ["stands on 3 rows: too many"]


def test_no_more_than_a_page_of_documents_is_in_hand_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(history_spool, "PAGE_LINES", 4)
    lines = [line(number) for number in ("1", "1", "2", "2", "3", "3", "3", "3", "3", "4")]

    with Spool(MAPPING) as spool:
        for row in rows(tmp_path, *lines):
            assert isinstance(row, Row)
            spool.add(row)
        spool.sum_up()
        pages = [[draft.number for draft in page] for page in spool.pages("read")]

    assert pages == [["1", "2"], ["3"], ["4"]]


def test_the_content_hash_is_of_what_was_meant_not_of_how_it_was_written(tmp_path):
    first, _ = documents(tmp_path, line("1", "6", "2.50"))
    same, _ = documents(tmp_path, line("1", "6.0", "2.5", customer="17850"))
    other, _ = documents(tmp_path, line("1", "6", "2.51"))

    assert first["1"].content_hash == same["1"].content_hash
    assert first["1"].content_hash != other["1"].content_hash


@pytest.mark.parametrize(
    "here, found", [("same", "here"), ("", "is here already with other content")]
)
def test_a_number_that_comes_again_is_here_already_or_an_error(tmp_path, here, found):
    good, _ = documents(tmp_path, line("1"))
    draft = good["1"]

    judged = history_documents.judge(MAPPING, draft, draft.content_hash if here else "other")

    assert (judged.state if isinstance(judged, Judged) else judged.reason) == found


# --- the mapping ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "old, new, key",
    [
        ('currency = "GBP"', 'currency = "XQZ"', "legal_entity.currency"),
        ('time_zone = "Europe/London"', 'time_zone = "London"', "legal_entity.time_zone"),
        ('country = "GB"', 'country = "England"', "legal_entity.country"),
        ('encoding = "cp1252"', 'encoding = "cp9"', "encoding"),
        ('"%Y-%m-%d %H:%M:%S"', '"%H:%M"', "date_formats.0"),
        ('number = "InvoiceNo"', 'numbers = "InvoiceNo"', "columns.number"),
        ('quantity = "Quantity"', 'quantity = "UnitPrice"', "columns"),
        ('"C" = "credit_memo"', '"C" = "refund"', "documents.kinds.C"),
        ('"C" = "credit_memo"', '"C1" = "credit_memo"', "documents"),
        ('name = "Customer {ref}"', 'name = "Customer"', "accounts"),
        ('locale = "en-GB"', 'locale = "tea"', "documents.locale"),
        ('name = "online-retail"', 'name = "Online Retail"', "name"),
        ('delimiter = ","', "delimiter = ", "the file"),
    ],
)
def test_a_mapping_that_cannot_be_used_names_the_key(tmp_path, old, new, key):
    with pytest.raises(MappingWrong) as wrong:
        changed(tmp_path, {old: new})

    assert (wrong.value.key, wrong.value.file) == (key, str(tmp_path / "map.toml"))


def test_another_till_with_other_columns_is_read_by_its_own_mapping(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text(
        """
        name = "old-till"
        delimiter = ";"
        date_formats = ["%d.%m.%Y"]
        [legal_entity]
        code = "fernway"
        name = "Fernway Broadband"
        country = "US"
        currency = "JPY"
        time_zone = "Asia/Tokyo"
        [columns]
        number = "No"
        date = "Day"
        quantity = "Pieces"
        unit_price = "Each"
        name = "What"
        """
    )
    mapping = history_mapping.load(path)
    file = tmp_path / "till.csv"
    file.write_text("What;No;Day;Pieces;Each;Till\nKettle;7;31.12.2010;3;100.5;2\n")

    (row,) = read(file, mapping)

    assert isinstance(row, Row)
    assert (row.net_minor, row.ref, row.sku) == (302, "counter-sales", "")
    assert row.moment == datetime(2010, 12, 30, 15, tzinfo=UTC)
    assert row.moment.astimezone(UTC).date() != date(2010, 12, 31)
