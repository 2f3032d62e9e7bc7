"""The desk sends, notes as done, cancels and takes back; the customer's page tells of it."""

import uuid

import pytest
from sqlalchemy import select

from core.kernel.ids import new_public_id
from core.orders.fulfilment_models import Fulfilment, OrderChange
from core.orders.models import Order, OrderLine
from core.parties.roles import Role
from core.stock.back_order_models import BackOrder
from core.stock.models import StockLevel
from core.subscriptions.models import Subscription
from flows import take_back
from flows.take_back import Asked
from payments.models import Refund
from tests.changing import to_two_places
from tests.quoting import DEPOT, MILL, YARD
from tests.rooms.web.looking import Page
from tests.rooms.web.names import Names
from tests.rooms.web.stage import KIM, Stage


def _order(stage: Stage, *skus: str) -> Order:
    order = stage.begin_to_pay(*skus)
    stage.pay(stage.operation_of(order))
    stage.drain()
    return order


def _again(stage: Stage, order: Order) -> Order:
    return stage.row(Order, Order.id == order.id)


def test_a_parcel_is_sent_with_its_tracking_and_corrected(stage: Stage):
    router = stage.world.router
    order = _order(stage, router.sku, stage.world.visit.sku)
    kim, path = stage.browser(KIM), f"/desk/orders/{order.public_id}"
    page = Page(kim.get(path))
    for act in ("ship", "provide", "cancel"):
        assert f"{path}/{act}" in page.values
    assert f"{path}/return" not in page.values
    fields = next(f for action, _, f in Page(kim.get(f"{path}/ship")).forms if "once" in f)
    parcel = {
        "once": fields["once"],
        "pieces-1": "2",
        "carrier": "UPS",
        "number": "1Z999",
        "link": "",
    }
    refused = kim.post(f"{path}/ship", parcel)
    assert refused.status_code == 422
    assert "At most 1." in Page(refused).text
    assert kim.post(f"{path}/ship", parcel | {"pieces-1": "x"}).status_code == 422
    bad = kim.post(f"{path}/ship", parcel | {"pieces-1": "1", "link": "javascript:alert(1)"})
    assert bad.status_code == 422
    assert "link-error" in Page(bad).values
    assert kim.post(f"{path}/ship", parcel | {"pieces-1": ""}).status_code == 422
    for _ in range(2):
        sent = kim.post(f"{path}/ship", parcel | {"pieces-1": "1"})
        assert sent.status_code == 303
    (row,) = stage.rows(Fulfilment, Fulfilment.order_id == order.id)
    stage.drain()
    kim.post(f"/desk/parcels/{row.public_id}", {"carrier": "DHL", "number": "77", "link": ""})
    link = stage.house.links.order(order.public_id).removeprefix(stage.house.links.base_url)
    public = Page(stage.browser().get(link))
    assert "https://www.dhl.com/global-en/home/tracking.html?tracking-id=77" in public.values
    assert "Partly sent" in public.text
    assert kim.post(f"{path}/provide", {"once": "v", "pieces-2": "1"}).status_code == 303
    assert _again(stage, order).lifecycle == "completed"
    stage.drain()


def test_the_page_says_of_which_line_pieces_wait_for_stock(stage: Stage):
    row = stage.row(BackOrder, BackOrder.id == uuid.UUID(Names(stage)["back_order"]))
    order = stage.row(Order, Order.public_id == row.reference.removeprefix("order:"))
    listed, kim = f"/desk/stock/back-orders?q={order.number}", stage.browser(KIM)
    page = Page(kim.get(f"/desk/orders/{order.public_id}"))
    assert "Waits for stock" in page.text
    assert listed in page.values
    found = Page(kim.get(listed))
    assert f"/desk/orders/{order.public_id}" in found.values
    link = stage.house.links.order(order.public_id).removeprefix(stage.house.links.base_url)
    assert "Waits for stock" in Page(stage.browser().get(link)).text
    billing = Page(stage.browser(Role.BILLING.value).get(f"/desk/orders/{order.public_id}"))
    assert "Waits for stock" in billing.text
    assert listed not in billing.values, "what their role may not open is not offered"
    other = Page(kim.get(f"/desk/orders/{_order(stage, stage.world.camera.sku).public_id}"))
    assert "for stock" not in other.text


