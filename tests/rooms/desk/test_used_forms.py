"""A form of the desk that was used and is sent again with something else in it: nothing more is done, and
whoever sent it stands before the thing again, with a sentence."""

from sqlalchemy import ColumnElement

from core.catalog.models import Product, Variant
from core.kernel.db import Base
from core.orders.models import Order, OrderLine
from core.parties.models import Account
from core.stock.models import LogicalResource, StockLevel, StockTransfer
from payments.models import Refund
from tests.rooms.desk.test_payment_refunds import _paid_bill
from tests.rooms.desk.test_products import new_product
from tests.rooms.web.looking import Page
from tests.rooms.web.names import Names
from tests.rooms.web.stage import KIM, Browser, Stage

SAID = "This form was used already. Look at what stands there now"


def _sent_twice(kim: Browser, path: str, first: dict[str, str], then: dict[str, str]) -> str:
    """Where the second leads, whose page says what has happened; the first was taken."""
    assert kim.post(path, first).status_code == 303
    assert SAID not in Page(kim.get("/desk/me")).text
    again = kim.post(path, first | then)
    assert again.status_code == 303
    where = str(again.headers["Location"])
    page = kim.get(where)
    assert (page.status_code, SAID in Page(page).text) == (200, True)
    return where


def _count(stage: Stage, model: type[Base], where: ColumnElement[bool]) -> int:
    return len(stage.rows(model, where))


def test_stock_is_corrected_once(stage: Stage):
    kim, key = stage.browser(KIM), stage.world.camera.level_id
    path = f"/desk/stock/{key}"
    form = next(f for _, _, f in Page(kim.get(path)).forms if "seen" in f)
    asked = {"seen": form["seen"], "once": form["once"], "reason": "received", "pieces": "4"}
    before = stage.row(StockLevel, StockLevel.id == key).on_hand
    assert _sent_twice(kim, path, asked, {"pieces": "5"}) == path
    assert stage.row(StockLevel, StockLevel.id == key).on_hand == before + 4


def test_a_file_of_stock_is_taken_once(stage: Stage):
    kim, camera = stage.browser(KIM), stage.world.camera
    level = stage.row(StockLevel, StockLevel.id == camera.level_id)
    lines = "sku,location,reason,pieces\n" + f"{camera.sku},harbor,found,"
    looked = Page(kim.post("/desk/stock/import", {"text": f"{lines}2\n"}))
    action, _, form = next(one for one in looked.forms if one[0].endswith("/apply"))
    first = {"text": f"{lines}2\n", "mark": form["mark"], "once": form["once"]}
    assert _sent_twice(kim, action, first, {"text": f"{lines}3\n"}) == "/desk/stock"
    assert stage.row(StockLevel, StockLevel.id == level.id).on_hand == level.on_hand + 2


def test_pieces_leave_for_another_place_once(stage: Stage):
    kim, path = stage.browser(KIM), "/desk/stock/transfers"
    assert Names(stage)["transfer"], "there is another place"
    form = next(f for _, _, f in Page(kim.get(path)).forms if "once" in f)
    first = {"once": form["once"], "sku": stage.world.camera.sku, "quantity": "1"}
    first |= {"source": "harbor", "target": "annex", "note": "Sent once"}
    assert _sent_twice(kim, path, first, {"quantity": "2"}) == path
    (sent,) = stage.rows(StockTransfer, StockTransfer.note == "Sent once")
    assert sent.quantity == 1


def test_numbers_are_added_once(stage: Stage):
    kim, names = stage.browser(KIM), Names(stage)
    pool, sku = names["pool"], names["pool_sku"]
    base = f"/desk/stock/numbers/{pool}"
    first = {"values": f"900 {sku} 1\n", "once": f"used-{sku}"}
    assert _sent_twice(kim, f"{base}/add", first, {"values": f"900 {sku} 2\n"}) == base
    file = {"text": f"value\n910 {sku} 1\n", "once": f"file-{sku}"}
    other = {"text": f"value\n910 {sku} 2\n"}
    assert _sent_twice(kim, f"{base}/import/apply", file, other) == base
    for value, there in (("900", 1), ("910", 1)):
        assert _count(stage, LogicalResource, LogicalResource.value.like(f"{value} {sku} %")) == (
            there
        )


