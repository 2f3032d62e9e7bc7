"""Charges and balance transactions: what a card was asked for, and what moved because of it."""

from payments.sandbox.cards import Decline, TestCard
from payments.sandbox.store import Body, Tx, new_id, random_text

DAY = 86_400


def draw(tx: Tx, intent: Body, card: TestCard, payer: Body) -> Body:
    """A charge of this card as the bank answered, not yet stored and nothing taken."""
    decline = card.decline
    return {
        "id": new_id("charge"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": payer,
        "calculated_statement_descriptor": None,
        "captured": False,
        "created": tx.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": decline.code if decline else None,
        "failure_message": decline.words if decline else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": _outcome(decline),
        "paid": decline is None,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": {"type": "card", "card": _card_details(intent, card)},
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "failed" if decline else "succeeded",
        "transfer": None,
        "transfer_data": None,
        "transfer_group": None,
        "_refund": card.refund,
    }


def _outcome(decline: Decline | None) -> Body:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if decline else "approved_by_network",
        "reason": decline.decline_code if decline else None,
        "risk_level": "normal",
        "risk_score": 20,
        "seller_message": "The bank said no." if decline else "Payment complete.",
        "type": "issuer_declined" if decline else "authorized",
    }


def _card_details(intent: Body, card: TestCard) -> Body:
    secure = {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": random_text(24),
        "version": "2.2.0",
    }
    return {
        "amount_authorized": None if card.decline else intent["amount"],
        "authorization_code": None if card.decline else "123456",
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "fail"
            if card.decline and card.decline.code == "incorrect_cvc"
            else "pass",
        },
        "country": "US",
        "exp_month": intent["_expiry"][0],
        "exp_year": intent["_expiry"][1],
        "fingerprint": card.fingerprint,
        "funding": "credit",
        "installments": None,
        "last4": card.last4,
        "mandate": None,
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": "100000000000000",
        "regulated_status": "unregulated",
        "three_d_secure": secure if card.challenge else None,
        "wallet": None,
    }


def book(tx: Tx, type_: str, source: Body, amount: int, fee: int) -> Body:
    """One movement of the merchant's balance."""
    currency = source["currency"]
    details = [
        {
            "amount": fee,
            "application": None,
            "currency": currency,
            "description": "Processing fee (test)",
            "type": "stripe_fee",
        }
    ]
    return tx.add(
        {
            "id": new_id("balance_transaction"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": tx.now + 2 * DAY,
            "balance_type": "payments",
            "created": tx.now,
            "currency": currency,
            "description": source.get("description"),
            "exchange_rate": None,
            "fee": fee,
            "fee_details": details if fee else [],
            "net": amount - fee,
            "reporting_category": type_,
            "source": source["id"],
            "status": "pending",
            "type": type_,
        },
        ref=source["id"],
    )


def told_balance(tx: Tx, body: Body) -> Body:
    """A balance transaction as it stands now: two days later the money is there."""
    return {**body, "status": "available" if tx.now >= body["available_on"] else "pending"}
