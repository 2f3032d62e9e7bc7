"""What somebody wants another of a placed order: one change set, as it was typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Added:
    """So many of a thing more. ``place``: the number of a line of the order, where that goes; None: where the
    order goes, if that is one place."""

    sku: str
    quantity: int = 1
    place: int | None = None


@dataclass(frozen=True)
class Edits:
    """One change set. By line number: how many it shall be (without what was cancelled), and what instead of
    all pieces that wait; what is added; another address (``cart.address``) and way of delivery. ``place``: a
    line of the order, for whose place these two are; None: for the order's, if that is one."""

    quantities: Mapping[int, int] = field(default_factory=dict)
    swaps: Mapping[int, str] = field(default_factory=dict)
    added: Sequence[Added] = ()
    address: Mapping[str, str] | None = None
    method: str | None = None
    place: int | None = None
