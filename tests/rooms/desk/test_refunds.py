"""The desk gives money of an order back, across what paid it."""

from core.ledger.tender_models import TenderReturn
from payments.models import Refund
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, Stage


def _paid_order(stage: Stage):
    """Paid by card and not billed yet: all of it is held."""
    order = stage.begin_to_pay(stage.world.visit.sku)
    payment = stage.pay(stage.operation_of(order))
    return order, payment


def test_the_desk_gives_a_part_back_once(stage: Stage):
    order, payment = _paid_order(stage)
    kim, path = stage.browser(KIM), f"/desk/orders/{order.public_id}/refund"
    page = Page(kim.get(path))
    form = next(fields for action, _, fields in page.forms if action == path)
    asked = {"key": form["key"], "amount": "12.50", "to": "usual", "reason": "A scratched box"}
    for _ in range(2):
        assert kim.post(path, asked).status_code == 303
    (refund,) = stage.rows(Refund, Refund.payment_id == payment.id)
    assert (refund.amount_minor, refund.state) == (1250, "succeeded")
    stage.drain()


def test_more_than_is_held_is_told_at_the_field(stage: Stage):
    order, payment = _paid_order(stage)
    kim, path = stage.browser(KIM), f"/desk/orders/{order.public_id}/refund"
    asked = {"key": "k", "amount": "60.01", "to": "usual", "reason": "Too much"}
    refused = kim.post(path, asked)
    assert refused.status_code == 422
    assert "At most" in Page(refused).text
    assert "amount-error" in Page(refused).values
    assert stage.rows(Refund, Refund.payment_id == payment.id) == []
    assert kim.post(path, asked | {"amount": "abc"}).status_code == 422
    assert stage.rows(TenderReturn, TenderReturn.key.contains("-k")) == []
    stage.drain()
