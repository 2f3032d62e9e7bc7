"""The page where a card is entered, as a payer without a script meets it."""

import http.client
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from core.kernel.money import Money
from payments.gateway import CheckoutLine, Payment
from tests.rooms.payments.conftest import Side, side_of
from tests.sandbox_process import SandboxProcess


def _url(side: Side, **other: object) -> tuple[str, str]:
    session = side.open(**other)
    assert session.url is not None
    return session.id, session.url


def _payment(side: Side, session_id: str) -> Payment:
    payment_id = side.gateway.get_checkout(session_id).payment_id
    assert payment_id is not None
    return side.gateway.get_payment(payment_id)


@pytest.mark.parametrize("card", ["4242424242424242", "4242 4242 4242 4242", "5555-5555-5555-4444"])
def test_a_good_card_pays_and_leads_back_to_the_shop(
    side: Side, sandbox: SandboxProcess, card: str
) -> None:
    session_id, url = _url(side)
    seen = sandbox.pay(url, card)
    assert seen.redirect == f"http://localhost:8000/checkout/done?session={session_id}"
    session = side.gateway.get_checkout(session_id)
    assert (session.status, session.payment_status, session.url) == ("complete", "paid", None)


@pytest.mark.parametrize(
    ("card", "code", "decline_code", "words"),
    [
        ("4000000000000002", "card_declined", "generic_decline", "Your card was declined."),
        ("4000000000009995", "card_declined", "insufficient_funds", "insufficient funds"),
        ("4000000000000069", "expired_card", "expired_card", "has expired"),
        ("4000000000000127", "incorrect_cvc", "incorrect_cvc", "security code is incorrect"),
        ("4000000000000119", "processing_error", "processing_error", "error occurred"),
        ("4000008400001629", "card_declined", "generic_decline", "Your card was declined."),
    ],
)
def test_a_refused_card_is_told_next_to_the_field_and_another_one_still_pays(
    side: Side, sandbox: SandboxProcess, card: str, code: str, decline_code: str, words: str
) -> None:
    session_id, url = _url(side)
    seen = sandbox.pay(url, card)
    assert seen.redirect is None
    assert words in seen.problems[0]
    refused = _payment(side, session_id)
    assert refused.status == "requires_payment_method"
    assert refused.last_decline is not None
    assert (refused.last_decline.code, refused.last_decline.decline_code) == (code, decline_code)
    assert side.gateway.get_checkout(session_id).status == "open"

    assert sandbox.pay(url).redirect is not None
    paid = _payment(side, session_id)
    assert (paid.id, paid.status, paid.last_decline) == (refused.id, "succeeded", None)


@pytest.mark.parametrize("card", ["4000002500003155", "4000002760003184"])
def test_a_bank_that_asks_is_answered_and_the_card_pays(
    side: Side, sandbox: SandboxProcess, card: str
) -> None:
    session_id, url = _url(side)
    asked = sandbox.send_form(
        url, {"number": card, "expiry": "12/34", "cvc": "123", "name": "June Alder"}
    )
    assert asked.redirect == f"{url}/challenge"
    assert _payment(side, session_id).status == "requires_action"
    assert side.gateway.get_checkout(session_id).payment_status == "unpaid"

    done = sandbox.send_form(asked.redirect, {"answer": "complete"})
    assert done.redirect == f"http://localhost:8000/checkout/done?session={session_id}"
    assert _payment(side, session_id).status == "succeeded"


def test_a_bank_that_is_not_answered_refuses_and_another_card_still_pays(
    side: Side, sandbox: SandboxProcess
) -> None:
    session_id, url = _url(side)
    seen = sandbox.pay(url, "4000002760003184", complete_3ds=False)
    assert "could not confirm that it is you" in seen.problems[0]
    payment = _payment(side, session_id)
    assert payment.last_decline is not None
    assert payment.last_decline.code == "payment_intent_authentication_failure"
    assert payment.card_last4 is None
    assert sandbox.pay(url).redirect is not None


def test_a_number_that_is_none_of_the_test_cards_never_pays(
    side: Side, sandbox: SandboxProcess
) -> None:
    session_id, url = _url(side)
    seen = sandbox.pay(url, "4539578763621486")
    assert "not one of its test cards" in seen.problems[0]
    decline = _payment(side, session_id).last_decline
    assert decline is not None
    assert decline.decline_code == "test_mode_live_card"


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"card": "4242424242424241"}, "not a card number"),
        ({"card": "42424242"}, "not a card number"),
        ({"card": "a card"}, "Enter the long number"),
        ({"expiry": "13/34"}, "Enter the month and the year"),
        ({"expiry": ""}, "Enter the month and the year"),
        ({"expiry": "01/20"}, "This date has passed"),
        ({"cvc": "12"}, "Enter the 3 digits"),
        ({"card": "378282246310005"}, "Enter the 4 digits"),
        ({"name": "  "}, "Enter the name"),
    ],
)
def test_an_entry_that_cannot_be_right_is_told_next_to_its_field_and_nothing_is_tried(
    side: Side, sandbox: SandboxProcess, entry: dict[str, Any], problem: str
) -> None:
    session_id, url = _url(side)
    seen = sandbox.pay(url, **entry)
    assert (seen.status, len(seen.problems)) == (422, 1)
    assert problem in seen.problems[0]
    assert side.gateway.get_checkout(session_id).payment_id is None


@pytest.mark.parametrize("expiry", ["12/34", "12 / 34", "1234", "12/2034", "12-34"])
def test_a_date_is_read_as_people_write_it(
    side: Side, sandbox: SandboxProcess, expiry: str
) -> None:
    assert sandbox.pay(_url(side)[1], expiry=expiry).redirect is not None


