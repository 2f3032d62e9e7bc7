"""What a checkout request must be before it is sent."""

from datetime import UTC, datetime
from typing import Any

import pytest

from core.kernel.money import Money
from payments import stripe_writing as writing
from payments.gateway import CheckoutLine, CheckoutRequest, InvalidRequest


def _request(**other: Any) -> CheckoutRequest:
    usual: dict[str, Any] = {
        "op_key": "key",
        "operation_id": "op",
        "lines": (CheckoutLine("Phone", Money(900, "USD"), 2),),
        "total": Money(1800, "USD"),
        "success_url": "http://localhost/done",
        "cancel_url": "http://localhost/back",
        "expires_at": datetime(2026, 11, 17, 15, 0, tzinfo=UTC),
    }
    return CheckoutRequest(**(usual | other))


@pytest.mark.parametrize(
    "other",
    [
        {"total": Money(1801, "USD")},
        {"total": Money(1800, "EUR")},
        {"lines": (CheckoutLine("Saving", Money(-900, "USD")),), "total": Money(-900, "USD")},
        {"lines": (CheckoutLine("Nothing", Money(900, "USD"), 0),), "total": Money(0, "USD")},
        {"lines": (), "total": Money(0, "USD")},
        {"lines": (CheckoutLine("Gift", Money(0, "USD")),), "total": Money(0, "USD")},
        {"metadata": {"note": "x" * 501}},
        {"metadata": {"k" * 41: "x"}},
        {"metadata": {f"key {at}": "x" for at in range(50)}},
        {"lines": (CheckoutLine("Oud", Money(5001, "KWD")),), "total": Money(5001, "KWD")},
    ],
)
def test_a_request_that_contradicts_itself_is_never_sent(other: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        writing.checkout(_request(**other))


def test_our_ids_stand_on_the_visit_and_on_the_payment() -> None:
    params = writing.checkout(_request(metadata={"order": "C-1"}))
    ids = {"order": "C-1", "operation_id": "op"}
    assert params["metadata"] == params["payment_intent_data"]["metadata"] == ids
    assert params["client_reference_id"] == "op"


def test_nobody_can_write_another_operation_into_the_metadata() -> None:
    params = writing.checkout(_request(metadata={"operation_id": "another"}))
    assert params["metadata"] == {"operation_id": "op"}


def test_more_lines_than_stripe_takes_are_summed_up_in_the_last() -> None:
    lines = tuple(CheckoutLine(f"Line {at}", Money(at + 1, "USD"), 2) for at in range(250))
    whole = sum((at + 1) * 2 for at in range(250))
    sent = writing.checkout(_request(lines=lines, total=Money(whole, "USD")))["line_items"]
    assert len(sent) == 100
    assert sum(line["price_data"]["unit_amount"] * line["quantity"] for line in sent) == whole
    assert sent[-1]["price_data"]["product_data"]["name"] == "151 more lines"


def test_a_long_name_is_cut_and_an_empty_one_has_a_dash() -> None:
    lines = (CheckoutLine("x" * 400, Money(900, "USD")), CheckoutLine("", Money(900, "USD")))
    sent = writing.checkout(_request(lines=lines))["line_items"]
    names = [line["price_data"]["product_data"]["name"] for line in sent]
    assert [len(name) for name in names] == [250, 1]
