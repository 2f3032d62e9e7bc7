"""Changes of placed orders and exchanges on the API: what comes in and what goes out."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from api.cart_shapes import RecurringAnswer
from api.shapes import Address, Money, Shape, Text
from core.orders.changing import KEPT, WAYS
from core.orders.fulfilment_models import CANCEL_REASONS

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
_WAYS = (*WAYS, KEPT)


def _text(longest: int, shortest: int = 0) -> Any:
    return StringConstraints(min_length=shortest, max_length=longest, pattern=_PLAIN)


Sku = Annotated[str, _text(60, 1)]


class LineQuantity(Shape):
    """How many of a line it shall be; 0 gives it up. What was cancelled before does not count."""

    line: int = Field(ge=1, le=100_000)
    quantity: int = Field(ge=0, le=1_000_000)


class Instead(Shape):
    """Something else in the place of a line."""

    line: int = Field(ge=1, le=100_000)
    sku: Sku


class AddedThing(Shape):
    """So many of a thing more."""

    sku: Sku
    quantity: int = Field(1, ge=1, le=1_000_000)
    place: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="Of an order for several places: a line that goes where this is to go.",
    )


class ChangeEdits(Shape):
    """One change set."""

    quantities: Annotated[list[LineQuantity], Field(max_length=500)] = []
    swaps: Annotated[list[Instead], Field(max_length=500)] = Field(
        [], description="Each takes the place of all pieces of its line that have not left."
    )
    added: Annotated[list[AddedThing], Field(max_length=100)] = []
    shipping_address: Address | None = None
    shipping_method: Annotated[str, _text(40, 1)] | None = None
    place: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="Of an order for several places: a line for whose place address and way are.",
    )


class ChangeRow(Shape):
    """A line before and after; amounts with tax. ``line`` is null for what is added."""

    line: int | None
    sku: Text
    name: Text
    quantity_before: int
    quantity_after: int
    total_before: Money
    total_after: Money


class ChangePreview(Shape):
    """What a change set would come to: exactly what it posts, as long as nothing else changes."""

    token: Text = Field(description="Names this preview; the change takes it.")
    lines: list[ChangeRow]
    credited: Money
    billed: Money
    tax: Money = Field(description="How much of the difference is tax.")
    difference: Money = Field(description="Above zero: to pay; below: to give back.")
    recurring: list[RecurringAnswer] = Field(
        description="What added services are charged again, before tax."
    )


class ChangeWish(ChangeEdits):
    """A change set as it was seen."""

    token: Annotated[str, _text(80, 1)]
    reason: Literal[CANCEL_REASONS]  # type: ignore[valid-type]  # a tuple of texts
    refund_to: Literal[_WAYS] = Field("usual", description="Which tenders first, or `kept`.")  # type: ignore[valid-type]  # a tuple of texts
    note: Annotated[str, _text(300)] = ""


class AcceptWish(Shape):
    """A return that was asked for may come. ``send``: when what goes out instead does."""

    send: Literal["after", "before"] = "after"


class WithdrawWish(Shape):
    """A return does not come. ``replacement``: what becomes of what was to go out instead."""

    replacement: Literal["let_go", "billed"] = "let_go"


class ExchangeAnswer(Shape):
    """What goes out instead of what comes back."""

    status: Literal["wanted", "held", "added", "let_go"]
    send: Literal["after", "before"]
    lines: list[Instead]
