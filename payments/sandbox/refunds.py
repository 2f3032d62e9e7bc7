"""Refunds: never more than was taken; two of the test cards settle or fail theirs later."""

from payments.sandbox import amounts, charges, events
from payments.sandbox.errors import ApiError
from payments.sandbox.forms import EXPAND, PAGING, Field, Shape, choice, integer, metadata, text
from payments.sandbox.store import Body, Tx, new_id

KIND = "refund"
SETTLES_AFTER = 3600
CREATE: Shape = {
    "payment_intent": Field(text(255)),
    "charge": Field(text(255)),
    "amount": Field(integer(1)),
    "metadata": Field(metadata),
    "reason": Field(choice("duplicate", "fraudulent", "requested_by_customer")),
    "expand": EXPAND,
}
LIST: Shape = {**PAGING, "payment_intent": Field(text(255))}


def create(tx: Tx, given: Body) -> Body:
    charge = _charge_of(tx, given)
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = given.get("amount", left)
    if left == 0:
        raise ApiError(
            f"Charge {charge['id']} has already been refunded.",
            code="charge_already_refunded",
            stored=True,
        )
    if amount > left:
        currency = charge["currency"]
        raise ApiError(
            f"Refund amount ({amounts.words(amount, currency)}) is greater than unrefunded amount"
            f" on charge ({amounts.words(left, currency)})",
            param="amount",
            stored=True,
        )
    refund = _new(tx, charge, amount, given)
    _count(tx, charge, amount)
    if charge["_refund"] != "succeeded":
        tx.later(tx.now + SETTLES_AFTER, "settle_refund", refund["id"])
    tx.add(refund, ref=charge["payment_intent"])
    events.record(tx, "refund.created", refund)
    events.record(tx, "charge.refunded", charge)
    return refund


def settle(tx: Tx, refund_id: str) -> None:
    """The card's bank has answered: taken, or sent back."""
    refund = tx.get(KIND, refund_id)
    charge = tx.get("charge", refund["charge"])
    if charge["_refund"] == "pending":
        refund["status"] = "succeeded"
        refund["pending_reason"] = None
        tx.save(refund)
        events.record(tx, "refund.updated", refund)
        return
    back = charges.book(tx, "refund_failure", refund, refund["amount"], 0)
    refund["status"] = "failed"
    refund["failure_reason"] = "expired_or_canceled_card"
    refund["failure_balance_transaction"] = back["id"]
    _count(tx, charge, -refund["amount"])
    tx.save(refund)
    events.record(tx, "refund.failed", refund)
    events.record(tx, "charge.updated", charge)


def _charge_of(tx: Tx, given: Body) -> Body:
    if "payment_intent" in given:
        intent = tx.get("payment_intent", given["payment_intent"])
        if intent["status"] != "succeeded":
            raise ApiError(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                code="payment_intent_unexpected_state",
                param="payment_intent",
                stored=True,
            )
        return tx.get("charge", intent["latest_charge"])
    if "charge" in given:
        return tx.get("charge", given["charge"])
    raise ApiError(
        "One of the following params should be provided for this request: payment_intent or charge",
        code="parameter_missing",
    )


def _count(tx: Tx, charge: Body, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    tx.save(charge)


def _new(tx: Tx, charge: Body, amount: int, given: Body) -> Body:
    pending = charge["_refund"] == "pending"
    refund: Body = {
        "id": new_id(KIND),
        "object": KIND,
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": tx.now,
        "currency": charge["currency"],
        "customer": None,
        "destination_details": {
            "type": "card",
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
        },
        "failure_balance_transaction": None,
        "metadata": given.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "pending_reason": "processing" if pending else None,
        "reason": given.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending" if pending else "succeeded",
        "transfer_reversal": None,
    }
    refund["balance_transaction"] = charges.book(tx, "refund", refund, -amount, 0)["id"]
    return refund
