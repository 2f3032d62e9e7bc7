"""Walk (a) by the pages alone, as a browser without JavaScript goes through it."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from core.orders.models import Order
from core.prices.models import Price
from flows.verify import verify
from payments.models import PaymentOperation
from tests import world as worlds
from tests.paying import fill_cart
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import RILEY, Browser, Stage
from tests.world import ADDRESS, ZONE, Goods


class Shopper:
    """A guest who presses the buttons that stand on the pages."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.browser = stage, stage.browser()
        self.email = f"{self.browser.token()[:10].lower().strip('-_')}@example.com"
        self.form = ADDRESS | {"email": self.email, "payment_method": "card"}

    def read(self, path: str) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return Page(answer).text

    def put(self, sku: str, quantity: str = "1") -> None:
        answer = self.browser.ask("POST", "/cart/lines", data={"sku": sku, "quantity": quantity})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/cart")

    def press(self, button: str, **fields: str) -> str:
        """Send the form of the cart's page whose button says so; answers what the cart says then."""
        page = Page(self.browser.get("/cart"))
        action = next(action for action, _, _ in page.forms if action.startswith(button))
        assert self.browser.post(action, fields).status_code == 303
        return self.read("/cart")

    def total(self, **changes: str) -> str:
        """Ask for the total; answers the page that it leads to."""
        answer = self.browser.post("/checkout", self.form | changes | {"step": "total"})
        assert answer.status_code == 303, Page(answer).text
        return str(answer.headers["Location"])

    def pay(self, **changes: str):
        """Press the last button, with the total as the page carries it."""
        page = Page(self.browser.get(self.total(**changes)))
        (fields,) = [fields for action, _, fields in page.forms if action == "/checkout"]
        form = self.form | {"expected_total": fields["expected_total"]} | changes
        return self.browser.post("/checkout", form | {"step": "pay"})

    def orders(self) -> list[Order]:
        return self.stage.rows(Order, Order.email == self.email)


@pytest.fixture
def shopper(stage: Stage) -> Shopper:
    return Shopper(stage)


@pytest.fixture
def thing(stage: Stage, shopper: Shopper) -> Goods:
    """Something of which there are three, for this test alone: 9.00."""
    sku = f"T-{shopper.browser.token()[:8]}"
    with stage.db.transaction() as session:
        now, world = stage.clock.now(), stage.world
        shelf = worlds._Shelf(session, now, world.price_list_id, world.location_id)
        category = shelf.category(sku.lower(), "Things", 9)
        return shelf.put(category, sku, f"Thing {sku}", "physical", "device", "9.00", 3)


def test_from_the_shelf_to_the_thanks(shopper: Shopper, thing: Goods):
    stage = shopper.stage
    assert "3 left" in shopper.read(f"/p/{thing.slug}")
    shopper.put(thing.sku, "2")
    cart = shopper.read("/cart")
    until = (stage.clock.now() + timedelta(minutes=30)).astimezone(ZoneInfo(ZONE))
    assert f"Held for you until {until:%H:%M}." in cart
    assert "18.00" in cart
    assert shopper.read("/cart/count").startswith("2")
    assert "1 left" in shopper.read(f"/p/{thing.slug}"), "what is held is nobody else's"

    # 18.00 for the things and 6.90 for delivery; 6.5 % on the things
    checkout = shopper.read(shopper.total())
    assert "26.07" in checkout
    pressed = shopper.pay()
    seen = stage.sandbox.pay(pressed.headers["Location"])
    assert seen.redirect
    back = urlsplit(seen.redirect).path
    assert "Checking your payment" in shopper.read(back)
    thanks = shopper.browser.post(back)
    assert thanks.status_code == 303
    path = urlsplit(thanks.headers["Location"]).path
    assert "Thank you, Riley" in shopper.read(path)
    assert shopper.read("/cart/count") == ""
    stage.drain()
    order = shopper.read(path.removesuffix("/thanks"))
    assert "Paid" in order
    assert "26.07" in order
    assert [order.lifecycle for order in shopper.orders()] == ["confirmed"]
    found = verify(stage.db, stage.clock, blobs=stage.house.blobs)
    assert [line for line in found if not line.holds] == []


def test_the_carts_buttons_change_it(shopper: Shopper, thing: Goods):
    shopper.put(thing.sku)
    assert "27.00" in shopper.press("/cart/lines/", quantity="3")
    assert "3 at 9.00" not in shopper.press("/cart/lines/", quantity="1")
    assert "Nothing in it yet" in shopper.press("/cart/lines/", quantity="0")
    assert "3 left" in shopper.read(f"/p/{thing.slug}")


def test_more_than_there_is_is_said_in_words(shopper: Shopper, thing: Goods):
    shopper.put(thing.sku, "4")
    assert f"Only 3 of {thing.sku} can be had right now" in shopper.read("/cart")
    assert shopper.read("/cart/count") == ""
    shopper.put(thing.sku, "3")
    other = Shopper(shopper.stage)
    other.put(thing.sku)
    assert other.read("/cart/count") == ""
    assert "Sold out for now" in other.read(f"/p/{thing.slug}")


def test_a_hold_that_has_ended_is_taken_again_by_a_button(shopper: Shopper, thing: Goods):
    shopper.put(thing.sku)
    shopper.stage.clock.advance(timedelta(minutes=31))
    shopper.stage.sandbox.set_clock(shopper.stage.clock.now().timestamp())
    assert "has ended" in shopper.read("/cart")
    assert "Held for you until" in shopper.press("/cart/hold")


