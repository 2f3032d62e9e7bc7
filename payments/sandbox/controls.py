"""The switchboard for tests: the clock, faults, and what became of the webhooks.

Spoken in JSON with the API key, so that no web page can reach it from a browser.
"""

import json
from typing import TYPE_CHECKING, Any

from payments.sandbox import disputes, sender
from payments.sandbox.errors import ApiError

if TYPE_CHECKING:
    from payments.sandbox.processor import Processor, Request


def run(processor: "Processor", request: "Request") -> dict[str, Any]:
    """Answer one control request."""
    at = (request.method, request.path.removeprefix("/sandbox"))
    asked = _asked(request)
    match at:
        case ("GET", "/clock"):
            return {"now": processor.store.now()}
        case ("POST", "/clock"):
            return _move_clock(processor, asked)
        case ("DELETE", "/books"):
            processor.store.forget()
            return {"forgotten": True}
        case ("GET", "/faults"):
            return {"faults": processor.faults.listed()}
        case ("POST", "/faults"):
            return vars(processor.faults.switch_on(asked)).copy()
        case ("DELETE", "/faults"):
            processor.faults.clear()
            return _release(processor)
        case ("GET", "/webhooks"):
            with processor.store.transaction() as tx:
                return {"deliveries": sender.listed(tx, most=500)}
        case ("POST", "/webhooks/release"):
            return _release(processor)
        case ("POST", "/webhooks/resend"):
            with processor.store.transaction() as tx:
                sender.send_again(tx, str(asked.get("event", "")), processor.store.now())
            return {"resent": asked["event"]}
        case ("POST", "/disputes"):
            return _decide(processor, asked) if "dispute" in asked else _take_back(processor, asked)
        case ("POST", "/webhooks/target"):
            return _retarget(processor, asked)
    raise ApiError(f"Unrecognized control ({at[0]}: {request.path}).", status=404)


def _asked(request: "Request") -> dict[str, Any]:
    if not request.body:
        return {}
    try:
        asked = json.loads(request.body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise ApiError("Controls take a JSON object.")
    return asked


def _move_clock(processor: "Processor", asked: dict[str, Any]) -> dict[str, Any]:
    """``{"advance_seconds": n}`` moves it, ``{"now": unix seconds}`` sets it; it ticks on."""
    now = processor.store.move_clock(
        advance=float(asked.get("advance_seconds", 0)),
        now=float(asked["now"]) if "now" in asked else None,
    )
    return {"now": now}


def _take_back(processor: "Processor", asked: dict[str, Any]) -> dict[str, Any]:
    """A cardholder's bank takes a payment back."""
    amount = int(asked["amount"]) if "amount" in asked else None
    with processor.store.transaction() as tx:
        told = disputes.open_one(tx, str(asked.get("payment", "")), amount)
    processor.sender.wake()
    return {"dispute": told["id"]}


def _decide(processor: "Processor", asked: dict[str, Any]) -> dict[str, Any]:
    """The network has decided."""
    with processor.store.transaction() as tx:
        told = disputes.close(tx, str(asked.get("dispute", "")), won=bool(asked.get("won")))
    processor.sender.wake()
    return {"dispute": told["id"], "status": told["status"]}


def _release(processor: "Processor") -> dict[str, Any]:
    with processor.store.transaction() as tx:
        sender.release(tx, processor.store.now())
    return {"released": True}


def _retarget(processor: "Processor", asked: dict[str, Any]) -> dict[str, Any]:
    """Send webhooks elsewhere (``url``, null for nowhere) or sign with other ``secrets``."""
    if "url" in asked:
        processor.sender.target = asked["url"]
    if "secrets" in asked:
        processor.sender.secrets = [str(secret) for secret in asked["secrets"]]
    return {"url": processor.sender.target, "secrets": len(processor.sender.secrets)}
