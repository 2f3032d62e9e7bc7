"""What checkout asks somebody to agree to: read, kept on the cart between its pages, shown."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from cart import consents
from cart.consents import Ask
from cart.models import Cart
from web.context import channel, house


def asked() -> Sequence[Ask]:
    """What is asked on this shop's channel now."""
    with house().db.reading() as session:
        return consents.asked(session, channel()[0])


def ticked() -> dict[str, int]:
    """What was ticked in the form, and in which version."""
    found = {}
    for name, value in request.form.items():
        code = name.removeprefix("agree-")
        if code != name and value.isdecimal() and len(value) < 6:
            found[code[:40]] = int(value)
    return found


def kept(mine: Cart) -> dict[str, int]:
    """What was ticked on the page before. Nothing is ticked that they did not tick."""
    answers: Mapping[str, Any] = mine.answers or {}
    return {str(code): int(version) for code, version in answers.get("consents", {}).items()}


def rows(
    asks: Sequence[Ask], given: Mapping[str, int], wrong: Mapping[str, str]
) -> list[dict[str, Any]]:
    """For the page: each with its words, its state and what is wrong."""
    return [
        {
            "name": f"agree-{ask.code}",
            "version": ask.version,
            "text": ask.text,
            "href": ask.href,
            "is_stated": ask.mode == consents.STATED,
            "is_optional": ask.mode == consents.OPTIONAL,
            "is_ticked": given.get(ask.code) == ask.version,
            "error": wrong.get(f"consents.{ask.code}", ""),
        }
        for ask in asks
    ]
