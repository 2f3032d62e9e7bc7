"""Chargebacks at the desk: the list with its tabs, and what waits on the first page."""

from flows import hear_chargeback
from payments.models import Payment
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, Stage


def test_they_stand_in_a_list_with_what_can_be_done(stage: Stage):
    kim = stage.browser(KIM)
    order = stage.begin_to_pay(stage.world.router.sku, who=stage.newcomer())
    number = stage.pay(stage.operation_of(order)).number
    payment = stage.row(Payment, Payment.number == number)
    told = stage.sandbox.control("POST", "/sandbox/disputes", {"payment": payment.gateway_id})
    assert hear_chargeback.hear(stage.house, told["dispute"])
    page = Page(kim.get("/desk/chargebacks?state=open")).text
    assert number in page
    assert "fraudulent With the network" in page
    assert "15.00" in page
    assert "charged back, and may be answered" in Page(kim.get("/desk")).text
    stage.sandbox.control("POST", "/sandbox/disputes", {**told, "won": False})
    assert hear_chargeback.hear(stage.house, told["dispute"])
    assert number not in Page(kim.get("/desk/chargebacks?state=open")).text
    assert number in Page(kim.get("/desk/chargebacks?state=lost")).text
    assert "No chargeback like that" in Page(kim.get("/desk/chargebacks?state=ended")).text
    assert kim.get("/desk/chargebacks?before=junk").status_code == 404