def test_pieces_are_cancelled_after_a_look_at_what_they_come_to(stage: Stage):
    order = _order(stage, stage.world.camera.sku, stage.world.visit.sku)
    kim, path = stage.browser(KIM), f"/desk/orders/{order.public_id}/cancel"
    asked = {
        "once": new_public_id(),
        "pieces-1": "1",
        "reason": "not_available",
        "refund_to": "usual",
        "note": "",
        "step": "look",
    }
    looked = kim.post(path, asked)
    assert looked.status_code == 200
    assert "62.84" in Page(looked).text  # with tax
    assert stage.rows(OrderChange, OrderChange.order_id == order.id) == []
    assert kim.post(path, asked | {"step": "do", "reason": "no such"}).status_code == 422
    assert kim.post(path, asked | {"step": "do"}).status_code == 303
    stage.drain()
    (change,) = stage.rows(OrderChange, OrderChange.order_id == order.id)
    assert (change.kind, change.reason) == ("cancellation", "not_available")
    refunds = stage.rows(Refund)
    assert [row.amount_minor for row in refunds if row.reason == "credit_memo"][-1] >= 6284
    gone = kim.post(path, asked | {"step": "do", "once": new_public_id()})
    assert gone.status_code == 422


def test_an_order_that_is_not_paid_is_given_up(stage: Stage):
    order = stage.begin_to_pay(stage.world.visit.sku)
    kim, path = stage.browser(KIM), f"/desk/orders/{order.public_id}/cancel"
    assert "not paid yet" in Page(kim.get(path)).text
    assert kim.post(path).status_code == 303
    assert _again(stage, order).lifecycle == "cancelled"


def test_a_return_is_announced_listed_received_and_shown_to_its_customer(stage: Stage):
    router = stage.world.router
    order = _order(stage, router.sku)
    kim, path = stage.browser(KIM), f"/desk/orders/{order.public_id}"
    kim.post(f"{path}/ship", {"once": "p", "pieces-1": "1"})
    with stage.db.reading() as session:
        before = session.scalar(select(StockLevel.on_hand).where(StockLevel.id == router.level_id))
    asked = {
        "once": new_public_id(),
        "pieces-1": "1",
        "reason": "damaged",
        "refund_to": "usual",
        "here": "no",
        "step": "do",
    }
    assert kim.post(f"{path}/return", asked).status_code == 303
    (change,) = stage.rows(OrderChange, OrderChange.order_id == order.id)
    number = f"{_again(stage, order).number}-R1"
    listed = Page(kim.get(f"/desk/returns?q={number}"))
    assert f"/desk/returns/{change.public_id}" in listed.values
    assert number in Page(kim.get(f"/desk/returns/{change.public_id}")).text
    assert kim.post(f"/desk/returns/{change.public_id}", {}).status_code == 422
    taken = {"refund_to": "usual", "restock-1": "on"}
    assert kim.post(f"/desk/returns/{change.public_id}", taken).status_code == 303
    assert kim.post(f"/desk/returns/{change.public_id}/withdraw").status_code == 409
    stage.drain()
    with stage.db.reading() as session:
        after = session.scalar(select(StockLevel.on_hand).where(StockLevel.id == router.level_id))
    assert after == before + 1
    link = stage.house.links.order(order.public_id).removeprefix(stage.house.links.base_url)
    public = Page(stage.browser().get(link)).text
    assert "Back with us" in public
    assert "Credit memo" in public


def test_who_may_only_bill_sees_no_button_to_send(stage: Stage):
    order = _order(stage, stage.world.router.sku)
    path = f"/desk/orders/{order.public_id}"
    page = Page(stage.browser("billing").get(path))
    assert f"{path}/ship" not in page.values
    assert f"{path}/refund" in page.values


