"""What the shelves show: products with today's price and what can be had. Reads only.

A page of products costs three queries, one product three: catalog, prices, stock; three more where there
are bundles. One whose products and prices the process still has costs only the last of stock.
"""

import uuid
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from cms_content import media
from cms_content.media import Picture
from core.catalog import products
from core.catalog.models import BUNDLE
from core.catalog.products import ListedProduct, ListedVariant, ProductDetail
from core.kernel.errors import NotFound
from core.parties.models import Channel
from core.prices import bundles, resolve
from core.prices.bundles import Bundle
from core.prices.resolve import Resolved
from core.stock import levels
from core.stock.levels import Outlook

#: So many pages and products are kept at most.
_MOST = 1_000


@dataclass(frozen=True)
class Offer:
    """A variant with its price, and how many can be had (None: it is not counted).

    Of a bundle ``price`` is what one costs now, and ``bundle`` has its prices and pieces.
    """

    variant: ListedVariant
    price: Resolved
    pieces: int | None
    bundle: Bundle | None = None
    #: Of a thing that is counted: how much lies there, and when more comes.
    outlook: Outlook | None = None

    @property
    def is_beyond(self) -> bool:
        """Can it be had, but only before it is there?"""
        found = self.outlook
        return found is not None and found.there == 0 and found.pieces > 0

    @property
    def available(self) -> bool:
        """May it be put into a cart, as few as are sold at once?"""
        return self.pieces is None or self.pieces >= self.variant.limits.smallest


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


#: A variant with its price, and of a bundle what that is made of.
_Sold = tuple[ListedVariant, Resolved, Bundle | None]


@dataclass(frozen=True)
class _Priced:
    """What changes rarely: products with their prices, until when both may be shown, and more."""

    products: tuple[tuple[ListedProduct, tuple[_Sold, ...]], ...]
    since: datetime
    until: datetime
    after: tuple[int, uuid.UUID] | None = None
    detail: ProductDetail | None = None

    def holds(self, now: datetime) -> bool:
        return self.since <= now < self.until


