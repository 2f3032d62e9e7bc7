"""What strangers type comes out as words, on every page and in every mail, and is never run."""

from email.message import EmailMessage
from html import escape
from urllib.parse import urlsplit

import pytest
from sqlalchemy import update
from werkzeug.test import TestResponse

from core.catalog.models import Category, Product, Variant
from core.kernel.ids import new_public_id
from core.orders.models import Order
from payments.models import Payment
from tests import world as worlds
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, PASSWORD, Browser, Stage
from tests.world import ADDRESS

SCRIPT, FORMULA = "<script>alert(1)</script>", "{{7*7}}${7*7}"
BREAKOUT = "\"'><img src=x onerror=alert(2)>"
#: Short enough for every field.
HOSTILE = f"{SCRIPT}{BREAKOUT}{FORMULA}"


def _assert_words(answer: TestResponse, *shown: str) -> str:
    """The page holds the words as words; answers its HTML."""
    html = answer.get_data(as_text=True)
    where = answer.request.path if answer.request else "?"
    assert answer.mimetype == "text/html", where
    _assert_harmless(html, where)
    page = Page(answer)
    for words in shown or (HOSTILE,):
        assert words in page.text or words in page.values, (where, words)
    return html


def _assert_harmless(html: str, where: str) -> None:
    for raw in (SCRIPT, BREAKOUT, "<img src=x", "<script>"):
        assert raw not in html, where
    assert "49${" not in html, where
    assert "{{49}}" not in html, where


class Goods:
    """A product that somebody named badly."""

    def __init__(self, stage: Stage) -> None:
        now, world = stage.clock.now(), stage.world
        self.sku = f"X-{new_public_id()[:8]}"
        with stage.db.transaction() as session:
            shelf = worlds._Shelf(session, now, world.price_list_id, world.location_id)
            self.category = f"x-{self.sku.lower()}"
            category = shelf.category(self.category, HOSTILE, 99)
            made = shelf.put(category, self.sku, self.sku, "physical", "device", "9.00", 50)
            self.slug, key = made.slug, made.product_id
            session.execute(update(Category).where(Category.id == category).values(intro=HOSTILE))
            session.execute(
                update(Product)
                .where(Product.id == key)
                .values(name=HOSTILE, summary=HOSTILE, description=HOSTILE, facts=[[HOSTILE] * 2])
            )
            session.execute(update(Variant).where(Variant.product_id == key).values(name=HOSTILE))


@pytest.fixture
def goods(stage: Stage) -> Goods:
    return Goods(stage)


def test_words_from_the_shelves(stage: Stage, goods: Goods):
    """On a process of its own: the shelves are kept for half a minute."""
    browser = Browser(stage.another_shop())
    for path in ("/c/all", f"/c/{goods.category}", f"/p/{goods.slug}"):
        _assert_words(browser.get(path))
    browser.post("/cart/lines", {"sku": goods.sku})
    for path in ("/cart", "/checkout"):
        _assert_words(browser.get(path))


def _order(stage: Stage, goods: Goods, email: str) -> Order:
    """Order by the pages alone, with every field filled."""
    browser = stage.browser()
    browser.post("/cart/lines", {"sku": goods.sku})
    typed = {"name": HOSTILE, "line1": HOSTILE, "line2": HOSTILE, "city": HOSTILE[:80]}
    form = (
        ADDRESS
        | typed
        | {
            "email": email,
            "phone": FORMULA,
            "payment_method": "invoice",
        }
    )
    wrong = browser.post("/checkout", form | {"step": "total", "postal_code": BREAKOUT})
    assert wrong.status_code == 422
    _assert_words(wrong, HOSTILE, BREAKOUT, FORMULA)
    summed = browser.post("/checkout", form | {"step": "total"})
    page = browser.get(summed.headers["Location"])
    _assert_words(page, HOSTILE, HOSTILE[:80], email)
    placed = browser.post("/checkout", form | {"step": "pay"})
    assert placed.status_code == 303
    thanks = urlsplit(placed.headers["Location"]).path
    stage.drain()
    _assert_words(browser.get(thanks), HOSTILE, email)
    found: Order = stage.row(Order, Order.public_id == thanks.split("/")[2])
    return found


