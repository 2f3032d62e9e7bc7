"""Without JavaScript everything can be done too: from a product to the order, a bill, and a service."""

import pytest

from core.orders.models import Order
from tests.browser.conftest import PHONE, NewVisitor
from tests.browser.installation import Installation
from tests.browser.served import LINE, PASSWORD, move_in
from tests.browser.visitor import Visitor, origin_of

pytestmark = pytest.mark.browser
PAYS = "4242 4242 4242 4242"


def test_from_a_product_to_the_order(visit: NewVisitor, installation: Installation) -> None:
    visitor = visit(PHONE, script=False)
    page = visitor.page
    visitor.put_in_cart("chime")
    visitor.put_in_cart("dew-sensor")
    _set_quantity(visitor, "Chime", "3")
    assert "3 at 25.00" in visitor.text
    visitor.press("Remove Dew sensor")
    assert "Dew sensor" not in visitor.text
    assert "75.00" in visitor.text

    visitor.follow("Go to checkout")
    visitor.may_answer = {422}
    visitor.fill_checkout(email="plain@example.com", city="")
    visitor.press("Show me the total with tax")
    page.get_by_role("link", name="Town: ").click()
    assert page.url.endswith("#city")
    page.get_by_label("Town").fill("Tarnbrook")
    visitor.press("Show me the total with tax")
    visitor.press("Continue to pay $")
    assert origin_of(page.url) == installation.processor
    visitor.fill_card(PAYS)
    visitor.press("Pay $")
    assert visitor.heading == "Checking your payment"  # it reads only; the button posts
    assert installation.count(Order.id, Order.email == "plain@example.com") == 1
    visitor.press("Show me how it went")
    assert "It is yours" in visitor.heading


def test_cancelling_at_the_processor_and_a_menu(visit: NewVisitor) -> None:
    visitor = visit(PHONE, script=False)
    visitor.put_in_cart("chime")
    visitor.follow("Go to checkout")
    visitor.fill_checkout(email="plain-back@example.com")
    visitor.press("Show me the total with tax")
    visitor.press("Continue to pay $")
    visitor.follow("Cancel and go back to Fernway")
    assert visitor.heading == "You have not paid"
    visitor.press("Back to my cart")
    assert "Held for you until" in visitor.text
    visitor.page.get_by_text("Menu", exact=True).click()
    visitor.follow("Phone", within="header")
    assert visitor.heading == "Phone"


def test_choosing_bills_and_seeing_their_sum(visit: NewVisitor, installation: Installation) -> None:
    visitor = visit(script=False)
    while len(installation.open_bills("mara@example.com")) < 2:
        installation.order_on_terms("mara@example.com", {"CHIME-1": 1})
    kept = installation.open_bills("mara@example.com")[0]
    visitor.log_in("mara@example.com", "weir-cottages-8", door="/account/login?next=/account/pay")
    whole = visitor.page.get_by_role("button", name="Continue to pay $").inner_text()
    visitor.page.get_by_role("checkbox", name=f"Pay {kept}").uncheck()
    visitor.press("Add the chosen ones up again")
    assert not visitor.page.get_by_role("checkbox", name=f"Pay {kept}").is_checked()
    assert visitor.page.get_by_role("button", name="Continue to pay $").inner_text() != whole


def test_another_plan_is_looked_at_and_agreed_to(
    visit: NewVisitor, installation: Installation
) -> None:
    customer = move_in(installation, "Alder Plain", "4 Plain Walk")
    visitor = visit(PHONE, script=False)
    visitor.log_in(customer.email, PASSWORD)
    page = visitor.go(f"/account/services/{customer.services[LINE]}/change")
    page.get_by_role("radio", name="Brook 6 $").check()
    visitor.press("Show what it costs")
    assert "From the next period" in visitor.text
    assert "Nothing is to be paid today, and nothing comes back." in visitor.text
    visitor.press("Change to Brook 6")
    assert "it is Brook 6" in visitor.text
    visitor.press("Leave it as it is")
    assert "Taken back: it stays as it is." in visitor.text


def _set_quantity(visitor: Visitor, name: str, quantity: str) -> None:
    asked = visitor.page.get_by_label(f"How many: {name}")
    asked.fill(quantity)
    with visitor.page.expect_navigation():
        visitor.page.locator("form", has=asked).get_by_role("button", name="Set").click()
