"""Disputes: the cardholder's bank takes a payment back, and gives it back again or doesn't.

Nobody but the switchboard opens and closes them: ``POST /sandbox/disputes`` with ``{"payment"}`` (``amount``
for a part), and with ``{"dispute", "won"}``.
"""

from payments.sandbox import charges, events
from payments.sandbox.errors import ApiError
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


def open_one(tx: Tx, payment: str, amount: int | None) -> Body:
    """The bank takes a payment back, or a part of it; the merchant pays a fee."""
    intent = tx.get("payment_intent", payment)
    if intent["status"] != "succeeded":
        raise ApiError("Only what was paid can be disputed.")
    charge = tx.get("charge", intent["latest_charge"])
    dispute: Body = {
        "id": new_id(KIND),
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
    tx.add(dispute, ref=intent["id"])
    events.record(tx, "charge.dispute.created", dispute)
    events.record(tx, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def close(tx: Tx, dispute_id: str, *, won: bool) -> Body:
    """The network has decided. Won, the money comes back, and the fee stays."""
    dispute = tx.get(KIND, dispute_id)
    if dispute["status"] in ("won", "lost"):
        raise ApiError("This dispute is closed.")
    dispute["status"] = "won" if won else "lost"
    dispute["evidence_details"]["due_by"] = None
    if won:
        booked = charges.book(tx, "adjustment", dispute, dispute["amount"], 0)
        dispute["balance_transactions"].append(booked)
    tx.save(dispute)
    events.record(tx, "charge.dispute.closed", dispute)
    if won:
        events.record(tx, "charge.dispute.funds_reinstated", dispute)
    return dispute
