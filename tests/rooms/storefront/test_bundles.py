"""Bundles and plans on the shop's pages: what is in it, what is due now, what recurs, from when on."""

from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import select, update

from core.catalog.models import Variant
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.money import to_micros
from core.orders.models import Order
from core.prices.models import BundlePrice, Plan, Price
from payments.gateway import Gateway
from tests import packs
from tests.packs import Inside
from tests.paying import fill_cart
from tests.rooms.web.looking import Page, statements
from tests.rooms.web.stage import PASSWORD, Browser, password_hash
from tests.shop import Shop, make_shop
from tests.world import ADDRESS, Goods, World, user


@pytest.fixture
def shop(db: Database, clock: ManualClock, world: World, tmp_path: Path) -> Shop:
    return make_shop(db, clock, tmp_path, cast(Gateway, None), SHELF_SECONDS="0")


@pytest.fixture
def home(db: Database, clock: ManualClock, world: World) -> Goods:
    return db.run_tx(lambda session: packs.home(session, world, clock.now()))


@pytest.fixture
def by_the_year(db: Database, world: World) -> None:
    """The line by the year, at ten months' price."""
    with db.transaction() as session:
        variant = Variant(
            product_id=world.plan.product_id,
            sku="FW-RIVER-100-Y",
            name="River 100, by the year",
            kind="plan",
            tax_category="internet",
            position=2,
        )
        session.add(variant)
        session.flush()
        session.add(
            Price(
                price_list_id=world.price_list_id,
                variant_id=variant.id,
                unit_price_micros=to_micros("450.00"),
            )
        )
        session.add(Plan(variant_id=variant.id, interval="year"))


