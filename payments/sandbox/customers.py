"""Customers: whose cards are kept together."""

from payments.sandbox import events
from payments.sandbox.forms import EXPAND, Field, Shape, email, metadata, text
from payments.sandbox.store import Body, Tx, new_id

KIND = "customer"
CREATE: Shape = {
    "description": Field(text()),
    "email": Field(email),
    "metadata": Field(metadata),
    "name": Field(text(256)),
    "expand": EXPAND,
}
_NOTHING = (
    "address",
    "currency",
    "customer_account",
    "default_source",
    "discount",
    "phone",
    "shipping",
    "test_clock",
)


def create(tx: Tx, given: Body) -> Body:
    body = tx.add(made(new_id(KIND), given, tx.now))
    events.record(tx, "customer.created", body)
    return body


def made(customer_id: str, given: Body, created: int) -> Body:
    """A customer as it is stored."""
    return {
        **dict.fromkeys(_NOTHING),
        "id": customer_id,
        "object": KIND,
        "balance": 0,
        "created": created,
        "delinquent": False,
        "description": given.get("description"),
        "email": given.get("email"),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "name": given.get("name"),
        "preferred_locales": [],
        "tax_exempt": "none",
    }