def test_pages_say_how_long_this_shop_holds_things(shopper: Shopper, thing: Goods):
    stage = shopper.stage
    wired = stage.shop.app.extensions["counterfoil"]
    rules = replace(wired.house.rules, hold_for=timedelta(minutes=45))
    other = replace(wired, house=replace(wired.house, rules=rules))
    stage.shop.app.extensions["counterfoil"] = other
    try:
        for path in ("/", "/cart", "/terms", f"/p/{thing.slug}"):
            assert "45 minutes" in shopper.read(path), path
    finally:
        stage.shop.app.extensions["counterfoil"] = wired


def test_what_is_missing_is_told_at_its_field_and_nothing_is_ordered(
    shopper: Shopper, thing: Goods
):
    shopper.put(thing.sku)
    wrong = {"name": "", "email": "nobody", "region": "XX", "postal_code": "4309", "step": "pay"}
    answer = shopper.browser.post("/checkout", shopper.form | wrong)
    assert answer.status_code == 422
    text = Page(answer).text
    for words in (
        "Tell us who it is for.",
        "That does not look like an e-mail address.",
        "Give the state as two letters",
        "A ZIP code has five digits",
    ):
        assert words in text
    assert shopper.stage.rows(Order, Order.email == "nobody") == []


def test_a_total_that_changed_is_shown_before_anything_is_ordered(shopper: Shopper, thing: Goods):
    shopper.put(thing.sku)
    page = Page(shopper.browser.get(shopper.total()))
    (fields,) = [fields for action, _, fields in page.forms if action == "/checkout"]
    with shopper.stage.db.transaction() as session:
        dearer = update(Price).where(Price.variant_id == thing.variant_id)
        session.execute(dearer.values(unit_price_micros=10_000_000))
    seen = {name: fields[name] for name in ("expected_total", "seen")} | {"step": "pay"}
    answer = shopper.browser.post("/checkout", shopper.form | seen)
    assert answer.status_code == 409
    told = Page(answer).text
    assert "The total has changed from $16.49 to $17.55" in told
    assert f"Thing {thing.sku} 9.00 10.00" in told
    assert "Tax 0.59 0.65" in told
    assert shopper.orders() == []
    assert shopper.pay().status_code == 303


def test_coming_back_unpaid_gives_the_cart_back(shopper: Shopper, thing: Goods):
    shopper.put(thing.sku)
    pressed = shopper.pay()
    (order,) = shopper.orders()
    path = f"/pay/{shopper.stage.operation_of(order).public_id}/cancelled"
    assert "What was in your cart is still there for you" in shopper.read(path)
    assert [order.lifecycle for order in shopper.orders()] == ["pending"], "looking changes nothing"
    assert shopper.browser.post(path).headers["Location"] == "/cart"
    cart = shopper.read("/cart")
    assert "nothing was charged" in cart
    assert "Held for you until" in cart
    assert [order.lifecycle for order in shopper.orders()] == ["cancelled"]
    assert shopper.stage.sandbox.pay(pressed.headers["Location"]).redirect is None


def test_the_last_button_pressed_twice_is_one_order_and_one_visit(shopper: Shopper, thing: Goods):
    shopper.put(thing.sku)
    first, second = shopper.pay(), shopper.pay()
    assert first.headers["Location"] == second.headers["Location"]
    (order,) = shopper.orders()
    operations = PaymentOperation.order_id == order.id
    assert len(shopper.stage.rows(PaymentOperation, operations)) == 1


def test_an_order_on_terms_goes_straight_to_the_thanks(shopper: Shopper, thing: Goods):
    shopper.put(thing.sku)
    answer = shopper.pay(payment_method="invoice")
    path = urlsplit(answer.headers["Location"]).path
    assert path.endswith("/thanks")
    shopper.stage.drain()
    assert "Waiting" not in shopper.read(path)
    assert "To be paid by bill" in shopper.read(path.removesuffix("/thanks"))


def test_whoever_is_logged_in_orders_on_their_account(stage: Stage, thing: Goods):
    shopper = Shopper(stage)
    shopper.browser = stage.browser(RILEY)
    shopper.put(thing.sku)
    assert "riley@example.com" in shopper.browser.get("/checkout").get_data(as_text=True)
    shopper.pay(payment_method="invoice")
    (order,) = shopper.orders()
    assert order.payer_account_id == stage.accounts[RILEY]


def test_a_cart_is_found_by_nothing_but_its_own_cookie(stage: Stage, thing: Goods):
    cart_id = fill_cart(stage.house, thing.sku)
    for value in ("", cart_id[:-1], cart_id.upper(), "0" * 32, "' OR 1=1 --"):
        browser = stage.browser()
        browser.keep("cart", value)
        assert "Nothing in it yet" in Page(browser.get("/cart")).text
    browser = stage.browser()
    browser.keep("cart", cart_id)
    assert "Held for you until" in Page(browser.get("/cart")).text


def test_nobody_changes_a_line_of_another_cart(stage: Stage, thing: Goods):
    theirs = Shopper(stage)
    theirs.put(thing.sku)
    page = Page(theirs.browser.get("/cart"))
    line = next(action for action, _, _ in page.forms if action.startswith("/cart/lines/"))
    mine: Browser = stage.browser()
    mine.ask("POST", "/cart/lines", data={"sku": "FW-VISIT"})
    mine.post(line, {"quantity": "0"})
    assert "not in your cart any more" in Page(mine.get("/cart")).text
    assert theirs.read("/cart/count").startswith("1")
