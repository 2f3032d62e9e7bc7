"""Places and levels on the desk's side of the API: what comes in and what goes out."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from api.order_shapes import Paging, Sku
from api.shapes import PublicId, Shape, Text
from cart.hold_policies import LONGEST
from core.stock.adjusting import MOST

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
_Code = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=_PLAIN)]


def _words(longest: int) -> StringConstraints:
    return StringConstraints(max_length=longest, pattern=_PLAIN)


class LocationWish(Shape):
    """A place that pieces come from, and where it stands, as far as somebody says."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PLAIN)]
    country: Annotated[str, _words(2)] = ""
    region: Annotated[str, _words(40)] = ""
    postal_prefix: Annotated[str, _words(20)] = Field(
        "", description="How the postal codes around it begin."
    )
    priority: int = Field(
        0, ge=-1000, le=1000, description="Among places that are equally near, the lowest first."
    )
    address: Annotated[str, _words(300)] = Field(
        "", description="For whoever fetches something there."
    )
    hours: Annotated[str, _words(200)] = Field("", description="When somebody is there.")
    releases_back_orders: bool = Field(
        True, description="Pieces that come in are given to back-orders at once, the oldest first."
    )


class BackOrderQuery(Paging):
    """Which back-orders."""

    state: Literal["can"] | None = Field(
        None, description="`can`: only those that something has come for."
    )


class BackOrderAnswer(Shape):
    """Pieces of an order that wait."""

    order: PublicId
    number: Text | None
    sku: Text
    location: Text
    since: datetime
    waiting: int
    can_be_released: int = Field(description="So many have come, older back-orders first.")


class BackOrderPage(Shape):
    """A page of back-orders, the oldest first."""

    items: list[BackOrderAnswer]
    next_cursor: Text | None


class ReleaseWish(Shape):
    """Of one thing alone, or all."""

    sku: Annotated[str, _words(60)] | None = None


class ReleaseAnswer(Shape):
    """To how many orders something was released."""

    orders: int


class LocationAnswer(Shape):
    """A place."""

    code: Text
    name: Text
    country: Text
    region: Text
    postal_prefix: Text
    priority: int
    address: Text
    hours: Text
    releases_back_orders: bool


class LocationList(Shape):
    """All places, the first to be taken from first."""

    items: list[LocationAnswer]


class LimitsWish(Shape):
    """What a level allows. What is left out is nothing."""

    sku: Sku
    location: _Code
    low_at: int = Field(0, ge=0, le=MOST)
    safety_stock: int = Field(0, ge=0, le=MOST, description="Kept back from sale.")
    backorder_limit: int = Field(0, ge=0, le=MOST, description="Sold beyond what is there.")
    preorder_limit: int = Field(0, ge=0, le=MOST, description="Sold before the first ones come.")
    expected_on: date | None = Field(None, description="When more come; shoppers are told.")


class HoldPolicyWish(Shape):
    """How carts hold things for a product (its slug), a kind of customer and a channel; left out is all."""

    product: Annotated[str, _words(200)] = ""
    segment: Literal["", "guest", "person", "organisation"] = ""
    channel: Annotated[str, _words(40)] = ""
    minutes: int = Field(ge=1, le=LONGEST)
    extends: bool = Field(
        True, description="A change of the cart holds it for the whole time again."
    )
    most_for_one: int | None = Field(
        None, ge=1, le=10_000, description="`too_many_for_one` beyond that; earlier orders count."
    )
    holds_beyond: bool = Field(False, description="Hold also what is sold before it is there.")


class HoldPolicyAnswer(Shape):
    """How carts hold things."""

    id: UUID
    product: Text
    segment: Text
    channel: Text
    minutes: int
    extends: bool
    most_for_one: int | None
    holds_beyond: bool


class HoldPolicyList(Shape):
    """All of them, those that go first on top."""

    items: list[HoldPolicyAnswer]


class WaitWish(Shape):
    """To be told when a thing is back."""

    sku: Sku
    email: Annotated[str, StringConstraints(min_length=3, max_length=254, pattern=_PLAIN)]


class WaitAnswer(Shape):
    """The same for every address: a mail asks whoever reads it."""

    sku: Text


class WaitQuery(Paging):
    """Whose places in the line."""

    state: Literal["asked", "waiting", "offered", "taken", "let_go", "left"] | None = Field(
        None, description="Only those that are so."
    )


class WaitRow(Shape):
    """Somebody's place in the line for a thing that is gone."""

    id: Text
    sku: Text
    email: Text
    state: Text
    asked_at: datetime
    confirmed_at: datetime | None
    offered_until: datetime | None


class WaitPage(Shape):
    """A page of them, who asked first first."""

    items: list[WaitRow]
    next_cursor: Text | None


class TransferWish(Shape):
    """Pieces that leave one place for another."""

    sku: Sku
    source: _Code
    target: _Code
    quantity: int = Field(ge=1, le=MOST)
    note: Annotated[str, _words(200)] = ""


class ArrivalWish(Shape):
    """How many are here, and how many never will be."""

    arrived: int = Field(ge=0, le=MOST)
    lost: int = Field(0, ge=0, le=MOST)


class TransferQuery(Paging):
    """Which transfers."""

    state: Literal["on_the_way", "done"] | None = Field(None, description="Only those.")


class TransferAnswer(Shape):
    """Pieces on their way from one place to another."""

    id: UUID
    sku: Text
    source: Text
    target: Text
    quantity: int
    arrived: int
    lost: int
    state: Text
    note: Text
    sent_at: datetime
    done_at: datetime | None


class TransferPage(Shape):
    """A page of transfers, the last sent first."""

    items: list[TransferAnswer]
    next_cursor: Text | None


class SheetWish(Shape):
    """Stock as a file. Without `apply` it is only looked at; with a `mark` it is done only as it was seen."""

    csv: str = Field(min_length=1, max_length=400_000)
    apply: bool = False
    mark: Annotated[str, _words(32)] | None = None


class SheetLine(Shape):
    """What a line of the file does, or what is wrong with it."""

    line: int
    sku: Text
    location: Text
    reason: Text
    before: int
    after: int
    wrong: Text


class SheetAnswer(Shape):
    """The file against the stock: sound when all of it can be done."""

    is_sound: bool
    wrong: Text
    mark: Text
    applied: bool
    lines: list[SheetLine]
