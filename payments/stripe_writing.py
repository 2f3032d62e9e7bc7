"""The port's requests written as Stripe's parameters, and refused when they contradict themselves.

Pure; used by ``payments.stripe_gateway``.
"""

from collections.abc import Mapping
from typing import Any

from core.kernel.money import Money, total
from payments.gateway import CheckoutLine, CheckoutRequest, InvalidRequest
from payments.network import EvidenceRequest
from payments.saved import ChargeRequest, CustomerRequest, SetupRequest
from payments.stripe_amounts import to_stripe
from payments.stripe_reading import OPERATION

MOST_LINES = 100
LONGEST_NAME = 250
LONGEST_DESCRIPTION = 500
#: What a file shows -> where Stripe wants it.
EVIDENCE = {
    "receipt": "receipt",
    "correspondence": "customer_communication",
    "delivery": "shipping_documentation",
    "service": "service_documentation",
    "other": "uncategorized_file",
}


def checkout(request: CheckoutRequest) -> dict[str, Any]:
    """The parameters of a checkout session. InvalidRequest when the lines are not the total."""
    _check_sum(request)
    own = metadata(request.metadata, request.operation_id)
    params: dict[str, Any] = {
        "mode": "payment",
        "ui_mode": "hosted_page",
        "allowed_payment_method_types": ["card"],
        "client_reference_id": request.operation_id,
        "line_items": [_line(line) for line in _few(request.lines)],
        "metadata": own,
        "payment_intent_data": {"metadata": own, "capture_method": request.capture},
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "expires_at": int(request.expires_at.timestamp()),
    }
    if request.customer_email:
        params["customer_email"] = request.customer_email
    return params


def customer(request: CustomerRequest) -> dict[str, Any]:
    """The parameters of a customer."""
    params: dict[str, Any] = {
        "name": request.name[:LONGEST_NAME],
        "metadata": {"reference": request.reference},
    }
    if request.email:
        params["email"] = request.email
    return params


def setup(request: SetupRequest) -> dict[str, Any]:
    """The parameters of a checkout session that saves a card and charges nothing."""
    own = metadata(request.metadata, request.operation_id)
    return {
        "mode": "setup",
        "ui_mode": "hosted_page",
        "allowed_payment_method_types": ["card"],
        "client_reference_id": request.operation_id,
        "customer": ident(request.customer_id),
        "metadata": own,
        "setup_intent_data": {"metadata": own},
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "expires_at": int(request.expires_at.timestamp()),
    }


def charge(request: ChargeRequest) -> dict[str, Any]:
    """The parameters of a payment that is confirmed at once while its payer is not there."""
    if request.amount.minor <= 0:
        raise InvalidRequest("amount", "there is nothing to charge")
    return {
        "amount": units(request.amount),
        "currency": request.amount.currency.lower(),
        "customer": ident(request.customer_id),
        "payment_method": ident(request.method_id),
        "allowed_payment_method_types": ["card"],
        "confirm": True,
        "off_session": True,
        "description": request.description[:LONGEST_DESCRIPTION],
        "metadata": metadata(request.metadata, request.operation_id),
    }


def evidence(request: EvidenceRequest) -> dict[str, Any]:
    """The parameters that hand our evidence to the bank. InvalidRequest for a file of no known kind."""
    unknown = sorted(request.files.keys() - EVIDENCE.keys())
    if unknown:
        raise InvalidRequest("files", f"nothing is known of evidence like {unknown[0]}")
    told = {EVIDENCE[kind]: ident(file_id) for kind, file_id in request.files.items()}
    if request.text:
        told["uncategorized_text"] = request.text
    return {"evidence": told, "submit": True}


def ident(given: str) -> str:
    """An empty id would ask for the whole list instead."""
    if not given:
        raise InvalidRequest("id", "the id is empty")
    return given


def keyed(op_key: str) -> dict[str, str]:
    """The options of a request that is done once for its key."""
    return {"idempotency_key": key(op_key)}


def key(given: str) -> str:
    """An idempotency key as Stripe takes it."""
    if not 0 < len(given) <= 255:
        raise InvalidRequest("op_key", "a key has 1 to 255 characters")
    return given


def _check_sum(request: CheckoutRequest) -> None:
    if any(line.amount.minor < 0 or line.quantity < 1 for line in request.lines):
        raise InvalidRequest("lines", "a line has at least one piece and no negative amount")
    currency = request.total.currency
    if any(line.amount.currency != currency for line in request.lines):
        raise InvalidRequest("lines", "every line has the currency of the total")
    if total((line.amount * line.quantity for line in request.lines), currency) != request.total:
        raise InvalidRequest("total", "the lines do not sum to the total")
    if request.total.minor <= 0:
        raise InvalidRequest("total", "there is nothing to pay")


def _few(lines: tuple[CheckoutLine, ...]) -> list[CheckoutLine]:
    """At most as many as Stripe takes: the rest in one line."""
    if len(lines) <= MOST_LINES:
        return list(lines)
    shown, rest = lines[: MOST_LINES - 1], lines[MOST_LINES - 1 :]
    amount = total((line.amount * line.quantity for line in rest), rest[0].amount.currency)
    return [*shown, CheckoutLine(f"{len(rest)} more lines", amount)]


def _line(line: CheckoutLine) -> dict[str, Any]:
    name = line.name if len(line.name) <= LONGEST_NAME else line.name[: LONGEST_NAME - 1] + "…"
    return {
        "quantity": line.quantity,
        "price_data": {
            "currency": line.amount.currency.lower(),
            "unit_amount": units(line.amount),
            "product_data": {"name": name or "–"},
        },
    }


def metadata(given: Mapping[str, str], operation_id: str) -> dict[str, str]:
    written = {**given, OPERATION: operation_id}
    if len(written) > 50 or any(len(k) > 40 or len(v) > 500 for k, v in written.items()):
        raise InvalidRequest("metadata", "at most 50 keys of 40 and values of 500 characters")
    return written


def units(amount: Money) -> int:
    try:
        return to_stripe(amount)
    except ValueError as error:
        raise InvalidRequest("amount", str(error)) from None