def test_a_customer_asks_by_the_orders_link_and_the_desk_answers(one_stage: Stage):
    stage, router = one_stage, one_stage.world.router
    order = _order(stage, router.sku)
    link = stage.house.links.order(order.public_id).removeprefix(stage.house.links.base_url)
    guest, kim = stage.browser(), stage.browser(KIM)
    assert f"{link}/return" not in Page(guest.get(link)).values
    assert "Nothing can be returned" in Page(guest.get(f"{link}/return")).text
    parcel = {"once": "p", "pieces-1": "1", "carrier": "UPS", "number": "1", "link": ""}
    assert kim.post(f"/desk/orders/{order.public_id}/ship", parcel).status_code == 303
    assert f"{link}/return" in Page(guest.get(link)).values
    fields = next(f for _, _, f in Page(guest.get(f"{link}/return")).forms if "once" in f)
    wish = {"once": fields["once"], "pieces-1": "1", "reason": "damaged", "note": "A scratch"}
    for wrong, said in (
        ({"pieces-1": ""}, "Say how many"),
        ({"pieces-1": "two"}, "A whole number"),
        ({"pieces-1": "2"}, "At most 1."),
        ({"reason": ""}, "Choose why"),
    ):
        refused = guest.post(f"{link}/return", wish | wrong)
        assert refused.status_code == 422, wrong
        assert said in Page(refused).text, wrong
    for _ in range(2):
        assert guest.post(f"{link}/return", wish).status_code == 303
    (change,) = stage.rows(OrderChange, OrderChange.order_id == order.id)
    here = f"/desk/returns/{change.public_id}"
    asked = Page(guest.get(link))
    assert "Asked for" in asked.text
    assert f"{link}/return" not in asked.values
    assert here in Page(kim.get("/desk/returns?state=asked")).values
    assert "/desk/returns?state=asked" in Page(kim.get("/desk")).values
    shown = Page(kim.get(here))
    assert "A scratch" in shown.text
    assert f"{here}/accept" in [action for action, _, _ in shown.forms]
    assert kim.post(f"{here}/decline", {"answer": " "}).status_code == 422
    assert kim.post(f"{here}/decline", {"answer": "We saw no scratch."}).status_code == 303
    assert "We saw no scratch." in Page(guest.get(link)).text
    assert kim.post(f"{here}/accept").status_code == 409
    more = wish | {"once": new_public_id()}
    assert guest.post(f"{link}/return", more).status_code == 303
    (again,) = stage.rows(
        OrderChange, OrderChange.order_id == order.id, OrderChange.state == "asked"
    )
    assert kim.post(f"/desk/returns/{again.public_id}/accept").status_code == 303
    assert "On its way back" in Page(guest.get(link)).text
    assert "They are here" in Page(kim.get(f"/desk/returns/{again.public_id}")).text


def test_an_order_is_changed_after_a_look_and_not_when_it_moved_on(stage: Stage):
    order = _order(stage, stage.world.router.sku, stage.world.visit.sku)
    kim, path = stage.browser(KIM), f"/desk/orders/{order.public_id}/change"
    fields = next(f for action, _, f in Page(kim.get(path)).forms if "once" in f)
    to = {**(order.shipping_address or {}), "method": order.shipping_method}
    asked = {**fields, **to, "quantity-1": "3", "sku-2": "FW-NONE", "reason": "changed_mind"}
    asked["refund_to"] = "usual"
    wrong = kim.post(path, asked | {"step": "look"})
    assert wrong.status_code == 422
    assert "Nothing is sold under FW-NONE." in Page(wrong).text
    assert kim.post(path, asked | {"sku-2": "", "quantity-1": "x"}).status_code == 422
    asked |= {"sku-2": "", "sku-1": stage.world.router.sku, "many-1": "2"}
    look = kim.post(path, asked | {"step": "look"})
    page = Page(look)
    assert look.status_code == 200
    assert "What it would come to" in page.text
    token = next(f["token"] for _, _, f in page.forms if f.get("token"))
    assert stage.rows(OrderChange, OrderChange.order_id == order.id) == []
    stale = kim.post(path, asked | {"step": "do", "token": f"1{token}"})
    assert stale.status_code == 422
    assert "Look again before you go on." in Page(stale).text
    for _ in range(2):
        done = kim.post(path, asked | {"step": "do", "token": token})
        assert done.status_code == 303
    (row,) = stage.rows(OrderChange, OrderChange.order_id == order.id)
    assert row.kind == "change"
    # Who goes back and does another change after a look has made another one.
    asked |= {"many-1": "1"}
    form = next(
        f for _, _, f in Page(kim.post(path, asked | {"step": "look"})).forms if f.get("token")
    )
    assert form["once"] != fields["once"]
    more = asked | {"step": "do", "token": form["token"], "once": form["once"]}
    assert kim.post(path, more).status_code == 303
    assert len(stage.rows(OrderChange, OrderChange.order_id == order.id)) == 2
    shown = Page(kim.get(f"/desk/orders/{order.public_id}")).text
    assert "Added since" in shown
    stage.drain()
    link = stage.house.links.order(order.public_id).removeprefix(stage.house.links.base_url)
    public = Page(stage.browser().get(link)).text
    assert "Added since" in public
    assert "Still to pay" in public


