"""Checkout sessions: one visit to the pay page, from creation to payment or expiry."""

import urllib.parse

from payments.sandbox import amounts, customers, events, setups
from payments.sandbox.errors import ApiError
from payments.sandbox.forms import (
    EXPAND,
    PAGING,
    Field,
    Shape,
    choice,
    email,
    integer,
    items,
    metadata,
    nested,
    text,
    web_address,
)
from payments.sandbox.store import Body, Tx, new_id

KIND = "checkout.session"
SHORTEST, LONGEST = 30 * 60, 24 * 3600

_PRODUCT: Shape = {"name": Field(text(), required=True), "description": Field(text())}
_PRICE: Shape = {
    "currency": Field(text(3), required=True),
    "unit_amount": Field(integer(0), required=True),
    "product_data": Field(nested(_PRODUCT), required=True),
}
_LINE: Shape = {
    "price_data": Field(nested(_PRICE), required=True),
    "quantity": Field(integer(1), required=True),
}
_PAYMENT: Shape = {
    "capture_method": Field(choice("automatic", "automatic_async", "manual")),
    "description": Field(text()),
    "metadata": Field(metadata),
    "receipt_email": Field(email),
}
_SETUP: Shape = {"description": Field(text()), "metadata": Field(metadata)}
CREATE: Shape = {
    "mode": Field(choice("payment", "setup"), required=True),
    "ui_mode": Field(choice("hosted_page")),
    "allowed_payment_method_types": Field(items(choice("card"))),
    "line_items": Field(items(nested(_LINE), most=100)),
    "success_url": Field(web_address, required=True),
    "cancel_url": Field(web_address),
    "client_reference_id": Field(text(200)),
    "customer": Field(text(255)),
    "customer_email": Field(email),
    "expires_at": Field(integer()),
    "locale": Field(choice("auto", "en")),
    "metadata": Field(metadata),
    "payment_intent_data": Field(nested(_PAYMENT)),
    "setup_intent_data": Field(nested(_SETUP)),
    "submit_type": Field(choice("auto", "pay")),
    "expand": EXPAND,
}
LIST: Shape = {
    **PAGING,
    "payment_intent": Field(text(255)),
}


#: What a visit of this kind never has, or not yet.
_NOTHING = (
    "after_expiration",
    "allow_promotion_codes",
    "billing_address_collection",
    "client_secret",
    "consent",
    "consent_collection",
    "currency_conversion",
    "invoice",
    "origin_context",
    "payment_intent",
    "payment_link",
    "permissions",
    "recovered_from",
    "redirect_on_completion",
    "return_url",
    "saved_payment_method_options",
    "setup_intent",
    "shipping_address_collection",
    "shipping_cost",
    "subscription",
)


def create(tx: Tx, given: Body, base: str) -> Body:
    """Open a session; ``base`` is the address of the pay page."""
    _check_mode(tx, given)
    session_id = new_id(KIND)
    if given["mode"] == "setup":
        session = _new(tx, given, session_id, None, None)
        about = given.get("setup_intent_data", {}).get("metadata", {})
        session["setup_intent"] = setups.create(tx, session, about)["id"]
        session["_lines"] = []
    else:
        currency, total, lines = _priced(given["line_items"])
        session = _new(tx, given, session_id, currency, total)
        session["_payment"] = _asked_of_payment(given)
        session["_lines"] = lines
    session["url"] = f"{base}/pay/{session_id}"
    tx.add(session)
    tx.later(session["expires_at"], "expire_session", session_id)
    return session


def _asked_of_payment(given: Body) -> Body:
    payment = given.get("payment_intent_data", {})
    return {
        "capture_method": payment.get("capture_method", "automatic"),
        "description": payment.get("description"),
        "metadata": payment.get("metadata", {}),
        "receipt_email": payment.get("receipt_email"),
    }


def _check_mode(tx: Tx, given: Body) -> None:
    """What belongs to one mode alone, and what it cannot do without."""
    setting_up = given["mode"] == "setup"
    wrong = "line_items" if setting_up else "setup_intent_data"
    if wrong in given or (setting_up and "payment_intent_data" in given):
        raise ApiError(f"You can not pass `{wrong}` in `{given['mode']}` mode.", param=wrong)
    if not setting_up and "line_items" not in given:
        raise ApiError(
            "Missing required param: line_items.", code="parameter_missing", param="line_items"
        )
    if "customer" in given:
        if "customer_email" in given:
            raise ApiError(
                "You may only specify one of these parameters: customer, customer_email.",
                param="customer",
            )
        if tx.find(customers.KIND, given["customer"]) is None:
            raise ApiError(
                f"No such customer: '{given['customer']}'",
                code="resource_missing",
                param="customer",
            )
    elif setting_up:
        raise ApiError("A set-up here is for a customer.", param="customer")


