"""What goes in and out of the API, as types: they check what comes in and describe both in OpenAPI.

Unknown fields are refused, and nothing is converted: a quantity is a number, not a text. Answers are
built by ``api.answers`` as plain dicts, which is faster; tests hold them against these types.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cart.address import FIELDS

#: No control characters: they mean nothing in a name, and a database may refuse them.
_PLAIN = r"^[^\x00-\x1f\x7f]*$"
PAGE_SIZE = 24
LARGEST_PAGE = 100


def text_of(longest: int, shortest: int = 0) -> Any:
    return StringConstraints(min_length=shortest, max_length=longest, pattern=_PLAIN)


class Shape(BaseModel):
    """One JSON object."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


PublicId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Text = Annotated[str, text_of(4000)]


class Money(Shape):
    """An amount in integers of the currency's minor unit: 12900 USD are 129.00 dollars."""

    amount: int = Field(ge=-(10**15), le=10**15)
    currency: str = Field(pattern=r"^[A-Z]{3}$")


# --- what comes in ---------------------------------------------------------------------------


class ProductQuery(BaseModel):
    """Which products to list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page_size: int = Field(PAGE_SIZE, ge=1, le=LARGEST_PAGE, description="How many at most.")
    cursor: Annotated[str, text_of(200)] | None = Field(
        None, description="The `next_cursor` of the page before."
    )
    category: Annotated[str, text_of(80)] | None = Field(None, description="A category's slug.")
    in_stock: bool = Field(False, description="Only those of which one can be had now.")


class Nothing(Shape):
    """A body without a field."""


class Place(Shape):
    """Where it goes, as far as it is known: the country is enough to ask for tax and delivery."""

    name: Annotated[str, text_of(FIELDS["name"])] = ""
    phone: Annotated[str, text_of(FIELDS["phone"])] = ""
    line1: Annotated[str, text_of(FIELDS["line1"])] = ""
    line2: Annotated[str, text_of(FIELDS["line2"])] = ""
    city: Annotated[str, text_of(FIELDS["city"])] = ""
    region: Annotated[str, text_of(FIELDS["region"])] = Field("", description="Of the US: OH.")
    postal_code: Annotated[str, text_of(FIELDS["postal_code"])] = ""
    country: Annotated[str, text_of(FIELDS["country"])] = Field(description="Two letters: US.")


class Address(Place):
    """A whole address. ``region`` may be empty outside of the US."""

    name: Annotated[str, text_of(FIELDS["name"], 1)]
    line1: Annotated[str, text_of(FIELDS["line1"], 1)]
    city: Annotated[str, text_of(FIELDS["city"], 1)]
    postal_code: Annotated[str, text_of(FIELDS["postal_code"], 1)]


class GiftCardUse(Shape):
    """A part of a gift card."""

    code: Annotated[str, text_of(40, 1)]
    amount: Money = Field(description="Exactly so much of it; more than it has is refused.")


class PaymentWish(Shape):
    """How it is paid: gift cards in their order, the rest by `method`."""

    method: Literal["card", "invoice"]
    gift_cards: list[Annotated[str, text_of(40, 1)] | GiftCardUse] = Field(
        default_factory=list,
        max_length=10,
        description="Codes as they were printed, or a code with how much of it to use. Alone, a code "
        "gives as much as is needed and there. What they cover needs no card.",
    )
    use_credit: bool = Field(
        False, description="A guest has no credit: true is answered by 422 `no_credit`."
    )
    return_url: Annotated[str, text_of(2000, 1)] | None = Field(
        None,
        description="Where the payer comes back to, at an origin that the shop allows; `order` and "
        "`checkout` (`complete` or `cancelled`) are added to its query. Without it: our own page.",
    )


class ConsentGiven(Shape):
    """Words that the buyer ticked, in the version that they saw."""

    code: Annotated[str, text_of(40, 1)]
    version: int = Field(ge=1, le=10**6)


class ClaimWish(Shape):
    """A guest's order, and the token that checkout answered with."""

    order: PublicId
    token: Annotated[str, text_of(100, 1)]


class ClaimAnswer(Shape):
    """It is in the account now."""

    order: PublicId
    number: str


class CheckoutWish(Shape):
    """An order as it is asked for."""

    email: Annotated[str, text_of(254, 1)]
    shipping_address: Address
    shipping_method: Annotated[str, text_of(40, 1)] | None = Field(
        None, description="Without it: the cart's, else the cheapest."
    )
    payment: PaymentWish
    vat_id: Annotated[str, text_of(40)] | None = Field(
        None, description="Of a business, with the letters of its country: DE136695976."
    )
    ways: dict[Annotated[str, text_of(20, 1)], Annotated[str, text_of(40, 1)]] = Field(
        default_factory=dict,
        description="Of further deliveries; without: the cart's, else the cheapest.",
    )
    slot: PublicId | None = Field(
        None, description="A time for the visit. Without: the one that is held for the cart."
    )
    purchase_order: Annotated[str, text_of(60)] = Field("", description="A business's own number.")
    cost_centre: Annotated[str, text_of(60)] = ""
    consents: list[ConsentGiven] = Field(
        default_factory=list, max_length=20, description="What was ticked of `GET /checkout-terms`."
    )
    expected_total: Money | None = Field(
        None, description="What the buyer was shown as due now; another total is answered by 409."
    )


# --- what goes out ---------------------------------------------------------------------------


class Interval(Shape):
    """How often something is charged again."""

    interval: Literal["month", "year"]
    interval_count: int


ChargeKind = Literal["one_off", "monthly", "yearly"]


class PieceAnswer(Shape):
    """A piece of a bundle and its part of what the bundle costs for its charge kind."""

    sku: str
    name: str
    kind: Literal["physical", "digital", "service", "plan"]
    charge_kind: ChargeKind
    quantity: int
    total: Money


