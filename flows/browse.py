"""What the shelves show: products with today's price and what can be had. Reads only.

A page of products costs three queries, one product three: catalog, prices, stock.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.catalog import products
from core.catalog.products import ListedProduct, ListedVariant, ProductDetail
from core.kernel.errors import NotFound
from core.parties.models import Channel
from core.prices import resolve
from core.prices.resolve import Resolved
from core.stock import levels


@dataclass(frozen=True)
class Offer:
    """A variant with its price, and how many can be had (None: it is not counted)."""

    variant: ListedVariant
    price: Resolved
    pieces: int | None

    @property
    def available(self) -> bool:
        """May one be put into a cart?"""
        return self.pieces is None or self.pieces > 0


@dataclass(frozen=True)
class Shown:
    """A product with what is offered of it, at least one offer."""

    product: ListedProduct
    offers: tuple[Offer, ...]


@dataclass(frozen=True)
class Page:
    """Products in shelf order; ``after`` is where the next page begins, None at the end."""

    products: tuple[Shown, ...]
    after: tuple[int, uuid.UUID] | None


def shelf(
    session: Session,
    channel: Channel,
    now: datetime,
    *,
    category_slug: str | None = None,
    after: tuple[int, uuid.UUID] | None = None,
    limit: int = 24,
) -> Page:
    """One page of products that have a price on this channel."""
    found = products.listing(session, category_slug=category_slug, after=after, limit=limit + 1)
    shown = found[:limit]
    more = (shown[-1].position, shown[-1].id) if len(found) > limit else None
    return Page(tuple(_offered(session, channel, now, shown)), more)


def product(
    session: Session, channel: Channel, now: datetime, slug: str
) -> tuple[ProductDetail, Shown]:
    """One product. NotFound when there is none, or nothing of it has a price here."""
    detail = products.detail(session, slug)
    shown = _offered(session, channel, now, [detail.listed])
    if not shown:
        raise NotFound("product")
    return detail, shown[0]


def _offered(
    session: Session, channel: Channel, now: datetime, found: Sequence[ListedProduct]
) -> list[Shown]:
    variants = [variant for product in found for variant in product.variants]
    if not variants:
        return []
    ids = {variant.id: 1 for variant in variants}
    prices = resolve.prices(session, channel.id, channel.currency, ids, now)
    counted = [variant.id for variant in variants if variant.kind == "physical"]
    pieces = levels.available(session, counted, now) if counted else {}
    answer = []
    for product in found:
        offers = tuple(
            _offer(variant, prices[variant.id], pieces)
            for variant in product.variants
            if variant.id in prices
        )
        if offers:
            answer.append(Shown(product, offers))
    return answer


def _offer(variant: ListedVariant, price: Resolved, pieces: dict[uuid.UUID, int]) -> Offer:
    counted = variant.kind == "physical"
    return Offer(variant, price, max(pieces.get(variant.id, 0), 0) if counted else None)
