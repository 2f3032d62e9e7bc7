"""What happens when the payer presses the button: the entry is read, the card tried, the bank asked."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from payments.sandbox import cards, checkouts, intents
from payments.sandbox.store import Body, Tx


@dataclass(frozen=True)
class Go:
    """The payer's browser goes on to this address."""

    address: str


@dataclass(frozen=True)
class Again:
    """The form is shown again: what to correct, by field, and what may stay filled in."""

    problems: Mapping[str, str]
    values: Mapping[str, str] = field(default_factory=dict)
    declined: bool = False


@dataclass(frozen=True)
class Entry:
    """What was entered of a card; it is never stored."""

    number: str
    month: int
    year: int
    name: str


def pay(tx: Tx, session_id: str, form: Mapping[str, str], base: str) -> Go | Again:
    """Try to pay an open session with what was entered."""
    session = tx.get(checkouts.KIND, session_id)
    here = f"{base}/pay/{session_id}"
    if session["status"] != "open":
        return Go(after(session, here))
    entry = read(form, tx.now)
    if isinstance(entry, Again):
        return entry
    card = cards.find(entry.number) or cards.TestCard(
        entry.number, cards.brand_of(entry.number), "is real", decline=cards.REAL_CARD
    )
    payer = payer_of(session, entry.name)
    intent = _intent(tx, session)
    intent["_expiry"] = [entry.month, entry.year]
    if card.challenge:
        session["_challenge"] = {"card": card.fingerprint, "payer": payer}
        tx.save(session)
        intents.ask_bank(tx, intent, f"{here}/challenge")
        return Go(f"{here}/challenge")
    return _attempt(tx, session, intent, card, payer, here)


def answer_bank(tx: Tx, session_id: str, confirmed: bool, base: str) -> Go:
    """The payer confirmed with the bank, or did not."""
    session = tx.get(checkouts.KIND, session_id)
    here = f"{base}/pay/{session_id}"
    waiting = session.get("_challenge")
    if session["status"] != "open" or waiting is None:
        return Go(after(session, here))
    intent = tx.get(intents.KIND, session["payment_intent"])
    session["_challenge"] = None
    tx.save(session)
    if not confirmed:
        intents.fail_authentication(tx, intent)
        return Go(here)
    card = cards.by_fingerprint(waiting["card"])
    outcome = _attempt(tx, session, intent, card, waiting["payer"], here)
    return outcome if isinstance(outcome, Go) else Go(here)


def _attempt(
    tx: Tx, session: Body, intent: Body, card: cards.TestCard, payer: Body, here: str
) -> Go | Again:
    intents.attempt(tx, intent, card, payer)
    if intent["status"] == "requires_payment_method":
        words = intent["last_payment_error"]["message"]
        return Again({"number": words}, {"name": payer["name"] or ""}, declined=True)
    return Go(after(checkouts.complete(tx, session, intent, payer), here))


def after(session: Body, here: str) -> str:
    """Where a browser goes on to: back to the shop when the visit is over."""
    return checkouts.success_address(session) if session["status"] == "complete" else here


def _intent(tx: Tx, session: Body) -> Body:
    if session["payment_intent"]:
        return tx.get(intents.KIND, session["payment_intent"])
    intent = intents.create(tx, session)
    session["payment_intent"] = intent["id"]
    tx.save(session, ref=intent["id"])
    return intent


def payer_of(session: Body, name: str) -> Body:
    """Billing details of whoever entered the card."""
    return {
        "address": {
            "city": None,
            "country": None,
            "line1": None,
            "line2": None,
            "postal_code": None,
            "state": None,
        },
        "email": (session["customer_details"] or {}).get("email"),
        "name": name or None,
        "phone": None,
        "tax_id": None,
    }


def read(form: Mapping[str, str], now: int) -> Entry | Again:
    """Read the card's fields, or say what to correct."""
    number = cards.digits_of(form.get("number", ""))
    problems: dict[str, str] = {}
    if not number:
        problems["number"] = "Enter the long number on the front of the card."
    elif not cards.passes_check(number):
        problems["number"] = "This is not a card number. Check it for a missing or swapped digit."
    expiry = _expiry(form.get("expiry", ""))
    if expiry is None:
        problems["expiry"] = "Enter the month and the year, like 04/29."
    elif (expiry[1], expiry[0]) < time.gmtime(now)[:2]:
        problems["expiry"] = "This date has passed. Use a card that is still valid."
    cvc = form.get("cvc", "").strip()
    wanted = 4 if cards.brand_of(number) == "amex" else 3
    if not (cvc.isascii() and cvc.isdigit() and len(cvc) == wanted):
        problems["cvc"] = f"Enter the {wanted} digits of the security code."
    name = " ".join(form.get("name", "").split())[:200]
    if not name:
        problems["name"] = "Enter the name as it stands on the card."
    if problems or expiry is None:
        kept = {key: form.get(key, "")[:40] for key in ("number", "expiry")}
        return Again(problems, {**kept, "name": name})
    return Entry(number, expiry[0], expiry[1], name)


def _expiry(entered: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"\s*(\d{1,2})\s*[/ -]?\s*(\d{2}|20\d{2})\s*", entered, re.ASCII)
    if match is None:
        return None
    month, year = int(match[1]), int(match[2])
    return (month, year if year > 99 else 2000 + year) if 1 <= month <= 12 else None
