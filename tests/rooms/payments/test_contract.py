"""What every processor behind the port promises: the sandbox here, Stripe with a test key."""

import dataclasses
from datetime import timedelta

import pytest

from core.kernel.money import Money
from payments.gateway import (
    CheckoutLine,
    InvalidRequest,
    KeyConflict,
)
from payments.network import EvidenceFile, EvidenceRequest
from tests.rooms.payments.conftest import Side, side_of
from tests.sandbox_process import SandboxProcess


def test_a_checkout_opens_with_our_amount_and_our_ids(either: Side) -> None:
    request = either.request()
    session = either.gateway.start_checkout(request)

    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert session.amount == Money(31800, "USD")
    assert session.operation_id == request.operation_id
    assert session.metadata["order"] == "C-1001"
    assert session.url is not None
    assert session.url.startswith("http")
    assert session.expires_at == request.expires_at.replace(microsecond=0)
    assert either.gateway.get_checkout(session.id) == session


def test_the_same_key_opens_the_same_checkout_however_often_it_is_sent(either: Side) -> None:
    request = either.request()
    first = either.gateway.start_checkout(request)
    assert either.gateway.start_checkout(request) == first


def test_a_key_that_comes_again_with_other_parameters_is_a_conflict(either: Side) -> None:
    request = either.request()
    either.gateway.start_checkout(request)
    other = dataclasses.replace(
        request, lines=(CheckoutLine("Phone", Money(900, "USD")),), total=Money(900, "USD")
    )
    with pytest.raises(KeyConflict) as conflict:
        either.gateway.start_checkout(other)
    assert conflict.value.op_key == request.op_key


def test_a_checkout_is_found_by_the_operation_that_opened_it(either: Side) -> None:
    began = either.now()
    session = either.open()
    assert session.operation_id is not None
    assert either.gateway.find_checkout_by_operation(session.operation_id, began) == session
    assert either.gateway.find_checkout_by_operation("op-that-never-was", began) is None


def test_an_open_checkout_can_be_ended_and_stays_ended(either: Side) -> None:
    session = either.open()
    name = either.new_name()
    ended = either.gateway.expire_checkout(session.id, f"end-{name}")
    assert (ended.status, ended.url) == ("expired", None)
    assert either.gateway.expire_checkout(session.id, f"end-again-{name}") == ended
    assert either.gateway.get_checkout(session.id) == ended


@pytest.mark.parametrize("minutes", [29, 24 * 60 + 10])
def test_a_checkout_lasts_between_half_an_hour_and_a_day(either: Side, minutes: int) -> None:
    with pytest.raises(InvalidRequest) as refused:
        either.open(expires_at=either.now() + timedelta(minutes=minutes))
    assert refused.value.param == "expires_at"


def test_an_address_that_is_none_is_refused(either: Side) -> None:
    with pytest.raises(InvalidRequest) as refused:
        either.open(customer_email="june.alder")
    assert (refused.value.reason, refused.value.param) == ("email_invalid", "customer_email")


def test_less_than_can_be_charged_is_refused(either: Side) -> None:
    cent = Money(1, "USD")
    with pytest.raises(InvalidRequest) as refused:
        either.open(lines=(CheckoutLine("Screw", cent),), total=cent)
    assert refused.value.reason == "amount_too_small"


