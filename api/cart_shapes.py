"""Carts: what comes in and what goes out."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.shapes import BundleAnswer, Interval, Money, Place, PublicId, Shape, SlotAnswer, text_of
from cart.goods import MOST_OF_ONE


class NewLine(Shape):
    """What to put into a cart."""

    sku: Annotated[str, text_of(60, 1)]
    quantity: int = Field(ge=1, le=MOST_OF_ONE)
    number: Annotated[str, text_of(120, 1)] | None = Field(
        None,
        description="Of what is sold by numbers that are chosen: this one of "
        "`GET /products/{slug}/variants/{sku}/numbers`, and one only. One that the line has stays one.",
    )


class NumberChange(Shape):
    """Another number for a line."""

    number: Annotated[str, text_of(120, 1)]
    instead_of: Annotated[str, text_of(120, 1)] | None = Field(
        None, description="Which one it replaces, of a line that has several."
    )


class NumberShown(Shape):
    """A number that a line has, or chose."""

    value: str
    held: bool = Field(description="False: somebody else may take it, or has.")


class LineChange(Shape):
    """How many of a line; 0 takes it out."""

    quantity: int = Field(ge=0, le=MOST_OF_ONE)


class CartChange(Shape):
    """Where and how it is delivered. What is left out stays as it is, null forgets it."""

    shipping_address: Place | None = None
    shipping_method: Annotated[str, text_of(40, 1)] | None = None
    ways: dict[Annotated[str, text_of(20, 1)], Annotated[str, text_of(40, 1)]] | None = Field(
        None, description="Of further deliveries: how, by their `goes_by`."
    )
    slot: PublicId | None = Field(
        None,
        description="A time of `GET /carts/{id}/slots` for a visit; it is held with the goods.",
    )
    vat_id: Annotated[str, text_of(40, 1)] | None = Field(
        None, description="Of a business, like DE136695976, for the sums; say it again at checkout."
    )


class LineAnswer(Shape):
    """A line of a cart, before tax."""

    id: PublicId
    sku: str
    name: str
    kind: Literal["physical", "digital", "service", "plan", "gift_card", "bundle"]
    quantity: int
    unit_price: Money
    total: Money
    held_until: datetime | None = Field(description="Null: nothing is held, or no longer.")
    unit_price_was: Money | None = Field(
        None, description="What one cost when it was put in, where that has changed."
    )
    bundle: BundleAnswer | None = Field(None, description="Of a bundle only.")
    numbers: list[NumberShown] = Field(
        [], description="Of what is sold by numbers or addresses, as the cart shows them; no keys."
    )


class GoneAnswer(Shape):
    """A line that cannot be bought any more: take it out to go on."""

    id: PublicId
    sku: str
    name: str
    quantity: int
    code: Literal["withdrawn", "no_price"]


class SavedAnswer(Shape):
    """Something saved for later; nothing is held for it."""

    id: PublicId
    sku: str
    name: str
    kind: Literal["physical", "digital", "service", "plan", "gift_card", "bundle"]
    quantity: int
    unit_price: Money | None = Field(description="Null: it cannot be bought any more.")
    unit_price_was: Money | None = Field(
        None, description="What one cost when it was saved, where that has changed."
    )


class MethodAnswer(Shape):
    """A way of delivery."""

    code: str
    name: str
    description: str
    price: Money


class FurtherDelivery(Shape):
    """A further delivery: what goes by another way than the first."""

    goes_by: str
    names: list[str]
    methods: list[MethodAnswer]
    method: str | None = Field(description="The way that is counted in `delivery`.")


class SlotList(Shape):
    """Times that can be chosen, the earliest first."""

    items: list[SlotAnswer]


class RecurringAnswer(Interval):
    """What will be charged again; the first period is in ``due_now``."""

    amount: Money
    name: str


class CartAnswer(Shape):
    """A cart and what it costs. ``tax`` is null until the place is known."""

    id: PublicId
    state: Literal["open", "checking_out", "ordered"]
    lines: list[LineAnswer]
    no_longer_sold: list[str] = Field(description="SKUs to take out before checkout.")
    gone: list[GoneAnswer] = Field(description="The lines of those SKUs.")
    saved: list[SavedAnswer] = Field(description="Put aside for later, the latest first.")
    held_until: datetime | None = Field(description="The earliest end of a hold.")
    shipping_address: dict[str, str] | None
    shipping_method: str | None = Field(description="The way that is counted in `delivery`.")
    methods: list[MethodAnswer]
    also: list[FurtherDelivery] = Field(description="Further deliveries.")
    wants_visit: bool = Field(description="There is work in it for which a time can be chosen.")
    slot: SlotAnswer | None = Field(description="The time that is held for its visit.")
    goods: Money
    delivery: Money
    tax: Money | None
    due_now: Money
    recurring: list[RecurringAnswer]


class SharedLineAnswer(Shape):
    """A line of a shared cart at today's price."""

    sku: str
    name: str
    quantity: int
    unit_price: Money | None = Field(description="Null: it cannot be bought any more.")
    unit_price_was: Money | None = Field(
        None, description="What one cost when it was shared, where that has changed."
    )


class SharedCartAnswer(Shape):
    """A frozen copy of a cart, for whoever has its id; nothing is held for it."""

    id: PublicId
    href: str = Field(description="The shop's own page of it.")
    expires_at: datetime
    lines: list[SharedLineAnswer]


class TakeShared(Shape):
    """Which shared cart to take into a cart."""

    shared_cart: PublicId


class LeftOutAnswer(Shape):
    """What could not be had as it was shared."""

    sku: str
    code: str
    message: str


class TakenAnswer(CartAnswer):
    """The cart, with at least what was shared in it, and what could not be had."""

    left_out: list[LeftOutAnswer]
