"""An editor makes a landing page: writes, looks at it while typing, publishes.

Goes back to what it said before.
"""

import pytest

from tests.browser.conftest import DESKTOP, PHONE, NewVisitor
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
WIM = ("wim@example.com", "ferry-street-3", "/desk/login")


def _add(editor: Visitor, kind: str) -> None:
    editor.page.select_option("#add", kind)
    editor.press("Add it")


def _begin(editor: Visitor, slug: str) -> None:
    editor.log_in(*WIM)
    page = editor.go("/desk/content/new")
    page.fill("#name", "A quiet evening")
    page.select_option("#kind", "landing")
    page.fill("#slug", slug)
    editor.press("Begin the page")
    _add(editor, "hero")


def _read(reader: Visitor, slug: str, title: str) -> None:
    """Until it says so: the server keeps what it has read for a moment, a browser for half a minute."""
    for number in range(40):
        reader.go(f"/pages/{slug}?look={title[2:4]}{number}")
        if reader.heading == title:
            return
        reader.page.wait_for_timeout(100)
    raise AssertionError(f"{reader.heading} instead of {title}")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_landing_page_from_the_first_word_to_an_older_version(
    visit: NewVisitor, size: tuple[int, int]
) -> None:
    editor, reader, slug = visit(size), visit(size), f"quiet-{size[0]}"
    _begin(editor, slug)
    page = editor.page
    page.locator("iframe").scroll_into_view_if_needed()
    seen = page.frame_locator("iframe")
    page.fill("[name=b0-title]", "A quiet {{7*7}} <b>evening</b>")
    seen.get_by_role("heading", level=1, name="A quiet {{7*7}} <b>evening</b>").wait_for()
    editor.look()
    page.fill("[name=b0-lede]", "Nothing but a good line.")
    editor.press("Save the draft")
    _add(editor, "faq")
    page.fill("[name=b1-0-question]", "Is it really quiet?")
    page.fill("[name=b1-0-answer]", "As quiet as **snow**.")
    editor.press("Save the draft")
    editor.look()
    editor.press("Publish…")
    editor.look()
    editor.press("Publish it")
    editor.look()
    reader.go(f"/pages/{slug}")
    assert reader.heading == "A quiet {{7*7}} <b>evening</b>"
    reader.page.get_by_text("Is it really quiet?").click()
    assert reader.page.get_by_text("As quiet as snow.").is_visible()
    reader.look()
    editor.follow("Write")
    page.locator("#block-0 summary").click()
    page.fill("[name=b0-title]", "A loud evening")
    editor.press("Publish…")
    editor.press("Publish it")
    _read(reader, slug, "A loud evening")
    editor.follow("Version 2")
    assert "A loud evening" in editor.text
    editor.look()
    page.go_back()
    page.locator("tr", has_text="Version 1").get_by_role("button", name="Bring back").click()
    page.wait_for_url("**/edit")
    editor.press("Publish…")
    editor.press("Publish it")
    _read(reader, slug, "A quiet {{7*7}} <b>evening</b>")


def test_the_form_is_worked_by_keyboard_alone_and_without_javascript(visit: NewVisitor) -> None:
    editor = visit(DESKTOP, script=False)
    _begin(editor, "by-hand")
    page = editor.page
    page.focus("#title")
    page.keyboard.press("Tab")
    assert page.locator("summary:focus").count() == 1
    page.keyboard.press("Tab")
    page.keyboard.type("Typed by hand")
    with page.expect_navigation():
        page.keyboard.press("Enter")  # in a field: as the first button does
    assert page.get_by_text("The draft is saved.").is_visible()
    assert page.locator("[name=b0-title]").input_value() == "Typed by hand"
    assert not page.locator(".ed__view").is_visible()
    page.locator("#block-0 summary").click()
    editor.press("Take out")
    assert page.get_by_text("was taken out").is_visible()
    editor.press("Put it back")
    assert page.locator("[name=b0-title]").input_value() == "Typed by hand"


def test_a_banner_that_is_put_away_stays_away(visit: NewVisitor) -> None:
    reader = visit(PHONE)
    page = reader.go("/")
    assert page.locator(".banner").is_visible()
    page.get_by_role("button", name="Put away").click()
    assert not page.locator(".banner").is_visible()
    reader.go("/c/all")
    assert not page.locator(".banner").is_visible()
    assert [one["name"] for one in reader.context.cookies()] == []
