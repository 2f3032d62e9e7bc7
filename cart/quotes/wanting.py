"""From what was typed or put into a cart to lines of an offer, at today's list prices.

This is the one place that knows where lines come from: a cart, a product, or the desk's form.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart import lines as cart_lines
from cart.models import Cart
from cart.quotes import numbers
from cart.quotes.models import MOST_PIECES
from cart.quotes.offer import NUMBERS, OfferLine
from cart.quotes.refusals import NothingToQuote
from core.catalog.models import BUNDLE, GIFT_CARD, Product, Variant
from core.kernel.errors import Invalid
from core.parties.models import Channel
from core.prices import bundles, resolve
from core.prices.bundles import Share
from core.prices.models import Plan
from core.prices.resolve import Resolved


@dataclass(frozen=True)
class Wanted:
    """A line as somebody wants it. ``price_micros`` None: the list's; ``name`` empty: the catalog's."""

    sku: str = ""
    name: str = ""
    quantity: int = 1
    price_micros: int | None = None
    term_months: int | None = None
    cost_micros: int | None = None
    tax_category: str = ""
    site: int = 0
    #: Of what is sold by numbers: these, and of its other pieces whichever are given.
    numbers: tuple[str, ...] = ()


def lines(
    session: Session, channel: Channel, wanted: Sequence[Wanted], now: datetime
) -> tuple[OfferLine, ...]:
    """The lines of an offer; a bundle is the lines of its pieces at what they cost in it.

    Invalid, by ``lines-N.field``, for what cannot be one.
    """
    unpacked = _unpacked(session, channel, wanted, now)
    wanted = [one for _, one in unpacked]
    found = _variants(session, [one.sku for one in wanted if one.sku])
    prices = _prices(session, channel, wanted, found, now)
    plans = _plans(session, [variant.id for variant in found.values() if variant.kind == "plan"])
    wrong: dict[str, str] = {}
    taken: set[uuid.UUID] = set()
    made = []
    for at, (asked_at, one) in enumerate(unpacked):
        problems = _problems(one, found)
        wrong |= {f"lines-{asked_at}.{name}": text for name, text in problems.items()}
        if problems:
            continue
        variant = found[one.sku] if one.sku else None
        price = prices[at]
        if one.price_micros is None and price is None:
            wrong[f"lines-{asked_at}.price"] = "It has no list price: say what it costs."
            continue
        mine: dict[uuid.UUID, str] = {}
        if one.numbers:
            text, mine = numbers.problem(session, one.numbers, variant, one.quantity, taken)
            taken |= mine.keys()
            if text:
                wrong[f"lines-{asked_at}.numbers"] = text
                continue
        made.append(_line(one, variant, price, plans, list(mine.values())))
    if wrong:
        raise Invalid(wrong)
    return tuple(made)


def _unpacked(
    session: Session, channel: Channel, wanted: Sequence[Wanted], now: datetime
) -> list[tuple[int, Wanted]]:
    """The same with each bundle's pieces in its place, and which line each was asked for in.

    Invalid for a bundle that cannot be had.
    """
    packed = {
        sku: variant
        for sku, variant in _variants(session, [one.sku for one in wanted if one.sku]).items()
        if variant.kind == BUNDLE
    }
    if not packed:
        return list(enumerate(wanted))
    made: list[tuple[int, Wanted]] = []
    for at, one in enumerate(wanted):
        variant = packed.get(one.sku)
        if variant is None:
            made.append((at, one))
            continue
        if one.numbers:
            raise Invalid({f"lines-{at}.numbers": "In a bundle they are given."})
        if one.price_micros is not None:
            raise Invalid(
                {f"lines-{at}.price": "A bundle is priced by its pieces: leave it empty."}
            )
        pieces = max(1, min(one.quantity, MOST_PIECES))
        asked = (channel.id, channel.currency, {variant.id: pieces}, now)
        bundle = bundles.offered(session, *asked).get(variant.id)
        if bundle is None:
            raise Invalid({f"lines-{at}.sku": f"{one.sku} cannot be had just now."})
        made += [(at, _piece(one, share)) for share in bundle.shares(pieces)]
    return made


def _piece(one: Wanted, share: Share) -> Wanted:
    recurs = share.piece.charge_kind != "one_off"
    return Wanted(
        sku=share.piece.component.sku,
        quantity=share.quantity,
        price_micros=share.unit_price_micros,
        term_months=one.term_months if recurs else None,
        tax_category=share.piece.component.tax_category,
        site=one.site,
    )


def _problems(one: Wanted, found: Mapping[str, Variant]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if not 1 <= one.quantity <= MOST_PIECES:
        wrong["quantity"] = f"From 1 to {MOST_PIECES}."
    if one.sku and one.sku not in found:
        wrong["sku"] = f"Nothing is sold under {one.sku}."
    elif one.sku and found[one.sku].kind == GIFT_CARD:
        wrong["sku"] = "Gift cards are bought, not quoted."
    recurs = bool(one.sku) and one.sku in found and found[one.sku].kind == "plan"
    if one.term_months is not None and not recurs:
        wrong["term"] = "Only a plan has a term."
    if one.term_months is not None and not 1 <= one.term_months <= 120:
        wrong["term"] = "From 1 to 120 months."
    if not one.sku and one.price_micros is None:
        wrong["price"] = "Say what it costs."
    if one.price_micros is not None and one.price_micros < 0:
        wrong["price"] = "A price is zero or more."
    if one.cost_micros is not None and one.cost_micros < 0:
        wrong["cost"] = "A cost is zero or more."
    return wrong


def _line(
    one: Wanted,
    variant: Variant | None,
    price: Resolved | None,
    plans: Mapping[uuid.UUID, str],
    chosen: Sequence[str],
) -> OfferLine:
    listed = price.unit_price_micros if price is not None else None
    agreed = one.price_micros if one.price_micros is not None else listed
    assert agreed is not None
    line = OfferLine(
        name=one.name,
        quantity=one.quantity,
        unit_price_micros=agreed,
        tax_category=one.tax_category,
        cost_micros=one.cost_micros,
        site=one.site,
    )
    if variant is None:
        return line
    return replace(
        line,
        name=one.name or variant.name,
        sku=variant.sku,
        variant_id=variant.id,
        kind=variant.kind,
        tax_category=one.tax_category or variant.tax_category,
        charge_kind=price.charge_kind if price is not None else plans.get(variant.id, "one_off"),
        term_months=one.term_months,
        list_price_micros=listed,
        price_trace=_trace(price, agreed) | ({NUMBERS: list(chosen)} if chosen else {}),
    )


def _trace(price: Resolved | None, agreed: int) -> dict[str, Any]:
    if price is None:
        return {"agreed": True}
    return (
        dict(price.trace) if price.unit_price_micros == agreed else {**price.trace, "agreed": True}
    )


def _variants(session: Session, skus: Sequence[str]) -> dict[str, Variant]:
    rows = session.scalars(
        select(Variant)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.sku.in_(set(skus)), Variant.active, Product.active)
    )
    return {row.sku: row for row in rows}


def _prices(
    session: Session,
    channel: Channel,
    wanted: Sequence[Wanted],
    found: Mapping[str, Variant],
    now: datetime,
) -> dict[int, Resolved | None]:
    """The list price of each line at its own quantity; all lines of one quantity are asked at once."""
    by_quantity: dict[int, set[uuid.UUID]] = {}
    for one in wanted:
        if one.sku in found:
            by_quantity.setdefault(one.quantity, set()).add(found[one.sku].id)
    resolved = {
        (key, quantity): price
        for quantity, keys in by_quantity.items()
        for key, price in resolve.prices(
            session, channel.id, channel.currency, dict.fromkeys(keys, quantity), now
        ).items()
    }
    return {
        at: resolved.get((found[one.sku].id, one.quantity)) if one.sku in found else None
        for at, one in enumerate(wanted)
    }


def _plans(session: Session, variant_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    if not variant_ids:
        return {}
    rows = session.execute(
        select(Plan.variant_id, Plan.interval).where(Plan.variant_id.in_(variant_ids))
    )
    return {key: "yearly" if interval == "year" else "monthly" for key, interval in rows}


def of_cart(session: Session, cart: Cart, sites: int) -> list[Wanted]:
    """What a cart holds, once for each place; gift cards are not quoted. NothingToQuote when it is empty."""
    rows = [
        (variant, line)
        for line, variant, _ in cart_lines.contents(session, cart)
        if variant.kind != GIFT_CARD
    ]
    if not rows:
        raise NothingToQuote
    return [
        Wanted(sku=variant.sku, quantity=line.quantity, site=site)
        for site in range(max(1, sites))
        for variant, line in rows
    ]


def of_product(sku: str, quantity: int, sites: int) -> list[Wanted]:
    """So many of one thing, once for each place."""
    return [Wanted(sku=sku, quantity=quantity, site=site) for site in range(max(1, sites))]