@pytest.mark.parametrize(
    "typed", [{"quantity-2": "0"}, {"swap-1": "FW-CAM-1"}, {"line1": "77 Quay Street"}]
)
def test_a_change_whose_form_is_sent_twice_is_one_change_and_says_so(
    stage: Stage, typed: dict[str, str]
):
    order = _order(stage, stage.world.router.sku, stage.world.visit.sku)
    kim, here = stage.browser(KIM), f"/desk/orders/{order.public_id}"
    fields = next(f for _, _, f in Page(kim.get(f"{here}/change")).forms if "once" in f)
    to = {**(order.shipping_address or {}), "method": order.shipping_method or ""}
    asked = {**fields, **to, "reason": "changed_mind", "refund_to": "usual", **typed}
    looked = Page(kim.post(f"{here}/change", asked | {"step": "look"}))
    form = next(f for _, _, f in looked.forms if f.get("token"))
    made = asked | {"step": "do", "token": form["token"], "once": form["once"]}
    for _ in range(2):
        assert kim.post(f"{here}/change", made).status_code == 303
        shown = Page(kim.get(here)).text
        assert "Changed. The customer is told" in shown
        assert "This form was used already" not in shown
    assert len(stage.rows(OrderChange, OrderChange.order_id == order.id)) == 1
    # Something else under the same name is still no other change.
    assert kim.post(f"{here}/change", made | {"note": "Another"}).status_code == 303
    assert "This form was used already" in Page(kim.get(here)).text
    assert len(stage.rows(OrderChange, OrderChange.order_id == order.id)) == 1


def test_of_several_places_the_one_that_is_left_stands_in_the_form(stage: Stage):
    order = to_two_places(stage.house, stage.world)
    lines = stage.rows(OrderLine, OrderLine.order_id == order.id, OrderLine.kind == "physical")
    gone = {row.line_number: row.quantity for row in lines if row.service_location == DEPOT}
    asked = Asked(order.public_id, gone, "changed_mind", "usual", "user:kim", "first-place")
    take_back.cancel(stage.house, asked)
    kim, path = stage.browser(KIM), f"/desk/orders/{order.public_id}/change"
    fields = next(f for _, _, f in Page(kim.get(path)).forms if "once" in f)
    assert (fields["name"], fields["line1"]) == (MILL["name"], MILL["line1"])
    (left,) = [row.line_number for row in lines if row.service_location == MILL]
    typed = {**fields, **MILL, "phone": "+1 555 0100", "reason": "changed_mind"}
    typed |= {"refund_to": "usual", f"quantity-{left}": "2"}
    looked = Page(kim.post(path, typed | {"step": "look"}))
    form = next(f for _, _, f in looked.forms if f.get("token"))
    made = typed | {"step": "do", "token": form["token"], "once": form["once"]}
    assert kim.post(path, made).status_code == 303
    line = stage.row(OrderLine, OrderLine.order_id == order.id, OrderLine.line_number == left)
    assert line.service_location is not None
    assert line.service_location["line1"] == MILL["line1"]
    assert line.service_location["phone"] == "+1 555 0100"


