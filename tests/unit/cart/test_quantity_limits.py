"""How many of a thing are bought at once: what is offered instead can always be bought."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cart.goods import MOST_OF_ONE, problem
from core.catalog.limits import ANY_NUMBER, Limits

LIMITS = st.builds(
    Limits,
    step=st.integers(1, 99),
    least=st.integers(1, 99),
    most=st.none() | st.integers(1, 99),
)


@given(LIMITS, st.integers(-3, 150))
def test_a_number_is_refused_exactly_when_it_does_not_fit(limits: Limits, quantity: int):
    fits = (
        quantity > 0
        and quantity % limits.step == 0
        and quantity >= limits.least
        and quantity <= min(MOST_OF_ONE, limits.most or MOST_OF_ONE)
    )
    assert (problem(limits, quantity) is None) == fits


@given(LIMITS, st.integers(1, 150))
def test_what_is_told_instead_can_be_bought(limits: Limits, quantity: int):
    for instead in limits.nearest(quantity, MOST_OF_ONE):
        assert problem(limits, instead) is None
    largest = limits.largest(min(quantity, MOST_OF_ONE))
    assert largest == 0 or problem(limits, largest) is None
    assert largest <= quantity


@pytest.mark.parametrize(
    ("limits", "quantity", "code", "text"),
    [
        (ANY_NUMBER, 100, "too_many", "At most 99 can be in one cart."),
        (Limits(most=5), 6, "too_many", "At most 5 can be in one cart."),
        (Limits(step=5), 7, "quantity_step", "This is sold 5 at a time."),
        (Limits(step=5, least=8), 5, "quantity_least", "At least 10 of this are bought at once."),
    ],
)
def test_each_refusal_has_its_code_and_says_what_would_do(limits, quantity, code, text):
    wrong = problem(limits, quantity)
    assert wrong is not None
    assert (wrong.code, str(wrong)) == (code, text)
