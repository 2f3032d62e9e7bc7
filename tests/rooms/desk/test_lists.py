"""The desk's lists: what is looked for is found, pages go on, one of each kind tells everything."""

import pytest

from core.kernel.audit import AuditEntry
from core.kernel.jobs import Job
from core.orders.models import Order
from core.parties.models import Account
from invoices.models import Invoice
from payments.models import Payment
from tests.rooms.web.looking import Page
from tests.rooms.web.names import Names
from tests.rooms.web.stage import KIM, RILEY, Browser, Stage


@pytest.fixture
def kim(stage: Stage) -> Browser:
    return stage.browser(KIM)


def _read(browser: Browser, path: str, **query: str) -> Page:
    answer = browser.get(path, **({"query_string": query} if query else {}))
    assert answer.status_code == 200, path
    return Page(answer)


def test_orders_are_found_by_number_name_mail_account_and_sku(stage: Stage, kim: Browser):
    order = stage.row(Order, Order.public_id == stage.ids["riley_order"])
    payer = stage.row(Account, Account.id == order.payer_account_id)
    href = f"/desk/orders/{order.public_id}"
    for words in (
        order.number,
        "riley m",
        "RILEY@example.com",
        payer.number,
        f"{payer.number[:3]} {payer.number[3:]}",
        "FW-VISIT",
    ):
        assert href in _read(kim, "/desk/orders", q=words).values, words
    for words in ("June", "%", "_iley", "FW-NOTHING"):
        assert href not in _read(kim, "/desk/orders", q=words).values, words
    assert href in _read(kim, "/desk/orders", state="confirmed").values
    assert href not in _read(kim, "/desk/orders", state="pending").values


def test_invoices_and_payments_are_found_too(stage: Stage, kim: Browser):
    bill = stage.row(Invoice, Invoice.public_id == stage.ids["riley_bill"])
    payment = stage.row(Payment, Payment.public_id == stage.ids["riley_payment"])
    for path, row, found in (
        ("/desk/invoices", bill, (bill.number, "Riley")),
        ("/desk/payments", payment, (payment.number, payment.gateway_id, "Riley")),
    ):
        for words in found:
            assert f"{path}/{row.public_id}" in _read(kim, path, q=words).values, words
        assert f"{path}/{row.public_id}" not in _read(kim, path, q="June Alder").values
    assert (
        f"/desk/invoices/{bill.public_id}"
        not in _read(kim, "/desk/invoices", kind="credit_memo").values
    )


def test_an_order_an_invoice_and_a_payment_show_their_journal(stage: Stage, kim: Browser):
    for path, words in (
        (f"/desk/orders/{stage.ids['riley_order']}", ("Riley Moreno", "invoice issued")),
        (f"/desk/invoices/{stage.ids['paid_bill']}", ("invoice issued", "Numbered by us")),
        (f"/desk/payments/{stage.ids['riley_payment']}", ("payment captured", "Succeeded")),
    ):
        text = _read(kim, path).text
        assert "Accounts receivable" in text or "Processor clearing" in text, path
        for one in words:
            assert one.lower() in text.lower(), (path, one)


def test_a_failed_job_is_tried_again_and_that_is_written_down(stage: Stage, kim: Browser):
    job = int(Names(stage)["dead_job"])
    assert "it broke" in _read(kim, f"/desk/jobs/{job}").text
    answer = kim.post(f"/desk/jobs/{job}/retry")
    assert answer.headers["Location"] == f"/desk/jobs/{job}"
    assert "It runs again in a moment" in _read(kim, f"/desk/jobs/{job}").text
    row = stage.row(Job, Job.id == job)
    assert (row.state, row.attempts) == ("ready", 0)
    entry = stage.row(
        AuditEntry, AuditEntry.subject_id == str(job), AuditEntry.act == "job.retried"
    )
    assert entry.actor == f"user:{stage.people[KIM]}"
    stage.drain()
    assert stage.row(Job, Job.id == job).state == "done"
    assert kim.post(f"/desk/jobs/{job}/retry").status_code == 404, "what is done stays done"


def test_nobody_but_staff_tries_a_job_again(stage: Stage):
    job = int(Names(stage)["dead_job"])
    assert stage.browser(RILEY).post(f"/desk/jobs/{job}/retry").status_code == 404
    assert stage.row(Job, Job.id == job).state == "dead"


def test_no_token_of_a_link_stands_in_a_jobs_page(stage: Stage, kim: Browser):
    stage.browser().post("/account/forgot", {"email": "riley@example.com"})
    stage.drain()
    jobs = stage.rows(Job, Job.name == "LinkAsked")
    assert jobs
    for job in jobs:
        text = _read(kim, f"/desk/jobs/{job.id}").text
        assert stage.ids["reset_link"] not in text
        assert not any(len(word.strip('",')) == 64 for word in text.split())
