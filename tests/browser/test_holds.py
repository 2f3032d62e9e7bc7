"""What is held, for how long, and what a shopper is told when the time runs out."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import PHONE, NewVisitor
from tests.browser.installation import Installation

pytestmark = pytest.mark.browser


def _countdown(page: Page) -> str:
    return page.locator("main time[data-held-until], main time.is-lapsed").first.inner_text()


def test_a_lapsed_hold_is_told_and_taken_again(
    visit: NewVisitor, installation: Installation
) -> None:
    visitor = visit(PHONE)
    visitor.put_in_cart("ember-smart-plug")
    installation.move_hold(visitor.cart_id, -1)
    visitor.go("/cart")
    assert "The hold on Ember smart plug has ended" in visitor.text
    assert "Held for you until" not in visitor.text
    visitor.look()
    visitor.press("Hold it again")
    assert "Held for you until" in visitor.text
    assert "has ended" not in visitor.text


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without"])
def test_what_somebody_else_took_meanwhile_is_told_and_cannot_be_ordered(
    visit: NewVisitor, installation: Installation, script: bool
) -> None:
    late, slow, quick = visit(script=script), visit(script=script), visit(PHONE, script=script)
    late.put_in_cart("hollow-hub")  # there is one
    slow.go("/p/hollow-hub")
    assert slow.page.get_by_role("button", name="Sold out for now").is_disabled()
    installation.move_hold(late.cart_id, -1)
    quick.put_in_cart("hollow-hub")
    assert "Held for you until" in quick.text

    late.go("/cart")
    assert "None left right now" in late.text
    assert late.page.get_by_role("link", name="Go to checkout").get_attribute("href") is None
    if script:  # which axe is
        late.look()
    quick.press("Remove Hollow hub")
    assert "Nothing in it yet" in quick.text
    late.go("/cart")
    late.press("Hold it again")
    assert "Held for you until" in late.text
    late.press("Remove Hollow hub")


def test_seconds_are_counted_in_the_last_two_minutes_only(
    visit: NewVisitor, installation: Installation
) -> None:
    visitor = visit(motion="any")
    visitor.put_in_cart("chime")
    assert _countdown(visitor.page).startswith("Held for you until ")
    installation.move_hold(visitor.cart_id, 110)
    visitor.go("/cart")
    first = _countdown(visitor.page)
    assert first.startswith("Held for 1:")
    assert first.endswith(" more")
    visitor.page.wait_for_function(
        "said => document.querySelector('time[data-held-until]').textContent !== said", arg=first
    )
    assert _countdown(visitor.page) < first
    visitor.look()


def test_with_reduced_motion_the_last_two_minutes_go_by_the_half_minute_and_the_end_is_said(
    visit: NewVisitor, installation: Installation
) -> None:
    visitor = visit(motion="reduce")
    visitor.put_in_cart("chime")
    installation.move_hold(visitor.cart_id, 80)
    visitor.page.clock.install()
    visitor.go("/cart")
    assert _countdown(visitor.page) == "Held for 1:30 more"
    visitor.page.clock.run_for(10_000)
    assert _countdown(visitor.page) == "Held for 1:30 more"
    visitor.page.clock.run_for(30_000)
    assert _countdown(visitor.page) == "Held for 1:00 more"
    visitor.page.clock.run_for(60_000)
    assert _countdown(visitor.page) == "The hold has ended"
    assert visitor.page.get_by_role("status").is_visible()
    visitor.press("Hold everything again")
    assert _countdown(visitor.page).startswith("Held for you until ")


def test_nothing_moves_for_whoever_asked_for_less_motion(visit: NewVisitor) -> None:
    calm, lively = visit(motion="reduce"), visit(motion="any")
    longest = """() => Math.max(...[...document.querySelectorAll("*")].map(one => {
      const style = getComputedStyle(one);
      return parseFloat(style.transitionDuration) + parseFloat(style.animationDuration);
    }))"""
    for path in ("/", "/p/chime", "/account/login"):
        assert calm.go(path).evaluate(longest) <= 0.001, path
    assert lively.go("/").evaluate(longest) > 0.05
