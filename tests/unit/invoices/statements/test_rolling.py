"""The roll-forward adds up, and each entry stands in the line that people expect it in."""

from hypothesis import given
from hypothesis import strategies as st

from core.kernel.money import Money
from invoices.statements.rolling import Kind, kind_of, roll

USD = "USD"


def money(text: str) -> Money:
    """An amount of dollars."""
    return Money.parse(text, USD)


def test_what_is_no_charge_and_no_payment_is_an_adjustment():
    owed, given_ = money("5.00"), -money("5.00")
    assert kind_of("invoice_issued", owed) is Kind.CHARGE
    assert kind_of("debit_memo_issued", owed) is Kind.CHARGE
    assert kind_of("payment_captured", given_) is Kind.PAYMENT
    assert kind_of("credit_applied", given_) is Kind.PAYMENT
    for kind in ("credit_memo_issued", "written_off", "some_later_kind"):
        assert kind_of(kind, given_) is Kind.ADJUSTMENT
    for kind in ("refunded", "charged_back", "application_reversed", "payment_captured"):
        assert kind_of(kind, owed) is Kind.ADJUSTMENT


@given(st.integers(), st.integers(), st.lists(st.tuples(st.sampled_from(Kind), st.integers())))
def test_whatever_happens_the_lines_sum_to_the_closing_balance(opening, moved, changes):
    rolled = roll(
        Money(opening, USD),
        Money(moved, USD),
        [(kind, Money(minor, USD)) for kind, minor in changes],
    )
    assert rolled.closing.minor == opening + moved + sum(minor for _, minor in changes)
    for kind, line in (
        (Kind.PAYMENT, rolled.payments),
        (Kind.ADJUSTMENT, rolled.adjustments),
        (Kind.CHARGE, rolled.charges),
    ):
        assert line.minor == sum(minor for each, minor in changes if each is kind)
