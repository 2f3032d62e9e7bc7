"""Sharing an amount out over the ways of paying it, in the order that the payer stated. Pure.

Called where something begins to be paid, and by the pages that show beforehand what would be taken.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from core.kernel.errors import ShopError
from core.kernel.money import Money


@dataclass(eq=False)
class TenderTooSmall(ShopError):
    """More was stated for one way of paying than it has."""

    code: ClassVar[str] = "tender_too_small"
    text: ClassVar[str] = "{label} has {available} left, not {wanted}."
    label: str
    wanted: Money
    available: Money


@dataclass(frozen=True)
class Source:
    """Something that an amount can be paid from.

    ``key`` is a gift card's or a credit's open item's; ``available`` None has no end (a card, terms);
    ``wanted`` None takes as much as is needed and there.
    """

    kind: str
    label: str
    key: uuid.UUID | None = None
    available: Money | None = None
    wanted: Money | None = None
    #: A gift card's, for pages that let it be taken off again.
    public_id: str = ""


@dataclass(frozen=True)
class Share:
    """So much is taken from this source."""

    source: Source
    amount: Money


def split(amount: Money, sources: Sequence[Source]) -> list[Share]:
    """Take ``amount`` from the sources, each up to what it has, in their order.

    The last may have no end and takes the rest; what no source covers is simply missing from the sum.
    Raises TenderTooSmall for a stated part that its source has not.
    """
    shares, left = [], amount
    for source in sources:
        part = left
        if source.wanted is not None:
            if source.available is not None and source.wanted > source.available:
                raise TenderTooSmall(source.label, source.wanted, source.available)
            part = min(part, source.wanted)
        if source.available is not None:
            part = min(part, source.available)
        if part.minor > 0:
            shares.append(Share(source, part))
            left -= part
    return shares


def spread(
    owed: Sequence[tuple[uuid.UUID, Money]], shares: Sequence[Share]
) -> list[tuple[uuid.UUID, Share]]:
    """Which share pays how much of which bill: bills and shares both in their order."""
    found, rest = [], [(share.source, share.amount) for share in shares]
    for key, amount in owed:
        left = amount
        while left.minor > 0 and rest:
            source, there = rest[0]
            part = min(left, there)
            found.append((key, Share(source, part)))
            left -= part
            rest[0] = (source, there - part)
            if not rest[0][1]:
                rest.pop(0)
    return found