def test_words_from_an_order_that_a_stranger_filled_in(stage: Stage, goods: Goods):
    email = f"{{{{7*7}}}}'&{new_public_id()[:8]}@example.com"
    order = _order(stage, goods, email)
    bill = stage.bill_of(order)
    guest, kim = stage.browser(), stage.browser(KIM)
    link = f"/o/{order.public_id}/{stage.house.links.order_token(order.public_id)}"
    _assert_words(guest.get(link), HOSTILE, HOSTILE[:80])
    _assert_words(guest.get(f"{link}/bills/{bill.public_id}"))

    paying = guest.post(f"{link}/pay").headers["Location"]
    _assert_harmless(stage.sandbox.look(paying).body, "the processor's page")
    seen = stage.sandbox.pay(paying)
    assert seen.redirect
    back = urlsplit(seen.redirect).path
    _assert_harmless(guest.get(back).get_data(as_text=True), back)
    assert guest.post(back).status_code == 303
    stage.drain()
    payment = stage.row(Payment, Payment.account_id == order.payer_account_id)

    for path in ("/desk", "/desk/orders", "/desk/invoices", "/desk/payments"):
        _assert_words(kim.get(path))
    _assert_words(kim.get(f"/desk/orders/{order.public_id}"), HOSTILE, email)
    _assert_words(kim.get(f"/desk/invoices/{bill.public_id}"))
    _assert_words(kim.get(f"/desk/payments/{payment.public_id}"))
    mails = stage.shop.post.to(email)
    assert len(mails) == 3, "the order, the bill, the receipt"
    assert _assert_mails(mails) >= 2


def _assert_mails(mails: list[EmailMessage]) -> int:
    """No mail runs what was typed; answers how many repeat it."""
    repeated = 0
    for mail in mails:
        html, plain = mail.get_body(("html",)), mail.get_body(("plain",))
        assert html is not None
        assert plain is not None
        _assert_harmless(html.get_content(), str(mail["Subject"]))
        assert "{{49}}" not in plain.get_content()
        assert "\n" not in str(mail["Subject"])
        repeated += escape(SCRIPT) in html.get_content() and SCRIPT in plain.get_content()
    return repeated


def test_words_from_somebody_who_registers(stage: Stage):
    email, browser = f"{new_public_id()[:12]}@example.com", stage.browser()
    form = {"name": HOSTILE, "email": email, "password": PASSWORD}
    wrong = browser.post("/account/register", form | {"email": HOSTILE})
    assert wrong.status_code == 422
    _assert_words(wrong)
    assert browser.post("/account/register", form).status_code == 303
    for path in ("/account", "/account/bills", "/account/payments", "/account/pay"):
        _assert_words(browser.get(path))
    stage.drain()
    (mail,) = stage.shop.post.to(email)
    assert _assert_mails([mail]) == 0, "who writes no name of theirs is not greeted by it"


def test_words_that_are_sent_back_at_the_doors(one_stage: Stage):
    browser = one_stage.browser()
    for path in ("/account/login", "/desk/login"):
        _assert_words(browser.post(path, {"email": HOSTILE, "password": "wrong", "next": HOSTILE}))
        _assert_words(browser.get(path, query_string={"next": HOSTILE, "email": HOSTILE}))
    _assert_words(browser.get("/account/forgot", query_string={"email": HOSTILE}))
    _assert_words(browser.get("/account/register", query_string={"name": HOSTILE, "next": HOSTILE}))
    browser.post("/account/forgot", {"email": HOSTILE})


def test_words_that_staff_look_for(stage: Stage):
    kim = stage.browser(KIM)
    for name in ("orders", "invoices", "payments", "jobs"):
        query = {"q": HOSTILE, "state": HOSTILE, "kind": HOSTILE}
        _assert_words(kim.get(f"/desk/{name}", query_string=query), HOSTILE)


def test_words_that_an_error_repeats(stage: Stage):
    browser = stage.browser()
    browser.post("/cart/lines", {"sku": HOSTILE})
    _assert_words(browser.get("/cart"), f"Nothing is sold under {HOSTILE}.")
    browser.post("/cart/lines", {"sku": "FW-VISIT", "quantity": HOSTILE})
    _assert_words(browser.get("/cart"), "Choose a quantity from 1 to 99.")
    for path in (f"/p/{HOSTILE}", f"/{HOSTILE}", f"/c/{HOSTILE}", f"/account/reset/{HOSTILE}"):
        _assert_harmless(browser.get(path).get_data(as_text=True), path)
