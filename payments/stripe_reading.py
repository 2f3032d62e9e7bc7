"""Stripe's objects read into the port's words. Pure; used by ``payments.stripe_gateway``.

Only what the port promises is read. KeyError, TypeError or ValueError mean an answer of another
shape than Stripe's; the gateway tells those as ``Indeterminate``.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast, get_args

from core.kernel.money import Money, total
from payments.gateway import (
    BalanceTransaction,
    CheckoutMode,
    CheckoutPaid,
    CheckoutSession,
    CheckoutStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    WebhookEvent,
)
from payments.network import ChargebackStatus, NetworkChargeback
from payments.saved import Customer, Decline, SavedMethod, Setup, SetupStatus
from payments.stripe_amounts import from_stripe

Body = Mapping[str, Any]
OPERATION = "operation_id"


def checkout(body: Body) -> CheckoutSession:
    metadata = _metadata(body)
    mode = cast(CheckoutMode, _one_of(body["mode"], get_args(CheckoutMode)))
    return CheckoutSession(
        id=_text(body["id"]),
        mode=mode,
        status=cast(CheckoutStatus, _one_of(body["status"], get_args(CheckoutStatus))),
        payment_status=cast(CheckoutPaid, _one_of(body["payment_status"], get_args(CheckoutPaid))),
        amount=_amount(body["amount_total"], body["currency"]) if mode == "payment" else None,
        url=_maybe_text(body["url"]),
        payment_id=_id_of(body["payment_intent"]),
        setup_id=_id_of(body["setup_intent"]),
        operation_id=metadata.get(OPERATION),
        metadata=metadata,
        created=moment(body["created"]),
        expires_at=moment(body["expires_at"]),
    )


def payment(body: Body) -> Payment:
    """A payment intent with its latest charge and that one's balance transaction expanded."""
    currency = body["currency"]
    metadata = _metadata(body)
    charge: Body = body["latest_charge"] or {}
    card: Body = (charge.get("payment_method_details") or {}).get("card") or {}
    booked = charge.get("balance_transaction")
    fee = None
    if isinstance(booked, Mapping):
        fee = _amount(booked["fee"], booked["currency"])
    return Payment(
        id=_text(body["id"]),
        status=cast(PaymentStatus, _one_of(body["status"], get_args(PaymentStatus))),
        amount=_amount(body["amount"], currency),
        amount_capturable=_amount(body["amount_capturable"], currency),
        amount_received=_amount(body["amount_received"], currency),
        amount_refunded=_amount(charge["amount_refunded"] if charge else 0, currency),
        operation_id=metadata.get(OPERATION),
        metadata=metadata,
        created=moment(body["created"]),
        last_decline=_decline(body.get("last_payment_error")),
        card_brand=_maybe_text(card.get("brand")),
        card_last4=_maybe_text(card.get("last4")),
        balance_transaction_id=_id_of(booked),
        fee=fee,
    )


def customer(body: Body) -> Customer:
    return Customer(
        id=_text(body["id"]),
        name=_maybe_text(body.get("name")),
        email=_maybe_text(body.get("email")),
    )


def setup(body: Body) -> Setup:
    """A setup intent with its payment method expanded."""
    method = body["payment_method"]
    return Setup(
        id=_text(body["id"]),
        status=cast(SetupStatus, _one_of(body["status"], get_args(SetupStatus))),
        operation_id=operation_of(body),
        customer_id=_id_of(body["customer"]),
        method=saved_method(method) if isinstance(method, Mapping) else None,
        last_decline=_decline(body.get("last_setup_error")),
        created=moment(body["created"]),
    )


def saved_method(body: Body) -> SavedMethod:
    """A payment method that is a card."""
    card: Body = body["card"]
    return SavedMethod(
        id=_text(body["id"]),
        customer_id=_id_of(body["customer"]),
        brand=_text(card["brand"]),
        last4=_text(card["last4"]),
        exp_month=int(card["exp_month"]),
        exp_year=int(card["exp_year"]),
        fingerprint=_maybe_text(card.get("fingerprint")),
        created=moment(body["created"]),
    )


