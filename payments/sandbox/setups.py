"""Setup intents: a card is put on file for later, and nothing is charged."""

from payments.sandbox import events, methods
from payments.sandbox.cards import SETUP_NOT_AUTHENTICATED, Decline, TestCard
from payments.sandbox.store import Body, Tx, new_id, random_text

KIND = "setup_intent"
_NOTHING = (
    "application",
    "automatic_payment_methods",
    "cancellation_reason",
    "description",
    "flow_directions",
    "last_setup_error",
    "latest_attempt",
    "mandate",
    "next_action",
    "on_behalf_of",
    "payment_method",
    "payment_method_configuration_details",
    "single_use_mandate",
)


def create(tx: Tx, session: Body, metadata: Body) -> Body:
    """The intent of a session that sets a method up."""
    intent_id = new_id(KIND)
    body = tx.add(
        {
            **dict.fromkeys(_NOTHING),
            "id": intent_id,
            "object": KIND,
            "allowed_payment_method_types": session["allowed_payment_method_types"],
            "client_secret": f"{intent_id}_secret_{random_text(25)}",
            "created": tx.now,
            "customer": session["customer"],
            "livemode": False,
            "metadata": metadata,
            "payment_method_options": {
                "card": {
                    "mandate_options": None,
                    "network": None,
                    "request_three_d_secure": "automatic",
                }
            },
            "payment_method_types": ["card"],
            "status": "requires_payment_method",
            "usage": "off_session",
        },
        ref=session["id"],
    )
    events.record(tx, "setup_intent.created", body)
    return body


def ask_bank(tx: Tx, intent: Body, page: str) -> Body:
    """The card's bank wants a word with its owner first."""
    intent["status"] = "requires_action"
    intent["next_action"] = {
        "type": "redirect_to_url",
        "redirect_to_url": {"return_url": None, "url": page},
    }
    tx.save(intent)
    events.record(tx, "setup_intent.requires_action", intent)
    return intent


def fail_authentication(tx: Tx, intent: Body) -> Body:
    return _failed(tx, intent, SETUP_NOT_AUTHENTICATED)


def attempt(tx: Tx, intent: Body, card: TestCard, expiry: tuple[int, int], payer: Body) -> Body:
    """Put the card on file, unless its bank refuses it even for nothing."""
    if card.decline is not None:
        return _failed(tx, intent, card.decline)
    method = methods.save(tx, intent["customer"], card, expiry, payer)
    intent["payment_method"] = method["id"]
    intent["status"] = "succeeded"
    intent["last_setup_error"] = intent["next_action"] = None
    tx.save(intent)
    events.record(tx, "setup_intent.succeeded", intent)
    return intent


def cancel(tx: Tx, intent_id: str) -> None:
    """Its session has ended."""
    intent = tx.get(KIND, intent_id)
    if intent["status"] in ("succeeded", "canceled"):
        return
    intent["status"] = "canceled"
    intent["cancellation_reason"] = "abandoned"
    intent["next_action"] = None
    tx.save(intent)
    events.record(tx, "setup_intent.canceled", intent)


def _failed(tx: Tx, intent: Body, decline: Decline) -> Body:
    intent["last_setup_error"] = {
        "type": "card_error",
        "code": decline.code,
        "decline_code": decline.decline_code,
        "message": decline.words,
        "doc_url": f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}",
    }
    intent["status"] = "requires_payment_method"
    intent["next_action"] = None
    tx.save(intent)
    events.record(tx, "setup_intent.setup_failed", intent)
    return intent
