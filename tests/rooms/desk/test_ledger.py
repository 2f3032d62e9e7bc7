"""The desk's pages of the books: what they sum to, what is found, and that the files say the same."""

import csv
import io

import pytest

from core.orders.models import Order
from core.parties.models import Account
from tests.rooms.web.growing import Growing
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, Browser, Stage


@pytest.fixture
def kim(stage: Stage) -> Browser:
    return stage.browser(KIM)


@pytest.fixture
def riley(stage: Stage) -> Account:
    payer = stage.row(Order, Order.public_id == stage.ids["riley_order"]).payer_account_id
    found: Account = stage.row(Account, Account.id == payer)
    return found


def _read(browser: Browser, path: str, **query: str) -> Page:
    answer = browser.get(path, **({"query_string": query} if query else {}))
    assert answer.status_code == 200, path
    return Page(answer)


def _file(browser: Browser, path: str, **query: str) -> list[dict[str, str]]:
    answer = browser.get(path, query_string=query)
    assert answer.status_code == 200, path
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["Cache-Control"] == "private, no-store"
    again = browser.get(path, query_string=query)
    assert again.data == answer.data, "the same books, the same bytes"
    return list(csv.DictReader(io.StringIO(answer.data.decode(), newline="")))


def _cents(text: str) -> int:
    return round(float(text or "0") * 100)


def test_page_and_file_of_the_trial_balance_come_to_nothing(stage: Stage, kim: Browser):
    rows = _file(kim, "/desk/ledger/trial-balance.csv")
    assert sum(_cents(row["debit_balance"]) - _cents(row["credit_balance"]) for row in rows) == 0
    text = _read(kim, "/desk/ledger").text
    for row in rows:
        figure = row["debit_balance"] or row["credit_balance"]
        assert row["name"] in text
        assert f"{_cents(figure) / 100:,.2f}" in text or not _cents(figure)
    assert "Nothing was posted by then" in _read(kim, "/desk/ledger", as_of="2001-01-01").text


def test_ageing_ties_to_the_receivable_account_and_to_its_file(stage: Stage, kim: Browser):
    rows = _file(kim, "/desk/ledger/ageing.csv")
    owed = sum(_cents(row["total"]) for row in rows)
    [control] = [
        row
        for row in _file(kim, "/desk/ledger/trial-balance.csv")
        if row["ledger_account"] == "accounts_receivable"
    ]
    assert _cents(control["debit_balance"]) == owed > 0
    text = _read(kim, "/desk/ledger/ageing").text
    assert text.count(f"{owed / 100:,.2f}") >= 2, "the ages' sum and the journal's"


def test_ageing_goes_on_page_by_page(stage: Stage, kim: Browser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("desk.lists.PAGE_SIZE", 1)
    seen: list[str] = []
    address = "/desk/ledger/ageing"
    while address:
        links = _read(kim, address).values
        seen += [link for link in links if link.startswith("/desk/ledger/accounts/")]
        address = next((link for link in links if "ageing?after=" in link), "")
    assert len(seen) == len(_file(kim, "/desk/ledger/ageing.csv")) > 1


def test_an_accounts_page_has_its_history_and_what_is_open(
    stage: Stage, kim: Browser, riley: Account
):
    path = f"/desk/ledger/accounts/{riley.public_id}"
    rows = _file(kim, f"{path}.csv")
    running = 0
    for row in rows:
        running += _cents(row["debit"]) - _cents(row["credit"])
        assert _cents(row["balance"]) == running
    text = _read(kim, path).text
    assert riley.number in text
    assert "Invoice issued" in text
    assert f"{running / 100:,.2f}" in text
    [aged] = [
        row for row in _file(kim, "/desk/ledger/ageing.csv") if row["account"] == riley.number
    ]
    assert aged["total"] in _read(kim, f"{path}/open").text.replace(",", "")
    assert "Nothing was open" in _read(kim, f"{path}/open", as_of="2001-01-01").text


def test_histories_and_open_items_go_on_page_by_page(
    stage: Stage, kim: Browser, monkeypatch: pytest.MonkeyPatch
):
    growing = Growing(stage)
    growing.grow(3)
    monkeypatch.setattr("desk.lists.PAGE_SIZE", 2)
    account = stage.row(Account, Account.id == growing.account)
    path = f"/desk/ledger/accounts/{account.public_id}"
    for start, cursor, many in ((path, "before", 9), (f"{path}/open", "after", 3)):
        numbers: list[str] = []
        address = start
        while address:
            page = _read(kim, address)
            numbers += [value for value in page.values if value.startswith("/desk/invoices/")]
            numbers += [value for value in page.values if value.startswith("/desk/payments/")]
            address = next((v for v in page.values if v.startswith(f"{start}?{cursor}=")), "")
        assert len(numbers) == many, start


def test_the_journal_is_looked_through_by_day_kind_account_and_customer(
    stage: Stage, kim: Browser, riley: Account
):
    everything = _file(kim, "/desk/ledger/journal.csv")
    mine = _file(kim, "/desk/ledger/journal.csv", customer=riley.number)
    assert {row["posting"] for row in mine} < {row["posting"] for row in everything}
    assert all(
        any(one["account"] == riley.number for one in mine if one["posting"] == row["posting"])
        for row in mine
    )
    paid = _file(kim, "/desk/ledger/journal.csv", kind="payment_captured")
    assert {row["kind"] for row in paid} == {"payment_captured"}
    assert all(row["source"].startswith("P-") for row in paid)
    assert "Processor clearing" in _read(kim, "/desk/ledger/journal", kind="payment_captured").text
    assert _file(kim, "/desk/ledger/journal.csv", **{"from": "2999-01-01"}) == []
    assert "No entry looks like that" in _read(kim, "/desk/ledger/journal", to="2001-01-01").text
    debits = sum(_cents(row["debit"]) for row in everything)
    assert debits == sum(_cents(row["credit"]) for row in everything)
    months = _file(kim, "/desk/ledger/general-journal.csv")
    assert sum(_cents(row["debits"]) for row in months) == debits


def test_what_cannot_be_read_is_told_next_to_its_field(stage: Stage, kim: Browser):
    for path, query, words in (
        ("/desk/ledger", {"as_of": "soon"}, "Write a day like"),
        ("/desk/ledger/journal", {"from": "1066-10-14"}, "No books are that far away."),
        ("/desk/ledger/journal", {"customer": "000000000"}, "No account has this number."),
    ):
        assert words in _read(kim, path, **query).text
    assert kim.get("/desk/ledger", query_string={"entity": "nobody"}).status_code == 404
    assert kim.get("/desk/ledger/secrets.csv").status_code == 404
