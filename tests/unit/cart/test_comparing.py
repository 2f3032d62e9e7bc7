"""What changed between the sums that were shown and now; whatever the form carries, nothing breaks."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from core.kernel.money import Money
from storefront.comparing import Changed, changes, rows, seen
from tests.unit.cart.test_requirements import ROUTER, STANDARD, VISIT, cart, usd


def test_each_line_that_differs_is_told_and_nothing_else():
    before = cart(ROUTER, VISIT)
    dearer = replace(ROUTER, net=usd(13_900))
    assert changes(seen(before), before) == []
    assert changes(seen(before), cart(dearer, VISIT)) == [
        Changed("Wi-Fi 6 router", usd(12_900), usd(13_900))
    ]
    assert changes(seen(before), cart(ROUTER)) == [Changed("Wi-Fi 6 router", usd(12_900), None)]
    two = replace(ROUTER, quantity=2, net=usd(25_800))
    assert changes(seen(cart(ROUTER)), cart(two)) == [
        Changed("Wi-Fi 6 router × 2 (was Wi-Fi 6 router)", usd(12_900), usd(25_800))
    ]
    faster = replace(STANDARD, code="morning", name="Morning", price=usd(980))
    assert changes(seen(cart(ROUTER)), cart(ROUTER, ways=(faster,))) == [
        Changed("Delivery, Standard", usd(690), None),
        Changed("Delivery, Morning", None, usd(980)),
    ]


@given(
    st.text(max_size=60)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)
)
def test_what_a_form_makes_up_is_compared_or_left_alone(told: str):
    priced = cart(ROUTER)
    found = changes(told, priced)
    assert len(found) <= 120 + len(rows(priced))
    assert all(isinstance(one.now or one.was, Money) for one in found)
