"""What goes wrong between a shop and its processor, and what the port makes of each."""

from datetime import timedelta

import pytest

from payments.gateway import Indeterminate, InvalidRequest, KeyConflict, Misconfigured, RateLimited
from payments.stripe_gateway import StripeGateway
from tests.rooms.payments.conftest import Exchange, Side, gateway_to, side_of
from tests.sandbox_process import SandboxProcess


@pytest.fixture
def hasty(sandbox: SandboxProcess) -> StripeGateway:
    """A gateway that waits for a third of a second."""
    return gateway_to(sandbox, timeout=0.3)


def _count(operation_id: str, sandbox: SandboxProcess) -> int:
    sessions = sandbox.control("GET", "/v1/checkout/sessions?limit=100")["data"]
    return sum(1 for one in sessions if one["client_reference_id"] == operation_id)


def test_an_answer_dropped_after_success_is_indeterminate_and_the_same_key_finds_the_checkout(
    side: Side, sandbox: SandboxProcess
) -> None:
    request = side.request()
    sandbox.fault("drop_after_success", path="/v1/checkout/sessions")
    with pytest.raises(Indeterminate):
        side.gateway.start_checkout(request)

    session = side.gateway.start_checkout(request)
    assert session.operation_id == request.operation_id
    assert _count(request.operation_id, sandbox) == 1


def test_a_refund_whose_answer_is_dropped_is_paid_out_once(
    side: Side, sandbox: SandboxProcess
) -> None:
    payment = side.paid()
    request = side.refund(payment, 1000)
    sandbox.fault("drop_after_success", path="/v1/refunds")
    with pytest.raises(Indeterminate):
        side.gateway.refund(request)

    found = side.gateway.find_refund_by_operation(request.operation_id, payment.id)
    assert found is not None
    assert side.gateway.refund(request).id == found.id
    assert side.gateway.get_payment(payment.id).amount_refunded.minor == 1000


def test_a_processor_that_does_not_answer_in_time_is_indeterminate(
    side: Side, sandbox: SandboxProcess, hasty: StripeGateway
) -> None:
    request = side.request()
    sandbox.fault("timeout", delay_seconds=60)
    with pytest.raises(Indeterminate):
        hasty.start_checkout(request)

    assert _count(request.operation_id, sandbox) == 0
    assert side.gateway.start_checkout(request).status == "open"


def test_an_answer_that_comes_too_late_is_found_with_the_same_key(
    side: Side, sandbox: SandboxProcess, hasty: StripeGateway
) -> None:
    request = side.request()
    sandbox.fault("slow", delay_seconds=60)
    with pytest.raises(Indeterminate):
        hasty.start_checkout(request)
    session = side.gateway.start_checkout(request)
    assert session.operation_id == request.operation_id
    assert _count(request.operation_id, sandbox) == 1


def test_a_processor_that_is_not_there_is_indeterminate(sandbox: SandboxProcess) -> None:
    gateway = gateway_to(sandbox, api_base="http://127.0.0.1:1")
    with pytest.raises(Indeterminate):
        gateway.get_payment("pi_1")


@pytest.mark.parametrize("kind", ["500", "malformed"])
def test_a_broken_answer_is_indeterminate_and_the_next_try_succeeds(
    side: Side, sandbox: SandboxProcess, kind: str
) -> None:
    request = side.request()
    sandbox.fault(kind, path="/v1/checkout/*")
    with pytest.raises(Indeterminate):
        side.gateway.start_checkout(request)
    assert side.gateway.start_checkout(request).status == "open"
    assert _count(request.operation_id, sandbox) == 1


def test_a_kept_500_comes_again_for_its_key_and_the_operation_tells_what_really_happened(
    side: Side, sandbox: SandboxProcess
) -> None:
    began = side.now()
    request = side.request()
    sandbox.fault("stored_500", after_success=True)
    for _ in range(3):
        with pytest.raises(Indeterminate):
            side.gateway.start_checkout(request)

    found = side.gateway.find_checkout_by_operation(request.operation_id, began)
    assert found is not None
    assert found.status == "open"
    assert _count(request.operation_id, sandbox) == 1


