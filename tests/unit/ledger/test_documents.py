"""What a document says to the ledger: its entry balances, its item is its total."""

import uuid
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.kernel.money import Money
from core.ledger.business import (
    Document,
    charge_item,
    charge_posting,
    credit_item,
    credit_posting,
)
from core.ledger.chart import (
    CHART,
    CONTRACT_LIABILITY,
    CUSTOMER_CREDIT,
    RECEIVABLE,
    REVENUE,
    TAX_PAYABLE,
)
from core.ledger.item_proofs import CONTROLS
from core.ledger.journal import credit, debit

AMOUNTS = st.integers(min_value=-(10**9), max_value=10**9)
NETS = st.lists(st.tuples(st.sampled_from([CONTRACT_LIABILITY, REVENUE]), AMOUNTS), max_size=5)
CURRENCIES = st.sampled_from(["USD", "JPY", "KWD"])


def document(nets: list[tuple[str, int]], tax: int, currency: str = "USD") -> Document:
    return Document(
        id=uuid.uuid4(),
        legal_entity_id=uuid.uuid4(),
        account_id=uuid.uuid4(),
        number="100001",
        issue_date=date(2026, 11, 17),
        due_date=date(2026, 12, 1),
        nets=[(code, Money(minor, currency)) for code, minor in nets],
        tax=Money(tax, currency),
    )


@given(NETS, AMOUNTS, CURRENCIES)
def test_an_invoice_debits_what_it_credits_and_its_item_is_its_total(nets, tax, currency):
    issued = document(nets, tax, currency)
    assume(issued.total.minor > 0)
    posting = charge_posting(issued)
    assert posting is not None
    assert sum(side.amount.minor for side in posting.sides) == 0
    assert posting.sides[0] == debit(RECEIVABLE, issued.total, issued.account_id)
    assert posting.sides[-1] == credit(TAX_PAYABLE, issued.tax, issued.account_id)
    assert charge_item(issued).amount == issued.total
    assert charge_item(issued).due_date == issued.due_date


@given(NETS, AMOUNTS, CURRENCIES)
def test_a_credit_memo_turns_an_invoice_around_and_becomes_customer_credit(nets, tax, currency):
    memo = document(nets, tax, currency)
    assume(memo.total.minor > 0)
    posting = credit_posting(memo)
    charged = charge_posting(memo)
    assert posting is not None
    assert charged is not None
    assert [side.amount for side in posting.sides[:-1]] == [
        -side.amount for side in charged.sides[1:]
    ]
    assert posting.sides[-1] == credit(CUSTOMER_CREDIT, memo.total, memo.account_id)
    assert credit_item(memo).amount == memo.total
    assert credit_item(memo).due_date is None


def test_an_invoice_below_zero_is_refused():
    with pytest.raises(ValueError, match="below zero"):
        charge_posting(document([(REVENUE, -101)], 1))


def test_a_document_of_nothing_posts_nothing():
    assert charge_posting(document([], 0)) is None
    assert charge_posting(document([(REVENUE, 0)], 0)) is None
    assert credit_posting(document([(REVENUE, 0)], 0)) is None


def test_an_invoice_whose_lines_cancel_out_still_posts_them():
    posting = charge_posting(document([(CONTRACT_LIABILITY, 500), (REVENUE, -500)], 0))
    assert posting is not None
    assert [side.amount.minor for side in posting.sides if side.amount] == [-500, 500]


def test_the_chart_names_each_account_once_and_holds_every_control_account():
    codes = [code for code, _, _ in CHART]
    assert len(codes) == len(set(codes))
    assert set(CONTROLS) <= set(codes)
    assert {kind for _, _, kind in CHART} == {"asset", "liability", "income", "expense"}
