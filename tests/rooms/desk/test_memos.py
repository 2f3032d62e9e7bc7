"""At the desk: an invoice is drafted, looked at and issued; a bill is credited, charged more, taken back."""

import pytest

from core.ledger.models import Application, OpenItem
from core.parties.models import Account
from invoices.document import InvoiceDocument
from invoices.models import Invoice, InvoiceDraft
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, Browser, Stage


@pytest.fixture
def kim(stage: Stage) -> Browser:
    return stage.browser(KIM)


@pytest.fixture
def ash(stage: Stage) -> str:
    """A customer whom no other test knows."""
    return stage.newcomer()


def account_of(stage: Stage, who: str) -> Account:
    return stage.row(Account, Account.id == stage.accounts[who])


def begin(stage: Stage, kim: Browser, who: str) -> str:
    """Begin a draft; answers its address."""
    answer = kim.post("/desk/drafts", {"account": account_of(stage, who).number})
    return str(answer.headers["Location"])


def typed(revision: int, **more: str) -> dict[str, str]:
    first = {
        "name": "River 100, two sites",
        "quantity": "2",
        "price": "45.50",
        "tax_category": "device",
        "ledger_code": "contract_liability",
        "cost": "21.00",
    }
    spare = {"name": "", "quantity": "1", "price": "", "tax_category": "", "ledger_code": "revenue"}
    form = {f"lines-0-{name}": value for name, value in first.items()}
    form |= {f"lines-1-{name}": value for name, value in spare.items()}
    return form | {"revision": str(revision), "look": "1"} | more


def issued(stage: Stage, kim: Browser, who: str) -> Invoice:
    """A bill over 91.00 and 5.92 of tax."""
    path = begin(stage, kim, who)
    kim.post(path, typed(1))
    answer = kim.post(f"{path}/issue", {"revision": "2"})
    stage.drain()
    key = answer.headers["Location"].rpartition("/")[2]
    return stage.row(Invoice, Invoice.public_id == key)


def test_a_draft_is_written_looked_at_and_issued_and_nobody_outside_sees_it_before(
    stage: Stage, kim: Browser, ash: str
):
    path = begin(stage, kim, ash)
    assert kim.post(path, typed(1)).headers["Location"] == f"{path}/preview"
    text = Page(kim.get(f"{path}/preview")).text
    assert "Draft, not yet a bill" in text
    assert "96.92" in text
    assert kim.get(f"{path}.pdf").data.startswith(b"%PDF")
    mine = stage.browser(ash)
    assert "96.92" not in Page(mine.get("/account/bills")).text
    assert stage.rows(Invoice, Invoice.payer_account_id == stage.accounts[ash]) == []
    answer = kim.post(f"{path}/issue", {"revision": "2"})
    assert (
        kim.post(f"{path}/issue", {"revision": "2"}).headers["Location"]
        == answer.headers["Location"]
    ), "pressed twice it is one invoice"
    stage.drain()
    (bill,) = stage.rows(Invoice, Invoice.payer_account_id == stage.accounts[ash])
    assert bill.total_minor == 9692
    staff = Page(kim.get(f"/desk/invoices/{bill.public_id}")).text
    assert "21.00" in staff, "what it costs us"
    theirs = Page(mine.get(f"/account/bills/{bill.public_id}")).text
    assert "96.92" in theirs
    assert "21.00" not in theirs
    assert "ontract liability" not in theirs
    assert any("bill" in str(mail["Subject"]) for mail in stage.shop.post.to(f"{ash}@example.com"))


def test_what_cannot_be_read_is_said_next_to_its_field_and_kept_as_typed(
    stage: Stage, kim: Browser, ash: str
):
    path = begin(stage, kim, ash)
    wrong = {"lines-0-price": "four", "lines-0-part_of": "7", "lines-0-quantity": "-1"}
    answer = kim.post(path, typed(1, **wrong))
    assert answer.status_code == 422
    page = Page(answer)
    for words in ("An amount with a point", "the number of a line above", "A number above zero"):
        assert words in page.text, words
    assert "four" in page.values
    assert kim.post(path, typed(7)).status_code == 409, "somebody else was first"
    assert kim.post("/desk/drafts", {"account": "000000000"}).status_code == 422


def test_a_discarded_draft_takes_no_number(stage: Stage, kim: Browser, ash: str):
    path = begin(stage, kim, ash)
    kim.post(path, typed(1))
    assert kim.post(f"{path}/discard", {"revision": "2"}).headers["Location"] == "/desk/drafts"
    assert kim.post(f"{path}/issue", {"revision": "3"}).status_code == 409
    assert path not in Page(kim.get("/desk/drafts")).values
    assert path in Page(kim.get("/desk/drafts?state=discarded")).values
    key = path.rpartition("/")[2]
    assert stage.row(InvoiceDraft, InvoiceDraft.public_id == key).invoice_id is None


