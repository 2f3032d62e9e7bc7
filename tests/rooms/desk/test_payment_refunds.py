"""A payment of bills goes back to its card or to credit; its bills are owed again, and the books tie."""

from core.ledger import items
from flows.pay_bill import pay_order
from flows.verify import verify
from invoices.models import Invoice
from payments.models import Payment, Refund
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, Stage


def _paid_bill(stage: Stage) -> tuple[Payment, Invoice]:
    order = stage.order_on_terms(stage.world.visit.sku)
    pay_order(stage.house, order.id)
    bill = stage.bill_of(order)
    (operation,) = [
        row
        for row in stage.rows(type(stage.operation_of(stage.begin_to_pay(stage.world.visit.sku))))
        if row.account_id == order.payer_account_id and row.kind == "checkout"
    ]
    payment = stage.pay(operation)
    stage.drain()
    return payment, bill


def _open(stage: Stage, bill: Invoice) -> int:
    with stage.db.reading() as session:
        return items.of_sources(session, [bill.id])[bill.id].open.minor


def test_some_goes_to_the_card_and_some_to_credit_and_no_more_than_was_paid(stage: Stage):
    payment, bill = _paid_bill(stage)
    assert _open(stage, bill) == 0
    kim, path = stage.browser(KIM), f"/desk/payments/{payment.public_id}/refund"
    assert path in Page(kim.get(f"/desk/payments/{payment.public_id}")).values
    asked = {"amount": "20.00", "to": "card", "reason": "A courtesy", "once": "one"}
    looked = kim.post(path, asked | {"step": "look"})
    assert f"bill {bill.number} is owed again" in Page(looked).text
    assert stage.rows(Refund, Refund.payment_id == payment.id) == []
    for _ in range(2):
        assert kim.post(path, asked | {"step": "give"}).status_code == 303
    (refund,) = stage.rows(Refund, Refund.payment_id == payment.id)
    assert (refund.amount_minor, refund.state) == (2000, "succeeded")
    assert _open(stage, bill) == 2000
    kept = asked | {"step": "give", "to": "credit", "amount": "10.00", "once": "two"}
    assert kim.post(path, kept).status_code == 303
    assert _open(stage, bill) == 3000
    refused = kim.post(path, asked | {"step": "give", "amount": "40.01", "once": "three"})
    assert refused.status_code == 422
    assert "At most" in Page(refused).text
    assert kim.post(path, asked | {"amount": "x", "once": "four"}).status_code == 422
    stage.drain()
    found = verify(stage.db, stage.clock, blobs=stage.house.blobs)
    assert [line for line in found if line.offenders and line.number in (1, 2, 4)] == []


def test_a_payment_of_an_order_leads_to_its_order(stage: Stage):
    order = stage.begin_to_pay(stage.world.visit.sku)
    payment = stage.pay(stage.operation_of(order))
    stage.drain()
    answer = stage.browser(KIM).get(f"/desk/payments/{payment.public_id}/refund")
    assert answer.headers["Location"].endswith(f"/desk/orders/{order.public_id}/refund")