class Shelves:
    """A process's shelves: it keeps products and prices for a moment, never what can be had of them.

    Kept are texts and prices that are shown; whatever is put into a cart or ordered is priced anew.
    """

    def __init__(self, keep_for: timedelta = timedelta(0)) -> None:
        self._keep_for = keep_for
        self._kept: dict[Hashable, _Priced] = {}
        self._pictures: dict[tuple[str, ...], tuple[datetime, tuple[Picture, ...]]] = {}

    def page(
        self,
        session: Session,
        channel: Channel,
        now: datetime,
        *,
        category_slug: str | None = None,
        after: tuple[int, uuid.UUID] | None = None,
        limit: int = 24,
        in_stock: bool = False,
    ) -> Page:
        """One page of products that have a price on this channel; ``in_stock``: those that can be had now."""

        def read() -> _Priced:
            found = products.listing(
                session,
                category_slug=category_slug,
                after=after,
                limit=limit + 1,
                only=levels.can_be_had() if in_stock else None,
                now=now if in_stock else None,
            )
            shown = found[:limit]
            more = (shown[-1].position, shown[-1].id) if len(found) > limit else None
            return replace(self._priced(session, channel, now, shown), after=more)

        key = ("page", channel.id, category_slug, after, limit, in_stock)
        kept = self._find(key, now, read)
        found = _offered(session, kept, now)
        if in_stock:  # what was taken since, and bundles that lack a piece
            found = tuple(one for one in found if any(offer.available for offer in one.offers))
        return Page(found, kept.after)

    def picked(
        self,
        session: Session,
        channel: Channel,
        now: datetime,
        *,
        categories: frozenset[str],
        skus: frozenset[str],
        most: int,
    ) -> tuple[Shown, ...]:
        """The first products of each category ("" is the whole shop), and those with one of the SKUs.

        As many queries as one page of a shelf, however many are asked for.
        """

        def read() -> _Priced:
            found = products.picked(session, categories, skus, most=most)
            return self._priced(session, channel, now, found)

        if not categories and not skus:
            return ()
        kept = self._find(("picked", channel.id, categories, skus, most), now, read)
        return _offered(session, kept, now)

    def product(
        self, session: Session, channel: Channel, now: datetime, slug: str
    ) -> tuple[ProductDetail, Shown]:
        """One product. NotFound when there is none, or nothing of it has a price here."""

        def read() -> _Priced:
            detail = products.detail(session, slug)
            return replace(self._priced(session, channel, now, [detail.listed]), detail=detail)

        kept = self._find(("product", channel.id, slug), now, read)
        if kept.detail is None or not kept.products:
            raise NotFound("product")
        return kept.detail, _offered(session, kept, now)[0]

    def pictures(
        self, session: Session, detail: ProductDetail, now: datetime
    ) -> tuple[Picture, ...]:
        """The pictures of a product in their order: one query, where some are uploads."""
        known = self._pictures.get(detail.pictures)
        if known is not None and known[0] <= now < known[0] + self._keep_for:
            return known[1]
        found = media.resolve(session, detail.pictures)
        shown = tuple(found[name] for name in detail.pictures if name in found)
        if len(self._pictures) >= _MOST:
            self._pictures.clear()
        self._pictures[detail.pictures] = (now, shown)
        return shown

    def _find(self, key: Hashable, now: datetime, read: Callable[[], _Priced]) -> _Priced:
        found = self._kept.get(key)
        if found is not None and found.holds(now):
            return found
        found = read()
        if found.holds(now):
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[key] = found
        return found

    def _priced(
        self, session: Session, channel: Channel, now: datetime, found: Sequence[ListedProduct]
    ) -> _Priced:
        every = [variant for product in found for variant in product.variants]
        if not every:
            return _Priced((), now, now)
        asked, horizon = (session, channel.id, channel.currency), now + self._keep_for
        ids = {variant.id: 1 for variant in every if variant.kind != BUNDLE}
        packed = {variant.id: 1 for variant in every if variant.kind == BUNDLE}
        prices, until = resolve.prices_until(*asked, ids, now, horizon)
        packs, packs_until = bundles.offered_until(*asked, packed, now, horizon)
        pairs = ((product, _sold(product, prices, packs)) for product in found)
        return _Priced(tuple(pair for pair in pairs if pair[1]), now, min(until, packs_until))


def _sold(
    product: ListedProduct,
    prices: Mapping[uuid.UUID, Resolved],
    packs: Mapping[uuid.UUID, Bundle],
) -> tuple[_Sold, ...]:
    found: list[_Sold] = []
    for variant in product.variants:
        if variant.id in packs:
            found.append((variant, packs[variant.id].now, packs[variant.id]))
        elif variant.id in prices:
            found.append((variant, prices[variant.id], None))
    return tuple(found)


def _offered(session: Session, priced: _Priced, now: datetime) -> tuple[Shown, ...]:
    every = [sold for _, found in priced.products for sold in found]
    counted = {variant_id for sold in every for variant_id in _counted(*sold)}
    pieces = levels.outlook(session, list(counted), now) if counted else {}
    return tuple(
        Shown(product, tuple(_offer(*sold, pieces) for sold in found))
        for product, found in priced.products
    )


def _counted(
    variant: ListedVariant, price: Resolved, bundle: Bundle | None
) -> dict[uuid.UUID, int]:
    """How many of which things in stock one needs."""
    if bundle is None:
        return {variant.id: 1} if variant.kind == "physical" or variant.numbered else {}
    held = (piece.component for piece in bundle.pieces if piece.component.needs_stock)
    return {component.variant_id: component.quantity for component in held}


def _offer(
    variant: ListedVariant,
    price: Resolved,
    bundle: Bundle | None,
    pieces: Mapping[uuid.UUID, Outlook],
) -> Offer:
    counted = _counted(variant, price, bundle)
    can_be_had = [pieces.get(key, _NOTHING).pieces // each for key, each in counted.items()]
    outlook = pieces.get(variant.id) if bundle is None else None
    return Offer(variant, price, min(can_be_had) if can_be_had else None, bundle, outlook)


_NOTHING = Outlook(0, 0)
