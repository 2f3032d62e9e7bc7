"""Cards and payments from before this processor ran: a shop that begins with a history names them.

``known.json`` in the folder of the store is a list of ``{"customer", "name", "email", "method", "number",
"exp_month", "exp_year"}`` for cards on file, and of ``{"payment", "operation", "number", "amount",
"currency", "created", "refunded", "dispute"}`` for payments; the number is one of the test cards. A payment
that a bank took back has ``{"id", "created", "due", "won"}`` as its dispute. The list is read at the start,
and what is known already stays as it is.
"""

import json
from pathlib import Path

from payments.sandbox import cards, charges, customers, disputes, intents, methods
from payments.sandbox.store import Body, Store, Tx

FILE = "known.json"
_PLACE = ("city", "country", "line1", "line2", "postal_code", "state")


def take_over(store: Store, folder: Path) -> None:
    """Know the customers, cards and payments of the folder's list, if there is one. Nobody is told of it."""
    path = folder / FILE
    if not path.exists():
        return
    listed = json.loads(path.read_text(encoding="utf-8"))
    with store.transaction() as tx:
        for one in listed:
            if "payment" in one:
                _payment(tx, one)
                continue
            if tx.find(customers.KIND, one["customer"]) is None:
                tx.add(customers.made(one["customer"], one, tx.now))
            card = cards.find(one["number"])
            if card is None or tx.find(methods.KIND, one["method"]) is not None:
                continue
            payer = {"address": dict.fromkeys(_PLACE), "phone": None}
            payer |= {"email": one["email"], "name": one["name"]}
            expiry = (one["exp_month"], one["exp_year"])
            made = methods.made(one["method"], one["customer"], card, expiry, payer, tx.now)
            tx.add(made, ref=one["customer"])


def _payment(tx: Tx, one: Body) -> None:
    card = cards.find(one["number"])
    if card is None or tx.find(intents.KIND, one["payment"]) is not None:
        return
    asked = {"amount": one["amount"], "currency": one["currency"]}
    asked["metadata"] = {"operation_id": one["operation"]}
    intent = intents.made(one["payment"], asked, one["created"])
    payer = {"address": dict.fromkeys(_PLACE), "phone": None, "email": None, "name": None}
    intent["_expiry"] = [12, 2030]
    intent["payment_method"] = f"pm_of_{one['payment']}"
    charge = charges.draw(tx, intent, card, payer | {"tax_id": None})
    charge["created"] = one["created"]
    intent["latest_charge"] = charge["id"]
    intents.take(tx, intent, charge, one["amount"])
    charge["amount_refunded"] = one["refunded"]
    charge["refunded"] = one["refunded"] == one["amount"]
    tx.add(intent, ref=one["payment"])
    tx.add(charge, ref=intent["id"])
    if one.get("dispute"):
        _dispute(tx, intent, one["dispute"])


def _dispute(tx: Tx, intent: Body, one: Body) -> None:
    """A bank took it back; won, the shop had answered."""
    dispute = disputes.begin(tx, intent, one["id"])
    dispute["created"] = one["created"]
    dispute["evidence_details"]["due_by"] = one["due"]
    if one["won"]:
        disputes.decide(tx, dispute, won=True)
    tx.save(dispute)