@pytest.mark.parametrize("ask", ["get_checkout", "get_payment", "get_refund", "get_chargeback"])
def test_what_the_processor_does_not_know_is_told_as_missing(either: Side, ask: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        getattr(either.gateway, ask)("nothing_of_this_name")
    assert refused.value.reason == "resource_missing"


def test_a_chargeback_is_told_as_it_stands(sandbox: SandboxProcess) -> None:
    side = side_of(sandbox)
    payment = side.paid()
    told = sandbox.control("POST", "/sandbox/disputes", {"payment": payment.id, "amount": 2500})
    found = side.gateway.get_chargeback(told["dispute"])
    assert (found.payment_id, found.status, found.taken) == (payment.id, "needs_response", True)
    assert (found.amount, found.fee) == (Money(2500, "USD"), Money(1500, "USD"))
    assert found.evidence_due is not None
    sandbox.control("POST", "/sandbox/disputes", {**told, "won": True})
    again = side.gateway.get_chargeback(told["dispute"])
    assert (again.status, again.fee, again.fee_back) == ("won", found.fee, Money(0, "USD"))


def evidence_for(dispute: str, side: Side, text: str, png: bytes) -> EvidenceRequest:
    name = side.new_name()
    file_id = side.gateway.upload_evidence(EvidenceFile(f"file-{name}", "receipt.png", png))
    again = side.gateway.upload_evidence(EvidenceFile(f"file-{name}", "receipt.png", png))
    assert again == file_id, "the same key lays the same file ready once"
    return EvidenceRequest(f"answer-{name}", dispute, text, {"receipt": file_id})


def test_evidence_is_handed_over_once_and_may_decide(sandbox: SandboxProcess) -> None:
    side, png = side_of(sandbox), b"\x89PNG\r\n\x1a\n" + b"--a\r\n\x00" * 20
    told = sandbox.control("POST", "/sandbox/disputes", {"payment": side.paid().id})["dispute"]
    assert not side.gateway.get_chargeback(told).answered
    request = evidence_for(told, side, "It was delivered, signed by June Alder.", png)
    answered = side.gateway.submit_evidence(request)
    assert (answered.status, answered.answered) == ("under_review", True)
    assert side.gateway.submit_evidence(request) == answered
    with pytest.raises(InvalidRequest):
        side.gateway.submit_evidence(dataclasses.replace(request, op_key="another"))
    with pytest.raises(InvalidRequest) as refused:
        side.gateway.upload_evidence(EvidenceFile("no-picture", "notes.txt", b"just words"))
    assert refused.value.param == "file"

    own = side.paid("4000000000000259")
    created = next(e for e in sandbox.events if e["type"] == "charge.dispute.created")
    dispute = created["data"]["object"]
    assert dispute["payment_intent"] == own.id, "this card's bank takes every payment back"
    won = evidence_for(dispute["id"], side, "winning_evidence", png)
    assert side.gateway.submit_evidence(won).status == "won"


def test_a_payment_tells_its_card_its_fee_and_our_ids(either: Side) -> None:
    payment = either.paid()
    assert payment.status == "succeeded"
    assert payment.amount == payment.amount_received == Money(31800, "USD")
    assert payment.amount_refunded == Money(0, "USD")
    assert (payment.card_brand, payment.card_last4) == ("visa", "4242")
    assert payment.operation_id is not None
    assert payment.metadata["order"] == "C-1001"
    assert payment.last_decline is None
    assert payment.fee is not None
    assert 0 < payment.fee.minor < 31800
    assert payment.balance_transaction_id is not None


def test_a_declined_card_leaves_its_reason_on_the_payment(either: Side) -> None:
    payment = either.paid("4000000000000002")
    assert payment.status == "requires_payment_method"
    assert payment.amount_received == Money(0, "USD")
    assert payment.last_decline is not None
    assert payment.last_decline.code == "card_declined"
    assert payment.last_decline.decline_code == "generic_decline"


def test_an_authorised_payment_is_captured_in_part(either: Side) -> None:
    held = either.paid(capture="manual")
    assert held.status == "requires_capture"
    assert (held.amount_capturable, held.amount_received) == (Money(31800, "USD"), Money(0, "USD"))

    key = f"capture-{either.new_name()}"
    taken = either.gateway.capture(key, held.id, Money(20000, "USD"))
    assert taken.status == "succeeded"
    assert (taken.amount_capturable, taken.amount_received) == (
        Money(0, "USD"),
        Money(20000, "USD"),
    )
    assert either.gateway.capture(key, held.id, Money(20000, "USD")) == taken
    with pytest.raises(InvalidRequest):
        either.gateway.capture(f"capture-{either.new_name()}", held.id)


def test_more_than_was_authorised_is_not_captured(either: Side) -> None:
    held = either.paid(capture="manual")
    with pytest.raises(InvalidRequest):
        either.gateway.capture(f"capture-{either.new_name()}", held.id, Money(31801, "USD"))


def test_an_authorisation_is_released_once_and_for_all(either: Side) -> None:
    held = either.paid(capture="manual")
    released = either.gateway.void(f"void-{either.new_name()}", held.id)
    assert released.status == "canceled"
    assert either.gateway.void(f"void-{either.new_name()}", held.id).status == "canceled"
    with pytest.raises(InvalidRequest):
        either.gateway.capture(f"capture-{either.new_name()}", held.id)


def test_money_that_was_taken_is_not_released(either: Side) -> None:
    payment = either.paid()
    with pytest.raises(InvalidRequest):
        either.gateway.void(f"void-{either.new_name()}", payment.id)


def test_a_refund_is_made_once_for_its_key_and_found_by_its_operation(either: Side) -> None:
    payment = either.paid()
    request = either.refund(payment, 1200)
    refund = either.gateway.refund(request)

    assert refund.status == "succeeded"
    assert (refund.amount, refund.payment_id) == (Money(1200, "USD"), payment.id)
    assert refund.operation_id == request.operation_id
    assert refund.metadata["memo"] == "CM-7"
    assert either.gateway.refund(request).id == refund.id
    assert either.gateway.get_refund(refund.id).amount == refund.amount
    found = either.gateway.find_refund_by_operation(request.operation_id, payment.id)
    assert found is not None
    assert found.id == refund.id
    assert either.gateway.find_refund_by_operation("op-that-never-was", payment.id) is None
    assert either.gateway.get_payment(payment.id).amount_refunded == Money(1200, "USD")


def test_no_more_is_refunded_than_was_taken(either: Side) -> None:
    payment = either.paid()
    either.gateway.refund(either.refund(payment, 31000))
    with pytest.raises(InvalidRequest):
        either.gateway.refund(either.refund(payment, 801))
    either.gateway.refund(either.refund(payment, 800))
    with pytest.raises(InvalidRequest) as refused:
        either.gateway.refund(either.refund(payment, 1))
    assert refused.value.reason == "charge_already_refunded"


def test_events_are_told_oldest_first_and_go_on_from_a_cursor(either: Side) -> None:
    began = either.now() - timedelta(seconds=1)
    payment = either.paid()
    first = either.gateway.list_events(created_gte=began)
    about = [event.type for event in first.items if event.object_id == payment.id]
    assert about.index("payment_intent.created") < about.index("payment_intent.succeeded")
    assert all(not event.livemode for event in first.items)

    either.gateway.refund(either.refund(payment, 500))
    after = either.gateway.list_events(after=first.cursor)
    assert "refund.created" in [event.type for event in after.items]
    assert not {event.id for event in first.items} & {event.id for event in after.items}


def test_events_come_in_pages_that_miss_nothing(either: Side) -> None:
    began = either.now() - timedelta(seconds=1)
    either.paid()
    whole = [event.id for event in either.gateway.list_events(created_gte=began).items]

    page = either.gateway.list_events(created_gte=began, limit=2)
    seen = [event.id for event in page.items]
    while page.has_more:
        page = either.gateway.list_events(after=page.cursor, created_gte=began, limit=2)
        seen += [event.id for event in page.items]
    assert len(whole) >= 4
    assert seen[: len(whole)] == whole


def test_the_balance_shows_what_was_taken_with_its_fee_and_what_was_given_back(
    either: Side,
) -> None:
    began = either.now() - timedelta(seconds=1)
    payment = either.paid()
    refund = either.gateway.refund(either.refund(payment, 1000))
    booked = {
        entry.id: entry
        for entry in either.gateway.list_balance_transactions(created_gte=began).items
    }
    assert payment.balance_transaction_id in booked
    taken = booked[str(payment.balance_transaction_id)]
    assert (taken.amount, taken.fee) == (payment.amount, payment.fee)
    assert taken.net == taken.amount - taken.fee
    given = booked[str(refund.balance_transaction_id)]
    assert (given.type, given.amount, given.source_id) == ("refund", Money(-1000, "USD"), refund.id)
