"""What happens with an order's goods before they are the customer's: they come, and they are fetched."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class PickUpMoved:
    """Goods of an order lie ready to be fetched, or were fetched. ``how``: ready, collected."""

    NAME: ClassVar[str] = "PickUpMoved"
    VERSION: ClassVar[int] = 1
    pick_up_id: str
    how: str


@dataclass(frozen=True)
class BackOrderReleased:
    """Pieces that an order waited for have come, and are its own: one act for one order."""

    NAME: ClassVar[str] = "BackOrderReleased"
    VERSION: ClassVar[int] = 1
    batch: str
