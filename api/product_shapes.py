"""Products on the desk's side of the API: what comes in and what goes out."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from api.order_shapes import Paging
from api.shapes import Limits, Money, PublicId, Shape, Text
from core.catalog.packing import MOST_PIECES
from flows.keep_products import MOST_PICTURES

_NAME = r"^[a-z0-9][a-z0-9-]{0,39}$"
_PLAIN = r"^[^\x00-\x1f\x7f]*$"


def _text(longest: int, shortest: int = 0) -> Any:
    return StringConstraints(min_length=shortest, max_length=longest, pattern=_PLAIN)


#: With line breaks.
Long = Annotated[str, StringConstraints(max_length=5000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]*$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=120)]
#: As it is written: ``129.00``.
Price = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,8}(\.[0-9]{1,6})?$")]


class DeskProductQuery(Paging):
    """Which products."""

    active: Literal["yes", "no"] | None = Field(
        None, description="Only those in the shop, or only those that are archived."
    )


class PlanTerms(Shape):
    """How a plan recurs; that is not changed afterwards."""

    interval: Literal["month", "year"]
    activation: Literal["by_hand", "at_once", "by_system"] = "by_hand"
    family: Annotated[str, StringConstraints(pattern=_NAME)] | None = Field(
        None, description="Plans of one family can be had in place of each other."
    )
    features: list[Annotated[str, StringConstraints(pattern=_NAME)]] = Field([], max_length=12)


class VariantWish(Shape):
    """A thing that is sold, at the price of one in the shop's currency.

    A plan has its terms; a bundle has no price here, see its pieces and prices.
    """

    sku: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]+([.-][A-Z0-9]+)*$", max_length=60)]
    name: Annotated[str, _text(200, 1)]
    kind: Literal["physical", "digital", "service", "plan", "gift_card", "bundle"]
    tax_category: Annotated[str, _text(40, 1)]
    price: Price | None = None
    plan: PlanTerms | None = None


#: Of the library: ``media:…`` for an upload, ``img/….svg`` for a drawing.
Picture = Annotated[str, StringConstraints(pattern=r"^(media:[0-9a-f]{32}|img/[a-z0-9/_-]+\.svg)$")]
Pictures = Annotated[list[Picture], Field(min_length=1, max_length=MOST_PICTURES)]


class ProductWords(Shape):
    """What a product's page says, and its pictures in their order."""

    name: Annotated[str, _text(200, 1)]
    summary: Annotated[str, _text(300)] = ""
    description: Long = ""
    pictures: Pictures
    category: Annotated[str, _text(80)] = Field("", description="A category's slug.")


class ProductWish(ProductWords):
    """A new product with its first thing; it is shown by changing `active`."""

    slug: Slug
    variant: VariantWish


class ProductChange(Shape):
    """What is left out stays. Under another slug the shop's old address leads to the new one."""

    slug: Slug | None = None
    name: Annotated[str, _text(200, 1)] | None = None
    summary: Annotated[str, _text(300)] | None = None
    description: Long | None = None
    pictures: Pictures | None = None
    category: Annotated[str, _text(80)] | None = None
    active: bool | None = None
    revision: PublicId | None = Field(
        None, description="As you saw it; 409 `stale_state` when somebody was faster."
    )


class VariantChange(Shape):
    """What is left out stays."""

    name: Annotated[str, _text(200, 1)] | None = None
    price: Price | None = None
    active: bool | None = None
    limits: Limits | None = None
    weight_g: int | None = Field(None, ge=0, le=10_000_000, description="Of one, in grams.")
    goes_by: Annotated[str, _text(20, 1)] | None = Field(
        None, description="How it is delivered: `parcel`, or your own word; of work, `visit`."
    )


class PriceWish(Shape):
    """What one costs on a list, from so many on, or of a bundle for a charge kind."""

    list: Annotated[str, StringConstraints(pattern=_NAME)]
    price: Price | None = Field(description="Null: nothing on this list.")
    min_quantity: int = Field(1, ge=1, le=1_000_000)
    charge_kind: Literal["one_off", "monthly", "yearly"] | None = None


class PieceWish(Shape):
    """So many of a SKU; the weight is its part of what is paid for its charge kind."""

    sku: Annotated[str, _text(60, 1)]
    quantity: int = Field(1, ge=1, le=99)
    weight: int = Field(ge=0, le=1_000_000)


class PiecesWish(Shape):
    """What is in a bundle, in its order."""

    pieces: list[PieceWish] = Field(min_length=1, max_length=MOST_PIECES)


class PriceListWish(Shape):
    """A price list in the shop's currency; of those that hold the highest priority goes first."""

    code: Annotated[str, StringConstraints(pattern=_NAME)]
    priority: int = Field(10, ge=-1000, le=1000)
    valid_from: AwareDatetime | None = None
    valid_to: AwareDatetime | None = None


class PriceListAnswer(Shape):
    """A price list."""

    code: Text
    currency: Text
    priority: int
    valid_from: datetime | None
    valid_to: datetime | None


class PriceListList(Shape):
    """All of them, the one that goes first first."""

    items: list[PriceListAnswer]


class DeskPrice(Shape):
    """What a thing costs on a list, as it is written."""

    list: Text
    price: Text
    min_quantity: int | None
    charge_kind: Text | None


class DeskPiece(Shape):
    """A piece of a bundle."""

    sku: Text
    quantity: int
    weight: int


class VariantPrices(Shape):
    """A thing with what it costs on every list, how it recurs, what is in it."""

    sku: Text
    kind: Text
    plan: PlanTerms | None
    prices: list[DeskPrice]
    pieces: list[DeskPiece]


class DeskVariantAnswer(Shape):
    """A thing that is sold. ``price`` is of one, rounded to the minor unit; null for a bundle."""

    sku: Text
    name: Text
    kind: Text
    tax_category: Text
    active: bool
    limits: Limits
    weight_g: int
    goes_by: Text
    price: Money | None


class DeskProductAnswer(Shape):
    """A product with what is sold of it."""

    slug: Text
    name: Text
    summary: Text
    description: Annotated[str, StringConstraints(max_length=10_000)]
    pictures: list[Text]
    category: Text | None
    active: bool
    revision: PublicId
    variants: list[DeskVariantAnswer]


class DeskProductPage(Shape):
    """A page of products in shelf order."""

    items: list[DeskProductAnswer]
    next_cursor: Text | None
