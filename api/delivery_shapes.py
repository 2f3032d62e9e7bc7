"""Delivery and consents on the desk's side of the API: what comes in and what goes out."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from api.shapes import CheckoutTerm, PublicId, Shape, Text

_CODE = r"^[a-z0-9][a-z0-9-]{0,39}$"
_PLAIN = r"^[^\x00-\x1f\x7f]*$"
_HIGHEST = 10**9


def _text(longest: int, shortest: int = 0) -> Any:
    return StringConstraints(min_length=shortest, max_length=longest, pattern=_PLAIN)


Code = Annotated[str, StringConstraints(pattern=_CODE)]
_Minor = Annotated[int, Field(ge=0, le=_HIGHEST)]


class WayWish(Shape):
    """A way of delivery; amounts in minor units of the shop's currency. What is left out is as it says."""

    name: Annotated[str, _text(120, 1)]
    description: Annotated[str, _text(200)] = ""
    kind: Literal["ship", "pickup"] = "ship"
    zone: Code | None = Field(None, description="Only there; null: in the whole country.")
    location: Annotated[str, _text(40, 1)] | None = Field(
        None, description="Of a pick-up: the code of the place."
    )
    goes_by: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,19}$")] = "parcel"
    price_minor: _Minor = 0
    per_kg_minor: _Minor = Field(0, description="On top, for each kilogram that is begun.")
    free_from_minor: _Minor | None = None
    goods_from_minor: _Minor | None = None
    goods_to_minor: _Minor | None = None
    weight_to_g: _Minor | None = None
    position: int = Field(0, ge=0, le=10_000)
    active: bool = True


class WayAnswer(WayWish):
    """A way of delivery."""

    country: str
    code: str


class Area(Shape):
    """A part of a zone."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    region: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{0,10}$")] = ""
    postal_prefix: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{0,12}$")] = ""


class ZoneWish(Shape):
    """Countries, regions, and how postal codes begin."""

    name: Annotated[str, _text(120, 1)]
    areas: list[Area] = Field(min_length=1, max_length=500)


class ZoneAnswer(ZoneWish):
    """A zone."""

    code: str


class DeliverySetup(Shape):
    """Every way and every zone."""

    ways: list[WayAnswer]
    zones: list[ZoneAnswer]


class TimesWish(Shape):
    """Times for visits on some weekdays, from a day to a day, in the shop's own hours."""

    first: Annotated[date, Field(strict=False)]
    last: Annotated[date, Field(strict=False)]
    weekdays: list[Annotated[int, Field(ge=0, le=6)]] = Field(
        min_length=1, max_length=7, description="0 is Monday."
    )
    begins: Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    ends: Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    capacity: int = Field(ge=1, le=500, description="How many visits at once.")
    zone: Code | None = None


class TimesAdded(Shape):
    """How many were not there before."""

    added: int


class RoomWish(Shape):
    """Room for so many; never for fewer than are promised."""

    capacity: int = Field(ge=0, le=500)


class DeskSlotAnswer(Shape):
    """A time for visits."""

    id: PublicId
    zone: Text | None
    starts_at: datetime
    ends_at: datetime
    capacity: int
    held: int
    booked: int


class DeskSlotList(Shape):
    """Times, the earliest first."""

    items: list[DeskSlotAnswer]


class TimesQuery(Shape):
    """Which times."""

    since: Annotated[AwareDatetime, Field(strict=False)] | None = Field(
        None, description="From then on; else from now."
    )


class TermWish(Shape):
    """Words to agree to; others than stand now are another version."""

    mode: Literal["stated", "required", "optional"]
    text: Annotated[str, _text(500, 1)]
    href: Annotated[str, _text(300)] = ""


class TermAnswer(CheckoutTerm):
    """As it is asked from now on."""
