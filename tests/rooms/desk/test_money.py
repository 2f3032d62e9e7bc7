"""The desk's money pages: what a person does there stands in the books, in the audit log, and on the page."""

import uuid
from datetime import timedelta

import pytest

from core.kernel.audit import AuditEntry
from core.ledger import credits, items, periods
from core.ledger.items import Open
from core.ledger.models import OpenItem
from core.ledger.writeoffs import WriteOff
from core.parties.models import Account, LegalEntity
from flows.verify import verify
from invoices.models import Invoice
from tests import world as worlds
from tests.rooms.web.growing import Growing
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, Browser, Stage


@pytest.fixture
def kim(stage: Stage) -> Browser:
    return stage.browser(KIM)


class Customer:
    """A newcomer with bills, seen from the desk."""

    def __init__(self, stage: Stage, bills: int = 1) -> None:
        self.stage = stage
        growing = Growing(stage)
        growing.grow(bills, disputed=False)
        self.account: Account = stage.row(Account, Account.id == growing.account)
        rows = stage.rows(Invoice, Invoice.payer_account_id == growing.account)
        self.bills = [row for row in rows if self.item(row).open]
        self.paid = [row for row in rows if not self.item(row).open]

    def item(self, bill: Invoice) -> Open:
        with self.stage.db.reading() as session:
            return items.of_sources(session, [bill.id])[bill.id]

    def free(self) -> list[int]:
        with self.stage.db.reading() as session:
            return [one.open.minor for one in credits.free(session, self.account.id)]

    def log(self, act: str) -> list[AuditEntry]:
        return list(self.stage.rows(AuditEntry, AuditEntry.act == act))


