"""The lines of the cart's page in its words: held, lapsed, short or gone; and what is saved for later."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from cart import goods
from cart.goods import MOST_OF_ONE
from cart.priced import GoneLine, PricedCart, PricedLine
from cart.saved import Saved
from core.kernel.money import Money
from core.stock.levels import Outlook
from core.stock.named import Picked
from web import packs
from web.cards import expected
from web.packs import PieceRow

#: Why something cannot be bought any more.
GONE = {
    "withdrawn": "We do not sell this any more.",
    "no_price": "We do not sell this just now: it has no price here.",
}


class Shown(NamedTuple):
    """A number of a line."""

    value: str
    kept: bool
    href: str


class Line(NamedTuple):
    """A line of the cart's page."""

    id: str
    name: str
    picture: str
    href: str
    quantity: int
    unit_price: Money
    total: Money
    max_quantity: int
    step: int
    #: Why so many cannot be bought, where that was changed since they were put in.
    wrong: str
    kind: str
    note: str
    then: list[tuple[Money, str]]
    held_until: Any
    state: str
    available: int | None
    action: str
    #: Of a bundle: what is in it, and what is kept by that.
    pieces: list[PieceRow]
    saving: str
    #: What one cost when it was put in, in words; empty when that is what it costs now.
    was: str
    #: The numbers that it has, or chose: value, kept for it now, and where another one is chosen, or "".
    numbers: list[Shown] = []


def cart_lines(
    priced: PricedCart, left: dict[Any, int], outlook: Mapping[Any, Outlook]
) -> list[Line]:
    """The lines of a cart; ``left`` says how many of a variant can still be had, ``outlook`` when things that
    are sold before they are there come.

    Lines that lapsed take from what is left one after the other: two may want the same things.
    """
    left = dict(left)
    return [
        *(_line(line, left, outlook) for line in priced.lines),
        *(_gone(line, priced.goods.currency) for line in priced.gone),
    ]


def _line(line: PricedLine, left: dict[Any, int], outlook: Mapping[Any, Outlook]) -> Line:
    state, available = "held" if line.held_until else "open", None
    if line.lapsed:
        each = {need.variant_id: need.quantity // line.quantity for need in line.demands}
        available = min(max(left.get(key, 0), 0) // one for key, one in each.items())
        state = "lapsed" if available >= line.quantity else "short"
        for need in line.demands if state == "lapsed" else ():
            left[need.variant_id] -= need.quantity
    return Line(
        id=line.public_id,
        name=line.name,
        picture=line.picture,
        href=f"/p/{line.slug}",
        quantity=line.quantity,
        unit_price=line.price.unit_price,
        total=line.net,
        max_quantity=line.limits.largest(MOST_OF_ONE),
        step=line.limits.step,
        wrong=str(goods.problem(line.limits, line.quantity) or ""),
        kind=line.kind,
        note=_note(line, outlook),
        then=[(again.amount, again.interval) for again in line.recurring],
        held_until=line.held_until,
        state=state,
        available=available,
        action=f"/cart/lines/{line.public_id}",
        pieces=packs.pieces(line.shares),
        saving=packs.saving(line.charges),
        was=_was(line),
        numbers=[_number(line, one) for one in line.numbers if not one.secret],
    )


def _number(line: PricedLine, one: Picked) -> Shown:
    asked = urlencode({"line": line.public_id, "instead": one.value})
    return Shown(one.value, one.kept, f"/numbers/{line.sku}?{asked}" if one.picked else "")


def _gone(line: GoneLine, currency: str) -> Line:
    """What cannot be bought any more: named and explained, with a button to take it out."""
    return Line(
        id=line.public_id,
        name=line.name,
        picture=line.picture,
        href=f"/p/{line.slug}" if line.slug else "",
        quantity=line.quantity,
        unit_price=Money.zero(currency),
        total=Money.zero(currency),
        max_quantity=0,
        step=1,
        wrong="",
        kind="gone",
        note=GONE[line.code],
        then=[],
        held_until=None,
        state="gone",
        available=None,
        action=f"/cart/lines/{line.public_id}",
        pieces=[],
        saving="",
        was="",
    )


def _was(line: PricedLine) -> str:
    """``was 129.00 when you put it in``."""
    if line.prices_were:
        return f"was {packs.were(line.prices_were.items())} when you put it in"
    return f"was {line.price_was.decimal()} when you put it in" if line.price_was else ""


def _note(line: PricedLine, outlook: Mapping[Any, Outlook]) -> str:
    if line.unheld:
        words = expected(outlook.get(line.variant_id)) or "Not all of it is there yet"
        return f"{words}. It is sent when it comes in; nothing is held before you order."
    if any(one.secret for one in line.numbers):
        return "Its key is given to you once it is paid."
    if line.price.interval is not None:
        return f"{packs.first_period(line.price.interval, line.price.activation)}."
    return {
        "service": "We call to agree on a day.",
        "gift_card": "Its code comes by mail, with a page to print.",
    }.get(line.kind, "")


def saved_rows(listed: Sequence[Saved]) -> list[dict[str, Any]]:
    """What was saved for later, each with its buttons."""
    return [
        {
            "name": one.name,
            "picture": one.picture,
            "href": f"/p/{one.slug}",
            "quantity": one.quantity,
            "price": one.price,
            "was": f"was {one.price_was.decimal()} when you saved it" if one.price_was else "",
            "note": "" if one.price is not None else GONE["withdrawn"],
            "action": f"/cart/saved/{one.public_id}",
        }
        for one in listed
    ]
