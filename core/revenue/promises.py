"""What lines promise, and how much of each is earned. Pure.

All of it is a function of how things stand now: what a line comes to with its memos, how much of it was
given, how much is still promised. So it doesn't matter in which order bills, parcels and memos came.
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from core.kernel.money import Money, nearest
from core.revenue.allocation import by_standalone_price

#: How an order's line is earned, by its kind.
TRIGGERS = {"physical": "shipped", "delivery": "shipped"}
RATABLE, PROVISIONED = "ratable", "provisioned"


@dataclass(frozen=True)
class Promise:
    """One line. ``net`` is what it comes to now, in minor units: memos are reckoned in.

    ``done`` of ``whole`` are given: pieces that were given and kept, of those that were neither cancelled
    nor came back; or days of service. ``alone`` is what the whole line sells for by itself, of ``ordered``
    pieces; lines of one ``group`` share what they come to by it.
    """

    key: uuid.UUID
    trigger: str
    net: int
    done: int
    whole: int
    order_line_id: uuid.UUID | None = None
    invoice_line_id: uuid.UUID | None = None
    ordered: int = 1
    alone: int = 0
    group: uuid.UUID | None = None

    @property
    def is_billed(self) -> bool:
        """Does a bill ask for it?"""
        return self.invoice_line_id is not None


def earned(allocated: int, done: int, whole: int) -> int:
    """How much of what is allocated is earned, rounded on all that was given so far.

    All of it when nothing is left to be given: so what is kept of a piece that came back is earned too.
    """
    if done >= whole:
        return allocated
    return nearest(Fraction(allocated * done, whole))


def allocated(promises: Sequence[Promise], currency: str) -> dict[uuid.UUID, int]:
    """What each promise comes to, by key: a bundle's pieces share by standalone price what they come to.

    A piece that is cancelled or came back has no part in it any more. Where one has no price by itself the
    bill's shares stand. The sum is always that of the nets.
    """
    found = {one.key: one.net for one in promises}
    groups: dict[uuid.UUID, list[Promise]] = defaultdict(list)
    for one in promises:
        if one.group is not None:
            groups[one.group].append(one)
    for mine in groups.values():
        found |= _shared(mine, currency)
    return found


def _shared(pieces: Sequence[Promise], currency: str) -> Mapping[uuid.UUID, int]:
    if len(pieces) < 2 or any(one.alone <= 0 for one in pieces):
        return {}
    common = 1
    for one in pieces:
        common *= one.ordered
    weights = [one.alone * one.whole * (common // one.ordered) for one in pieces]
    if not any(weights):
        weights = [one.alone for one in pieces]
    price = Money(sum(one.net for one in pieces), currency)
    shares = by_standalone_price(price, [Money(weight, currency) for weight in weights])
    return {one.key: share.minor for one, share in zip(pieces, shares, strict=True)}