def refund(body: Body) -> Refund:
    metadata = _metadata(body)
    return Refund(
        id=_text(body["id"]),
        status=cast(RefundStatus, _one_of(body["status"], get_args(RefundStatus))),
        amount=_amount(body["amount"], body["currency"]),
        payment_id=_text(_id_of(body["payment_intent"])),
        operation_id=metadata.get(OPERATION),
        metadata=metadata,
        created=moment(body["created"]),
        failure=_maybe_text(body.get("failure_reason")),
        balance_transaction_id=_id_of(body["balance_transaction"]),
    )


def chargeback(body: Body) -> NetworkChargeback:
    """A dispute, which is Stripe's word for it. Fees in another currency than the payment's are left out."""
    currency = body["currency"]
    booked = [one for one in body["balance_transactions"] if one["currency"] == currency]
    zero = _amount(0, currency)
    fees = [_amount(one["fee"], currency) for one in booked]
    details = body.get("evidence_details") or {}
    due = details.get("due_by")
    status = cast(ChargebackStatus, _one_of(body["status"], get_args(ChargebackStatus)))
    return NetworkChargeback(
        id=_text(body["id"]),
        payment_id=_id_of(body["payment_intent"]),
        status=status,
        amount=_amount(body["amount"], currency),
        # An empty list is told where nothing was booked: a warning, or one that was prevented.
        taken=bool(body["balance_transactions"]),
        fee=total((fee for fee in fees if fee > zero), zero.currency),
        fee_back=-total((fee for fee in fees if fee < zero), zero.currency),
        reason=_maybe_text(body.get("reason")) or "",
        created=moment(body["created"]),
        evidence_due=moment(due) if due is not None else None,
        answered=bool(details.get("submission_count")),
    )


def balance_transaction(body: Body) -> BalanceTransaction:
    currency = body["currency"]
    return BalanceTransaction(
        id=_text(body["id"]),
        type=_text(body["type"]),
        amount=_amount(body["amount"], currency),
        fee=_amount(body["fee"], currency),
        net=_amount(body["net"], currency),
        source_id=_id_of(body["source"]),
        created=moment(body["created"]),
        available_on=moment(body["available_on"]),
    )


def event(body: Body) -> WebhookEvent:
    about = body["data"]["object"]
    livemode = body["livemode"]
    if body["object"] != "event" or not isinstance(livemode, bool):
        raise ValueError("not an event")
    return WebhookEvent(
        id=_text(body["id"]),
        type=_text(body["type"]),
        object_type=_text(about["object"]),
        object_id=_maybe_text(about.get("id")) or "",
        created=moment(body["created"]),
        livemode=livemode,
    )


def _decline(error: Body | None) -> Decline | None:
    if error is None:
        return None
    return Decline(
        code=_text(error.get("code") or error["type"]),
        decline_code=_maybe_text(error.get("decline_code")),
        message=_maybe_text(error.get("message")) or "",
    )


def _amount(units: Any, currency: Any) -> Money:
    if isinstance(units, bool) or not isinstance(units, int):
        raise TypeError(f"not an amount: {units!r}")
    return from_stripe(units, _text(currency))


def moment(seconds: Any) -> datetime:
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise TypeError(f"not a time: {seconds!r}")
    return datetime.fromtimestamp(seconds, UTC)


def operation_of(body: Body) -> str | None:
    """Our id of the operation that made the object."""
    return _metadata(body).get(OPERATION)


def _metadata(body: Body) -> Mapping[str, str]:
    return {str(key): _text(value) for key, value in (body.get("metadata") or {}).items()}


def _id_of(value: Any) -> str | None:
    """The id of what may be an id or the object itself."""
    if value is None or isinstance(value, str):
        return value
    return _text(value["id"])


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"not a text: {value!r}")
    return value


def _maybe_text(value: Any) -> str | None:
    return None if value is None else _text(value)


def _one_of(value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"not one of {', '.join(allowed)}: {value!r}")
    return str(value)