def test_a_product_and_its_things_are_made_once(stage: Stage):
    kim = stage.browser(KIM)
    first = new_product("Used lamp")
    other = {"slug": "used-lamp-2", "sku": "USED-LAMP-2"}
    assert _sent_twice(kim, "/desk/products/new", first, other) == "/desk/products"
    here = "/desk/products/used-lamp"
    thing = first | {"once": "used-thing", "sku": "USED-LAMP-B"}
    assert _sent_twice(kim, f"{here}/things", thing, {"sku": "USED-LAMP-C"}) == here
    assert _count(stage, Product, Product.slug.like("used-lamp%")) == 1
    assert _count(stage, Variant, Variant.sku.like("USED-LAMP%")) == 2


def test_a_customer_is_written_down_once(stage: Stage):
    kim = stage.browser(KIM)
    typed = {
        "once": "used-customer",
        "name": "Una Brook",
        "kind": "person",
        "email": "una@example.com",
        "line1": "9 Quay Street",
        "city": "Marrow Bay",
        "region": "OH",
        "postal_code": "44001",
        "country": "US",
    }
    other = {"name": "Ines Brook", "email": "ines@example.com"}
    assert _sent_twice(kim, "/desk/customers/new", typed, other) == "/desk/customers"
    assert _count(stage, Account, Account.email.in_((typed["email"], other["email"]))) == 1


def test_a_payment_is_given_back_once(stage: Stage):
    payment, _ = _paid_bill(stage)
    kim, here = stage.browser(KIM), f"/desk/payments/{payment.public_id}"
    asked = {"amount": "20.00", "to": "card", "reason": "A courtesy", "once": "used"}
    first = asked | {"step": "give"}
    assert _sent_twice(kim, f"{here}/refund", first, {"amount": "30.00"}) == here
    (refund,) = stage.rows(Refund, Refund.payment_id == payment.id)
    assert refund.amount_minor == 2000


def _sent(stage: Stage) -> Order:
    """Three routers and a visit, paid for."""
    order = stage.begin_to_pay(*[stage.world.router.sku] * 3, stage.world.visit.sku)
    stage.pay(stage.operation_of(order))
    stage.drain()
    return order


def _form(kim: Browser, path: str) -> dict[str, str]:
    return next(fields for _, _, fields in Page(kim.get(path)).forms if "once" in fields)


def test_what_is_done_with_an_order_is_done_once_and_as_it_was_asked_first(stage: Stage):
    order, kim = _sent(stage), stage.browser(KIM)
    here = f"/desk/orders/{order.public_id}"
    cancelled = _form(kim, f"{here}/cancel") | {"reason": "changed_mind", "step": "do"}
    cancelled |= {"pieces-1": "1", "pieces-2": "", "pieces-3": ""}
    assert _sent_twice(kim, f"{here}/cancel", cancelled, {"pieces-1": "2"}) == here
    parcel = _form(kim, f"{here}/ship") | {"pieces-1": "1", "carrier": "UPS"}
    assert _sent_twice(kim, f"{here}/ship", parcel, {"number": "1Z999AA10123456784"}) == here
    back = _form(kim, f"{here}/return") | {"reason": "damaged", "step": "do", "here": "yes"}
    back |= {name: "" for name in back if name.startswith("pieces-")} | {"pieces-1": "1"}
    assert _sent_twice(kim, f"{here}/return", back, {"reason": "wrong_item"}) == here
    assert kim.post(f"{here}/return", back).status_code == 303
    assert SAID not in Page(kim.get(here)).text
    other = {name: text for name, text in back.items() if name != "restock-1"}
    assert len(other) == len(back) - 1
    assert kim.post(f"{here}/return", other).status_code == 303
    assert SAID in Page(kim.get(here)).text, "it was put back to stock"
    done = _form(kim, f"{here}/provide") | {"pieces-2": "1"}
    assert kim.post(f"{here}/provide", done).status_code == 303
    line = stage.row(OrderLine, OrderLine.order_id == order.id, OrderLine.line_number == 1)
    assert (line.cancelled, line.fulfilled, line.returned) == (1, 1, 1)


def test_a_form_of_one_act_does_no_other_act(stage: Stage):
    order, kim = _sent(stage), stage.browser(KIM)
    here = f"/desk/orders/{order.public_id}"
    cancelled = _form(kim, f"{here}/cancel") | {"reason": "changed_mind", "step": "do"}
    cancelled |= {name: "" for name in cancelled if name.startswith("pieces-")} | {"pieces-1": "1"}
    assert kim.post(f"{here}/cancel", cancelled).status_code == 303
    fields = _form(kim, f"{here}/change") | {"once": cancelled["once"], "quantity-1": "1"}
    fields |= {"reason": "changed_mind", "step": "do", "token": "1.x"}
    answer = kim.post(f"{here}/change", fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, here)
    assert SAID in Page(kim.get(here)).text
