"""Payment methods: a card on file, told by brand, last digits, expiry and fingerprint. No number is kept."""

from payments.sandbox import events
from payments.sandbox.cards import TestCard
from payments.sandbox.errors import ApiError
from payments.sandbox.forms import PAGING, Field, Shape, choice, text
from payments.sandbox.store import Body, Tx, new_id

KIND = "payment_method"
_PAGES = {name: field for name, field in PAGING.items() if name != "created"}
LIST: Shape = {**_PAGES, "customer": Field(text(255), required=True), "type": Field(choice("card"))}


def save(tx: Tx, customer: str, card: TestCard, expiry: tuple[int, int], payer: Body) -> Body:
    """Keep a card for a customer."""
    method = tx.add(made(new_id(KIND), customer, card, expiry, payer, tx.now), ref=customer)
    events.record(tx, "payment_method.attached", method)
    return method


def made(
    method_id: str,
    customer: str,
    card: TestCard,
    expiry: tuple[int, int],
    payer: Body,
    created: int,
) -> Body:
    """A card on file as it is stored."""
    return {
        "id": method_id,
        "object": KIND,
        "allow_redisplay": "limited",
        "billing_details": payer,
        "card": _card(card, expiry),
        "created": created,
        "customer": customer,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }


def of_customer(tx: Tx, method_id: str, customer: str) -> Body:
    """A method that this customer may be charged with; ApiError when it is none of theirs (any more)."""
    method = tx.find(KIND, method_id)
    if method is None or method["customer"] is None:
        raise ApiError(
            f"No such PaymentMethod: '{method_id}'",
            code="resource_missing",
            param="payment_method",
        )
    if method["customer"] != customer:
        raise ApiError(
            "The PaymentMethod belongs to another Customer.", param="payment_method", stored=True
        )
    return method


def detach(tx: Tx, method_id: str) -> Body:
    """Take a card off file for good."""
    method = tx.get(KIND, method_id)
    if method["customer"] is None:
        raise ApiError(
            "The payment method you provided is not attached to a customer so detachment is"
            " impossible.",
            stored=True,
        )
    method["customer"] = None
    tx.save(method, ref="")
    events.record(tx, "payment_method.detached", method)
    return method


def _card(card: TestCard, expiry: tuple[int, int]) -> Body:
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": "US",
        "display_brand": card.brand,
        "exp_month": expiry[0],
        "exp_year": expiry[1],
        "fingerprint": card.fingerprint,
        "funding": "credit",
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
