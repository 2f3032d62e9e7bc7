"""Walk (b): a customer pays bills at the processor, from the page that says what is owed to the receipt."""

from datetime import timedelta
from io import StringIO
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.commands import import_invoices
from core.ledger.models import OpenItem
from core.ledger.tender_models import Tender
from core.parties import accounts
from core.parties.models import Account, Membership
from flows import reconcile
from flows.verify import verify
from invoices.models import Invoice
from payments.models import Payment, PaymentOperation
from tests import retail
from tests.on_file import owe
from tests.paying import DECLINED
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import JUNE, RILEY, Browser, Stage


class Payer:
    """A customer with open bills, in their browser."""

    def __init__(self, stage: Stage, *prices: str) -> None:
        self.stage, self.who = stage, stage.newcomer()
        account = stage.row(Account, Account.id == stage.accounts[self.who])
        self.bills = [owe(stage.house, account, price, with_paper=True) for price in prices]
        stage.drain()
        self.browser = stage.browser(self.who)

    @property
    def ids(self) -> list[str]:
        return [bill.public_id for bill in self.bills]

    def read(self, path: str) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200, path
        return Page(answer).text

    def press(self, *bills: str, browser: Browser | None = None, **more: str) -> TestResponse:
        """Press the button of the pay page."""
        form = {"bill": list(bills), "step": "pay", **more}
        return (browser or self.browser).post("/account/pay", form)

    def operations(self) -> list[PaymentOperation]:
        account = self.stage.accounts[self.who]
        return self.stage.rows(PaymentOperation, PaymentOperation.account_id == account)

    def payments(self) -> list[Payment]:
        return self.stage.rows(Payment, Payment.account_id == self.stage.accounts[self.who])

    def receipts(self) -> int:
        self.stage.drain()
        mails = self.stage.shop.post.to(f"{self.who}@example.com")
        return sum(str(mail["Subject"]).startswith("Receipt") for mail in mails)


@pytest.fixture
def one_bill(stage: Stage) -> Payer:
    return Payer(stage, "60.00")


@pytest.fixture
def three_bills(stage: Stage) -> Payer:
    return Payer(stage, "60.00", "45.00", "60.00")


def _come_back(
    payer: Payer, pressed: TestResponse, card: str = "", browser: Browser | None = None
) -> TestResponse:
    """Pay on the processor's page and do what the page does that one is sent back to."""
    browser = browser or payer.browser
    url = pressed.headers["Location"]
    assert pressed.status_code == 303
    assert url.startswith(payer.stage.sandbox.base_url)
    seen = payer.stage.sandbox.pay(url, card) if card else payer.stage.sandbox.pay(url)
    assert seen.redirect, seen.problems
    back = browser.get(urlsplit(seen.redirect).path)
    if back.status_code == 302:
        return back
    ((action, method, fields),) = Page(back).forms
    assert (method, set(fields)) == ("post", {"csrf_token"})
    return browser.post(action)


def _assert_sound(stage: Stage) -> None:
    stage.drain()
    found = verify(stage.db, stage.clock, blobs=stage.house.blobs)
    assert [line for line in found if not line.holds] == []


def test_one_bill_is_paid_and_everything_says_so(one_bill: Payer):
    (bill,) = one_bill.bills
    assert "Pay $60.00 now" in one_bill.read("/account")
    assert "Pay $60.00 now" in one_bill.read(f"/account/bills/{bill.public_id}")

    answer = _come_back(one_bill, one_bill.press(bill.public_id, expected_total="6000"))
    (payment,) = one_bill.payments()
    assert answer.headers["Location"] == f"/account/payments/{payment.public_id}"
    receipt = one_bill.read(answer.headers["Location"])
    assert "Thank you. It arrived." in receipt
    assert f"{bill.number} 60.00 0.00" in receipt
    assert "Kept for your next bill" not in receipt
    assert payment.number in one_bill.read("/account/payments")
    assert "Paid" in one_bill.read("/account/bills")
    assert "Pay $60.00" not in one_bill.read(f"/account/bills/{bill.public_id}")
    assert "Nothing to pay" in one_bill.read("/account")
    assert "Nothing is open" in one_bill.read("/account/pay")
    _assert_sound(one_bill.stage)


def test_the_button_of_the_first_page_pays_all_that_is_open(three_bills: Payer):
    answer = _come_back(three_bills, three_bills.browser.post("/account/pay"))
    receipt = three_bills.read(answer.headers["Location"])
    assert [
        f"{bill.number} {amount} 0.00" in receipt
        for bill, amount in zip(three_bills.bills, ("60.00", "45.00", "60.00"), strict=True)
    ] == [True] * 3
    assert "Nothing to pay" in three_bills.read("/account")
    _assert_sound(three_bills.stage)


