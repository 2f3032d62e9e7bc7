"""A saved card is charged while its owner is not there: it pays, or the answer says why not."""

import time

from payments.sandbox import amounts, cards, intents, methods, view
from payments.sandbox.errors import ApiError
from payments.sandbox.forms import (
    EXPAND,
    PAGING,
    Field,
    Shape,
    choice,
    integer,
    items,
    metadata,
    text,
)
from payments.sandbox.store import Body, Tx

CREATE: Shape = {
    "allowed_payment_method_types": Field(items(choice("card"))),
    "amount": Field(integer(1), required=True),
    "confirm": Field(choice("true"), required=True),
    "currency": Field(text(3), required=True),
    "customer": Field(text(255), required=True),
    "description": Field(text()),
    "metadata": Field(metadata),
    "off_session": Field(choice("true"), required=True),
    "payment_method": Field(text(255), required=True),
    "expand": EXPAND,
}
LIST: Shape = {**PAGING, "customer": Field(text(255))}


def charge(tx: Tx, given: Body) -> Body:
    """Make the intent and try the card at once. ApiError 402 when the bank does not let it through."""
    currency, amount = given["currency"].lower(), given["amount"]
    _check_amount(currency, amount)
    method = methods.of_customer(tx, given["payment_method"], given["customer"])
    card = _as_the_bank_sees_it(method, tx.now)
    intent = intents.begin(tx, given | {"currency": currency}, ref=given["customer"])
    intent["payment_method"] = method["id"]
    intent["_expiry"] = [method["card"]["exp_month"], method["card"]["exp_year"]]
    intents.attempt(tx, intent, card, method["billing_details"] | {"tax_id": None})
    if intent["status"] == "succeeded":
        return intent
    error = intent["last_payment_error"]
    raise ApiError(
        error["message"],
        status=402,
        type_="card_error",
        code=error["code"],
        stored=True,
        happened=True,
        more={
            "charge": error["charge"],
            "decline_code": error["decline_code"],
            "payment_intent": view.told(intent),
            "payment_method": view.told(method),
        },
    )


def _as_the_bank_sees_it(method: Body, now: int) -> cards.TestCard:
    """The test card on file, with what its bank says to a charge without its owner."""
    found = cards.by_fingerprint(method["card"]["fingerprint"])
    valid_until = (method["card"]["exp_year"], method["card"]["exp_month"])
    lapsed = valid_until < time.gmtime(now)[:2]
    return found.charged_from_file(cards.EXPIRED if lapsed else found.on_file)


def _check_amount(currency: str, amount: int) -> None:
    if amount < amounts.LEAST.get(currency, 50):
        raise ApiError(
            "Amount must be no less than what can be charged.",
            code="amount_too_small",
            param="amount",
        )
    if amount > amounts.MOST:
        raise ApiError(
            "Amount must be no more than 99,999,999.", code="amount_too_large", param="amount"
        )
