"""Trying Burrow in a browser: each of the three kinds, on a phone and on a desktop, and leaving again."""

import re

import pytest

from tests.browser.conftest import DESKTOP, PHONE, NewVisitor
from tests.browser.visitor import Visitor

PASSWORD = "three calm words"


def fill_in(visitor: Visitor, name: str, number: int) -> None:
    """Who somebody new is, and that they have read what happens when."""
    page = visitor.page
    for field, value in {
        "name": name,
        "email": f"{name.split()[0].lower()}{number}@example.com",
        "password": PASSWORD,
        "line1": f"{number} {name} Lane",
        "city": "Tarnbrook",
        "postal_code": "43099",
    }.items():
        page.fill(f"#{field}", value)
    page.select_option("#region", "OH")
    page.check("#agree")


def _link_of(visitor: Visitor, email: str) -> str:
    """Where the welcome mail leads."""
    mail = visitor.place.mail(email, "is yours to try")
    found = re.search(r"http\S+/trial/\S+", mail.text)
    assert found is not None
    return found.group()


@pytest.mark.parametrize(("size", "theme"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_one_without_a_card_is_begun_cancelled_by_its_mail_and_kept(
    visit: NewVisitor, size: tuple[int, int], theme: str
):
    visitor = visit(size, theme=theme)
    visitor.may_answer = {422}
    page = visitor.go("/p/burrow-backup")
    visitor.look()
    visitor.follow("Try it without a card")
    visitor.look()
    visitor.press("Begin now")
    assert "Tell us your name." in page.inner_text("main")
    visitor.look()
    number = size[0]
    fill_in(visitor, "Wren Ashdown", number)
    visitor.press("Begin now")
    assert "14 days left" in page.inner_text("main")
    visitor.look()
    link = _link_of(visitor, f"wren{number}@example.com")
    other = visit(size, theme=theme)
    page = other.go(link)
    other.look()
    other.press("Yes, cancel the trial")
    assert "It can be used until" in page.inner_text("main")
    other.look()
    other.press("Keep it after all")
    assert "ends by itself" in page.inner_text("main")
    visitor.go("/account/trials")
    visitor.look()
    visitor.follow("Burrow backup")
    visitor.follow("Cancel")
    visitor.look()
    visitor.go("/account/trials")
    visitor.follow("Burrow backup")
    visitor.follow("Go on with it")
    visitor.look()
    visitor.press("Yes, go on")
    assert "you pay for it" in visitor.page.inner_text("main")


@pytest.mark.parametrize(("size", "theme"), [(PHONE, "light"), (DESKTOP, "dark")])
def test_one_with_a_card_begins_when_the_card_is_on_file(
    visit: NewVisitor, size: tuple[int, int], theme: str
):
    visitor = visit(size, theme=theme)
    page = visitor.go("/trials/burrow-30-days")
    visitor.look()
    card = "4242424242424242" if size == PHONE else "5555555555554444"
    fill_in(visitor, "Moss Tarn", size[0])
    visitor.press("Store my card and begin")
    visitor.look()
    visitor.fill_card(card)
    visitor.press("Save this card")
    page.wait_for_url("**/account/trials/*")
    assert "30 days left" in page.inner_text("main")
    assert "your card is charged" in page.inner_text("main")
    visitor.look()


@pytest.mark.parametrize(("size", "theme"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_a_free_tier_begins_at_once_and_has_no_end(
    visit: NewVisitor, size: tuple[int, int], theme: str
):
    visitor = visit(size, theme=theme)
    page = visitor.go("/trials")
    visitor.look()
    visitor.follow("Begin with the free part")
    assert "Above 5 GB, up to 100 GB" in page.inner_text("main")
    visitor.look()
    fill_in(visitor, "Fern Hollow", size[0])
    visitor.press("Begin now")
    assert "It goes on for as long as you like" in page.inner_text("main")
    visitor.look()


def test_the_desk_sees_who_tries_what(visit: NewVisitor):
    for size, theme in ((PHONE, "light"), (DESKTOP, "dark")):
        visitor = visit(size, theme=theme)
        visitor.log_in("desk@example.com", "ferry-street-1", "/desk/login")
        for path in ("", "/follow-ups", "/report", "/offers", "/offers/burrow-14-days"):
            visitor.go(f"/desk/trials{path}")
            visitor.look()