def test_chosen_bills_are_added_up_and_paid_and_the_others_stay_open(three_bills: Payer):
    first, _, third = three_bills.ids
    chosen = Page(three_bills.browser.get(f"/account/pay?bill={first}&bill={third}"))
    assert "Continue to pay $120.00" in chosen.text
    summed = three_bills.press(first, third, step="sum", expected_total="16500")
    assert summed.status_code == 303, "the back button leads to a page"
    assert "Continue to pay $120.00" in three_bills.read(summed.headers["Location"])
    assert three_bills.operations() == [], "adding up begins nothing"

    answer = _come_back(three_bills, three_bills.press(first, third, expected_total="12000"))
    assert "120.00" in three_bills.read(answer.headers["Location"])
    assert "Pay $45.00 now" in three_bills.read("/account")
    _assert_sound(three_bills.stage)


def test_choosing_nothing_pays_nothing(three_bills: Payer):
    answer = three_bills.press(expected_total="16500")
    assert answer.status_code == 422
    assert "Choose at least one bill" in Page(answer).text
    assert three_bills.operations() == []


def test_what_somebody_else_paid_meanwhile_is_kept_and_the_receipt_says_so(one_bill: Payer):
    stage, (bill,) = one_bill.stage, one_bill.bills
    partner = stage.newcomer()
    with stage.db.transaction() as session:
        key, account = stage.people[partner], stage.accounts[one_bill.who]
        accounts.join(session, key, account, "payer", stage.clock.now())
    other = stage.browser(partner)
    pressed = one_bill.press(bill.public_id, expected_total="6000")
    stage.clock.advance(timedelta(minutes=32))  # long enough for a visit of its own
    stage.sandbox.set_clock(stage.clock.now().timestamp())
    _come_back(one_bill, one_bill.press(bill.public_id, browser=other), browser=other)
    assert "Nothing to pay" in one_bill.read("/account")

    answer = _come_back(one_bill, pressed)
    receipt = one_bill.read(answer.headers["Location"])
    assert "Kept for your next bill 60.00" in receipt
    assert f"{bill.number} 60.00" not in receipt
    unapplied = stage.row(OpenItem, OpenItem.account_id == account, OpenItem.side == "credit")
    assert unapplied.amount_minor == 6000
    _assert_sound(stage)


def test_a_sum_that_is_no_longer_right_is_shown_before_anything_is_begun(three_bills: Payer):
    first, second, _ = three_bills.ids
    _come_back(three_bills, three_bills.press(first))
    begun = len(three_bills.operations())
    answer = three_bills.press(first, second, expected_total="10500")
    page = Page(answer)
    assert answer.status_code == 409
    assert "What is open has changed from $105.00 to $45.00" in page.text
    assert len(three_bills.operations()) == begun
    (form,) = [fields for action, _, fields in page.forms if action == "/account/pay"]
    assert form["expected_total"] == "4500"
    _come_back(three_bills, three_bills.press(second, expected_total=form["expected_total"]))
    assert "Pay $60.00 now" in three_bills.read("/account")
    _assert_sound(three_bills.stage)


def test_a_bill_that_is_paid_already_cannot_be_paid_again(one_bill: Payer):
    _come_back(one_bill, one_bill.press(*one_bill.ids))
    begun = len(one_bill.operations())
    for answer in (one_bill.press(*one_bill.ids), one_bill.browser.post("/account/pay")):
        assert answer.status_code == 409
        assert "There is nothing to pay there" in Page(answer).text
    assert len(one_bill.operations()) == begun