def test_a_bill_is_credited_by_line_and_the_customer_sees_memo_original_and_balance(
    stage: Stage, kim: Browser, ash: str
):
    bill = issued(stage, kim, ash)
    path = f"/desk/invoices/{bill.public_id}"
    form = {"reason": "goodwill", "once": f"once-{ash}", "net-1": "10.00"}
    first = kim.post(f"{path}/credit", form)
    assert first.status_code == 303
    assert kim.post(f"{path}/credit", form).headers["Location"] == first.headers["Location"]
    stage.drain()
    (memo,) = stage.rows(Invoice, Invoice.corrects_id == bill.id)
    assert (memo.net_minor, memo.tax_minor) == (1000, 65)
    lists = Page(stage.browser(ash).get("/account/bills"))
    assert f"Credit memo on {bill.number}" in lists.text
    assert "−10.65" in lists.text
    assert "86.27" in lists.text, "what is open of the bill now"
    theirs = Page(stage.browser(ash).get(f"/account/bills/{memo.public_id}"))
    assert f"/account/bills/{bill.public_id}" in theirs.values
    assert "A courtesy" in theirs.text
    assert any(
        "credit" in str(mail["Subject"]).lower()
        for mail in stage.shop.post.to(f"{ash}@example.com")
    )
    too_much = kim.post(f"{path}/credit", {"reason": "wrong", "once": "x", "net-1": "81.01"})
    assert too_much.status_code == 422
    assert "81.00 USD left" in Page(too_much).text
    assert kim.post(f"{path}/credit", {"reason": "wrong", "net-1": "x"}).status_code == 422


def test_more_is_charged_by_a_debit_memo(stage: Stage, kim: Browser, ash: str):
    bill = issued(stage, kim, ash)
    answer = kim.post(
        f"/desk/invoices/{bill.public_id}/debit",
        {"reason": "more_used", "once": f"more-{ash}", "net-1": "20"},
    )
    assert answer.status_code == 303
    (memo,) = stage.rows(Invoice, Invoice.corrects_id == bill.id)
    assert (memo.kind, memo.total_minor) == ("debit_memo", 2130)
    assert memo.public_id in answer.headers["Location"]
    printed = InvoiceDocument.from_dict(memo.document)
    assert printed.asks_for_money
    assert printed.scan_line is not None
    assert " 9000" in printed.scan_line


def test_a_paid_bill_that_is_taken_back_goes_back_to_the_card_when_that_was_chosen(
    stage: Stage, kim: Browser, ash: str
):
    order = stage.begin_to_pay(stage.world.router.sku, who=ash)
    stage.pay(stage.operation_of(order))
    stage.drain()
    bill = stage.bill_of(order)
    page = Page(kim.get(f"/desk/invoices/{bill.public_id}/void"))
    assert "137.39" in page.text.replace("$", "")
    answer = kim.post(
        f"/desk/invoices/{bill.public_id}/void", {"once": f"v-{ash}", "refunded": "y"}
    )
    assert answer.status_code == 303
    stage.drain()
    (memo,) = stage.rows(Invoice, Invoice.corrects_id == bill.id)
    assert memo.total_minor == bill.total_minor
    kept = stage.row(OpenItem, OpenItem.source_id == memo.id)
    refunds = stage.rows(Application, Application.credit_item_id == kept.id)
    assert [(row.source_kind, row.amount_minor) for row in refunds] == [
        ("refund", bill.total_minor)
    ]
    assert "goes back to you" in Page(kim.get(answer.headers["Location"])).text


def test_terms_of_an_account_beat_those_of_everybody(stage: Stage, kim: Browser, ash: str):
    path = f"/desk/terms/{account_of(stage, ash).number}"
    form = {"due": "days", "days": "20", "discount": "2", "discount_days": "6"}
    assert kim.post(path, form | {"own": "y"}).status_code == 303
    bill = issued(stage, kim, ash)
    assert str(bill.due_date) == "2026-12-07"
    assert (bill.discount_ppm, str(bill.discount_until)) == (20_000, "2026-11-23")
    assert kim.post(path, form | {"discount": "100", "own": "y"}).status_code == 422
    assert kim.post(path, form).status_code == 303
    assert account_of(stage, ash).terms is None
    assert (issued(stage, kim, ash).due_date - bill.issue_date).days == 14
