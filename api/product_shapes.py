"""Products on the desk's side of the API: what comes in and what goes out."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from api.order_shapes import Paging
from api.shapes import Money, PublicId, Shape, Text
from core.catalog.editing import MADE_HERE

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


class VariantWish(Shape):
    """A thing that is sold, at the price of one in the shop's currency."""

    sku: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]+([.-][A-Z0-9]+)*$", max_length=60)]
    name: Annotated[str, _text(200, 1)]
    kind: Literal[MADE_HERE]  # type: ignore[valid-type]  # a tuple of texts
    tax_category: Annotated[str, _text(40, 1)]
    price: Price


class ProductWords(Shape):
    """What a product's page says. ``picture`` is one that the shop has."""

    name: Annotated[str, _text(200, 1)]
    summary: Annotated[str, _text(300)] = ""
    description: Long = ""
    picture: Annotated[str, _text(200, 1)]
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
    picture: Annotated[str, _text(200, 1)] | None = None
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


class DeskVariantAnswer(Shape):
    """A thing that is sold. ``price`` is of one, rounded to the minor unit; null for a bundle."""

    sku: Text
    name: Text
    kind: Text
    tax_category: Text
    active: bool
    price: Money | None


class DeskProductAnswer(Shape):
    """A product with what is sold of it."""

    slug: Text
    name: Text
    summary: Text
    description: Annotated[str, StringConstraints(max_length=10_000)]
    picture: Text
    category: Text | None
    active: bool
    revision: PublicId
    variants: list[DeskVariantAnswer]


class DeskProductPage(Shape):
    """A page of products in shelf order."""

    items: list[DeskProductAnswer]
    next_cursor: Text | None
