"""What happens next with an order that was just placed, in the words of its thanks."""

from typing import Any

from core.orders import deliveries
from flows.follow_order import Followed


def steps(followed: Followed) -> list[dict[str, Any]]:
    """The steps by what was ordered, the first first."""
    kinds = {line.kind for line in followed.lines}
    events: list[dict[str, Any]] = [
        {
            "title": "Your order is in",
            "text": "We have written to you.",
            "at": followed.order.placed_at,
            "state": "done",
        },
        {
            "title": "The bill comes by mail",
            "text": "In a minute, as a PDF.",
            "at": None,
            "state": "now",
        },
    ]
    if followed.order.is_held:
        events.append(
            {
                "title": "We check your order",
                "text": "You hear from us within a working day. There is nothing to do for you.",
                "at": None,
                "state": "now",
            }
        )
    fetched = deliveries.picked_up(followed.lines)
    if fetched:
        events.append(
            {
                "title": "You fetch it",
                "text": "We write to you as soon as it lies ready, with the place and its hours.",
                "at": None,
                "state": "",
            }
        )
    if any(line.kind == "physical" and line.id not in fetched for line in followed.lines):
        events.append(
            {
                "title": "We pack and send it",
                "text": "Two to three working days.",
                "at": None,
                "state": "",
            }
        )
    if "service" in kinds:
        events.append(
            {
                "title": "We call you",
                "text": "To agree on the day of the visit.",
                "at": None,
                "state": "",
            }
        )
    if "gift_card" in kinds:
        events.append(
            {
                "title": "Your gift card comes by mail",
                "text": "With its code, and a page to print.",
                "at": None,
                "state": "" if followed.order.is_held else "now",
            }
        )
    if "plan" in kinds:
        events.append(
            {
                "title": "Your plan is switched on",
                "text": "What you paid for it is counted from the day it works.",
                "at": None,
                "state": "",
            }
        )
    return events
