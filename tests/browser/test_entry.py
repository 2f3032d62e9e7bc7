"""Registering, confirming an address, a forgotten password, a wrong one: by the links that mails carry."""

import re

import pytest

from core.parties.models import User
from tests.browser.conftest import DESKTOP, PHONE, NewVisitor
from tests.browser.installation import Installation
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
FIRST, SECOND = "slow boats on the tarn", "heron under the bridge"
WRONG = "mistake"


def _told(visitor: Visitor) -> str:
    return visitor.page.get_by_role("alert").inner_text()


def _link_in(installation: Installation, to: str, subject: str) -> str:
    """The one link of a mail that leads to the shop."""
    mail = installation.mail(to, subject)
    found = [one for one in mail.links if one.startswith(installation.shop)]
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_registering_confirming_and_choosing_another_password(
    visit: NewVisitor, installation: Installation, size: tuple[int, int]
) -> None:
    visitor, email = visit(size), f"wren-{size[0]}@example.com"
    _register(visitor, email)
    _confirm(visitor, installation, email)
    _log_out(visitor)
    _choose_another(visitor, installation, email)
    _log_out(visitor)
    visitor.may_answer = {401}
    visitor.log_in(email, FIRST)
    assert visitor.heading == "Log in"
    visitor.may_answer = set()
    visitor.log_in(email, SECOND)
    assert visitor.page.url == f"{installation.shop}/account"


def _register(visitor: Visitor, email: str) -> None:
    page = visitor.page
    visitor.go("/account/login")
    visitor.follow("Make an account")
    visitor.look()
    page.get_by_label("Full name").fill("Wren Hale")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill("short")
    visitor.may_answer = {422}
    visitor.press("Make my account")
    assert "Use at least" in _told(visitor)
    assert page.get_by_label("Full name").input_value() == "Wren Hale"
    assert page.get_by_label("Password").input_value() == ""
    visitor.look()
    visitor.may_answer = set()
    page.get_by_label("Password").fill(FIRST)
    visitor.press("Make my account")
    assert page.url.endswith("/account")
    assert "We have sent you a mail" in visitor.text
    visitor.look()


def _confirm(visitor: Visitor, installation: Installation, email: str) -> None:
    """The link opens a page, and only its button confirms."""
    visitor.go(_link_in(installation, email, "address"))
    visitor.look()
    assert email in visitor.text
    assert installation.values(User.email_verified_at, User.email == email) == [None]
    visitor.press("Yes, it is mine")
    visitor.look()
    assert visitor.heading == "Thank you"
    assert installation.values(User.email_verified_at, User.email == email) != [None]


def _choose_another(visitor: Visitor, installation: Installation, email: str) -> None:
    page = visitor.page
    visitor.go("/account/login")
    visitor.follow("I forgot my password")
    visitor.look()
    page.get_by_label("E-mail").fill(email)
    visitor.press("Send me a link")
    visitor.look()
    link = _link_in(installation, email, "password")
    visitor.go(link)
    visitor.look()
    page.get_by_label("New password").fill(SECOND)
    visitor.press("Save this password")
    assert "Your password is set." in visitor.text
    visitor.may_answer = {410}
    visitor.go(link)  # it worked once
    visitor.look()
    visitor.may_answer = set()
    visitor.go("/account")


def _log_out(visitor: Visitor) -> None:
    visitor.go("/account")
    visitor.page.locator("details.menu:visible > summary").click()
    visitor.press("Log out")
    assert "You are logged out." in visitor.text


def test_a_wrong_password_an_unknown_address_and_a_customer_at_the_desk_are_told_the_same(
    visit: NewVisitor,
) -> None:
    visitor = visit(PHONE)
    visitor.may_answer = {401}
    told = []
    for email, password, door in (
        ("otis@example.com", WRONG, "/account/login"),
        ("nobody@example.com", WRONG, "/account/login"),
        ("otis@example.com", "mill-lane-21", "/desk/login"),
    ):
        visitor.log_in(email, password, door=door)
        told.append(_told(visitor))
        assert visitor.page.get_by_label("E-mail").input_value() == email
        assert visitor.page.get_by_label("Password").input_value() == ""
        visitor.look()
    assert len(set(told)) == 1, told


def test_an_unknown_address_is_told_what_a_known_one_is_when_it_forgot_its_password(
    visit: NewVisitor, installation: Installation
) -> None:
    visitor = visit()
    told = []
    for email in ("otis@example.com", "nobody@example.com"):
        visitor.go("/account/forgot")
        visitor.page.get_by_label("E-mail").fill(email)
        visitor.press("Send me a link")
        told.append(visitor.text)
    assert told[0] == told[1]
    assert installation.mail("otis@example.com", "password")
    assert installation.mails("nobody@example.com") == []


def test_whoever_is_sent_to_the_door_comes_where_they_wanted_to_go(visit: NewVisitor) -> None:
    visitor = visit()
    visitor.go("/account/payments")
    assert visitor.heading == "Log in"
    visitor.log_in("otis@example.com", "mill-lane-21", door=visitor.page.url)
    assert re.search(r"/account/payments$", visitor.page.url)
    assert visitor.heading == "Payments"
