"""Cards on file: what every processor behind the port promises of set-ups and charges without their owner."""

import dataclasses

import pytest

from core.kernel.money import Money
from payments.gateway import AuthenticationRequired, Declined, InvalidRequest, KeyConflict
from payments.saved import CustomerRequest
from tests.rooms.payments.conftest import Side, side_of
from tests.sandbox_process import SandboxProcess

ASKS_ITS_BANK = "4000002500003155"
ALWAYS_ASKS = "4000002760003184"
FAILS_ON_FILE = "4000000000000341"
DECLINED = "4000000000000002"


def test_a_customer_is_made_once_for_its_key(either: Side) -> None:
    name = either.new_name()
    asked = CustomerRequest(f"key-{name}", name, "June Alder", "june.alder@example.com")
    first = either.gateway.create_customer(asked)
    assert (first.name, first.email) == ("June Alder", "june.alder@example.com")
    assert either.gateway.create_customer(asked) == first
    with pytest.raises(KeyConflict):
        either.gateway.create_customer(dataclasses.replace(asked, name="June Elder"))


def test_a_set_up_opens_a_visit_that_asks_for_no_money(either: Side) -> None:
    request = either.setup(either.new_customer())
    session = either.gateway.start_setup(request)
    assert (session.mode, session.status) == ("setup", "open")
    assert (session.payment_status, session.amount) == ("no_payment_required", None)
    assert session.operation_id == request.operation_id
    assert session.payment_id is None
    assert either.gateway.start_setup(request) == session
    assert either.gateway.get_checkout(session.id) == session
    found = either.gateway.find_checkout_by_operation(request.operation_id, either.now())
    assert found == session


def test_a_set_up_for_nobody_is_refused(either: Side) -> None:
    with pytest.raises(InvalidRequest) as refused:
        either.gateway.start_setup(either.setup("cus_nobody"))
    assert refused.value.is_missing


def test_a_saved_card_is_told_by_its_last_digits_and_never_by_its_number(
    side: Side, sandbox: SandboxProcess
) -> None:
    request = side.setup(side.new_customer())
    session = side.gateway.start_setup(request)
    assert session.url is not None
    assert session.setup_id is not None
    assert side.gateway.get_setup(session.setup_id).method is None
    seen = sandbox.pay(session.url, expiry="03/31")
    assert seen.redirect == request.success_url

    setup = side.gateway.get_setup(session.setup_id)
    assert (setup.status, setup.operation_id) == ("succeeded", request.operation_id)
    assert setup.method is not None
    assert setup.method.customer_id == request.customer_id
    assert (setup.method.brand, setup.method.last4) == ("visa", "4242")
    assert (setup.method.exp_month, setup.method.exp_year) == (3, 2031)
    told = [
        sandbox.control("GET", address)
        for address in (
            f"/v1/checkout/sessions/{session.id}?expand[]=setup_intent.payment_method",
            f"/v1/payment_methods/{setup.method.id}?expand[]=customer",
            "/v1/events?limit=20",
        )
    ]
    assert "4242424242424242" not in str(told)


def test_the_page_of_a_set_up_says_that_nothing_is_charged_now(
    side: Side, sandbox: SandboxProcess
) -> None:
    session = side.gateway.start_setup(side.setup(side.new_customer()))
    assert session.url is not None
    page = sandbox.look(session.url).body
    assert "Nothing is charged now" in page
    assert "Save this card, charge nothing" in page
    declined = sandbox.pay(session.url, DECLINED)
    assert declined.problems == ["Your card was declined."]
    assert "Nothing was charged" in declined.body
    asking = sandbox.send_form(
        session.url,
        {"number": ASKS_ITS_BANK, "expiry": "12/34", "cvc": "123", "name": "June Alder"},
    )
    assert asking.redirect is not None
    assert "Nothing is charged now" in sandbox.look(asking.redirect).body


def test_a_card_that_is_refused_or_not_confirmed_is_not_saved(
    side: Side, sandbox: SandboxProcess
) -> None:
    request = side.setup(side.new_customer())
    session = side.gateway.start_setup(request)
    assert session.url is not None
    assert session.setup_id is not None
    sandbox.pay(session.url, DECLINED)
    refused = side.gateway.get_setup(session.setup_id)
    assert refused.status == "requires_payment_method"
    assert refused.last_decline is not None
    assert refused.last_decline.decline_code == "generic_decline"
    sandbox.pay(session.url, ASKS_ITS_BANK, complete_3ds=False)
    unsure = side.gateway.get_setup(session.setup_id)
    assert unsure.last_decline is not None
    assert unsure.last_decline.code == "setup_intent_authentication_failure"
    assert side.gateway.list_payment_methods(request.customer_id) == ()
    sandbox.pay(session.url, ASKS_ITS_BANK)
    assert side.gateway.get_setup(session.setup_id).status == "succeeded"


def test_a_visit_that_ends_ends_its_set_up(side: Side) -> None:
    session = side.gateway.start_setup(side.setup(side.new_customer()))
    assert session.setup_id is not None
    side.gateway.expire_checkout(session.id, f"end-{side.new_name()}")
    assert side.gateway.get_setup(session.setup_id).status == "canceled"