def read(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return " ".join(Page(answer).text.split())


# --- plans ----------------------------------------------------------------------------------------


def test_a_plan_says_what_is_due_now_what_recurs_and_from_when_it_is_billed(
    shop: Shop, world: World
):
    text = read(Browser(shop), f"/p/{world.plan.slug}")
    assert "Due now: the first month. Then $45.00 a month." in text
    assert "From the day it works. What you pay now is the first month, counted from then" in text


def test_one_that_begins_at_once_is_billed_from_today(db: Database, shop: Shop, world: World):
    with db.transaction() as session:
        session.execute(update(Plan).values(activation="at_once"))
    text = read(Browser(shop), f"/p/{world.plan.slug}")
    assert "From today. What you pay now is the first month, counted from then" in text
    browser = Browser(shop)
    browser.keep("cart", fill_cart(shop.house, world.plan.sku))
    assert "The first month, billed from today." in read(browser, "/cart")


@pytest.mark.usefixtures("by_the_year")
def test_by_the_month_or_by_the_year_is_one_choice_on_one_page(shop: Shop, world: World):
    browser = Browser(shop)
    text = read(browser, f"/p/{world.plan.slug}")
    assert "Paid by the month" in text
    assert "Paid by the year" in text
    assert "You keep $90.00 a year against paying by the month" in text
    assert "the first month or year, counted from then" in text
    assert browser.ask("POST", "/cart/lines", data={"sku": "FW-RIVER-100-Y"}).status_code == 303
    cart = read(browser, "/cart")
    assert "The first year, billed from the day it works." in cart
    assert "Then $450.00 a year for River 100, by the year." in cart


@pytest.mark.usefixtures("by_the_year")
def test_the_bill_of_a_year_says_so(db: Database, shop: Shop, world: World):
    browser = Browser(shop)
    order = ordered(browser, shop, "FW-RIVER-100-Y")
    assert "The first year" in order
    assert "Then $450.00 a year for River 100, by the year." in order


# --- bundles --------------------------------------------------------------------------------------


def test_a_bundles_page_says_what_is_in_it_what_is_due_and_what_is_kept(
    shop: Shop, world: World, home: Goods
):
    text = read(Browser(shop), f"/p/{home.slug}")
    for words in (
        "Wi-Fi 6 router 129.00 101.70",
        "Installation visit 60.00 47.30",
        "Together 189.00 149.00",
        "River 100 45.00 42.00",
        "Due now. Then $42.00 a month for River 100.",
        "You keep $43.00 now and $3.00 a month against buying it apart.",
        "River 100 is billed from the day it works: what you pay for it now is its first month",
        "27 in stock",
    ):
        assert words in text


def test_the_home_page_and_the_shelf_offer_it(shop: Shop, world: World, home: Goods):
    front = read(Browser(shop), "/")
    assert "Put the bundle in the cart" in front
    assert "Together 189.00 149.00" in front
    assert "$191.00 now, then $42.00 a month" in read(Browser(shop), "/c/all")


def test_it_is_sold_out_when_one_of_its_things_is(db: Database, shop: Shop, world: World, home):
    fill_cart(shop.house, *[world.router.sku] * 27)
    assert "Sold out for now" in read(Browser(shop), f"/p/{home.slug}")
    assert "Put the bundle in the cart" not in read(Browser(shop), "/")


def test_in_the_cart_its_pieces_stand_below_it(shop: Shop, home: Goods):
    browser = Browser(shop)
    browser.keep("cart", fill_cart(shop.house, home.sku, home.sku))
    text = read(browser, "/cart")
    for words in (
        "2 at 191.00",
        "then 84.00 a month",
        "Wi-Fi 6 router × 2 203.40",
        "The first month, billed from the day it works 84.00",
        "You keep $86.00 now and $6.00 a month against buying it apart.",
        "Held for you until",
    ):
        assert words in text


def test_a_changed_price_is_said_in_words(db: Database, shop: Shop, home: Goods):
    browser = Browser(shop)
    browser.keep("cart", fill_cart(shop.house, home.sku))
    with db.transaction() as session:
        session.execute(
            update(BundlePrice)
            .where(BundlePrice.charge_kind == "monthly")
            .values(unit_price_micros=44_000_000)
        )
    assert "was $149.00 once and $42.00 a month when you put it in" in read(browser, "/cart")


def test_two_lapsed_lines_that_want_the_same_last_thing_are_not_both_promised_it(
    shop: Shop, world: World, clock: ManualClock
):
    house = shop.house
    watch = house.db.run_tx(
        lambda session: packs.pack(
            session,
            world,
            clock.now(),
            [Inside(world.camera, quantity=2)],
            {"one_off": "99.00"},
            sku="FW-WATCH",
            name="Watch",
        )
    )
    mine = fill_cart(house, watch.sku, world.camera.sku)
    clock.advance(house.rules.hold_for)
    fill_cart(house, world.camera.sku, world.camera.sku)
    browser = Browser(shop)
    browser.keep("cart", mine)
    text = read(browser, "/cart")
    assert "The hold on Watch has ended" in text
    assert "None left right now" in text


def ordered(browser: Browser, shop: Shop, *skus: str) -> str:
    """The text of the order that these have become, by bill."""
    browser.keep("cart", fill_cart(shop.house, *skus))
    form = {**ADDRESS, "email": "guest@example.com", "payment_method": "invoice"}
    assert browser.post("/checkout", {**form, "step": "total"}).status_code == 303
    page = Page(browser.get("/checkout?pay=invoice"))
    (fields,) = [fields for action, _, fields in page.forms if action == "/checkout"]
    total = fields["expected_total"]
    placed = browser.post("/checkout", {**form, "step": "pay", "expected_total": total})
    assert placed.status_code == 303
    shop.drain()
    assert "It is yours" in read(browser, placed.location)
    return read(browser, placed.location.removesuffix("/thanks"))


def test_checkout_order_and_mail_tell_the_pieces(shop: Shop, home: Goods):
    text = ordered(Browser(shop), shop, home.sku)
    for words in (
        "River at home 191.00 191.00",
        "Wi-Fi 6 router 101.70",
        "Sales tax 6.61",
        "197.61",
    ):
        assert words in text
    assert "Then $42.00 a month for River 100." in text
    mail = shop.post.to("guest@example.com")[0].get_body(("plain",))
    assert mail is not None
    told = mail.get_content()
    assert told.index("River at home") < told.index("  Wi-Fi 6 router") < told.index("Together")


def test_the_desk_sees_each_piece_with_its_part_of_the_price(
    db: Database, shop: Shop, clock: ManualClock, home: Goods
):
    ordered(Browser(shop), shop, home.sku)
    with db.transaction() as session:
        kim = user(session, clock.now(), email="kim@example.com", name="Kim Lund")
        kim.password_hash, kim.is_staff, kim.roles = password_hash(), True, ["admin"]
        public_id = session.scalars(select(Order.public_id)).one()
    desk = Browser(shop)
    entry = {"email": "kim@example.com", "password": PASSWORD}
    assert desk.post("/desk/login", entry).status_code == 303
    text = read(desk, f"/desk/orders/{public_id}")
    assert "FW-RT-6 – Wi-Fi 6 router, 129 of 189; alone 129.00 1 101.70" in text
    assert read(desk, "/desk/orders").count("Wi-Fi 6 router") == 0


def test_pages_ask_no_more_for_many_bundles_than_for_one(
    db: Database, shop: Shop, clock: ManualClock, world: World
):
    def put(number: int) -> str:
        inside = [Inside(world.visit, weight=number), Inside(world.plan), Inside(world.router)]
        prices: dict[str, str | int] = {"one_off": "90.00", "monthly": "40.00"}
        return db.run_tx(
            lambda session: packs.pack(
                session, world, clock.now(), inside, prices, sku=f"FW-B{number}", name=f"B{number}"
            )
        ).sku

    def asked(*skus: str) -> dict[str, int]:
        browser = Browser(shop)
        browser.keep("cart", fill_cart(shop.house, *skus))
        counts = {}
        for path in ("/terms", "/", "/c/all", "/p/fw-b0", "/cart", "/checkout"):
            with statements(db) as sent:
                assert browser.get(path).status_code == 200
            counts[path] = len(sent)
        return counts

    rules = Browser(shop)
    rules.keep("cart", fill_cart(shop.house, world.router.sku))
    rules.get("/checkout")  # taxes and ways of delivery are kept from then on
    one = asked(put(0))
    assert asked(*(put(number) for number in range(1, 8))) == one | {"/terms": 1}
