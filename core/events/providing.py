"""What happens until an order is where it should be: services that a system begins, parcels that arrive."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class ProvisionWanted:
    """A service is to begin: asked of the system outside after so many tries of a round."""

    NAME: ClassVar[str] = "ProvisionWanted"
    VERSION: ClassVar[int] = 1
    provisioning_id: str
    round: int
    tries: int


@dataclass(frozen=True)
class OrderApproved:
    """An order that was held goes on: somebody has checked it."""

    NAME: ClassVar[str] = "OrderApproved"
    VERSION: ClassVar[int] = 1
    order_id: str


@dataclass(frozen=True)
class OrderDelivered:
    """A parcel of an order has arrived, as the carrier or the desk says."""

    NAME: ClassVar[str] = "OrderDelivered"
    VERSION: ClassVar[int] = 1
    fulfilment_id: str
