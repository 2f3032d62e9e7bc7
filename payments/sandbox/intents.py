"""Payment intents: a card is tried, captured or released."""

from typing import Any

from payments.sandbox import amounts, charges, disputes, events
from payments.sandbox.cards import NOT_AUTHENTICATED, Decline, TestCard
from payments.sandbox.errors import ApiError
from payments.sandbox.forms import EXPAND, Field, Shape, choice, integer
from payments.sandbox.store import Body, Tx, new_id, random_text

KIND = "payment_intent"
AUTHORISATION_DAYS = 7
CAPTURE: Shape = {"amount_to_capture": Field(integer(1)), "expand": EXPAND}
CANCEL: Shape = {
    "cancellation_reason": Field(
        choice("abandoned", "duplicate", "fraudulent", "requested_by_customer")
    ),
    "expand": EXPAND,
}


def create(tx: Tx, session: Body) -> Body:
    """The intent of a session; made when the payer first presses the button."""
    asked = session["_payment"] | {
        "allowed_payment_method_types": session["allowed_payment_method_types"],
        "amount": session["amount_total"],
        "currency": session["currency"],
        "customer": session["customer"],
    }
    return begin(tx, asked, ref=session["id"])


def begin(tx: Tx, asked: Body, ref: str) -> Body:
    """An intent that no card was tried for; ``ref`` is the session or the customer that it is found by."""
    body = made(new_id(KIND), asked, tx.now)
    tx.add(body, ref=ref)
    events.record(tx, "payment_intent.created", body)
    return body


def made(intent_id: str, asked: Body, created: int) -> Body:
    """The same, not yet stored, and nobody is told of it."""
    return {
        "id": intent_id,
        "object": KIND,
        "allowed_payment_method_types": asked.get("allowed_payment_method_types", ["card"]),
        "amount": asked["amount"],
        "amount_capturable": 0,
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": asked.get("capture_method", "automatic"),
        "client_secret": f"{intent_id}_secret_{random_text(25)}",
        "confirmation_method": "automatic",
        "created": created,
        "currency": asked["currency"],
        "customer": asked.get("customer"),
        "description": asked.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": asked.get("metadata", {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_types": ["card"],
        "payment_record": None,
        "processing": None,
        "receipt_email": asked.get("receipt_email"),
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def ask_bank(tx: Tx, intent: Body, page: str) -> Body:
    """The card's bank wants a word with the payer first."""
    intent["status"] = "requires_action"
    intent["payment_method"] = "pm_" + random_text(24)
    intent["next_action"] = {
        "type": "redirect_to_url",
        "redirect_to_url": {"return_url": None, "url": page},
    }
    tx.save(intent)
    events.record(tx, "payment_intent.requires_action", intent)
    return intent


def fail_authentication(tx: Tx, intent: Body) -> Body:
    return _failed(tx, intent, NOT_AUTHENTICATED, charge=None)


def attempt(tx: Tx, intent: Body, card: TestCard, payer: Body) -> Body:
    """Try the card now: declined, authorised or taken. ``payer`` is billing details."""
    intent["payment_method"] = intent["payment_method"] or "pm_" + random_text(24)
    charge = charges.draw(tx, intent, card, payer)
    intent["latest_charge"] = charge["id"]
    intent["next_action"] = None
    if card.decline is not None:
        tx.add(charge, ref=intent["id"])
        events.record(tx, "charge.failed", charge)
        return _failed(tx, intent, card.decline, charge=charge["id"])
    intent["last_payment_error"] = None
    if intent["capture_method"] == "manual":
        tx.add(charge, ref=intent["id"])
        intent["status"] = "requires_capture"
        intent["amount_capturable"] = intent["amount"]
        tx.save(intent)
        tx.later(tx.now + AUTHORISATION_DAYS * charges.DAY, "release_authorisation", intent["id"])
        events.record(tx, "charge.succeeded", charge)
        events.record(tx, "payment_intent.amount_capturable_updated", intent)
        return intent
    take(tx, intent, charge, intent["amount"])
    tx.add(charge, ref=intent["id"])
    tx.save(intent)
    events.record(tx, "charge.succeeded", charge)
    events.record(tx, "payment_intent.succeeded", intent)
    if card.disputed:
        disputes.open_one(tx, intent["id"], None)
    return intent


def capture(tx: Tx, intent_id: str, given: Body) -> Body:
    intent = tx.get(KIND, intent_id)
    if intent["status"] != "requires_capture":
        raise _unexpected(intent, "captured")
    amount = int(given.get("amount_to_capture") or intent["amount_capturable"])
    if amount > intent["amount_capturable"]:
        raise ApiError(
            "The amount to capture is greater than what was authorised.",
            code="amount_too_large",
            param="amount_to_capture",
            stored=True,
        )
    charge = tx.get("charge", intent["latest_charge"])
    take(tx, intent, charge, amount)
    tx.save(charge)
    tx.save(intent)
    events.record(tx, "charge.captured", charge)
    events.record(tx, "payment_intent.succeeded", intent)
    return intent


def cancel(tx: Tx, intent_id: str, reason: str | None) -> Body:
    """Release an authorisation, or end an intent that never got so far."""
    intent = tx.get(KIND, intent_id)
    if intent["status"] in ("succeeded", "canceled", "processing"):
        raise _unexpected(intent, "canceled")
    intent["status"] = "canceled"
    intent["amount_capturable"] = 0
    intent["canceled_at"] = tx.now
    intent["cancellation_reason"] = reason
    intent["next_action"] = None
    tx.save(intent)
    events.record(tx, "payment_intent.canceled", intent)
    return intent


def release_old(tx: Tx, intent_id: str) -> None:
    """An authorisation that was never captured ends by itself."""
    if tx.get(KIND, intent_id)["status"] == "requires_capture":
        cancel(tx, intent_id, "automatic")


def take(tx: Tx, intent: Body, charge: Body, amount: int) -> None:
    """The money of a charge is the merchant's, less the fee."""
    booked = charges.book(tx, "charge", charge, amount, amounts.fee(amount))
    charge["captured"] = True
    charge["amount_captured"] = amount
    charge["balance_transaction"] = booked["id"]
    intent["status"] = "succeeded"
    intent["amount_received"] = amount
    intent["amount_capturable"] = 0


def _failed(tx: Tx, intent: Body, decline: Decline, charge: str | None) -> Body:
    error: dict[str, Any] = {
        "type": "card_error",
        "code": decline.code,
        "message": decline.words,
        "doc_url": f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}",
    }
    if charge is not None:
        error |= {"charge": charge, "decline_code": decline.decline_code}
    intent["last_payment_error"] = error
    intent["status"] = "requires_payment_method"
    intent["payment_method"] = None
    intent["next_action"] = None
    tx.save(intent)
    events.record(tx, "payment_intent.payment_failed", intent)
    return intent


def _unexpected(intent: Body, done: str) -> ApiError:
    return ApiError(
        f"This PaymentIntent could not be {done} because it has a status of {intent['status']}.",
        code="payment_intent_unexpected_state",
        param="intent",
        stored=True,
    )