def expire(tx: Tx, session_id: str) -> Body:
    """End an open session. Asked for on one that is not open, that is an error."""
    session = tx.get(KIND, session_id)
    if session["status"] != "open":
        raise ApiError(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout'
            f" Session has a status of {session['status']}.",
            stored=True,
        )
    session["status"] = "expired"
    session["url"] = None
    tx.save(session)
    events.record(tx, "checkout.session.expired", session)
    return session


def complete(tx: Tx, session: Body, intent: Body | None, payer: Body) -> Body:
    """The payer is done: the money is taken, or held when it is captured by hand; a set-up has none."""
    session["status"] = "complete"
    if intent is not None:
        session["payment_status"] = "paid" if intent["status"] == "succeeded" else "unpaid"
    session["url"] = None
    session["customer_details"] = _payer(payer["email"], payer["name"], payer["address"])
    tx.save(session)
    events.record(tx, "checkout.session.completed", session)
    return session


def mark_captured(tx: Tx, intent: Body) -> None:
    """The money of a session that was captured by hand has been taken."""
    for session in tx.by_ref(KIND, intent["id"]):
        session["payment_status"] = "paid"
        tx.save(session)


def _payer(address: str | None, name: str | None, place: Body | None) -> Body:
    return {
        "address": place,
        "business_name": None,
        "email": address,
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [] if name else None,
    }


def success_address(session: Body) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def origin(address: str) -> str:
    parts = urllib.parse.urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _priced(line_items: list[Body]) -> tuple[str, int, list[Body]]:
    currencies = {line["price_data"]["currency"].lower() for line in line_items}
    if len(currencies) != 1:
        raise ApiError("All line items of one session have the same currency.", param="line_items")
    currency = currencies.pop()
    lines = []
    for line in line_items:
        price = line["price_data"]
        each, quantity = price["unit_amount"], line["quantity"]
        if currency in amounts.THREE_DECIMALS and each % 10:
            raise ApiError("The least digit of such a currency must be 0.", param="line_items")
        name = price["product_data"]["name"]
        lines.append({"name": name, "each": each, "quantity": quantity, "amount": each * quantity})
    total = sum(line["amount"] for line in lines)
    if total < amounts.LEAST.get(currency, 50):
        raise ApiError(
            "The Checkout Session's total amount is below the least that can be charged.",
            code="amount_too_small",
        )
    if total > amounts.MOST:
        raise ApiError("Amount must be no more than 99,999,999.", code="amount_too_large")
    return currency, total, lines


def _expiry(tx: Tx, given: Body) -> int:
    at: int = given.get("expires_at", tx.now + LONGEST)
    if at < tx.now + SHORTEST:
        raise ApiError(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session"
            " creation.",
            param="expires_at",
        )
    if at > tx.now + LONGEST:
        raise ApiError(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    return at


def _new(tx: Tx, given: Body, session_id: str, currency: str | None, total: int | None) -> Body:
    setting_up = given["mode"] == "setup"
    address = given.get("customer_email")
    if "customer" in given:
        address = tx.get(customers.KIND, given["customer"])["email"]
    return {
        **dict.fromkeys(_NOTHING),
        "id": session_id,
        "object": KIND,
        "allowed_payment_method_types": given.get("allowed_payment_method_types", ["card"]),
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": given.get("cancel_url"),
        "client_reference_id": given.get("client_reference_id"),
        "created": tx.now,
        "currency": currency,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": given.get("customer"),
        "customer_creation": None if "customer" in given else "if_required",
        "customer_details": _payer(address, None, None) if address else None,
        "customer_email": given.get("customer_email"),
        "discounts": [],
        "expires_at": _expiry(tx, given),
        "livemode": False,
        "locale": given.get("locale"),
        "metadata": given.get("metadata", {}),
        "mode": given["mode"],
        "payment_method_collection": "always" if setting_up else "if_required",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "no_payment_required" if setting_up else "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "submit_type": given.get("submit_type"),
        "success_url": given["success_url"],
        "total_details": None
        if setting_up
        else {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": given.get("ui_mode", "hosted_page"),
        "url": None,
    }