def test_a_card_on_file_pays_without_its_owner(either: Side) -> None:
    method = either.saved()
    request = either.charge(method, 4500)
    payment = either.gateway.charge_saved(request)
    assert payment.status == "succeeded"
    assert payment.amount_received == Money(4500, "USD")
    assert payment.operation_id == request.operation_id
    assert (payment.card_brand, payment.card_last4) == ("visa", "4242")
    assert payment.fee is not None
    assert either.gateway.get_payment(payment.id) == payment


def test_the_same_key_charges_once_however_often_it_is_sent(either: Side) -> None:
    request = either.charge(either.saved())
    first = either.gateway.charge_saved(request)
    assert either.gateway.charge_saved(request).id == first.id
    with pytest.raises(KeyConflict):
        either.gateway.charge_saved(dataclasses.replace(request, amount=Money(4600, "USD")))


def test_a_charge_is_found_by_the_operation_that_made_it(either: Side) -> None:
    method, began = either.saved(), either.now()
    request = either.charge(method)
    find = either.gateway.find_payment_by_operation
    assert find(request.operation_id, request.customer_id, began) is None
    payment = either.gateway.charge_saved(request)
    assert find(request.operation_id, request.customer_id, began) == payment


def test_a_declined_charge_says_why_and_takes_nothing_however_often_it_is_sent(
    either: Side,
) -> None:
    method, began = either.saved(FAILS_ON_FILE), either.now()
    request = either.charge(method)
    for _ in range(2):
        with pytest.raises(Declined) as declined:
            either.gateway.charge_saved(request)
        assert declined.value.reason == "card_declined"
        assert declined.value.decline_code == "generic_decline"
    payment = either.gateway.find_payment_by_operation(
        request.operation_id, request.customer_id, began
    )
    assert payment is not None
    assert payment.id == declined.value.payment_id
    assert (payment.status, payment.amount_received.minor) == ("requires_payment_method", 0)
    assert payment.last_decline is not None
    assert payment.last_decline.code == "card_declined"


def test_a_bank_that_wants_the_owner_is_told_apart_from_one_that_says_no(either: Side) -> None:
    method = either.saved(ALWAYS_ASKS)
    with pytest.raises(AuthenticationRequired) as asked:
        either.gateway.charge_saved(either.charge(method))
    assert asked.value.payment_id is not None
    payment = either.gateway.get_payment(asked.value.payment_id)
    assert payment.amount_received == Money(0, "USD")
    assert payment.last_decline is not None
    assert payment.last_decline.code == "authentication_required"


@pytest.mark.parametrize(
    ("card", "reason"),
    [("4000002500003155", None), ("4000008260003178", "insufficient_funds")],
)
def test_a_card_whose_bank_was_asked_once_is_not_asked_again(
    side: Side, card: str, reason: str | None
) -> None:
    request = side.charge(side.saved(card))
    if reason is None:
        assert side.gateway.charge_saved(request).status == "succeeded"
        return
    with pytest.raises(Declined) as declined:
        side.gateway.charge_saved(request)
    assert declined.value.decline_code == reason


def test_a_card_that_has_lapsed_since_is_declined_as_expired(own_sandbox: SandboxProcess) -> None:
    side = side_of(own_sandbox)
    now = side.now()
    method = side.saved(expiry=f"{now.month:02d}/{now.year}")
    assert (method.exp_month, method.exp_year) == (now.month, now.year)
    assert side.gateway.charge_saved(side.charge(method)).status == "succeeded"
    own_sandbox.advance(32 * 24 * 3600)
    with pytest.raises(Declined) as declined:
        side.gateway.charge_saved(side.charge(method))
    assert (declined.value.reason, declined.value.decline_code) == ("expired_card", "expired_card")


def test_less_than_can_be_charged_is_refused_and_no_card_is_tried(either: Side) -> None:
    with pytest.raises(InvalidRequest) as refused:
        either.gateway.charge_saved(either.charge(either.saved(), 1))
    assert refused.value.reason == "amount_too_small"


def test_the_cards_of_a_customer_are_listed_the_newest_first(side: Side) -> None:
    customer_id = side.new_customer()
    visa = side.saved(customer_id=customer_id)
    other = side.saved("5555555555554444", customer_id=customer_id)
    again = side.saved(customer_id=customer_id)
    side.saved()
    listed = side.gateway.list_payment_methods(customer_id)
    assert [method.id for method in listed] == [again.id, other.id, visa.id]
    assert again.fingerprint == visa.fingerprint != other.fingerprint


def test_a_card_that_was_taken_off_file_can_not_be_charged_any_more(either: Side) -> None:
    method = either.saved()
    assert either.gateway.detach(f"off-{either.new_name()}", method.id).customer_id is None
    assert either.gateway.detach(f"off-{either.new_name()}", method.id).customer_id is None
    assert method.customer_id is not None
    assert either.gateway.list_payment_methods(method.customer_id) == ()
    with pytest.raises(InvalidRequest):
        either.gateway.charge_saved(either.charge(method))


def test_a_card_of_somebody_else_is_not_charged(either: Side) -> None:
    method = either.saved()
    with pytest.raises(InvalidRequest):
        either.gateway.charge_saved(either.charge(method, customer_id=either.new_customer()))


@pytest.mark.parametrize("ask", ["get_setup", "detach"])
def test_what_is_not_on_file_is_told_as_missing(either: Side, ask: str) -> None:
    given = ("key-of-nothing", "pm_nothing") if ask == "detach" else ("seti_nothing",)
    with pytest.raises(InvalidRequest) as refused:
        getattr(either.gateway, ask)(*given)
    assert refused.value.is_missing
