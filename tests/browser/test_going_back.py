"""Going back, doing it twice, two tabs: one order comes of it, and the cart comes to no harm."""

import pytest
from sqlalchemy import select

from cart.models import Cart
from core.orders.models import Order
from payments.models import Payment
from tests.browser.conftest import PHONE, NewVisitor
from tests.browser.installation import Installation
from tests.browser.visitor import Visitor, origin_of

pytestmark = pytest.mark.browser
PAYS = "4242 4242 4242 4242"
_SEND_TWICE = """async () => {
  const form = document.querySelector("form.co");
  const body = new URLSearchParams(new FormData(form));
  body.set("step", "pay");
  const send = () => fetch(form.action, {method: "POST", body, redirect: "manual"});
  const answers = await Promise.all([send(), send()]);
  return answers.map(answer => answer.type);
}"""


def _to_the_total(visitor: Visitor, slug: str, email: str) -> None:
    visitor.put_in_cart(slug)
    visitor.follow("Go to checkout")
    visitor.fill_checkout(email=email)
    visitor.press("Show me the total with tax")


def _to_the_processor(visitor: Visitor, slug: str, email: str) -> None:
    _to_the_total(visitor, slug, email)
    visitor.press("Continue to pay $")
    assert origin_of(visitor.page.url) == visitor.place.processor


def _pay(visitor: Visitor) -> None:
    visitor.fill_card(PAYS)
    visitor.press("Pay $")
    visitor.page.wait_for_url("**/thanks")


def test_the_back_button_leads_from_the_processors_page_to_the_sums_and_the_same_order(
    visit: NewVisitor, installation: Installation
) -> None:
    visitor = visit(PHONE)
    _to_the_processor(visitor, "dew-sensor", "back@example.com")
    paying_at = visitor.page.url
    visitor.page.go_back()
    assert visitor.heading == "Checkout"
    assert visitor.page.get_by_label("ZIP code").input_value() == "43099"
    assert "Held until" in visitor.text
    visitor.press("Continue to pay $")
    assert visitor.page.url == paying_at
    _pay(visitor)
    assert installation.count(Order.id, Order.email == "back@example.com") == 1


def test_a_cart_that_is_being_paid_for_is_held_and_may_still_be_changed(
    visit: NewVisitor, installation: Installation
) -> None:
    visitor = visit()
    _to_the_processor(visitor, "dew-sensor", "again@example.com")
    visitor.go("/cart")
    assert "You were on your way to pay" in visitor.text
    assert "Held for you until" in visitor.text
    assert "has ended" not in visitor.text
    visitor.look()
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("button", name="One Dew sensor more").click()
    assert "2 at 22.00" in visitor.text
    assert "You were on your way to pay" not in visitor.text
    assert "Held for you until" in visitor.text
    lifecycles = installation.values(Order.lifecycle, Order.email == "again@example.com")
    assert lifecycles == ["cancelled"]


def test_who_cancels_at_the_processor_gets_the_cart_back_with_its_things_held(
    visit: NewVisitor, installation: Installation
) -> None:
    visitor = visit()
    _to_the_processor(visitor, "chime", "cancel@example.com")
    visitor.page.get_by_role("link", name="Cancel and go back to Fernway").click()
    visitor.page.wait_for_url("**/cart")
    assert "You have not paid, and nothing was charged." in visitor.text
    assert "Held for you until" in visitor.text
    assert "Chime" in visitor.text
    visitor.look()
    visitor.follow("Go to checkout")
    assert visitor.page.get_by_label("E-mail").input_value() == "cancel@example.com"
    visitor.press("Continue to pay $")
    _pay(visitor)
    lifecycles = installation.values(Order.lifecycle, Order.email == "cancel@example.com")
    assert sorted(lifecycles) == ["cancelled", "confirmed"]


def test_a_double_click_on_the_pay_button_makes_one_order(
    visit: NewVisitor, installation: Installation
) -> None:
    visitor = visit()
    _to_the_total(visitor, "chime", "double@example.com")
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("button", name="Continue to pay $").dblclick()
    assert origin_of(visitor.page.url) == installation.processor
    sent = [
        one for one in visitor.requests if one.method == "POST" and one.url.endswith("/checkout")
    ]
    assert len(sent) == 2  # the sums, and once to pay
    assert installation.count(Order.id, Order.email == "double@example.com") == 1


def test_the_same_form_sent_twice_at_once_makes_one_order_and_one_visit(
    visit: NewVisitor, installation: Installation
) -> None:
    visitor = visit()
    _to_the_total(visitor, "chime", "twice@example.com")
    assert visitor.page.evaluate(_SEND_TWICE) == ["opaqueredirect", "opaqueredirect"]
    assert installation.count(Order.id, Order.email == "twice@example.com") == 1
    visitor.press("Continue to pay $")
    _pay(visitor)
    orders = select(Order.id).where(Order.email == "twice@example.com")
    assert installation.count(Payment.id, Payment.order_id.in_(orders)) == 1


def test_what_one_tab_changes_the_other_is_told_before_it_pays(
    visit: NewVisitor, installation: Installation
) -> None:
    visitor = visit()
    _to_the_total(visitor, "chime", "tabs@example.com")
    other = visitor.another_tab()
    other.go("/cart")
    with other.page.expect_navigation():
        other.page.get_by_role("button", name="One Chime more").click()

    visitor.may_answer = {409}
    visitor.press("Continue to pay $")
    told = visitor.page.get_by_role("alert").inner_text()
    assert "The total has changed from $" in told
    visitor.look()
    visitor.may_answer = set()
    visitor.press("Continue to pay $")
    _pay(visitor)

    other.page.reload()
    assert "Nothing in it yet" in other.text
    assert installation.values(Cart.state, Cart.email == "tabs@example.com") == ["ordered"]


def test_a_second_tab_cannot_order_the_same_cart_again(
    visit: NewVisitor, installation: Installation
) -> None:
    visitor = visit()
    _to_the_total(visitor, "chime", "late-tab@example.com")
    other = visitor.another_tab()
    other.go("/checkout")
    visitor.press("Continue to pay $")
    _pay(visitor)
    other.press("Continue to pay $")
    assert "If you have just ordered, our mail tells you where your order is." in other.text
    other.look()
    assert installation.count(Order.id, Order.email == "late-tab@example.com") == 1
