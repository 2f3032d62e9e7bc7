"""Cards that were put on file before this processor ran: a shop that begins with a history names them.

``known.json`` in the folder of the store is a list of ``{"customer", "name", "email", "method", "number",
"exp_month", "exp_year"}``; the number is one of the test cards. It is read at the start, and what is known
already stays as it is.
"""

import json
from pathlib import Path

from payments.sandbox import cards, customers, methods
from payments.sandbox.store import Store

FILE = "known.json"
_PLACE = ("city", "country", "line1", "line2", "postal_code", "state")


def take_over(store: Store, folder: Path) -> None:
    """Know the customers and cards of the folder's list, if there is one. Nobody is told of it."""
    path = folder / FILE
    if not path.exists():
        return
    listed = json.loads(path.read_text(encoding="utf-8"))
    with store.transaction() as tx:
        for one in listed:
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