def _said(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return Page(answer).text


def test_a_transfer_pays_the_oldest_bill_and_keeps_the_rest(stage: Stage, kim: Browser):
    customer = Customer(stage)
    (bill,) = customer.bills
    wanted = {
        "reference": "GIRO 17",
        "amount": str(customer.item(bill).open.decimal() + 5),
        "currency": "usd",
        "received_on": str(stage.clock.now().date()),
        "account": customer.account.number,
    }
    for wrong in (
        {"amount": "0"},
        {"amount": "much"},
        {"account": "1"},
        {"currency": "XQX"},
        {"received_on": ""},
    ):
        assert kim.post("/desk/money", wanted | wrong).status_code == 422, wrong
    assert kim.post("/desk/money", wanted).status_code == 303
    assert (customer.item(bill).open.minor, customer.free()) == (0, [500])
    assert [row.detail["amount"] for row in customer.log("transfer.recorded")][-1] == (
        f"{wanted['amount']} USD"
    )


def test_a_form_sent_twice_is_one_transfer_and_one_payout(stage: Stage, kim: Browser):
    customer = Customer(stage, bills=0)
    wanted = {
        "reference": "GIRO 18",
        "amount": "20.00",
        "currency": "USD",
        "received_on": str(stage.clock.now().date()),
        "account": customer.account.number,
        "once": uuid.uuid4().hex,
    }
    before = sum(customer.free())
    assert [kim.post("/desk/money", wanted).status_code for _ in range(2)] == [303, 303]
    assert sum(customer.free()) == before + 2000
    later = {"received_on": str(stage.clock.now().date() + timedelta(days=2))}
    assert kim.post("/desk/money", wanted | later).status_code == 422, "it has not come yet"
    assert kim.post("/desk/money", wanted | {"amount": "1.00"}).status_code == 303
    assert sum(customer.free()) == before + 2100, "a changed form is another transfer"
    item = stage.rows(OpenItem, OpenItem.number == "GIRO 18")[0]
    action = f"/desk/money/accounts/{customer.account.public_id}/pay-out/{item.id}"
    back = {"amount": "3.00", "once": uuid.uuid4().hex}
    assert [kim.post(action, back).status_code for _ in range(2)] == [303, 303]
    assert sum(customer.free()) == before + 1800
    for path in ("/desk/money", "/desk/write-offs", action.split("/pay-out/")[0]):
        assert 'name="once"' in kim.get(path).text, path


def test_money_that_nobody_knows_waits_until_it_is_somebodys(stage: Stage, kim: Browser):
    customer, reference = Customer(stage), f"GIRO {uuid.uuid4().hex[:8]}"
    asked = {"reference": reference, "amount": "20.00", "currency": "USD"}
    asked |= {"received_on": str(stage.clock.now().date())}
    assert kim.post("/desk/money", asked).status_code == 303
    assert reference in _said(kim, "/desk/money")
    held = stage.row(OpenItem, OpenItem.number == reference)
    action = f"/desk/money/{held.id}/identify"
    assert kim.post(action, {"account": "nobody"}).status_code == 422
    assert kim.post(action, {"account": customer.account.number}).status_code == 303
    assert reference not in _said(kim, "/desk/money")
    (bill,) = customer.bills
    assert customer.item(bill).amount.minor - customer.item(bill).open.minor == 2_000
    assert kim.post(action, {"account": customer.account.number}).status_code == 409


def test_credit_pays_bills_or_goes_back(stage: Stage, kim: Browser):
    customer = Customer(stage)
    (paid,), (bill,) = customer.paid, customer.bills
    _take_back(stage, kim, paid)
    (free,) = customer.free()
    path = f"/desk/money/accounts/{customer.account.public_id}"
    assert paid.number in _said(kim, path)
    mine = (OpenItem.account_id == customer.account.id, OpenItem.ledger_code == "unapplied")
    held = stage.row(OpenItem, *mine)
    for wrong in ("", "0", "x", "9999999.00"):
        assert kim.post(f"{path}/pay-out/{held.id}", {"amount": wrong}).status_code == 422
    assert kim.post(f"{path}/pay-out/{held.id}", {"amount": "1.00"}).status_code == 303
    assert customer.free() == [free - 100]
    before = customer.item(bill).open.minor + customer.item(paid).open.minor
    assert kim.post(f"{path}/use").status_code == 303
    assert customer.free() == []
    assert customer.item(bill).open.minor + customer.item(paid).open.minor == before - free + 100
    _prove(stage)


def _prove(stage: Stage) -> None:
    """The books prove themselves, whatever the desk did to them."""
    wrong = [
        word
        for finding in verify(stage.db, stage.clock)
        for word in finding.offenders
        if finding.number in (1, 2, 4, 10)
    ]
    assert wrong == []


def _take_back(stage: Stage, kim: Browser, bill: Invoice) -> None:
    page = Page(kim.get(f"/desk/invoices/{bill.public_id}/money"))
    (action,) = [one for one in page.values if one.endswith("/undo")]
    assert kim.post(action).status_code == 303
    assert kim.post(action).status_code == 409


def test_a_payment_on_the_wrong_bill_is_moved(stage: Stage, kim: Browser):
    customer = Customer(stage)
    (paid,), (bill,) = customer.paid, customer.bills
    amount = customer.item(paid).amount.minor
    page = Page(kim.get(f"/desk/invoices/{paid.public_id}/money"))
    (action,) = [one for one in page.values if one.endswith("/move")]
    for wrong in ("", "no such bill", paid.number):
        assert kim.post(action, {"number": wrong}).status_code == 422, wrong
    other = action.replace(paid.public_id, bill.public_id)  # another bill's page cannot do it
    assert kim.post(other, {"number": bill.number}).status_code == 422
    assert kim.post(action, {"number": bill.number}).status_code == 303
    assert customer.item(paid).open.minor == amount
    assert customer.log("application.moved")[-1].detail["to"] == bill.number
    _prove(stage)


def test_a_contested_amount_rests_and_is_settled(stage: Stage, kim: Browser):
    customer = Customer(stage)
    (bill,) = customer.bills
    path = f"/desk/invoices/{bill.public_id}"
    for wrong in ("", "0", "999999.00"):
        assert kim.post(f"{path}/contest", {"amount": wrong}).status_code == 422
    for amount in ("3.00", "2.00"):
        assert kim.post(f"{path}/contest", {"amount": amount}).status_code == 303
    assert customer.item(bill).contested.minor == 200
    assert "2.00" in _said(kim, f"{path}/money")
    assert kim.post(f"{path}/contest/end").status_code == 303
    assert customer.item(bill).contested.minor == 0
    assert kim.post(f"{path}/contest/end").status_code == 409


def test_a_write_off_needs_somebody_else(stage: Stage, kim: Browser):
    customer = Customer(stage)
    (bill,) = customer.bills
    path = f"/desk/invoices/{bill.public_id}"
    wish = {"off-amount": "2.00", "off-reason": "moved to nowhere"}
    for wrong in ({"off-amount": "0"}, {"off-reason": ""}, {"off-amount": "99999"}):
        assert kim.post(f"{path}/write-off", wish | wrong).status_code == 422
    assert kim.post(f"{path}/write-off", wish).status_code == 303
    assert kim.post(f"{path}/write-off", wish).status_code == 422  # one waits already
    row = stage.row(WriteOff, WriteOff.item_id == customer.item(bill).id)
    assert "Somebody else decides" in _said(kim, "/desk/write-offs?state=requested")
    assert kim.post(f"/desk/write-offs/{row.id}/approve").status_code == 403
    lee = stage.browser(_colleague(stage))
    assert "moved to nowhere" in _said(lee, "/desk/write-offs")
    open_ = customer.item(bill).open.minor
    assert lee.post(f"/desk/write-offs/{row.id}/approve").status_code == 303
    assert customer.item(bill).open.minor == open_ - 200
    assert lee.post(f"/desk/write-offs/{row.id}/decline").status_code == 409
    assert "Approved" in _said(kim, "/desk/write-offs?state=approved")
    assert kim.post("/desk/write-offs/allowance", {"amount": "12.34"}).status_code == 303
    assert customer.log("allowance.made")[-1].detail == {"amount": "12.34 USD"}


def test_what_was_given_up_is_owed_again_when_they_pay_after_all(stage: Stage, kim: Browser):
    customer = Customer(stage)
    (bill,) = customer.bills
    path, open_ = f"/desk/invoices/{bill.public_id}", customer.item(bill).open.minor
    wish = {"off-amount": "2.00", "off-reason": "moved to nowhere"}
    assert kim.post(f"{path}/write-off", wish).status_code == 303
    row = stage.row(WriteOff, WriteOff.item_id == customer.item(bill).id)
    lee = stage.browser(_colleague(stage))
    assert lee.post(f"/desk/write-offs/{row.id}/approve").status_code == 303
    assert customer.item(bill).open.minor == open_ - 200
    page = Page(kim.get(f"{path}/money"))
    assert "They pay after all" in page.text
    action = [one for one in page.values if one.endswith("/undo")][-1]
    assert kim.post(action.replace("/undo", "/move"), {"number": "1"}).status_code == 422
    assert [kim.post(action).status_code for _ in range(2)] == [303, 409]
    assert customer.item(bill).open.minor == open_
    _prove(stage)


def _colleague(stage: Stage) -> str:
    if "lee" not in stage.people:
        with stage.db.transaction() as session:
            user = worlds.user(session, stage.clock.now(), email="lee@example.com", name="Lee")
            user.is_staff, user.roles = True, ["billing"]
            stage.people["lee"] = user.id
    return "lee"


def test_a_period_is_closed_and_reopened_by_somebody_who_means_it(stage: Stage, kim: Browser):
    through = stage.clock.now().date() - timedelta(days=40)
    asked = {"seller": "fernway", "through": str(through), "sure": "y"}
    for wrong in ({"through": ""}, {"sure": ""}, {"through": str(stage.clock.now().date())}):
        values = {name: value for name, value in (asked | wrong).items() if value}
        assert kim.post("/desk/periods", values).status_code == 422, wrong
    assert kim.post("/desk/periods", asked).status_code == 303
    entity = stage.row(LegalEntity, LegalEntity.code == "fernway")
    with stage.db.reading() as session:
        assert periods.closed_through(session, entity.id) == through
    page = Page(kim.get("/desk/periods"))
    (action,) = [one for one in page.values if one.endswith("/reopen")]
    assert kim.post(action).status_code == 422
    assert kim.post(action, {"sure": "y"}).status_code == 303
    assert kim.post(action, {"sure": "y"}).status_code == 409
    with stage.db.reading() as session:
        assert periods.closed_through(session, entity.id) is None
    found = [*stage.rows(AuditEntry, AuditEntry.subject_id == "fernway")]
    acts = [row.act for row in found if row.detail.get("through") == str(through)]
    assert acts[-2:] == ["period.closed", "period.reopened"]


def test_a_rate_is_told_once_it_is_one(stage: Stage, kim: Browser):
    asked = {"currency": "sek", "functional": "USD", "on_date": "2026-11-17", "rate": "0.0912"}
    for wrong in (
        {"rate": "0"},
        {"rate": "x"},
        {"rate": "Infinity"},
        {"currency": "USD"},
        {"currency": "XQX"},
        {"on_date": ""},
    ):
        assert kim.post("/desk/rates", asked | wrong).status_code == 422, wrong
    assert kim.post("/desk/rates", asked).status_code == 303
    assert "0.0912" in _said(kim, "/desk/rates")
