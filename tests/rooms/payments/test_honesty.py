"""The sandbox says nothing that Stripe could not say; and the judge of that sees what it should."""

import json
from urllib.parse import urlencode

import pytest

from payments.gateway import GatewayError
from payments.sandbox import api
from tests.rooms.payments.conftest import Side, side_of
from tests.rooms.payments.stripe_types import (
    REQUESTS,
    answer_problems,
    parameters_of,
    params_of,
    request_problems,
)
from tests.sandbox_process import SandboxProcess

SESSIONS = "http://127.0.0.1/v1/checkout/sessions"


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        ({"payment_method_types[0]": "card"}, "there is no parameter payment_method_types"),
        ({"ui_mode": "hosted"}, "'hosted' is not"),
        ({"mode": "pay"}, "'pay' is not"),
        ({"expires_at": "soon"}, "'soon' is not"),
        ({"line_items[0][price_data][unit_amount]": "500"}, "currency is missing"),
        ({"payment_intent_data[capture_method]": "by_hand"}, "'by_hand' is not"),
    ],
)
def test_a_request_that_stripe_does_not_know_is_found(sent: dict[str, str], complaint: str) -> None:
    assert complaint in "; ".join(request_problems("post", SESSIONS, urlencode(sent)))


def test_an_answer_that_stripe_could_not_give_is_found(side: Side, sandbox: SandboxProcess) -> None:
    session = side.open()
    body = sandbox.control("GET", f"/v1/checkout/sessions/{session.id}")
    assert answer_problems(body) == []

    assert answer_problems({**body, "status": "paid"})
    assert answer_problems({**body, "colour": "green"}) == [
        "checkout.session: there is no field colour"
    ]
    assert answer_problems({**body, "amount_total": "31800"})
    del body["created"]
    assert answer_problems(body) == ["checkout.session: created is missing"]


def test_a_refusal_of_unknown_kind_is_found() -> None:
    assert answer_problems({"error": {"type": "invalid_request_error", "message": "No."}}) == []
    assert answer_problems({"error": {"type": "angry_error", "message": "No."}})
    assert answer_problems({"error": {"type": "api_error", "code": "mood", "message": "No."}})


@pytest.mark.parametrize("route", api.ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_the_sandbox_understands_no_parameter_that_stripe_does_not(route: api.Route) -> None:
    known = parameters_of(params_of(route.method, route.path.replace("{id}", "x1")))
    assert set(route.shape) <= set(known)


def test_every_address_that_is_judged_is_one_the_sandbox_has() -> None:
    assert len(REQUESTS) == len(api.ROUTES)


@pytest.mark.parametrize("misspelt", ["payment_method_types[0]=card", "line_item[0][quantity]=1"])
def test_an_unknown_parameter_is_refused_as_stripe_refuses_it(
    sandbox: SandboxProcess, misspelt: str
) -> None:
    status, _, body = sandbox.api("POST", "/v1/checkout/sessions", misspelt)
    error = json.loads(body)["error"]
    assert (status, error["code"]) == (400, "parameter_unknown")
    assert error["param"] in misspelt


def test_what_the_shop_does_not_ask_for_yet_is_of_stripes_shape_too(
    side: Side, sandbox: SandboxProcess
) -> None:
    payment = side.paid()
    session = next(
        one
        for one in sandbox.control("GET", "/v1/checkout/sessions?limit=1")["data"]
        if one["payment_intent"] == payment.id
    )
    charge = sandbox.control("GET", f"/v1/payment_intents/{payment.id}")["latest_charge"]
    for address in (
        f"/v1/charges/{charge}?expand[]=balance_transaction",
        f"/v1/checkout/sessions/{session['id']}/line_items",
        f"/v1/checkout/sessions?payment_intent={payment.id}",
        f"/v1/balance_transactions/{payment.balance_transaction_id}",
        f"/v1/balance_transactions?source={charge}",
        f"/v1/events/{sandbox.events[0]['id']}",
        "/v1/events?type=checkout.session.completed&limit=3",
    ):
        body = sandbox.control("GET", address)
        assert answer_problems(body) == [], address
        assert body["object"] != "list" or body["data"], address


def test_every_kind_of_event_is_one_that_stripe_sends_about_an_object_of_its_shape(
    own_sandbox: SandboxProcess,
) -> None:
    """Refused, asked by the bank, held, captured, released, lapsed, refunded in three ways; put on file and
    taken off, charged from file and refused."""
    side = side_of(own_sandbox)
    for card in ("4000000000000002", "4000002760003184"):
        side.paid(card)
    side.gateway.capture(f"capture-{side.new_name()}", side.paid(capture="manual").id)
    side.gateway.void(f"void-{side.new_name()}", side.paid(capture="manual").id)
    side.gateway.expire_checkout(side.open().id, f"end-{side.new_name()}")
    for card in ("4242424242424242", "4000000000007726", "4000000000005126"):
        side.gateway.refund(side.refund(side.paid(card), 500))
    _put_cards_on_file(side, own_sandbox)
    for won in (True, False):
        paid = {"payment": side.paid().id}
        told = own_sandbox.control("POST", "/sandbox/disputes", paid)
        own_sandbox.control("POST", "/sandbox/disputes", {**told, "won": won})
    own_sandbox.advance(3700)
    events = own_sandbox.events
    assert {
        "checkout.session.completed",
        "checkout.session.expired",
        "charge.captured",
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn",
        "charge.failed",
        "charge.refunded",
        "charge.succeeded",
        "charge.updated",
        "payment_intent.amount_capturable_updated",
        "payment_intent.canceled",
        "payment_intent.created",
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
        "customer.created",
        "payment_method.attached",
        "payment_method.detached",
        "setup_intent.canceled",
        "setup_intent.created",
        "setup_intent.requires_action",
        "setup_intent.setup_failed",
        "setup_intent.succeeded",
        "refund.created",
        "refund.failed",
        "refund.updated",
    } <= {event["type"] for event in events}
    assert [problem for event in events for problem in answer_problems(event)] == []


def _put_cards_on_file(side: Side, sandbox: SandboxProcess) -> None:
    session = side.gateway.start_setup(side.setup(side.new_customer()))
    assert session.url is not None
    sandbox.pay(session.url, "4000000000000002")
    sandbox.pay(session.url, "4000002500003155", complete_3ds=False)
    side.gateway.expire_checkout(session.id, f"end-{side.new_name()}")
    for card in ("4000000000000341", "4000002760003184"):
        with pytest.raises(GatewayError):
            side.gateway.charge_saved(side.charge(side.saved(card)))
    method = side.saved()
    side.gateway.charge_saved(side.charge(method))
    side.gateway.detach(f"off-{side.new_name()}", method.id)


def test_what_the_shop_does_not_ask_of_cards_on_file_yet_is_of_stripes_shape_too(
    side: Side, sandbox: SandboxProcess
) -> None:
    method = side.saved()
    payment = side.gateway.charge_saved(side.charge(method))
    for address in (
        f"/v1/customers/{method.customer_id}",
        f"/v1/payment_methods/{method.id}?expand[]=customer",
        f"/v1/payment_methods?customer={method.customer_id}",
        f"/v1/payment_intents?customer={method.customer_id}&limit=3",
        f"/v1/payment_intents/{payment.id}?expand[]=payment_method&expand[]=customer",
    ):
        body = sandbox.control("GET", address)
        assert answer_problems(body) == [], address
        assert body["object"] != "list" or body["data"], address
