"""The judge of every visit finds what it is there to find: otherwise its silence would prove nothing."""

import pytest

from tests.browser.conftest import NewVisitor

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
