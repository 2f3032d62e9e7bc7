"""Taxes at the desk: rates are added and ended, certificates entered and revoked, the report ties."""

import csv
import io
from datetime import date

import pytest

from core.kernel.audit import AuditEntry
from core.orders.models import Order
from core.parties.models import Account
from core.tax.models import TaxExemption, TaxRate
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, RILEY, Browser, Stage

RATE = {
    "seller": "fernway",
    "country": "us",
    "region": "mt",
    "jurisdiction": "Montana",
    "name": "Lodging tax",
    "percent": "8.25",
    "categories": "lodging, meals",
    "valid_from": "2026-01-01",
}


@pytest.fixture
def kim(stage: Stage) -> Browser:
    return stage.browser(KIM)


@pytest.fixture
def payer(stage: Stage) -> Account:
    order = stage.row(Order, Order.public_id == stage.ids["riley_order"])
    found: Account = stage.row(Account, Account.id == order.payer_account_id)
    return found


def _rates(stage: Stage, jurisdiction: str) -> list[TaxRate]:
    return stage.rows(TaxRate, TaxRate.jurisdiction == jurisdiction)


def test_a_rate_is_added_for_each_category_once_and_ended(stage: Stage, kim: Browser):
    answer = kim.post("/desk/tax/rates", RATE)
    assert (answer.status_code, answer.location) == (303, "/desk/tax/rates")
    rows = _rates(stage, "Montana")
    assert {(row.country, row.region, row.category, row.rate_ppm) for row in rows} == {
        ("US", "MT", "lodging", 82_500),
        ("US", "MT", "meals", 82_500),
    }
    again = kim.post("/desk/tax/rates", RATE)
    assert again.status_code == 409
    assert "holds already on some of these days" in again.text
    assert len(_rates(stage, "Montana")) == 2
    end = f"/desk/tax/rates/{rows[0].id}/end"
    assert kim.post(end, {"last": "2025-12-31"}).status_code == 422
    assert kim.post(end, {"last": "2026-06-30"}).status_code == 303
    ended = stage.row(TaxRate, TaxRate.id == rows[0].id)
    assert ended.valid_to == date(2026, 6, 30)
    assert kim.post(end, {"last": "2026-07-01"}).status_code == 422
    acts = stage.rows(AuditEntry, AuditEntry.subject_id == str(rows[0].id))
    assert [row.act for row in acts] == ["tax_rate.added", "tax_rate.ended"]
    listed = kim.get("/desk/tax/rates", query_string={"q": "montana"})
    assert "8.25" in listed.text
    assert "Ended" in listed.text


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("percent", "6,5", "A number like 6.5"),
        ("percent", "-1", "A number like 6.5"),
        ("percent", "6.12345", "A number like 6.5"),
        ("categories", "Device!", "Small letters"),
        ("country", "USA", "Two letters"),
        ("valid_to", "2025-01-01", "It cannot end before it begins"),
        ("valid_from", "soon", "Choose a day"),
    ],
)
def test_a_rate_that_cannot_be_is_told_at_its_field(stage: Stage, kim: Browser, field, value, told):
    answer = kim.post("/desk/tax/rates", {**RATE, "jurisdiction": "Nowhere", field: value})
    assert answer.status_code == 422
    assert told in answer.text or field == "valid_from"
    assert _rates(stage, "Nowhere") == []


def test_a_certificate_is_entered_found_and_revoked(stage: Stage, kim: Browser, payer: Account):
    number = f"MT-{stage.clock.now():%f}-{payer.number}"
    answer = kim.post(
        "/desk/tax/certificates",
        {
            "account": f"{payer.number[:3]} {payer.number[3:]}",
            "certificate_number": number,
            "jurisdictions": "Ohio",
            "valid_from": "2020-01-01",
            "ends_on": "2021-01-01",
            "file_reference": "cabinet 3",
        },
    )
    assert answer.status_code == 303
    row = stage.row(TaxExemption, TaxExemption.certificate_number == number)
    assert (row.jurisdictions, row.categories, row.account_id) == (["Ohio"], [], payer.id)
    path = f"/desk/tax/certificates/{row.public_id}"
    assert answer.location == path
    assert "Ended" in kim.get(path).text
    listed = Page(kim.get("/desk/tax/certificates", query_string={"q": number, "state": "ended"}))
    assert path in listed.values
    assert kim.post(f"{path}/revoke", {"reason": ""}).status_code == 422
    assert kim.post(f"{path}/revoke", {"reason": "not theirs"}).status_code == 303
    shown = kim.get(path).text
    assert "Revoked" in shown
    assert "not theirs" in shown
    gone = Page(kim.get("/desk/tax/certificates", query_string={"q": number, "state": "ended"}))
    assert path not in gone.values


def test_a_certificate_of_nobody_is_not_entered(stage: Stage, kim: Browser):
    answer = kim.post(
        "/desk/tax/certificates",
        {"account": "000", "certificate_number": "X-1", "valid_from": "2020-01-01"},
    )
    assert answer.status_code == 422
    assert "There is no account with this number." in answer.text
    assert stage.rows(TaxExemption, TaxExemption.certificate_number == "X-1") == []


def test_the_report_ties_and_its_file_has_the_same_figures_and_the_same_bytes(
    stage: Stage, kim: Browser
):
    stage.order_on_terms("FW-CAM-1", who=RILEY)
    code = f"{stage.clock.now():%Y-%m}"
    shown = kim.get("/desk/tax", query_string={"period": code})
    assert shown.status_code == 200
    assert "Ties" in shown.text
    assert "Does not tie" not in shown.text
    first = kim.get("/desk/tax.csv", query_string={"period": code})
    assert first.data == kim.get("/desk/tax.csv", query_string={"period": code}).data
    rows = list(csv.DictReader(io.StringIO(first.data.decode())))
    (ohio,) = [row for row in rows if row["jurisdiction"] == "Ohio"]
    assert ohio["rate_percent"] == "6.5"
    assert float(ohio["tax_due"]) > 0
    assert f"{float(ohio['tax_due']):,.2f}" in shown.text
    assert code in first.headers["Content-Disposition"]


@pytest.mark.parametrize("code", ["2026-13", "x", "2026-Q5", "²026-11", "0000-01", ""])
def test_a_period_that_is_none_is_this_month(stage: Stage, kim: Browser, code):
    answer = kim.get("/desk/tax", query_string={"period": code})
    assert answer.status_code == 200
    assert f"{stage.clock.now():%B %Y}" in answer.text
