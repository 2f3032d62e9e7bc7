"""The cart's page: what came along at log-in, what is saved for later, what can't be bought any more."""

import pytest
from sqlalchemy import update

from cart.models import Cart
from core.catalog.models import Variant
from core.parties.models import User
from core.prices.models import Price
from tests import world as worlds
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import PASSWORD, Browser, Stage, password_hash
from tests.world import Goods


@pytest.fixture
def thing(stage: Stage) -> Goods:
    """Something of which there are three, for this test alone: 9.00."""
    sku = f"C-{len(stage.rows(Variant))}"
    with stage.db.transaction() as session:
        world = stage.world
        shelf = worlds._Shelf(session, stage.clock.now(), world.price_list_id, world.location_id)
        category = shelf.category(sku.lower(), "Things", 9)
        return shelf.put(category, sku, f"Thing {sku}", "physical", "device", "9.00", 3)


def put(browser: Browser, sku: str, quantity: int = 1) -> None:
    answer = browser.ask("POST", "/cart/lines", data={"sku": sku, "quantity": quantity})
    assert answer.headers["Location"] == "/cart"


def read(browser: Browser) -> str:
    return Page(browser.get("/cart")).text


def press(browser: Browser, ending: str) -> str:
    """Send the cart's form whose address ends so; answers what the cart says then."""
    actions = [action for action, _, _ in Page(browser.get("/cart")).forms]
    action = next(one for one in actions if one.endswith(ending))
    assert browser.post(action).status_code == 303
    return read(browser)


def log_in(stage: Stage, browser: Browser, who: str) -> None:
    with stage.db.transaction() as session:
        user = session.get_one(User, stage.people[who])
        email, user.password_hash = user.email, password_hash()
    answer = browser.post("/account/login", {"email": email, "password": PASSWORD})
    assert answer.status_code == 303


def test_an_accounts_cart_is_the_same_on_every_device(stage: Stage, thing: Goods):
    who = stage.newcomer()
    phone, desktop = stage.browser(), stage.browser()
    put(phone, thing.sku)
    log_in(stage, phone, who)
    assert phone.cookie("cart") is None
    put(desktop, thing.sku, 2)
    put(desktop, "FW-VISIT")
    log_in(stage, desktop, who)
    said = read(desktop)
    assert "is in your cart now, with what was there" in said
    assert "3 at 9.00" in said
    assert "3 at 9.00" in read(phone)
    assert Page(phone.get("/cart/count")).text.startswith("4")
    phone.post("/account/logout")
    assert "Nothing in it yet" in read(phone)
    assert len(stage.rows(Cart, Cart.user_id == stage.people[who])) == 1


def test_saved_for_later_outlives_the_cart_and_tells_another_price(stage: Stage, thing: Goods):
    browser = stage.browser()
    put(browser, thing.sku, 2)
    assert "Saved for later" in press(browser, "/save")
    with stage.db.transaction() as session:
        mine = Price.variant_id == thing.variant_id
        session.execute(update(Price).where(mine).values(unit_price_micros=11_000_000))
        session.execute(
            update(Cart).where(Cart.public_id == browser.cookie("cart")).values(state="ordered")
        )
    put(browser, "FW-VISIT")
    assert "was 9.00 when you saved it" in read(browser)
    saved = next(action for action, _, _ in Page(browser.get("/cart")).forms if "/saved/" in action)
    browser.post(saved)
    assert "2 at 11.00" in read(browser)


def test_what_cannot_be_bought_any_more_stays_explained_until_it_is_taken_out(
    stage: Stage, thing: Goods
):
    browser = stage.browser()
    put(browser, thing.sku)
    put(browser, "FW-VISIT")
    with stage.db.transaction() as session:
        session.execute(update(Variant).where(Variant.id == thing.variant_id).values(active=False))
    page = Page(browser.get("/cart"))
    assert "It cannot be bought any more" in page.text
    assert "We do not sell this any more. Take it out to go on." in page.text
    for action in {one for one, _, _ in page.forms if one.startswith("/cart/lines/")}:
        if not action.endswith("/save"):
            browser.post(action, {"quantity": "0"})
    assert "cannot be bought" not in read(browser)


def test_a_zip_code_in_the_cart_tells_delivery_and_tax(stage: Stage):
    browser = stage.browser()
    put(browser, "FW-RT-6")
    assert "Worked out from your address" in read(browser)
    wrong = browser.post("/cart/place", {"postal_code": "00000"})
    assert (wrong.status_code, "There is no such ZIP code." in Page(wrong).text) == (422, True)
    assert browser.post("/cart/place", {"postal_code": "43099"}).status_code == 303
    told = read(browser)
    assert "For OH 43099" in told
    assert "Worked out from your address" not in told


def test_a_cart_is_shared_by_its_link_and_taken_by_others(stage: Stage, thing: Goods):
    mine, other = stage.browser(), stage.browser()
    put(mine, thing.sku, 2)
    link = mine.post("/cart/share").headers["Location"]
    assert f"Thing {thing.sku}" in Page(other.get(link)).text
    for _ in range(2):
        assert other.post(link).headers["Location"] == "/cart"
    said = read(other)
    assert "Only 1" in said or "1 of" in said
    assert Page(other.get("/cart/count")).text.startswith("1")
