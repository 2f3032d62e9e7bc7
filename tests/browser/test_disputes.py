"""A line is disputed without JavaScript and by keyboard, and answered at the desk; so is a chargeback."""

import pytest
from playwright.sync_api import FilePayload

from core.kernel.ids import new_public_id
from invoices.disputes.models import Dispute, DisputeFile
from tests.browser.conftest import DESKTOP, PHONE, NewVisitor
from tests.browser.installation import Installation
from tests.browser.served import PASSWORD, Served, move_in
from tests.browser.test_keyboard import _tab_to
from tests.browser.visitor import Visitor
from tests.rooms.web.disputed import photo

pytestmark = pytest.mark.browser


def _bill(visitor: Visitor, installation: Installation, who: Served) -> None:
    """Log in, and open the newest bill."""
    number = installation.order_on_terms(who.email, {"CHIME-1": 2})
    visitor.log_in(who.email, PASSWORD, door="/account/login?next=/account/bills")
    visitor.follow(number)


def _see(visitor: Visitor) -> None:
    """Axe needs a script; where there is none it looks at the same pages in ``test_every_page``."""
    visitor.keep_picture()
    visitor.see_that_nothing_sticks_out()


def test_without_javascript_with_a_photo_and_to_the_answer(
    visit: NewVisitor, installation: Installation
) -> None:
    customer = move_in(installation, "Ruth Plain", "6 Plain Walk")
    visitor = visit(PHONE, script=False)
    _bill(visitor, installation, customer)
    visitor.follow("Something is wrong with this")
    _see(visitor)
    page = visitor.page
    page.get_by_label("In your words").fill(new_public_id())
    visitor.may_answer = {422}
    page.get_by_label("How much of it").fill("60.00")
    visitor.press("Dispute it")
    page.get_by_role("link", name="How much of it: ").click()
    assert page.url.endswith("#amount")
    page.get_by_label("How much of it").fill("20.00")
    picture = photo(size=(900, 600))
    page.get_by_label("Pictures").set_input_files(
        FilePayload(name="a.jpg", mimeType="image/jpeg", buffer=picture)
    )
    visitor.press("Dispute it")
    assert "We look at it" in visitor.text
    assert "20.00 of the bill." in visitor.text
    _see(visitor)
    (number,) = installation.values(Dispute.number, Dispute.amount_minor == 2000)[-1:]
    assert installation.count(DisputeFile.id, DisputeFile.width == 900) == 1
    installation.mail(customer.email, f"We have your dispute {number}")

    desk = visit(DESKTOP, script=False)
    desk.log_in("adela@example.com", "ferry-street-4", door="/desk/login?next=/desk/disputes")
    desk.may_answer = {422}
    desk.follow(number)
    _see(desk)
    desk.page.get_by_role("radio", name="Credit a part").check()
    desk.page.get_by_label("How much, with its taxes").fill("12.00")
    desk.press("See what it does")
    desk.page.get_by_label("What we tell them").fill("One of the two was too dear.")
    desk.press("See what it does")
    assert "A credit memo of $12.00" in desk.text
    _see(desk)
    desk.press("Answer them")
    assert "Credited in part" in desk.text

    installation.mail(customer.email, "$12.00 back")
    page.reload()
    assert "One of the two was too dear." in visitor.text
    _see(visitor)


def test_by_keyboard_alone(visit: NewVisitor, installation: Installation) -> None:
    customer = move_in(installation, "Tab Lister", "7 Plain Walk")
    visitor = visit(DESKTOP)
    _bill(visitor, installation, customer)
    _tab_to(visitor, "Something is wrong with this")
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")
    visitor.look()
    _tab_to(visitor, "reason")
    visitor.page.keyboard.press("ArrowDown")
    _tab_to(visitor, "Dispute it")
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")
    assert "We look at it" in visitor.text
    assert "it is billed twice" in visitor.text
    visitor.look()
    _tab_to(visitor, "Take it back")
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")
    _tab_to(visitor, "Take it back")
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")
    assert "Taken back" in visitor.text


def test_a_chargeback_is_answered_without_javascript(visit: NewVisitor) -> None:
    """The one of Fernway's that waits for an answer; on a phone, as one may be asked on the way home."""
    desk = visit(PHONE, script=False)
    desk.log_in("adela@example.com", "ferry-street-4", door="/desk/login?next=/desk/chargebacks")
    desk.follow("P-")
    _see(desk)
    desk.page.get_by_label("What we say").fill("Both came by parcel, and were signed for.")
    picture = photo(size=(900, 600))
    desk.page.get_by_label("Proof that it arrived").set_input_files(
        FilePayload(name="a.jpg", mimeType="image/jpeg", buffer=picture)
    )
    desk.press("Save as a draft")
    assert "Nothing has been sent" in desk.page.inner_text("body")
    assert desk.page.get_by_alt_text("Proof that it arrived").count() == 1
    assert "It can be sent once" in desk.text
    _see(desk)
