"""Orders, stock and customers on the desk's side of the API: what comes in and what goes out."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from api.change_shapes import ExchangeAnswer, Instead
from api.shapes import LARGEST_PAGE, PAGE_SIZE, Money, OrderState, PublicId, Shape, Text
from core.orders.changing import KEPT, WAYS
from core.orders.fulfilment_models import CANCEL_REASONS, RETURN_REASONS
from core.stock.adjusting import MOST
from core.stock.adjusting import REASONS as STOCK_REASONS

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
_WAYS = (*WAYS, KEPT)


def _text(longest: int, shortest: int = 0) -> Any:
    return StringConstraints(min_length=shortest, max_length=longest, pattern=_PLAIN)


Sku = Annotated[str, _text(60, 1)]


class Paging(BaseModel):
    """Which page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page_size: int = Field(PAGE_SIZE, ge=1, le=LARGEST_PAGE, description="How many at most.")
    cursor: Annotated[str, _text(400)] | None = Field(
        None, description="The `next_cursor` of the page before."
    )
    q: Annotated[str, _text(100)] = Field("", description="Words to look for.")


# --- orders ----------------------------------------------------------------------------------


class DeskOrderQuery(Paging):
    """Which orders."""

    status: Literal["pending", "confirmed", "completed", "cancelled"] | None = Field(
        None, description="Only those in this state."
    )
    fulfilment: Literal["waiting", "unfulfilled", "partial", "fulfilled"] | None = Field(
        None, description="`waiting`: confirmed, and something is to be sent or done."
    )


class LinePieces(Shape):
    """So many pieces of a line, by the line's number in the order."""

    line: int = Field(ge=1, le=100_000)
    quantity: int = Field(ge=1, le=1_000_000)


Lines = Annotated[list[LinePieces], Field(min_length=1, max_length=500)]


class ShipWish(Shape):
    """A parcel. Known carriers need no link."""

    lines: Lines
    carrier: Annotated[str, _text(60)] = ""
    tracking_number: Annotated[str, _text(80)] = ""
    tracking_link: Annotated[str, _text(400)] = ""


class ArrivedWish(Shape):
    """When a parcel arrived; left out: now."""

    at: AwareDatetime | None = None


class ProvideWish(Shape):
    """What was done: visits and other work."""

    lines: Lines


class CancelWish(Shape):
    """Pieces that have not left; without ``lines`` all of them."""

    lines: Lines | None = None
    reason: Literal[CANCEL_REASONS]  # type: ignore[valid-type]  # a tuple of texts
    refund_to: Literal[_WAYS] = Field("usual", description="Which tenders first, or `kept`.")  # type: ignore[valid-type]  # a tuple of texts
    note: Annotated[str, _text(300)] = ""


class ReturnWish(Shape):
    """Pieces that come back. ``received``: they are here."""

    lines: Lines
    reason: Literal[RETURN_REASONS]  # type: ignore[valid-type]  # a tuple of texts
    refund_to: Literal[_WAYS] = "usual"  # type: ignore[valid-type]  # a tuple of texts
    note: Annotated[str, _text(300)] = ""
    received: bool = False
    restock: bool = Field(True, description="Goods that are here go back on the shelf.")
    instead: Annotated[list[Instead], Field(max_length=500)] = Field(
        [], description="What goes out for lines that come back; for others money goes back."
    )
    send: Literal["after", "before"] = Field(
        "after", description="Whether that leaves once the return is here, or before."
    )


class ReturnAsk(Shape):
    """What a customer wants to return, and why."""

    lines: Lines
    reason: Literal[RETURN_REASONS]  # type: ignore[valid-type]  # a tuple of texts
    note: Annotated[str, _text(300)] = ""
    instead: Annotated[list[Instead], Field(max_length=500)] = Field(
        [], description="The same again, or another variant of its product; else money goes back."
    )


class ReturnAsked(Shape):
    """A return that was asked for: `asked` until somebody answers, then `announced` or `declined`."""

    id: PublicId
    number: Text
    status: Literal["asked", "announced", "declined", "done", "withdrawn"]
    reason: Text
    note: Text
    asked_at: datetime
    lines: list[LinePieces]
    exchange: ExchangeAnswer | None = Field(description="What is wanted instead of money.")


class DeclineWish(Shape):
    """Why a return that a customer asked for is declined; the customer reads it."""

    answer: Annotated[str, _text(300, 1)]


class ReceiveWish(Shape):
    """An announced return is here."""

    restock: bool = True


class RefundWish(Shape):
    """Money without pieces."""

    amount: Money
    refund_to: Literal[tuple(WAYS)] = "usual"  # type: ignore[valid-type]  # a tuple of texts
    reason: Annotated[str, _text(60, 1)]


class DeskLineAnswer(Shape):
    """A line with what became of its pieces."""

    line: int
    parent: int | None
    sku: Text
    name: Text
    kind: Text
    quantity: int
    fulfilled: int
    cancelled: int
    returned: int
    total: Money
    change: PublicId | None = Field(description="The change that added it since it was placed.")
    place: dict[str, str] | None = Field(
        description="Where it goes or is used, where the line has a place of its own."
    )


class ParcelAnswer(Shape):
    """A parcel, what was handed over to whoever fetched it, or a provision of what is not sent."""

    id: PublicId
    kind: Literal["parcel", "pickup", "provision"]
    at: datetime
    carrier: Text
    tracking_number: Text
    tracking_link: Text
    delivered_at: datetime | None
    lines: list[LinePieces]