def test_a_plan_is_added_and_waits_for_its_bill(stage: Stage):
    order = _order(stage, stage.world.router.sku)
    kim, path = stage.browser(KIM), f"/desk/orders/{order.public_id}/change"
    fields = next(f for _, _, f in Page(kim.get(path)).forms if "once" in f)
    asked = {**fields, **(order.shipping_address or {}), "sku-1": stage.world.plan.sku}
    asked |= {"reason": "changed_mind", "refund_to": "usual", "step": "look"}
    looked = Page(kim.post(path, asked))
    assert "45.00 a month for River 100" in looked.text
    form = next(f for _, _, f in looked.forms if f.get("token"))
    made = asked | {"step": "do", "token": form["token"], "once": form["once"]}
    assert kim.post(path, made).status_code == 303
    stage.drain()
    line = stage.row(OrderLine, OrderLine.order_id == order.id, OrderLine.kind == "plan")
    service = stage.row(Subscription, Subscription.id == line.subscription_id)
    there = f"/desk/services/{service.public_id}"
    today = stage.clock.now().date().isoformat()
    assert kim.post(f"{there}/activate", {"on_date": today}).headers["Location"] == there
    assert "leaves once bill" in Page(kim.get(there)).text
    assert stage.row(Subscription, Subscription.id == service.id).state == "ordered"


def test_of_an_order_for_several_places_somebody_says_which(stage: Stage):
    order = to_two_places(stage.house, stage.world)
    kim, path = stage.browser(KIM), f"/desk/orders/{order.public_id}/change"
    page = Page(kim.get(path))
    assert "It goes to several places." in page.text
    fields = next(f for _, _, f in page.forms if "once" in f)
    asked = {**fields, "reason": "changed_mind", "refund_to": "usual", "step": "look"}
    line = next(
        row.line_number
        for row in stage.rows(OrderLine, OrderLine.order_id == order.id)
        if row.service_location == MILL and row.kind == "physical"
    )
    more = {"sku-1": stage.world.router.sku, "many-1": "1"}
    refused = kim.post(path, asked | more)
    assert refused.status_code == 422
    assert "say which of them it is for" in Page(refused).text
    assert kim.post(path, asked | YARD | more | {"at-1": str(line)}).status_code == 422
    both = asked | YARD | more | {"at-1": str(line), "place": str(line)}
    looked = Page(kim.post(path, both))
    assert f"{YARD['name']}, {YARD['line1']}, {YARD['city']}" in looked.text
    form = next(f for _, _, f in looked.forms if f.get("token"))
    made = both | {"step": "do", "token": form["token"], "once": form["once"]}
    assert kim.post(path, made).status_code == 303
    shown = Page(kim.get(f"/desk/orders/{order.public_id}")).text
    assert shown.count(f"{YARD['name']}, {YARD['line1']}, {YARD['city']}") >= 2
    assert f"{DEPOT['name']}, {DEPOT['line1']}, {DEPOT['city']}" in shown


def test_a_customer_asks_for_an_exchange_and_the_desk_sends_it(stage: Stage):
    router = stage.world.router
    order = _order(stage, router.sku)
    kim, desk = stage.browser(KIM), f"/desk/orders/{order.public_id}"
    kim.post(f"{desk}/ship", {"once": new_public_id(), "pieces-1": "1", "carrier": "UPS"})
    link = stage.house.links.order(order.public_id).removeprefix(stage.house.links.base_url)
    somebody = stage.browser()
    form = next(f for _, _, f in Page(somebody.get(f"{link}/return")).forms if "once" in f)
    wish = {**form, "pieces-1": "1", "instead-1": router.sku, "reason": "damaged"}
    assert somebody.post(f"{link}/return", wish).status_code == 303
    (row,) = stage.rows(OrderChange, OrderChange.order_id == order.id)
    page = Page(kim.get(f"/desk/returns/{row.public_id}"))
    assert "An exchange." in page.text
    assert "nothing more is to be paid" in page.text
    kim.post(f"/desk/returns/{row.public_id}/accept", {"sends": "after"})
    assert "What goes out is held" in Page(kim.get(f"/desk/returns/{row.public_id}")).text
    here = kim.post(f"/desk/returns/{row.public_id}", {"refund_to": "usual", "restock-1": "on"})
    assert here.status_code == 303
    shown = Page(kim.get(desk)).text
    assert "Added since" in shown
    assert f"Instead: {router.sku}" in shown or "Instead: Wi-Fi 6 router" in shown
    stage.drain()
