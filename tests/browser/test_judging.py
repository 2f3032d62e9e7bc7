"""The judge of every visit finds what it is there to find: otherwise its silence would prove nothing."""

import pytest

from tests.browser.conftest import NewVisitor

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    "misdeed",
    [
        pytest.param("fetch('/cart/count?n=4242%204242%204242%204242')", id="a card in an address"),
        pytest.param(
            "fetch('/cart/count', {headers: {n: '4000-0000-0000-0002'}})", id="in a header"
        ),
        pytest.param(
            "fetch('/cart/lines', {method: 'POST', body: '4000002760003184'})", id="in a body"
        ),
        pytest.param("fetch('/nowhere')", id="a broken link"),
        pytest.param("setTimeout(() => { throw new Error('broken') }, 0)", id="a broken script"),
        pytest.param(
            "document.head.append(Object.assign(document.createElement('script'), {text: '1'}))",
            id="a script that the policy forbids",
        ),
    ],
)
def test_a_misdeed_is_found(visit: NewVisitor, misdeed: str) -> None:
    visitor = visit()
    visitor.go("/")
    visitor.judge()
    visitor.page.evaluate(f"() => {{ {misdeed}; }}")
    visitor.page.wait_for_timeout(300)
    with pytest.raises(AssertionError):
        visitor.judge()
    visitor.forget()