class KindPriceAnswer(Shape):
    """What a bundle costs for one charge kind: its pieces of that kind sum to it. Kinds never mix."""

    charge_kind: ChargeKind
    together: Money
    apart: Money = Field(description="What its pieces cost by themselves.")


class BundleAnswer(Shape):
    """What is in a bundle, for the quantity it stands with."""

    prices: list[KindPriceAnswer]
    pieces: list[PieceAnswer]


class Limits(Shape):
    """How many are bought at once: multiples of `step`, at least `least`, at most `most`."""

    step: int = Field(1, ge=1, le=99)
    least: int = Field(1, ge=1, le=99)
    most: int | None = Field(None, ge=1, le=99, description="Null: as many as a cart takes.")


class VariantAnswer(Shape):
    """One thing to buy. The price is without tax; with ``recurring`` it is that of one period, of a
    bundle what one costs now: what is paid once and the first period of its plans."""

    sku: str
    name: str
    kind: Literal["physical", "digital", "service", "plan", "gift_card", "bundle"]
    price: Money
    available: bool
    quantity: int = Field(0, ge=0, description="Pieces that can be had; only where they count.")
    in_stock: int = Field(0, ge=0, description="How many of these are there already.")
    expected_on: date | None = Field(None, description="When more come, as far as it is known.")
    limits: Limits
    recurring: Interval | None = None
    bundle: BundleAnswer | None = Field(None, description="Of a bundle only.")


class Source(Shape):
    """A picture at one width."""

    href: str
    width: int


class PictureAnswer(Shape):
    """A picture; `alt` is empty for what only decorates."""

    alt: str
    width: int
    height: int
    sources: list[Source]


class ProductAnswer(Shape):
    """A product in a list."""

    slug: str
    name: str
    summary: str
    category: str | None
    picture: str
    variants: list[VariantAnswer]


class ProductDetailAnswer(ProductAnswer):
    """A product as it is shown alone."""

    description: str
    facts: list[tuple[str, str]]
    pictures: list[PictureAnswer]


class ProductPage(Shape):
    """A page of products; ``next_cursor`` is null on the last."""

    items: list[ProductAnswer]
    next_cursor: str | None


class TenderAnswer(Shape):
    """One way of paying, and what it pays of `due_now`."""

    kind: Literal["gift_card", "credit", "card", "terms"]
    label: str
    amount: Money


class OrderState(Shape):
    """An order's three states, and what was asked for at checkout."""

    id: PublicId
    number: str | None = Field(description="Given when the order is certain.")
    status: Literal["pending", "confirmed", "cancelled", "completed"]
    payment_status: Literal["awaiting", "on_terms", "paid", "released", "refund_due", "refunded"]
    fulfilment_status: Literal["unfulfilled", "partial", "fulfilled"]
    held: bool = Field(description="We check it first: nothing of it is sent or begun until then.")
    due_now: Money = Field(description="As it was placed.")
    worth: Money = Field(
        description="What it comes to now: with what changes added, without what was given back."
    )
    tenders: list[TenderAnswer] = Field(description="Together they are `due_now`.")


class PlacedAnswer(OrderState):
    """An order just placed. Whoever has the token may follow it."""

    token: PublicId
    redirect_url: str = Field("", description="Where the payer pays; only with cards.")


class OrderPieceAnswer(PieceAnswer):
    """A piece of an ordered bundle, with its own tax."""

    tax: Money
    numbers: list[str] = Field([], description="As of a line by itself.")


class OrderLineAnswer(Shape):
    """A line of an order; a delivery is one too, and a bundle, whose sums are its pieces'."""

    sku: str
    name: str
    kind: Literal["physical", "digital", "service", "plan", "gift_card", "delivery", "bundle"]
    quantity: int
    unit_price: Money
    total: Money
    tax: Money
    pieces: list[OrderPieceAnswer] = Field([], description="Of a bundle only.")
    numbers: list[str] = Field(
        [],
        description="Its numbers, addresses or licence keys; a key only once it is paid and given.",
    )


class BillAnswer(Shape):
    """A document that the order led to."""

    number: str
    kind: str
    issue_date: date
    due_date: date | None
    total: Money
    open: Money


class SlotAnswer(Shape):
    """A time for a visit."""

    id: PublicId
    starts_at: datetime
    ends_at: datetime
    free: int = Field(ge=0, description="How many visits it still has room for.")


class CheckoutTerm(Shape):
    """Words to agree to: `stated` by ordering, `required` to be ticked, or `optional`."""

    code: str
    version: int
    mode: Literal["stated", "required", "optional"]
    text: str
    href: str = Field(description="Where all of it can be read, or empty.")


class CheckoutTerms(Shape):
    """What checkout asks the buyer to agree to."""

    items: list[CheckoutTerm]


class SpotAnswer(Shape):
    """A place where something is fetched; address and hours may be empty."""

    place: str
    address: str
    hours: str


class OrderAnswer(OrderState):
    """An order as it is followed."""

    placed_at: datetime | None
    visit: SlotAnswer | None = Field(description="When somebody comes, where a time was chosen.")
    ready: list[SpotAnswer] = Field(description="Where goods of it lie ready to be fetched.")
    purchase_order: str | None
    cost_centre: str | None
    lines: list[OrderLineAnswer]
    added: list[OrderLineAnswer] = Field(description="Since it was placed; each has its own bill.")
    tax: Money
    bills: list[BillAnswer]


class FieldError(Shape):
    """What is wrong with one field; ``field`` is a path such as ``payment.method``."""

    field: str
    code: str
    message: str


class Problem(BaseModel):
    """RFC 9457. ``code`` is stable; further members are the facts, by name."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldError] = []
