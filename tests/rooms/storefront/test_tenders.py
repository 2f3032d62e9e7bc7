"""A gift card and the own credit at checkout, by the pages alone and without JavaScript."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select

from cart.models import Cart
from core.ledger import gift_codes
from core.ledger.tender_models import GiftCard, Tender
from core.orders.models import Order
from core.parties.models import Account
from tests.giving import give_credit, new_card
from tests.paying import fill_cart
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import NOBODY, Browser, Stage
from tests.world import ADDRESS


@dataclass
class Till:
    """A shopper with a visit (60.00) in the cart."""

    stage: Stage
    browser: Browser
    cart_id: str
    email: str

    def send(self, **fields: str):
        """Send the checkout form as it stands, with these fields."""
        page = Page(self.browser.get("/checkout"))
        shown = next(form for action, _, form in page.forms if action == "/checkout")
        expected = {"expected_total": shown.get("expected_total", "")}
        form = ADDRESS | {"email": self.email, "payment_method": "card"} | expected | fields
        return self.browser.post("/checkout", form)

    def see(self, answer) -> str:
        assert answer.status_code == 303, Page(answer).text
        return Page(self.browser.get(answer.headers["Location"])).text

    def orders(self) -> list[Order]:
        return self.stage.rows(Order, Order.email == self.email)


@pytest.fixture
def till(stage: Stage) -> Till:
    return new_till(stage)


def new_till(stage: Stage, who: str = NOBODY) -> Till:
    browser = stage.browser(who)
    cart_id = fill_cart(stage.house, stage.world.visit.sku)
    browser.keep("cart", cart_id)
    return Till(stage, browser, cart_id, f"{cart_id[:10]}@example.com")


def test_a_gift_card_takes_its_part_and_the_card_the_rest(till: Till):
    code = new_card(till.stage)
    text = till.see(till.send(step="total", gift_card=f" {code[:4]}-{code[4:].lower()} "))
    assert f"Gift card ending {code[-4:]} −50.00" in text.replace("$", "")
    assert "By card now 10.00" in text.replace("$", "")
    paid = till.send(step="pay")
    assert paid.status_code == 303
    (order,) = till.orders()
    kinds = [
        (row.kind, row.amount_minor)
        for row in sorted(
            till.stage.rows(Tender, Tender.order_id == order.id), key=lambda row: row.position
        )
    ]
    assert kinds == [("gift_card", 5000), ("card", 1000)]
    again = Page(till.browser.get("/checkout")).text
    assert f"Gift card ending {code[-4:]}" in again
    assert "We know no gift card" not in again


def test_a_code_typed_with_the_last_button_shows_the_sums_first(till: Till):
    code = new_card(till.stage)
    till.see(till.send(step="total"))
    text = till.see(till.send(step="pay", gift_card=code))
    assert "By card now" in text
    assert till.orders() == []


def test_two_cards_cover_it_and_the_order_stands_at_once(till: Till):
    codes = [new_card(till.stage) for _ in range(2)]
    for code in codes:
        text = till.see(till.send(step="total", gift_card=code))
    assert "nothing is left to pay" in text
    answer = till.send(step="pay")
    assert answer.headers["Location"].endswith("/thanks")
    (order,) = till.orders()
    assert order.payment == "paid"
    thanks = Page(till.browser.get(answer.headers["Location"])).text
    assert f"Gift card ending {codes[0][-4:]}" in thanks
    assert f"Gift card ending {codes[1][-4:]}" in thanks


def test_a_card_is_taken_off_again(till: Till):
    code = new_card(till.stage)
    till.see(till.send(step="total", gift_card=code))
    public_id = till.stage.row(GiftCard, GiftCard.code_hash == gift_codes.hash_of(code)).public_id
    text = till.see(till.send(drop=public_id))
    assert "Gift card ending" not in text
    assert till.stage.row(Cart, Cart.public_id == till.cart_id).paying is None


@pytest.mark.parametrize("code", ["0000-0000-0000-0000", "rubbish", "𝟙" * 16, "'; --", "x" * 3000])
def test_an_unknown_code_is_told_at_its_field(till: Till, code: str):
    answer = till.send(step="total", gift_card=code)
    page = Page(answer)
    assert answer.status_code == 422
    assert "We know no gift card with this code" in page.text
    assert "gift_card-error" in page.values
    assert till.orders() == []


def test_an_empty_card_looks_like_an_unknown_one(till: Till):
    code = new_card(till.stage)
    other = new_till(till.stage)
    other.see(other.send(step="total", gift_card=code))
    assert other.send(step="pay").status_code == 303
    spent = Page(till.send(step="total", gift_card=code)).text
    unknown = Page(till.send(step="total", gift_card="0000-0000-0000-0000")).text
    assert spent.replace(code, "") == unknown.replace("0000-0000-0000-0000", "")


def test_the_own_credit_is_offered_to_whoever_has_some(stage: Stage):
    poor, who = new_till(stage, stage.newcomer()), stage.newcomer()
    assert "Use my credit" not in Page(poor.browser.get("/checkout")).text
    with stage.db.transaction() as session:
        account = session.scalars(select(Account).where(Account.id == stage.accounts[who])).one()
        give_credit(session, account, 2500, stage.house)
    till = new_till(stage, who)
    assert "Use my credit of $25.00" in Page(till.browser.get("/checkout")).text
    text = till.see(till.send(step="total", use_credit="y"))
    assert "By card now 35.00" in text.replace("$", "")
    assert till.send(step="pay", use_credit="y").status_code == 303
    (order,) = till.orders()
    taken = till.stage.rows(Tender, Tender.order_id == order.id, Tender.kind == "credit")
    assert [row.amount_minor for row in taken] == [2500]
