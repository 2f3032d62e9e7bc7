"""What happens when the button of a set-up's page is pressed: the card is kept, and nothing is charged."""

from collections.abc import Mapping

from payments.sandbox import cards, checkouts, setups
from payments.sandbox.paying import Again, Go, after, payer_of, read
from payments.sandbox.store import Body, Tx


def save(tx: Tx, session_id: str, form: Mapping[str, str], base: str) -> Go | Again:
    """Try to put on file what was entered."""
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
    expiry, payer = (entry.month, entry.year), payer_of(session, entry.name)
    intent = tx.get(setups.KIND, session["setup_intent"])
    if card.challenge:
        session["_challenge"] = {"card": card.fingerprint, "payer": payer, "expiry": expiry}
        tx.save(session)
        setups.ask_bank(tx, intent, f"{here}/challenge")
        return Go(f"{here}/challenge")
    return _attempt(tx, session, card, expiry, payer, here)


def answer_bank(tx: Tx, session_id: str, confirmed: bool, base: str) -> Go:
    """The card's owner confirmed with the bank, or did not."""
    session = tx.get(checkouts.KIND, session_id)
    here = f"{base}/pay/{session_id}"
    waiting = session.get("_challenge")
    if session["status"] != "open" or waiting is None:
        return Go(after(session, here))
    session["_challenge"] = None
    tx.save(session)
    if not confirmed:
        setups.fail_authentication(tx, tx.get(setups.KIND, session["setup_intent"]))
        return Go(here)
    card = cards.by_fingerprint(waiting["card"])
    month, year = waiting["expiry"]
    outcome = _attempt(tx, session, card, (month, year), waiting["payer"], here)
    return outcome if isinstance(outcome, Go) else Go(here)


def _attempt(
    tx: Tx, session: Body, card: cards.TestCard, expiry: tuple[int, int], payer: Body, here: str
) -> Go | Again:
    intent = tx.get(setups.KIND, session["setup_intent"])
    setups.attempt(tx, intent, card, expiry, payer)
    if intent["status"] == "requires_payment_method":
        words = intent["last_setup_error"]["message"]
        return Again({"number": words}, {"name": payer["name"] or ""}, declined=True)
    return Go(after(checkouts.complete(tx, session, None, payer), here))
