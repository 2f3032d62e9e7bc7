"""What a page of content shows to a visitor: the variant that is theirs, with live prices. Reads only.

A process keeps the words of a page for a moment, as it keeps its shelves; what can be had is read each
time. A page costs one query for its words, one for its pictures, one for its videos where it plays any, and
as many as one shelf for all its products together.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from cms_content import checks, media, reading, segments, videos
from cms_content.blocks import MOST_ITEMS, Content, Offer, Prices, Products
from cms_content.media import Picture
from cms_content.reading import Live
from cms_content.segments import Rule, Segment, Visitor
from cms_content.videos import Film
from core.parties.models import Channel
from flows.browse import Offer as Offered
from flows.browse import Shelves, Shown

_MOST = 500


@dataclass(frozen=True)
class Kept:
    """One variant and its pictures. ``made`` is room for what a face makes of them.

    As long as they are kept.
    """

    live: Live
    pictures: Mapping[str, Picture]
    films: Mapping[str, Film] = field(default_factory=dict)
    made: dict[Hashable, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Address:
    """Everything that is read at one address now, and what it takes to choose from it."""

    variants: tuple[Kept, ...]
    segments: Mapping[str, Segment]
    since: datetime
    until: datetime

    def holds(self, now: datetime) -> bool:
        """May it still be used?"""
        return self.since <= now < self.until

    @property
    def locales(self) -> tuple[str, ...]:
        """The languages that it can be read in."""
        return tuple(sorted({one.live.locale for one in self.variants}))

    @property
    def is_personal(self) -> bool:
        """Does which variant somebody gets depend on what they bring along? Then nobody else may keep it."""
        return any(rule.is_personal for rule in self._rules())

    @property
    def asks_language(self) -> bool:
        """Does it depend on the languages that the browser names?"""
        return len(self.locales) > 1 or any(rule.asks_language for rule in self._rules())

    def _rules(self) -> list[Rule]:
        used = {one.live.segment for one in self.variants}
        return [one.rule for one in self.segments.values() if one.code in used]

    def choose(self, visitor: Visitor, otherwise: str, wanted: str = "") -> Kept | None:
        """The variant for a visitor: first the language, then the segment.

        None when there is none for them.
        """
        locale = _locale(self.locales, visitor, otherwise, wanted)
        there = {one.live.segment: one for one in self.variants if one.live.locale == locale}
        code = segments.choose(there, self.segments, visitor)
        return there[code] if code is not None else None


def _locale(there: Collection[str], visitor: Visitor, otherwise: str, wanted: str) -> str:
    """The language asked for in the address, else one that the visitor reads, else the shop's own."""
    if wanted.replace("-", "_") in there:
        return wanted.replace("-", "_")
    for language in visitor.languages:
        for locale in sorted(there, key=lambda one: (one != otherwise, one)):
            if locale.lower().partition("_")[0] == language:
                return locale
    if otherwise in there:
        return otherwise
    return min(there, default=otherwise)


class PublishedPages:
    """A process's published pages.

    Each kept for a moment and never past the time when it changes by itself.
    """

    def __init__(self, keep_for: timedelta = timedelta(0)) -> None:
        self._keep_for = keep_for
        self._kept: dict[Hashable, Address] = {}

    def at(self, session: Session, channel: Channel, slug: str, now: datetime) -> Address:
        """What is read at an address; nothing is an answer too."""
        key = (channel.id, slug)
        found = self._kept.get(key)
        if found is not None and found.holds(now):
            return found
        found = self._read(session, channel, slug, now)
        if found.holds(now):
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[key] = found
        return found

    def forget(self) -> None:
        """Read everything anew: somebody has just published in this process."""
        self._kept.clear()

    def _read(self, session: Session, channel: Channel, slug: str, now: datetime) -> Address:
        live, changes = reading.live(session, channel.id, slug, now)
        names = {name for one in live for name in checks.pictures(one.content)}
        pictures = media.resolve(session, names)
        clips = {name for one in live for name in checks.videos(one.content)}
        films = videos.resolve(session, clips)
        varied = any(one.segment != segments.EVERYBODY for one in live)
        until = now + self._keep_for
        return Address(
            variants=tuple(Kept(one, pictures, films) for one in live),
            segments=segments.every(session, channel.id) if varied else {},
            since=now,
            until=min(until, changes) if changes is not None else until,
        )


def goods(
    session: Session, shelves: Shelves, channel: Channel, content: Content, now: datetime
) -> list[Shown]:
    """The products that a page shows, with today's prices and what can be had."""
    grids = [one for one in content.blocks if isinstance(one, Products)]
    categories = {one.category for one in grids if one.rule == "category"}
    most = max((one.most for one in grids if one.rule == "category"), default=MOST_ITEMS)
    skus = {sku for one in grids if one.rule == "chosen" for sku in one.skus}
    for block in content.blocks:
        if isinstance(block, Prices):
            skus |= {column.sku for column in block.columns}
        elif isinstance(block, Offer):
            skus.add(block.sku)
    return list(
        shelves.picked(
            session,
            channel,
            now,
            categories=frozenset(categories),
            skus=frozenset(skus - {""}),
            most=most,
        )
    )


def of_block(block: Products, found: Sequence[Shown]) -> list[Shown]:
    """Of all the products of a page those of one block, in its order."""
    if block.rule == "chosen":
        by_sku = {offer.variant.sku: shown for shown in found for offer in shown.offers}
        named = [by_sku[sku] for sku in block.skus if sku in by_sku]
        return list({shown.product.slug: shown for shown in named}.values())
    mine = [s for s in found if not block.category or s.product.category_slug == block.category]
    return mine[: block.most]


def by_sku(found: Sequence[Shown]) -> dict[str, tuple[Shown, Offered]]:
    """Each product of a page by every SKU that it is sold under."""
    return {offer.variant.sku: (shown, offer) for shown in found for offer in shown.offers}
