"""A business tells its VAT id, in its account and at checkout, in a shop that has a use for it."""

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from app.web import create_app
from cart.delivery_models import DeliveryMethod
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.parties import accounts, users
from core.parties.models import Account, User
from core.tax.register import Verdict
from payments.gateway import Gateway
from tests.flows.selling import PARIS, Seller
from tests.paying import fill_cart
from tests.rooms.web.stage import PASSWORD, Browser, password_hash
from tests.shop import Shop, make_shop
from tests.world import World

FRENCH = "FR61954506077"


class Register:
    """Knows one business."""

    def check(self, number: str) -> Verdict:
        if number == FRENCH:
            return Verdict("valid", "Quai SARL", "W1")
        return Verdict("invalid")


@pytest.fixture
def shop(db: Database, clock: ManualClock, world: World, tmp_path: Path) -> Shop:
    """Sells from Germany; asks the register."""
    made = make_shop(db, clock, tmp_path, cast(Gateway, None))
    house = replace(made.house, vat_register=Register())
    seller = Seller(house, world)
    seller.move("DE", "EUR", included=False, rounding="document")
    seller.levy("FR", "VAT", 200_000)
    seller.customer()
    with db.transaction() as session:
        session.query(DeliveryMethod).filter_by(country="US").delete()
    app = create_app(made.settings, house)
    app.testing = False
    return Shop(house, made.settings, app, made.post)


@pytest.fixture
def riley(shop: Shop) -> Browser:
    with shop.house.db.transaction() as session:
        session.query(User).one().password_hash = password_hash()
    browser = Browser(shop)
    browser.get("/account/login")
    form = {"email": "riley@example.com", "password": PASSWORD}
    assert browser.post("/account/login", form).status_code == 303
    return browser


def account(shop: Shop) -> Account:
    with shop.house.db.reading() as session:
        return session.query(Account).order_by(Account.created_at).first()


def test_the_owner_enters_it_and_sees_what_the_register_says(shop: Shop, riley: Browser):
    form = {"account": account(shop).public_id, "vat_id": "fr 61 954 506 077"}
    assert riley.post("/account/tax", form).status_code == 303
    assert account(shop).vat_id == FRENCH
    shown = riley.get("/account/tax").text
    assert FRENCH in shown
    assert "Confirmed" in shown
    assert "Quai SARL" in shown
    assert riley.post("/account/tax", {**form, "vat_id": ""}).status_code == 303
    assert account(shop).vat_id is None


def test_what_has_not_the_form_is_told_at_the_field_and_what_is_unknown_is_said(shop, riley):
    form = {"account": account(shop).public_id, "vat_id": "DE136695977"}
    answer = riley.post("/account/tax", form)
    assert answer.status_code == 422
    assert "Is there a digit mistyped?" in answer.text
    assert account(shop).vat_id is None
    assert riley.post("/account/tax", {**form, "vat_id": "DE136695976"}).status_code == 303
    assert "Not known to the register" in riley.get("/account/tax").text


def test_only_an_owner_may(shop: Shop, riley: Browser, clock: ManualClock):
    with shop.house.db.transaction() as session:
        user = users.add(session, "june@example.com", "June Alder", password_hash(), clock.now())
        accounts.join(session, user.id, account(shop).id, "payer", clock.now())
    june = Browser(shop)
    june.get("/account/login")
    june.post("/account/login", {"email": "june@example.com", "password": PASSWORD})
    form = {"account": account(shop).public_id, "vat_id": FRENCH}
    assert june.post("/account/tax", form).status_code == 404
    assert account(shop).vat_id is None
    assert "No account of your own" in june.get("/account/tax").text


def test_checkout_asks_for_the_country_and_the_vat_id_and_says_what_becomes_of_it(shop: Shop):
    browser = Browser(shop)
    browser.get("/checkout")
    browser.keep("cart", fill_cart(shop.house, "FW-RT-6"))
    page = browser.get("/checkout").text
    assert "VAT id, for a business" in page
    assert "France" in page
    assert "Postal code" in page
    assert "State" not in page
    form = {**PARIS, "email": "quai@example.com", "payment_method": "invoice", "step": "total"}
    wrong = browser.post("/checkout", {**form, "vat_id": "FR1"})
    assert wrong.status_code == 422
    assert browser.post("/checkout", {**form, "vat_id": FRENCH}).status_code == 303
    sums = browser.get("/checkout?pay=invoice").text
    assert "No VAT is charged: your business accounts for it." in sums
    assert "135.90" in sums
    unknown = {**form, "vat_id": "FR40303265045"}
    assert browser.post("/checkout", unknown).status_code == 303
    sums = browser.get("/checkout?pay=invoice").text
    assert "VAT is charged: the register of VAT ids does not confirm this one now." in sums
    assert "163.08" in sums
