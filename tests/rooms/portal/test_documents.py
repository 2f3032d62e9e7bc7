"""Bills and receipts of one's own: lists, pages, and the stored paper."""

from datetime import timedelta

import pytest

from core.kernel.clock import ManualClock
from core.parties import accounts
from invoices.models import Invoice, StoredDocument
from payments.models import Payment
from tests.rooms.web.growing import Growing
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import RILEY, Browser, Stage


@pytest.fixture
def regular(stage: Stage) -> Growing:
    """A customer with a bill that is open and one that is paid; neither is printed."""
    growing = Growing(stage)
    growing.grow(1, printed=False)
    return growing


def _bills(growing: Growing) -> list[Invoice]:
    return growing.stage.rows(Invoice, Invoice.payer_account_id == growing.account)


def test_the_paper_is_the_very_bytes_that_were_stored(stage: Stage):
    bill = stage.row(Invoice, Invoice.public_id == stage.ids["riley_bill"])
    row = stage.row(StoredDocument, StoredDocument.invoice_id == bill.id)
    answer = stage.browser(RILEY).get(f"/account/bills/{bill.public_id}.pdf")
    assert answer.data == stage.house.blobs.get(row.sha256)
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"] == f'inline; filename="invoice-{bill.number}.pdf"'
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_paper_that_is_not_made_yet_says_so(regular: Growing):
    browser = regular.stage.browser(regular.who)
    bill = _bills(regular)[0]
    assert "The PDF is being made" in Page(browser.get(f"/account/bills/{bill.public_id}")).text
    answer = browser.get(f"/account/bills/{bill.public_id}.pdf")
    assert answer.status_code == 404
    assert f"Bill {bill.number} is just being printed" in Page(answer).text


def test_lists_go_on_page_by_page_and_show_each_once(stage: Stage):
    growing = Growing(stage)
    growing.grow(15)
    browser = stage.browser(growing.who)
    rows = growing.stage.rows(Payment, Payment.account_id == growing.account)
    for path, wanted in (
        ("/account/bills", [bill.public_id for bill in _bills(growing)]),
        ("/account/payments", [payment.public_id for payment in rows]),
    ):
        seen: list[str] = []
        address, pages = path, 0
        while address:
            links = Page(browser.get(address)).values
            seen += [link for link in wanted if f"{path}/{link}" in links]
            pages += 1
            address = next((link for link in links if link.startswith(f"{path}?before=")), "")
        assert sorted(seen) == sorted(wanted), path
        assert pages == (2 if len(wanted) > 25 else 1)


def test_the_first_page_says_what_is_owed_and_by_when(regular: Growing):
    def read(days: int) -> str:
        later = ManualClock(regular.stage.clock.now() + timedelta(days=days))
        browser = Browser(regular.stage.shop_at(later))
        browser.keep("session", token)
        return Page(browser.get("/account")).text

    token = regular.stage.session_of(regular.who, days=30)
    assert "Pay $63.90 now" in read(0)
    assert "in 14 days" in read(0)
    assert "in 1 day" in read(13)
    assert "Due today" in read(14)
    assert "It was due on" in read(20)


def test_two_accounts_of_one_person_are_seen_together(stage: Stage, regular: Growing):
    other = stage.newcomer()
    with stage.db.transaction() as session:
        key = stage.people[other]
        accounts.join(session, key, regular.account, "owner", stage.clock.now())
    page = Page(stage.browser(other).get("/account/bills")).text
    assert all(bill.number in page for bill in _bills(regular))
