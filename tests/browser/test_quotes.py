"""A quote from the first question to the order: asked on a phone, made at the desk, accepted by its link."""

import re

import pytest

from tests.browser.conftest import DESKTOP, PHONE, NewVisitor
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
PLACES = (("The mill", "3 Weir Street"), ("The depot", "9 Quay Street"))


def _fill_place(asker: Visitor, at: int, name: str, street: str) -> None:
    page = asker.page
    page.fill(f"#sites-{at}-name", name)
    page.fill(f"#sites-{at}-line1", street)
    page.fill(f"#sites-{at}-city", "Tarnbrook")
    page.select_option(f"#sites-{at}-region", "OH")
    page.fill(f"#sites-{at}-postal_code", "43099")


def _ask(asker: Visitor) -> str:
    """Ask for a router for two places; answers the address of the quote."""
    page = asker.go("/p/canopy-mesh-router")
    asker.press("Ask for a quote")
    page.fill("#name", "Pat Rowan")
    page.fill("#email", "pat@rowan.example.com")
    page.fill("#company", "Rowan Mills")
    page.fill("#message", "Could you come in March?")
    _fill_place(asker, 0, *PLACES[0])
    asker.press("Add another place")
    _fill_place(asker, 1, *PLACES[1])
    asker.look()
    asker.press("Ask for this quote")
    asker.look()
    assert page.get_by_text("A person is working on it").is_visible()
    return page.url


def _make(staff: Visitor) -> None:
    """Find it at the desk, add a plan with a term and a discount, and send it."""
    page = staff.page
    staff.follow("Q-", within="table")
    staff.follow("Change it")
    lines = page.locator("fieldset.draft-line")
    spare = lines.count() - 2
    page.fill(f"#lines-{spare}-sku", "BIZ-100")
    page.select_option(f"#lines-{spare}-site", "1")
    lines.nth(spare).locator("summary").click()
    page.fill(f"#lines-{spare}-term", "24")
    page.fill("#percent", "5")
    page.fill("#reason", "For two places")
    staff.look()
    staff.press("Save it and look at it")
    staff.look()
    staff.press("Send it to pat@rowan.example.com")
    staff.look()


@pytest.mark.parametrize(("name", "size"), [("phone", PHONE), ("desktop", DESKTOP)])
def test_a_quote_is_asked_for_made_sent_and_accepted(
    visit: NewVisitor, name: str, size: tuple[int, int]
):
    asker, staff = visit(size), visit(DESKTOP)
    link = _ask(asker)
    staff.log_in("desk@example.com", "ferry-street-1", door="/desk/login")
    staff.go("/desk/quotes?sort=-asked")
    _make(staff)
    page = asker.go(link)
    asker.look()
    assert page.get_by_text("The depot, 9 Quay Street").first.is_visible()
    page.fill("#text", "Thank you.")
    asker.press("Send the message")
    asker.follow("Accept this quote")
    asker.look()
    page.fill("#role", "Owner")
    page.get_by_label("By card, now").check()
    page.get_by_label("I accept this quote").check()
    asker.press("Accept and order")
    asker.fill_card("4242424242424242")
    asker.press("Pay $")
    page.wait_for_url(re.compile("/thanks$"))
    page = asker.go(link)
    asker.look()
    assert page.get_by_text("Accepted: it is order").is_visible()
