"""Disputes: the cardholder's bank takes a payment back, and gives it back again or doesn't.

They are opened by a test card that does so, and by the switchboard: ``POST /sandbox/disputes`` with
``{"payment"}`` (``amount`` for a part). They are decided by the words ``winning_evidence`` or
``losing_evidence`` in what the shop answers, by the buttons of the first page, and by the switchboard with
``{"dispute", "won"}``.
"""

from payments.sandbox import charges, events, files
from payments.sandbox.errors import ApiError
from payments.sandbox.forms import EXPAND, Field, Shape, choice, metadata, nested, text
from payments.sandbox.store import Body, Tx, new_id

KIND = "dispute"
FEE = 1500
_DAYS_TO_ANSWER = 7 * 86_400
_EVIDENCE = (
    "access_activity_log appeal billing_address cancellation_policy cancellation_policy_disclosure "
    "cancellation_rebuttal customer_communication customer_email_address customer_name customer_purchase_ip "
    "customer_signature duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id "
    "product_description receipt refund_policy refund_policy_disclosure refund_refusal_explanation "
    "service_date service_documentation shipping_address shipping_carrier shipping_date "
    "shipping_documentation shipping_tracking_number uncategorized_file uncategorized_text"
).split()
#: What is told by the id of a file.
_FILES = (
    "cancellation_policy customer_communication customer_signature duplicate_charge_documentation receipt "
    "refund_policy service_documentation shipping_documentation uncategorized_file"
).split()
UPDATE: Shape = {
    "evidence": Field(
        nested({name: Field(text(255 if name in _FILES else 20_000)) for name in _EVIDENCE})
    ),
    "submit": Field(choice("true", "false")),
    "metadata": Field(metadata),
    "expand": EXPAND,
}
CLOSED = ("won", "lost")
#: Words that decide, as in Stripe's test mode.
_DECIDES = {"winning_evidence": True, "losing_evidence": False}


def open_one(tx: Tx, payment: str, amount: int | None) -> Body:
    """The bank takes a payment back, or a part of it; the merchant pays a fee."""
    intent = tx.get("payment_intent", payment)
    if intent["status"] != "succeeded":
        raise ApiError("Only what was paid can be disputed.")
    dispute = begin(tx, intent, new_id(KIND), amount)
    events.record(tx, "charge.dispute.created", dispute)
    events.record(tx, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def begin(tx: Tx, intent: Body, dispute_id: str, amount: int | None = None) -> Body:
    """The same, and nobody is told of it."""
    charge = tx.get("charge", intent["latest_charge"])
    dispute: Body = {
        "id": dispute_id,
        "object": KIND,
        "amount": amount or charge["amount_captured"] - charge["amount_refunded"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": tx.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": tx.now + _DAYS_TO_ANSWER,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "intended_submission_method": None,
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "network_reason_code": "10.4",
        "payment_intent": intent["id"],
        "payment_method_details": None,
        "reason": "fraudulent",
        "status": "needs_response",
    }
    booked = charges.book(tx, "adjustment", dispute, -dispute["amount"], FEE)
    dispute["balance_transactions"].append(booked)
    charge["disputed"] = True
    tx.save(charge)
    return tx.add(dispute, ref=intent["id"])


def answer(tx: Tx, dispute_id: str, given: Body) -> Body:
    """The shop's evidence: laid ready, or handed to the bank, once."""
    dispute = tx.get(KIND, dispute_id)
    details = dispute["evidence_details"]
    if dispute["status"] in CLOSED or details["submission_count"]:
        raise ApiError("This dispute takes no more evidence.")
    sent = given.get("evidence", {})
    for name in _FILES:
        if name in sent:
            files.check(tx, sent[name], f"evidence[{name}]")
    dispute["evidence"] |= sent
    dispute["metadata"] = given.get("metadata", dispute["metadata"])
    details["has_evidence"] = details["has_evidence"] or bool(sent)
    if given.get("submit") != "false":
        details |= {"submission_count": 1, "submission_method": "manual"}
        dispute["status"] = "under_review"
    tx.save(dispute)
    events.record(tx, "charge.dispute.updated", dispute)
    words = dispute["evidence"]["uncategorized_text"] or ""
    decided = next((won for word, won in _DECIDES.items() if word in words), None)
    if details["submission_count"] and decided is not None:
        return close(tx, dispute_id, won=decided)
    return dispute


def close(tx: Tx, dispute_id: str, *, won: bool) -> Body:
    """The network has decided. Won, the money comes back, and the fee stays. What was lost may be won yet,
    on appeal."""
    dispute = tx.get(KIND, dispute_id)
    if dispute["status"] == "won" or (dispute["status"] == "lost" and not won):
        raise ApiError("This dispute is closed.")
    decide(tx, dispute, won=won)
    tx.save(dispute)
    events.record(tx, "charge.dispute.closed", dispute)
    if won:
        events.record(tx, "charge.dispute.funds_reinstated", dispute)
    return dispute


def decide(tx: Tx, dispute: Body, *, won: bool) -> None:
    """The same, not yet stored, and nobody is told of it."""
    dispute["status"] = "won" if won else "lost"
    dispute["evidence_details"]["due_by"] = None
    if won:
        booked = charges.book(tx, "adjustment", dispute, dispute["amount"], 0)
        dispute["balance_transactions"].append(booked)
