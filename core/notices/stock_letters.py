"""What mails about stock say, as frozen facts like those of ``letters``."""

from dataclasses import dataclass
from typing import ClassVar

from core.notices.letters import Letter


@dataclass(frozen=True)
class WaitAsked(Letter):
    """Somebody gave this address to be told when ``thing`` is back; the page asks whether it was they."""

    TEMPLATE: ClassVar[str] = "wait_asked"

    thing: str


@dataclass(frozen=True)
class BackInStock(Letter):
    """``thing`` is back, and one is kept for the reader until a moment. The link's page puts it in the cart,
    or takes them off the list."""

    TEMPLATE: ClassVar[str] = "back_in_stock"

    thing: str
    #: In words, on the reader's clock.
    until: str


@dataclass(frozen=True)
class LowStock(Letter):
    """To staff: so few pieces of ``thing`` can be had at a place that somebody should see to it."""

    TEMPLATE: ClassVar[str] = "low_stock"

    thing: str
    sku: str
    place: str
    left: int
    low_at: int
