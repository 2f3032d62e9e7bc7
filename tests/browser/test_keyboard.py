"""By keyboard alone: everything is reached in order, and where one is can be seen."""

import pytest

from tests.browser.conftest import DESKTOP, PHONE, NewVisitor
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
_FOCUS = """() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  return {
    name: (one.textContent || one.ariaLabel || one.name || "").trim().slice(0, 60),
    seen: one.matches(":focus-visible") && style.outlineStyle !== "none"
      && parseFloat(style.outlineWidth) >= 2,
    shown: box.width > 0 && box.bottom > 0 && box.top < innerHeight,
    isBody: one === document.body,
    html: one.outerHTML.slice(0, 120),
  };
}"""


def _tab(visitor: Visitor, times: int = 1) -> str:
    """Presses Tab; whatever gets the focus shows that it has it. Answers its name."""
    name = ""
    for _ in range(times):
        visitor.page.keyboard.press("Tab")
        focus = visitor.page.evaluate(_FOCUS)
        assert not focus["isBody"]
        assert focus["seen"], focus["html"]
        assert focus["shown"], focus["html"]
        name = focus["name"]
    return name


def _tab_to(visitor: Visitor, name: str) -> list[str]:
    """Presses Tab until something of that name has the focus; answers what had it on the way."""
    passed: list[str] = []
    while name not in (reached := _tab(visitor)):
        passed.append(reached)
        assert len(passed) < 60, passed
    return passed


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_first_key_skips_to_the_content_and_a_few_more_buy(
    visit: NewVisitor, size: tuple[int, int]
) -> None:
    visitor = visit(size)
    visitor.go("/p/canopy-mesh-router")
    assert _tab(visitor) == "Skip to content"
    visitor.page.keyboard.press("Enter")
    assert visitor.page.evaluate("document.activeElement.id") == "main"
    assert _tab_to(visitor, "Put it in the cart") == [
        "Shop",
        "Wi-Fi and home",
        "−",
        "How many",
        "+",
    ]
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")
    assert visitor.heading == "Your cart"
    _tab_to(visitor, "Go to checkout")
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")
    assert visitor.heading == "Checkout"


def test_the_checkout_goes_from_field_to_field_and_a_wrong_one_is_a_key_away(
    visit: NewVisitor,
) -> None:
    visitor = visit()
    visitor.put_in_cart("chime")
    visitor.go("/checkout")
    keyboard = visitor.page.keyboard
    _tab_to(visitor, "name")
    for answer in ("June Alder", "", "june@example.com"):
        keyboard.type(answer)
        _tab(visitor)
    assert visitor.page.evaluate("document.activeElement.textContent") == "I have an account"
    _tab(visitor)
    for answer in ("5 Weir Cottages", "", "Tarnbrook", "OH", "4309"):
        keyboard.type(answer)
        _tab(visitor)
    _tab_to(visitor, "Show me the total with tax")
    visitor.may_answer = {422}
    with visitor.page.expect_navigation():
        keyboard.press("Enter")
    _tab(visitor)  # from the summary, which has the focus, to its link
    keyboard.press("Enter")
    assert visitor.page.evaluate("document.activeElement.name") == "postal_code"
    keyboard.press("Control+a")
    keyboard.type("43099")
    with visitor.page.expect_navigation():
        keyboard.press("Enter")  # in a field: as the button does
    assert visitor.page.get_by_role("button", name="Continue to pay $").is_visible()


def test_the_menu_of_a_phone_is_opened_by_keyboard(visit: NewVisitor) -> None:
    visitor = visit(PHONE)
    visitor.go("/")
    _tab_to(visitor, "Menu")
    visitor.page.keyboard.press("Enter")
    assert _tab(visitor) == "Internet"
    assert _tab(visitor) == "Wi-Fi and home"
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")
    assert visitor.heading == "Wi-Fi and home"


def test_the_desk_is_walked_by_single_keys(visit: NewVisitor) -> None:
    visitor = visit()
    visitor.log_in("desk@example.com", "ferry-street-1", door="/desk/login")
    visitor.go("/desk/orders")
    page = visitor.page
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.locator("table[data-rows] tbody tr").nth(1)
    assert second.get_by_role("link").first.evaluate("one => one === document.activeElement")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.type("j")
    assert page.evaluate("document.activeElement.value") == "j"
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    with page.expect_navigation():
        page.keyboard.press("i")
    assert page.url.endswith("/desk/invoices")