def test_pressing_the_button_twice_pays_once(side: Side, sandbox: SandboxProcess) -> None:
    session_id, url = _url(side)
    first = sandbox.pay(url)
    again = sandbox.pay(url)
    assert again.redirect == first.redirect
    charges = [e for e in sandbox.events if e["type"] == "charge.succeeded"]
    payment = _payment(side, session_id)
    assert [e["data"]["object"]["payment_intent"] for e in charges].count(payment.id) == 1


def test_a_page_that_has_lapsed_says_so_and_leads_back(own_sandbox: SandboxProcess) -> None:
    side = side_of(own_sandbox)
    session_id, url = _url(side, expires_at=side.now() + timedelta(minutes=31))
    own_sandbox.advance(30 * 60)
    assert own_sandbox.look(url).status == 200
    own_sandbox.advance(61)
    seen = own_sandbox.look(url)
    assert seen.status == 410
    assert "Nothing was charged" in seen.body
    assert 'href="http://localhost:8000/checkout/back"' in seen.body
    assert side.gateway.get_checkout(session_id).status == "expired"
    assert own_sandbox.events[0]["type"] == "checkout.session.expired"


def test_a_visit_that_was_ended_while_the_bank_asks_takes_no_money(
    side: Side, sandbox: SandboxProcess
) -> None:
    session_id, url = _url(side)
    entry = {"number": "4000002760003184", "expiry": "12/34", "cvc": "123", "name": "June Alder"}
    asked = sandbox.send_form(url, entry)
    assert asked.redirect is not None
    line = sandbox.look(asked.redirect)
    assert line.status == 200
    side.gateway.expire_checkout(session_id, f"end-{side.new_name()}")

    assert sandbox.send_form(asked.redirect, {"answer": "complete"}).redirect == url
    assert _payment(side, session_id).status == "canceled"


def test_an_authorisation_that_is_never_captured_ends_after_a_week(
    own_sandbox: SandboxProcess,
) -> None:
    side = side_of(own_sandbox)
    held = side.paid(capture="manual")
    own_sandbox.advance(7 * 86_400 - 60)
    assert side.gateway.get_payment(held.id).status == "requires_capture"
    own_sandbox.advance(120)
    assert side.gateway.get_payment(held.id).status == "canceled"


def test_a_refund_may_settle_later_or_fail(own_sandbox: SandboxProcess) -> None:
    side = side_of(own_sandbox)
    later, failing = side.paid("4000000000007726"), side.paid("4000000000005126")
    pending = side.gateway.refund(side.refund(later, 700))
    believed = side.gateway.refund(side.refund(failing, 700))
    assert (pending.status, believed.status) == ("pending", "succeeded")

    own_sandbox.advance(3601)
    assert side.gateway.get_refund(pending.id).status == "succeeded"
    failed = side.gateway.get_refund(believed.id)
    assert (failed.status, failed.failure) == ("failed", "expired_or_canceled_card")
    assert side.gateway.get_payment(failing.id).amount_refunded == Money(0, "USD")


# --- what stands on the page -------------------------------------------------------------------


def test_the_page_says_that_no_money_is_real_what_is_paid_for_and_how_to_go_back(
    side: Side, sandbox: SandboxProcess
) -> None:
    body = sandbox.look(_url(side)[1]).body
    assert "Test: no real money." in body
    assert "Canopy mesh router" in body
    assert "258.00" in body
    assert "Pay $318.00 now" in body
    assert 'href="http://localhost:8000/checkout/back"' in body
    for purpose in ("cc-number", "cc-exp", "cc-csc", "cc-name"):
        assert f'autocomplete="{purpose}"' in body
    assert "4242 4242 4242 4242" in body
    assert "<script" not in body
    assert "style=" not in body


def test_a_name_with_markup_stays_text(side: Side, sandbox: SandboxProcess) -> None:
    line = CheckoutLine("<b>Bold & cheap</b>", Money(900, "USD"))
    body = sandbox.look(_url(side, lines=(line,), total=line.amount)[1]).body
    assert "&lt;b&gt;Bold &amp; cheap&lt;/b&gt;" in body


def test_the_page_may_send_the_browser_only_back_to_the_shop(
    side: Side, sandbox: SandboxProcess
) -> None:
    address = urlsplit(_url(side)[1])
    line = http.client.HTTPConnection(address.netloc, timeout=10)
    line.request("GET", address.path)
    answer = line.getresponse()
    policy = answer.headers["Content-Security-Policy"]
    line.close()
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert policy.endswith("form-action 'self' http://localhost:8000")
    assert "script-src" not in policy
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_card_number_is_kept_nowhere(tmp_path: Path, own_sandbox: SandboxProcess) -> None:
    side = side_of(own_sandbox)
    session_id, url = _url(side)
    for card in ("4000000000000002", "4000002760003184", "4539578763621486"):
        own_sandbox.pay(url, card)
    assert _payment(side, session_id).status == "succeeded"
    kept = b"".join(file.read_bytes() for file in (tmp_path / "own").iterdir())
    assert b"4000000000000002" not in kept
    assert b"4000002760003184" not in kept
    assert b"4539578763621486" not in kept


def test_a_page_that_was_never_opened_is_missing(sandbox: SandboxProcess) -> None:
    assert sandbox.look(f"{sandbox.base_url}/pay/cs_test_nothing").status == 404
    assert sandbox.look(f"{sandbox.base_url}/pay/../etc").status == 404


def test_a_person_sees_what_has_happened(side: Side, sandbox: SandboxProcess) -> None:
    payment = side.paid()
    side.gateway.refund(side.refund(payment, 500))
    body = sandbox.look(f"{sandbox.base_url}/").body
    assert payment.id in body
    assert "$5.00" in body
    assert "checkout.session.completed" in body