def test_the_button_pressed_twice_leads_to_one_visit_and_one_payment(one_bill: Payer):
    first, second = (one_bill.press(*one_bill.ids, expected_total="6000") for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    _come_back(one_bill, first)
    assert len(one_bill.operations()) == len(one_bill.payments()) == 1
    _assert_sound(one_bill.stage)


def test_coming_back_twice_takes_the_money_once(one_bill: Payer):
    answer = _come_back(one_bill, one_bill.press(*one_bill.ids))
    (operation,) = one_bill.operations()
    path = f"/pay/{operation.public_id}/return"
    assert one_bill.browser.get(path).headers["Location"] == answer.headers["Location"]
    assert one_bill.browser.post(path).headers["Location"] == answer.headers["Location"]
    cancelled = one_bill.browser.post(f"/pay/{operation.public_id}/cancelled")
    assert cancelled.headers["Location"] == answer.headers["Location"]
    assert len(one_bill.payments()) == one_bill.receipts() == 1


def test_somebody_elses_bill_cannot_be_paid_by_its_number(one_bill: Payer):
    stage, begun = one_bill.stage, len(one_bill.stage.rows(PaymentOperation))
    theirs, made_up = stage.ids["june_bill"], "0" * 32
    for chosen in ([theirs], [theirs, *one_bill.ids], [made_up], [one_bill.ids[0], made_up]):
        answer = one_bill.press(*chosen)
        assert answer.status_code == 404, chosen
        assert "60.00" not in answer.get_data(as_text=True).split("<main")[1]
    assert len(stage.rows(PaymentOperation)) == begun
    assert one_bill.operations() == []


def test_whoever_may_only_look_cannot_pay(one_bill: Payer):
    stage = one_bill.stage
    viewer = stage.newcomer()
    with stage.db.transaction() as session:
        key, account = stage.people[viewer], stage.accounts[one_bill.who]
        accounts.join(session, key, account, "viewer", stage.clock.now())
    browser = stage.browser(viewer)
    for path in ("/account", "/account/bills", f"/account/bills/{one_bill.ids[0]}"):
        answer = browser.get(path)
        assert answer.status_code == 200
        text = Page(answer).text
        assert "60.00" in text
        assert "Pay $60.00" not in text, path
        assert "Pay the chosen ones" not in text, path
    assert browser.post("/account/pay", {"bill": one_bill.ids}).status_code == 409
    assert one_bill.operations() == []


def test_coming_back_without_having_paid_leaves_the_bill_open(one_bill: Payer):
    pressed = one_bill.press(*one_bill.ids)
    (operation,) = one_bill.operations()
    path = f"/pay/{operation.public_id}/cancelled"
    looked = Page(one_bill.browser.get(path))
    assert "You have not paid" in looked.text
    (operation,) = one_bill.operations()
    assert operation.state == "sent", "looking changes nothing"

    answer = one_bill.browser.post(path)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert "nothing was charged" in one_bill.read("/account")
    assert "Pay $60.00 now" in one_bill.read("/account")
    (operation,) = one_bill.operations()
    assert operation.state == "expired"
    assert one_bill.stage.sandbox.pay(pressed.headers["Location"]).redirect is None
    tenders = one_bill.stage.rows(Tender, Tender.operation_id == operation.id)
    assert [tender.state for tender in tenders] == ["released"]
    _assert_sound(one_bill.stage)


def test_a_declined_card_leaves_the_visit_open_for_another(one_bill: Payer):
    pressed = one_bill.press(*one_bill.ids)
    seen = one_bill.stage.sandbox.pay(pressed.headers["Location"], DECLINED)
    assert seen.redirect is None
    (operation,) = one_bill.operations()
    waiting = one_bill.browser.post(f"/pay/{operation.public_id}/return")
    assert "still thinking" in Page(waiting).text
    assert "on its way" in one_bill.read("/account/pay")
    _come_back(one_bill, pressed)
    assert "Nothing to pay" in one_bill.read("/account")


def test_a_closed_tab_is_found_by_the_reconciler_and_told_once(one_bill: Payer):
    pressed = one_bill.press(*one_bill.ids)
    one_bill.stage.sandbox.pay(pressed.headers["Location"])
    stage = one_bill.stage
    stage.clock.advance(timedelta(minutes=40))
    stage.sandbox.set_clock(stage.clock.now().timestamp())
    for _ in range(2):
        assert not reconcile.run(stage.house).problems
    assert "Nothing to pay" in one_bill.read("/account")
    assert one_bill.receipts() == 1
    _assert_sound(stage)


def test_a_processor_that_does_not_answer_charges_nothing(one_bill: Payer):
    stage = one_bill.stage
    stage.sandbox.fault("500", path="/v1/checkout/sessions", times=10)
    answer = one_bill.press(*one_bill.ids)
    assert answer.status_code == 503
    assert "Nothing was charged" in Page(answer).text
    stage.sandbox.clear_faults()
    assert one_bill.payments() == []


def test_imported_history_is_shown_and_not_paid(stage: Stage):
    who = stage.newcomer()
    _bring_in(stage, who)
    browser = stage.browser(who)
    bills = Page(browser.get("/account/bills"))
    assert "536365" in bills.text
    with stage.db.reading() as session:
        bill = session.scalars(select(Invoice).where(Invoice.number == "536365")).one()
    page = Page(browser.get(f"/account/bills/{bill.public_id}"))
    assert "Pay £" not in page.text
    begun = len(stage.rows(PaymentOperation))
    assert "Nothing is open" in Page(browser.get("/account/pay")).text
    for form in ({}, {"bill": bill.public_id}):
        assert browser.post("/account/pay", form).status_code == 409
    assert len(stage.rows(PaymentOperation)) == begun
    assert stage.browser(JUNE).get(f"/account/bills/{bill.public_id}").status_code == 404
    assert stage.browser(RILEY).get(f"/account/bills/{bill.public_id}.pdf").status_code == 404


def _bring_in(stage: Stage, who: str) -> None:
    """Another system's history, and somebody who was invited to one of its accounts."""
    file = retail.write(stage.folder / "history.csv")
    argv = [str(file), "--columns", str(retail.SHIPPED)]
    out = StringIO()
    settings = retail.settings(stage.folder)
    assert import_invoices.run(argv, settings, stage.db, stage.clock, out) == 0, out.getvalue()
    with stage.db.transaction() as session:
        account = session.scalars(select(Account).where(Account.external_ref == "17850")).one()
        found = session.get_one(Membership, (stage.people[who], stage.accounts[who]))
        session.delete(found)
        accounts.join(session, stage.people[who], account.id, "owner", stage.clock.now())
