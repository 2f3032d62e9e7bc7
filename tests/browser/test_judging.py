"""The judge of every visit finds what it is there to find: otherwise its silence would prove nothing."""

import pytest

from tests.browser.colours import unreadable
from tests.browser.conftest import NewVisitor
from tests.browser.visitor import AXE

pytestmark = pytest.mark.browser


CARD = "a card number came to"


@pytest.mark.parametrize(
    ("misdeed", "told"),
    [
        ("fetch('/cart/count?n=4242%204242%204242%204242')", CARD),
        ("fetch('/cart/count', {headers: {n: '4000-0000-0000-0002'}})", CARD),
        ("fetch('/cart/lines', {method: 'POST', body: '4000002760003184'})", CARD),
        ("fetch('/nowhere')", "404 http"),
        ("setTimeout(() => { throw new Error('broken') }, 0)", "broken"),
        (
            "document.head.append(Object.assign(document.createElement('script'), {text: '1'}))",
            "Content Security Policy",
        ),
    ],
    ids=["address", "header", "body", "broken link", "broken script", "forbidden script"],
)
def test_a_misdeed_is_found(visit: NewVisitor, misdeed: str, told: str) -> None:
    visitor = visit()
    visitor.go("/")
    visitor.judge()
    visitor.page.evaluate(f"() => {{ {misdeed}; }}")
    visitor.page.wait_for_timeout(300)
    with pytest.raises(AssertionError, match=told):
        visitor.judge()
    visitor.forget()


@pytest.mark.parametrize(
    "style",
    [
        "color: #999",
        "color: #777; background: #ccc",
        "opacity: .5",
        "font-size: 12px; color: #949494",  # which is enough for large letters only
        "position: absolute; color: #aaa",
    ],
)
def test_pale_words_are_found_among_others_and_again(visit: NewVisitor, style: str) -> None:
    page = visit().page
    shown = "<body style='background: #fff; color: #000'>"
    shown += "<p>Dark on white</p><p style='font-size: 32px; color: #949494'>Large</p>"
    for _ in range(2):
        page.set_content(shown)
        page.evaluate(AXE)
        assert unreadable(page) == []
    for _ in range(2):
        page.set_content(f"{shown}<p style='{style}'>Pale</p>")
        page.evaluate(AXE)
        [found] = unreadable(page)
        assert "Pale" in found
