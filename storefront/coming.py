"""How things come beside the first delivery: further deliveries, and a time for a visit that is chosen."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from cart import slots
from cart.checkout import Requirement
from cart.models import Cart
from cart.priced import Also, PricedCart
from core.kernel.money import Money
from core.stock.holds import Owner
from web.context import channel, house
from web.filters import sign, slot_words

CALL = "Call me to agree on a day"


def ways(mine: Cart) -> dict[str, str]:
    """How further deliveries go, as the form says, or the page before said."""
    if request.method != "POST":
        return dict((mine.answers or {}).get("ways", {}))
    found = {name.removeprefix("way-")[:20]: value[:40] for name, value in request.form.items()}
    return {name: value for name, value in found.items() if f"way-{name}" in request.form}


def slot(mine: Cart) -> str:
    """The time that the form chooses, or the page before chose."""
    if request.method == "POST":
        return request.form.get("slot", "")[:32]
    return str((mine.answers or {}).get("slot", ""))


def deliveries(priced: PricedCart, unmet: Sequence[Requirement]) -> list[dict[str, Any]]:
    """For the page: each further delivery with its choices."""
    wrong = {item.field: item.text for item in unmet}
    return [_delivery(one, wrong.get(f"ways.{one.goes_by}", "")) for one in priced.also]


def _delivery(one: Also, error: str) -> dict[str, Any]:
    return {
        "name": f"way-{one.goes_by}",
        "legend": ", ".join(one.names),
        "error": error,
        "options": [
            {
                "code": way.code,
                "name": way.name,
                "price": _price(way.price),
                "note": way.description,
                "is_chosen": one.method is not None and way.code == one.method.code,
            }
            for way in one.methods
        ],
    }


def _price(price: Money) -> str:
    return sign(price) if price else "free"


def times(
    mine: Cart,
    priced: PricedCart,
    place: Mapping[str, str],
    chosen: str,
    unmet: Sequence[Requirement],
) -> dict[str, Any] | None:
    """For the page: the times that can be chosen for a visit; None when there is nothing to choose."""
    if not priced.wants_visit:
        return None
    now = house().clock.now()
    with house().db.snapshot() as session:
        listed = slots.offered(session, channel()[0].id, place, now)
        held = slots.of(session, Owner("cart", mine.id), now)
    if held is not None and held.public_id not in [one.public_id for one in listed]:
        listed = sorted([*listed, held], key=lambda one: one.starts_at)
    if not listed:
        return None
    return {
        "options": [("", CALL), *((one.public_id, slot_words(one)) for one in listed)],
        "chosen": chosen,
        "error": next((item.text for item in unmet if item.field == "slot"), ""),
    }
