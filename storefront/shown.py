"""What the shop's templates are given: products, carts and orders in the words of a page."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from cart.priced import PricedCart, Recurring
from cms_content.media import Picture
from core.catalog.limits import Limits
from core.catalog.models import GIFT_CARD
from core.catalog.products import ProductDetail
from core.kernel.money import Money, extend
from core.stock import resources
from core.stock.picking import Sold
from flows.browse import Offer, Shown
from web import packs
from web.cards import FEW, availability, expected
from web.filters import sign
from web.packs import EACH, FIRST, billed

_VERBS = {
    "physical": "Put it in the cart",
    "service": "Book it",
    "digital": "Take it",
    "gift_card": "Put it in the cart",
    "bundle": "Put the bundle in the cart",
}
_TAX_NOTES = {
    "internet": "The whole price: internet access carries no sales tax.",
    "service": "The whole price: a visit carries no sales tax.",
    "gift_card": "The whole price: a gift card carries no tax, what it buys does.",
}


def product_page(
    detail: ProductDetail,
    shown: Shown,
    hold_words: str,
    pictures: Sequence[Picture],
    *,
    tax_included: bool = False,
    numbers: Mapping[uuid.UUID, Sold],
) -> dict[str, Any]:
    """One product as its page shows it; ``numbers``: how that is sold which has numbers or keys."""
    first = shown.offers[0]
    kind, is_counted = first.variant.kind, first.pieces is not None
    limits = first.variant.limits
    most = max((offer.pieces or 0 for offer in shown.offers), default=0)
    return {
        "name": shown.product.name,
        "slug": shown.product.slug,
        "pictures": pictures,
        "summary": shown.product.summary,
        "description": detail.description,
        "facts": detail.facts,
        "category": {
            "name": detail.category_name or "Shop",
            "slug": shown.product.category_slug or "",
        },
        "kind": kind,
        "variants": [_variant(offer, shown.offers) for offer in shown.offers],
        "tax_note": "Tax included."
        if tax_included
        else _TAX_NOTES.get(first.variant.tax_category, "Plus sales tax where you live."),
        "availability": availability(shown.offers),
        "available": any(offer.available for offer in shown.offers),
        "is_counted": is_counted,
        "gone": [
            {"sku": one.variant.sku, "name": one.variant.name}
            for one in shown.offers
            if (one.variant.kind == "physical" or one.variant.numbered) and not one.available
        ],
        "bundle": packs.contents(first.bundle) if first.bundle is not None else None,
        "delivery": _delivery(first),
        "billed": _billed(shown.offers),
        "hold_note": _hold(shown.offers, hold_words) if is_counted else "",
        "returns": "Thirty days, and we give back the tax too"
        if is_counted and not first.variant.numbered
        else "",
        "numbers": _numbers(shown, numbers),
        "question": shown.product.name,
        "verb": _verb(shown, numbers),
        "quotable": kind != GIFT_CARD,
        "max_quantity": limits.largest(min(most, 99) if is_counted else 99),
        "min_quantity": limits.smallest,
        "step": limits.step,
        "sold_note": sold_note(limits),
    }


def _verb(shown: Shown, sold: Mapping[uuid.UUID, Sold]) -> str:
    """What stands on the button."""
    variant = shown.offers[0].variant
    if variant.id in sold and sold[variant.id].picked:
        return f"Give me any {sold[variant.id].word}"
    return (
        f"Choose {shown.product.name}" if variant.kind == "plan" else _VERBS.get(variant.kind, "")
    )


def numbered(shown: Shown) -> list[uuid.UUID]:
    """The variants each of which is a number or a key of its own."""
    return [offer.variant.id for offer in shown.offers if offer.variant.numbered]


def _numbers(shown: Shown, sold: Mapping[uuid.UUID, Sold]) -> dict[str, Any] | None:
    """How its numbers are come by: chosen, for each variant on a page of its own, or given."""
    found = [(offer, sold[offer.variant.id]) for offer in shown.offers if offer.variant.id in sold]
    if not found:
        return None
    word = found[0][1].word
    return {
        "word": word,
        "secret": resources.is_secret(found[0][1].kind),
        "choose": [
            {
                "href": f"/numbers/{offer.variant.sku}",
                "verb": f"Choose your {word}",
                "said": _variant_name(offer, shown.offers) if len(shown.offers) > 1 else "",
            }
            for offer, one in found
            if one.picked and offer.available
        ],
    }


def sold_note(limits: Limits) -> str:
    """How many are bought at once, in words; empty when that is up to the buyer."""
    told = [
        f"{limits.step} at a time" if limits.step > 1 else "",
        f"at least {limits.smallest}" if limits.smallest > limits.step else "",
        f"at most {limits.most}" if limits.most is not None else "",
    ]
    words = ", ".join(one for one in told if one)
    return words[:1].upper() + words[1:]


def _variant(offer: Offer, offers: Sequence[Offer]) -> dict[str, Any]:
    interval = offer.price.interval
    return {
        "sku": offer.variant.sku,
        "name": _variant_name(offer, offers),
        "price": offer.price.unit_price,
        "per": EACH.get(interval or "", ""),
        "due": f"Due now: the {FIRST[interval]}. Then {sign(offer.price.unit_price)} {EACH[interval]}."
        if interval
        else "",
        "note": _variant_note(offer, offers),
        "available": offer.available,
    }


def _variant_name(offer: Offer, offers: Sequence[Offer]) -> str:
    """Plans that differ in nothing but how often they are paid are called by that."""
    intervals = [one.price.interval for one in offers]
    if len(set(intervals)) == len(offers) > 1 and offer.price.interval:
        return f"Paid by the {offer.price.interval}"
    return offer.variant.name


def _variant_note(offer: Offer, offers: Sequence[Offer]) -> str:
    if len(offers) == 1:
        return ""
    if offer.price.interval == "year":
        yearly = offer.price.unit_price
        monthly = [one.price for one in offers if one.price.interval == "month"]
        kept = [extend(price.unit_price_micros, 12, yearly.currency) - yearly for price in monthly]
        if len(kept) == 1 and kept[0].minor > 0:
            return f"You keep {sign(kept[0])} a year against paying by the month"
    if offer.pieces is not None and offer.pieces < FEW:
        return expected(offer.outlook) if offer.is_beyond else f"{offer.pieces} left"
    return ""


def _hold(offers: Sequence[Offer], hold_words: str) -> str:
    if all(one.is_beyond or not one.available for one in offers) and any(
        one.available for one in offers
    ):
        return "Sent when it comes in. Nothing is held before you order"
    return f"Yours for {hold_words} once it is in the cart"


def _delivery(offer: Offer) -> str:
    if offer.variant.kind == "plan":
        return "Today" if offer.price.activation == "at_once" else "On the day it works"
    kinds = [offer.variant.kind]
    if offer.bundle is not None:
        kinds = [piece.component.kind for piece in offer.bundle.pieces]
    words = {
        "physical": "At your door in two to three working days",
        "service": "We call to agree on a day",
        "gift_card": "Its code comes by mail as soon as it is paid",
        "digital": "On your order’s page as soon as it is paid" if offer.variant.numbered else "",
    }
    return ". ".join(words[kind] for kind in dict.fromkeys(kinds) if words.get(kind))


def _billed(offers: Sequence[Offer]) -> str:
    """Of a plan, when billing begins and what is paid now; of a bundle, the same of its plans."""
    price, bundle = offers[0].price, offers[0].bundle
    if bundle is not None:
        plans = [piece for piece in bundle.pieces if piece.alone.interval]
        return ". ".join(
            f"{piece.component.name} is {billed(piece.alone.activation)}: what you pay for it now "
            f"is its {FIRST[piece.alone.interval or 'month']}"
            for piece in plans
        )
    if price.interval is None:
        return ""
    periods = " or ".join(dict.fromkeys(one.price.interval or "month" for one in offers))
    begins = billed(price.activation).removeprefix("billed ")
    return f"{begins[0].upper()}{begins[1:]}. What you pay now is the first {periods}, counted from then"


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