def test_a_kept_500_of_a_request_that_did_nothing_leaves_nothing_to_find(
    side: Side, sandbox: SandboxProcess
) -> None:
    began = side.now()
    request = side.request()
    sandbox.fault("stored_500")
    for _ in range(2):
        with pytest.raises(Indeterminate):
            side.gateway.start_checkout(request)
    assert side.gateway.find_checkout_by_operation(request.operation_id, began) is None


def test_the_sdk_tries_nothing_again_by_itself(
    side: Side, sandbox: SandboxProcess, exchanges: list[Exchange]
) -> None:
    sandbox.fault("500", times=1)
    with pytest.raises(Indeterminate):
        side.open()
    assert [one.status for one in exchanges] == [500]


def test_too_many_requests_are_told_with_when_to_come_back(
    side: Side, sandbox: SandboxProcess
) -> None:
    request = side.request()
    sandbox.fault("429")
    with pytest.raises(RateLimited) as limited:
        side.gateway.start_checkout(request)
    assert limited.value.retry_after_seconds == 1
    assert side.gateway.start_checkout(request).status == "open"


def test_a_key_that_is_still_being_worked_on_is_indeterminate_and_no_conflict(
    side: Side, sandbox: SandboxProcess
) -> None:
    request = side.request()
    sandbox.fault("key_in_use")
    with pytest.raises(Indeterminate):
        side.gateway.start_checkout(request)


def test_a_key_of_another_kind_of_request_is_a_conflict(side: Side) -> None:
    payment = side.paid()
    request = side.request()
    side.gateway.start_checkout(request)
    with pytest.raises(KeyConflict):
        side.gateway.capture(request.op_key, payment.id)


def test_a_refusal_is_kept_for_its_key_but_a_request_that_never_began_is_not(side: Side) -> None:
    payment = side.paid()
    too_much = side.refund(payment, 31801)
    for _ in range(2):
        with pytest.raises(InvalidRequest):
            side.gateway.refund(too_much)

    soon = side.request(expires_at=side.now() + timedelta(minutes=5))
    with pytest.raises(InvalidRequest):
        side.gateway.start_checkout(soon)
    later = side.request(op_key=soon.op_key, operation_id=soon.operation_id)
    assert side.gateway.start_checkout(later).status == "open"


def test_a_key_is_forgotten_after_a_day_and_the_operation_is_still_found(
    own_sandbox: SandboxProcess,
) -> None:
    side = side_of(own_sandbox)
    began = side.now()
    request = side.request(expires_at=side.now() + timedelta(hours=23))
    first = side.gateway.start_checkout(request)
    own_sandbox.advance(24 * 3600 + 1)

    found = side.gateway.find_checkout_by_operation(request.operation_id, began)
    assert found is not None
    assert (found.id, found.status) == (first.id, "expired")
    again = side.request(op_key=request.op_key)
    assert side.gateway.start_checkout(again).id != first.id


def test_a_search_goes_through_all_pages(side: Side) -> None:
    began = side.now()
    first = side.open()
    for _ in range(101):
        side.open()
    assert first.operation_id is not None
    assert side.gateway.find_checkout_by_operation(first.operation_id, began) == first


def test_a_wrong_key_is_for_whoever_runs_the_shop(sandbox: SandboxProcess) -> None:
    gateway = gateway_to(sandbox, api_key="sk_sandbox_of_somebody_else")
    with pytest.raises(Misconfigured):
        gateway.get_payment("pi_1")


def test_a_payer_who_is_faster_than_the_end_of_the_visit_has_paid(
    side: Side, sandbox: SandboxProcess
) -> None:
    session = side.open()
    assert session.url is not None
    sandbox.pay(session.url)
    seen = side.gateway.expire_checkout(session.id, f"end-{side.new_name()}")
    assert (seen.status, seen.payment_status) == ("complete", "paid")


@pytest.mark.parametrize("ask", ["get_checkout", "get_payment", "get_refund"])
def test_an_empty_id_never_asks_for_the_whole_list(side: Side, ask: str) -> None:
    with pytest.raises(InvalidRequest):
        getattr(side.gateway, ask)("")
