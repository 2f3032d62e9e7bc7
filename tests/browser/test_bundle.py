"""A bundle, from its page through cart and checkout to the bill; and a plan by the year."""

import pytest

from tests.browser.conftest import DESKTOP, PHONE, NewVisitor

pytestmark = pytest.mark.browser
PAYS = "4242424242424242"


@pytest.mark.parametrize(("size", "theme"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_a_bundle_is_bought_and_its_pieces_stand_on_every_page(
    visit: NewVisitor, size: tuple[int, int], theme: str
) -> None:
    visitor = visit(size, theme=theme)
    page = visitor.page
    visitor.go("/")
    visitor.follow("More about it")
    assert visitor.heading == "River at home"
    assert "You keep $43.00 now and $3.00 a month" in visitor.text
    visitor.look()
    with page.expect_navigation():
        visitor.buy_button.click()
    assert "Held for you until" in visitor.text
    for piece in ("Canopy mesh router", "Installation visit", "River 100"):
        assert piece in visitor.text
    visitor.look()

    visitor.follow("Go to checkout")
    visitor.fill_checkout(email=f"bundle-{size[0]}@example.com")
    visitor.press("Show me the total with tax")
    assert "6.5 % of 101.70" in visitor.text
    visitor.look()
    visitor.press("Continue to pay $")
    assert "River at home" in page.locator("body").inner_text()
    assert "Canopy" not in page.locator("body").inner_text()
    visitor.fill_card(PAYS)
    visitor.press("Pay $")
    page.wait_for_url("**/thanks")
    assert "Your plan is switched on" in visitor.text
    visitor.look()
    visitor.follow("Follow this order")
    visitor.look()


def test_the_line_is_chosen_by_the_year(visit: NewVisitor) -> None:
    visitor = visit(PHONE)
    page = visitor.go("/p/river-100")
    assert "Then $45.00 a month." in visitor.text
    page.get_by_label("Paid by the year").check()
    assert "Then $450.00 a year." in page.locator("#price").inner_text()
    visitor.look()
    with page.expect_navigation():
        visitor.buy_button.click()
    assert "The first year, billed from the day it works." in visitor.text
