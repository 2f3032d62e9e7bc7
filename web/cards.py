"""Products as shelves show them, on categories and on pages of content."""

from collections.abc import Sequence
from typing import NamedTuple

from core.kernel.money import Money
from core.stock.levels import Outlook
from flows.browse import Offer, Shown
from web.filters import date_day, sign
from web.packs import EACH

#: Below this many the shelf says how many are left.
FEW = 10


class State(NamedTuple):
    """A tag: its shape and its words."""

    kind: str
    text: str


class Card(NamedTuple):
    """A product on a shelf."""

    href: str
    name: str
    picture: str
    price: Money
    per: str
    from_price: bool
    availability: State
    line: str


def card(shown: Shown) -> Card:
    """A product as a shelf shows it."""
    cheapest = min(shown.offers, key=lambda offer: offer.price.unit_price_micros)
    alike = [one for one in shown.offers if one.price.interval == cheapest.price.interval]
    return Card(
        href=f"/p/{shown.product.slug}",
        name=shown.product.name,
        picture=shown.product.picture,
        price=cheapest.price.unit_price,
        per=_per(cheapest),
        from_price=len({offer.price.unit_price_micros for offer in alike}) > 1,
        availability=availability(shown.offers),
        line=shown.product.summary,
    )


def _per(offer: Offer) -> str:
    """What the price is for: ``a month``; of a bundle ``now, then $42.00 a month``."""
    if offer.bundle is None:
        return EACH.get(offer.price.interval or "", "")
    again = [
        f"{sign(charge.together)} {EACH[charge.interval]}"
        for charge in offer.bundle.charges(1)
        if charge.interval
    ]
    return f"now, then {' and '.join(again)}" if again else ""


def availability(offers: Sequence[Offer]) -> State:
    """In words: how many can be had."""
    counted = [offer.pieces for offer in offers if offer.pieces is not None]
    if len(counted) < len(offers):
        return State("go", "Open to order")
    pieces = sum(counted)
    if pieces == 0:
        return State("bad", "Sold out")
    if pieces >= FEW and all(offer.variant.numbered for offer in offers):
        return State("go", "Open to order")
    if all(offer.is_beyond or not offer.available for offer in offers):
        return State("wait", expected(next(one.outlook for one in offers if one.is_beyond)))
    if pieces < FEW:
        return State("wait", f"{pieces} left")
    return State("go", "In stock" if pieces > 99 else f"{pieces} in stock")


def expected(outlook: Outlook | None) -> str:
    """Of what is sold before it is there: what that is called, and when it comes, as far as somebody said."""
    if outlook is None:
        return ""
    word = "Pre-order" if outlook.is_preorder else "On back-order"
    return f"{word}, expected {date_day(outlook.expected_on)}" if outlook.expected_on else word