class PickUpAnswer(Shape):
    """Goods that lie or lay ready to be fetched."""

    id: PublicId
    status: Literal["ready", "collected", "put_back"]
    location: Text
    ready_at: datetime
    ended_at: datetime | None
    lines: list[LinePieces]


class OrderChangeAnswer(Shape):
    """A cancellation, a change or a return. Of a change ``lines`` are given up; what it added names it."""

    id: PublicId
    kind: Literal["cancellation", "change", "return"]
    number: Text
    status: Literal["asked", "announced", "declined", "done", "withdrawn"]
    reason: Text
    note: Text
    answer: Text
    refund_to: Text
    asked_at: datetime
    done_at: datetime | None
    lines: list[LinePieces]
    exchange: ExchangeAnswer | None = Field(description="Of a return: what goes out instead.")


class DeskOrderRow(OrderState):
    """An order in a list."""

    email: Text
    account_number: Text
    created_at: datetime
    placed_at: datetime | None


class DeskOrderPage(Shape):
    """A page of orders, the newest first."""

    items: list[DeskOrderRow]
    next_cursor: Text | None


class CheckAnswer(Shape):
    """Why an order is or was held until somebody checks it, and when that was decided."""

    reasons: list[Text]
    held_at: datetime
    decided_at: datetime | None


class CheckRules(Shape):
    """Which orders are held until somebody has checked them; null, false or left out holds none."""

    amount_from: Money | None = Field(None, description="Orders from this amount on.")
    first_from: Money | None = Field(
        None, description="An account's first order, from this amount on."
    )
    other_country: bool = Field(
        False, description="Orders that are billed to one country and sent to another."
    )
    most_a_day: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="So many by one e-mail address within a day; the next is held.",
    )


class ConsentAnswer(Shape):
    """What was agreed to with an order, as it stood there."""

    code: Text
    version: int
    mode: Literal["stated", "required", "optional"]
    text: Text
    given_at: datetime
    ip: Text


class RevenueAnswer(Shape):
    """How much is earned, before tax."""

    earned: Money
    not_earned: Money = Field(description="Billed, and not given yet.")
    not_billed: Money = Field(description="Given, and not billed yet.")


class DeskOrderAnswer(DeskOrderRow):
    """One order with everything that is done with it."""

    check: CheckAnswer | None = Field(description="Of an order that is or was held.")
    revenue: RevenueAnswer
    taken_by: Text | None
    purchase_order: Text | None
    cost_centre: Text | None
    consents: list[ConsentAnswer]
    lines: list[DeskLineAnswer]
    fulfilments: list[ParcelAnswer]
    pick_ups: list[PickUpAnswer]
    changes: list[OrderChangeAnswer]


# --- stock -----------------------------------------------------------------------------------


class StockQuery(Paging):
    """Which levels."""

    state: Literal["low", "gone", "held", "short"] | None = Field(
        None, description="Only those that are so."
    )


class StockWish(Shape):
    """Pieces that came, went or were counted at a place."""

    sku: Sku
    location: Annotated[str, _text(40, 1)]
    reason: Literal[tuple(STOCK_REASONS)]  # type: ignore[valid-type]  # a tuple of texts
    quantity: int = Field(ge=0, le=MOST)
    on_hand_seen: int | None = Field(
        None, ge=0, le=10**9, description="409 `stale_state` when it is another number now."
    )
    even_so: bool = Field(False, description="Also below what is sold or held.")
    note: Annotated[str, _text(200)] = ""


class LevelAnswer(Shape):
    """A thing at a place."""

    sku: Text
    name: Text
    location: Text
    on_hand: int
    allocated: int
    held: int
    backorder_limit: int
    preorder_limit: int
    safety_stock: int
    expected_on: date | None
    low_at: int
    available: int


class StockPage(Shape):
    """A page of levels, by SKU."""

    items: list[LevelAnswer]
    next_cursor: Text | None


# --- customers -------------------------------------------------------------------------------


class CustomerQuery(Paging):
    """Which customers."""

    kind: Literal["person", "organisation"] | None = Field(None, description="Only these.")


class CustomerPlace(Shape):
    """Where somebody is billed."""

    line1: Annotated[str, _text(120, 1)]
    line2: Annotated[str, _text(120)] = ""
    city: Annotated[str, _text(80, 1)]
    region: Annotated[str, _text(40)] = ""
    postal_code: Annotated[str, _text(20, 1)]
    country: Annotated[str, _text(2, 2)]
    phone: Annotated[str, _text(40)] = ""


class CustomerWish(Shape):
    """How somebody is called, and where they are billed."""

    name: Annotated[str, _text(200, 1)]
    email: Annotated[str, _text(254)] = ""
    kind: Literal["person", "organisation"] = "person"
    address: CustomerPlace | None = None
    needs_purchase_order: bool | None = Field(
        None,
        description="An organisation's orders each need a number of its own. Absent: as it is.",
    )


class CustomerChange(CustomerWish):
    """The same, in place of what was there."""

    revision: PublicId | None = Field(
        None, description="As you saw it; 409 `stale_state` when somebody was faster."
    )


class CustomerAnswer(Shape):
    """An account."""

    number: Text
    name: Text
    kind: Text
    email: Text | None
    currency: Text
    address: list[Text]
    needs_purchase_order: bool
    created_on: date
    revision: PublicId
    owes: Money


class CustomerPage(Shape):
    """A page of customers, the newest first."""

    items: list[CustomerAnswer]
    next_cursor: Text | None
