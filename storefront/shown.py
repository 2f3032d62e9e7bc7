"""What the shop's templates are given: products, carts and orders in the words of a page."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from cart.pricing import PricedCart, PricedLine, Recurring
from core.catalog.models import GIFT_CARD
from core.catalog.products import ProductDetail
from core.kernel.money import Money
from flows.browse import Offer, Shown

#: Below this many the shelf says how many are left.
FEW = 10
_EACH = {"month": "a month", "year": "a year"}


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
    return Card(
        href=f"/p/{shown.product.slug}",
        name=shown.product.name,
        picture=shown.product.picture,
        price=cheapest.price.unit_price,
        per=_EACH.get(cheapest.price.interval or "", ""),
        from_price=len({offer.price.unit_price_micros for offer in shown.offers}) > 1,
        availability=availability(shown.offers),
        line=shown.product.summary,
    )


def availability(offers: Sequence[Offer]) -> State:
    """In words: how many can be had."""
    counted = [offer.pieces for offer in offers if offer.pieces is not None]
    if len(counted) < len(offers):
        return State("go", "Open to order")
    pieces = sum(counted)
    if pieces == 0:
        return State("bad", "Sold out")
    if pieces < FEW:
        return State("wait", f"{pieces} left")
    return State("go", "In stock" if pieces > 99 else f"{pieces} in stock")


_VERBS = {
    "physical": "Put it in the cart",
    "service": "Book it",
    "digital": "Take it",
    "gift_card": "Put it in the cart",
}
_TAX_NOTES = {
    "internet": "The whole price: internet access carries no sales tax.",
    "service": "The whole price: a visit carries no sales tax.",
    "gift_card": "The whole price: a gift card carries no tax, what it buys does.",
}


def product_page(
    detail: ProductDetail, shown: Shown, hold_words: str, *, tax_included: bool = False
) -> dict[str, Any]:
    """One product as its page shows it."""
    kind = shown.offers[0].variant.kind
    most = max((offer.pieces or 0 for offer in shown.offers), default=0)
    return {
        "name": shown.product.name,
        "slug": shown.product.slug,
        "picture": shown.product.picture,
        "summary": shown.product.summary,
        "description": detail.description,
        "facts": detail.facts,
        "category": {
            "name": detail.category_name or "Shop",
            "slug": shown.product.category_slug or "",
        },
        "kind": kind,
        "variants": [_variant(offer, len(shown.offers)) for offer in shown.offers],
        "tax_note": "Tax included."
        if tax_included
        else _TAX_NOTES.get(shown.offers[0].variant.tax_category, "Plus sales tax where you live."),
        "availability": availability(shown.offers),
        "available": any(offer.available for offer in shown.offers),
        "delivery": _delivery(kind),
        "hold_note": f"Yours for {hold_words} once it is in the cart" if kind == "physical" else "",
        "returns": "Thirty days, and we give back the tax too" if kind == "physical" else "",
        "question": shown.product.name,
        "verb": f"Choose {shown.product.name}" if kind == "plan" else _VERBS.get(kind, ""),
        "quotable": kind != GIFT_CARD,
        "max_quantity": min(most, 99) if kind == "physical" else 99,
    }


def _variant(offer: Offer, count: int) -> dict[str, Any]:
    return {
        "sku": offer.variant.sku,
        "name": offer.variant.name,
        "price": offer.price.unit_price,
        "per": _EACH.get(offer.price.interval or "", ""),
        "note": State("", f"{offer.pieces} left").text
        if count > 1 and offer.pieces is not None and offer.pieces < FEW
        else "",
        "available": offer.available,
    }


def _delivery(kind: str) -> str:
    return {
        "physical": "At your door in two to three working days",
        "service": "We call to agree on a day",
        "plan": "On the day your line works",
        "gift_card": "Its code comes by mail as soon as it is paid",
    }.get(kind, "")


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
    kind: str
    note: str
    then: tuple[Money, str] | None
    held_until: Any
    state: str
    available: int | None
    action: str


def cart_lines(priced: PricedCart, left: dict[Any, int]) -> list[Line]:
    """The lines of a cart; ``left`` says how many of a variant can still be had."""
    return [_line(line, left) for line in priced.lines]


def _line(line: PricedLine, left: dict[Any, int]) -> Line:
    state, available = "held" if line.held_until else "open", None
    if line.lapsed:
        available = max(left.get(line.variant_id, 0), 0)
        state = "lapsed" if available >= line.quantity else "short"
    interval = line.price.interval
    return Line(
        id=line.public_id,
        name=line.name,
        picture=line.picture,
        href=f"/p/{line.slug}",
        quantity=line.quantity,
        unit_price=line.price.unit_price,
        total=line.net,
        max_quantity=99,
        kind=line.kind,
        note=_note(line),
        then=(line.net, interval) if interval else None,
        held_until=line.held_until,
        state=state,
        available=available,
        action=f"/cart/lines/{line.public_id}",
    )


def _note(line: PricedLine) -> str:
    if line.price_was is not None:
        return f"Its price has changed since you put it in; it was {line.price_was.decimal()}."
    return {
        "plan": "The first month. It starts on the day your line works.",
        "service": "We call to agree on a day.",
        "gift_card": "Its code comes by mail, with a page to print.",
    }.get(line.kind, "")


def totals(priced: PricedCart) -> list[tuple[Any, ...]]:
    """The sums of a cart, for ``macros/stub.html``."""
    rows: list[tuple[Any, ...]] = [("Goods and plans", priced.goods, "goods")]
    if priced.method is not None:
        rows.append((f"Delivery, {priced.method.name}", priced.delivery, "line"))
    if not priced.tax_known:
        if priced.tax_included:
            return rows
        return [*rows, ("Sales tax", None, "tax", "Worked out from your address")]
    if priced.tax_taken_off:
        rows.append(("Less the tax that you do not pay", -priced.tax_taken_off, "tax", ""))
    if priced.tax_on_top or not priced.tax_contained:
        rows.append((_tax_word(priced), priced.tax_on_top, "tax", _tax_note(priced)))
    return rows


def _tax_word(priced: PricedCart) -> str:
    names = {taxed.tax.name for line in priced.taxed for taxed in line.taxes}
    return names.pop() if len(names) == 1 else "Sales tax"


def contained(priced: PricedCart) -> str:
    """What prices contain, in words: ``Contains 20.00 VAT.``"""
    if not priced.tax_known or not priced.tax_contained:
        return ""
    names = sorted(
        {one.tax.name for line in priced.taxed for one in line.taxes if one.tax.inclusive}
    )
    return f"Contains {priced.tax_contained.decimal()} {' and '.join(names)}."


def _tax_note(priced: PricedCart) -> str:
    every = [taxed.tax for line in priced.taxed for taxed in line.taxes]
    found = {(tax.name, tax.rate_ppm) for tax in every if not tax.relief}
    if priced.reverse_charge:
        return "Reverse charge: your business accounts for it"
    if not found:
        numbers = sorted({tax.reference for tax in every if tax.relief})
        if numbers:
            return f"Free of tax by certificate {', '.join(numbers)}"
        return "Nothing here is taxed where it goes"
    base = sum(
        taxed.base_minor
        for line in priced.taxed
        for taxed in line.taxes[:1]
        if not taxed.tax.relief
    )
    rates = " and ".join(f"{ppm / 10_000:g} %" for _, ppm in sorted(found))
    return f"{rates} of {Money(base, priced.due_now.currency).decimal()}"


def recurring(priced: Sequence[Recurring]) -> list[tuple[Money, str, str]]:
    """What will be charged again, for ``macros/money.html``."""
    return [(item.amount, item.interval, item.name) for item in priced]


def contains(tax: Money) -> str:
    """The tax within a total, in words; empty when there is none."""
    return f"Contains {tax.decimal()} tax" if tax else ""


def due_note(priced: PricedCart | None) -> str:
    """What a cart's sum covers, in words."""
    if priced is not None and priced.tax_known:
        return contained(priced)
    return "" if priced is not None and priced.tax_included else "Before tax."
