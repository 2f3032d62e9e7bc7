"""Quotes in the API: what comes in, and the forms of what goes out."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.shapes import LARGEST_PAGE, PAGE_SIZE, Address, Money, PublicId, Shape
from cart.quotes import messages
from cart.quotes.answering import DECLINED_BECAUSE
from cart.quotes.models import MOST_PIECES
from cart.quotes.reading import TABS
from cart.quotes.sending import WITHDRAWN_BECAUSE

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
#: Words of several lines.
_WORDS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
#: A price of one with up to six places, as text.
Price = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$")]
Percent = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,3}(\.[0-9]{1,4})?$")]
Day = Annotated[date, Field(strict=False)]


def _text(longest: int, shortest: int = 0) -> Any:
    return StringConstraints(min_length=shortest, max_length=longest, pattern=_PLAIN)


def _words(longest: int, shortest: int = 0) -> Any:
    return StringConstraints(min_length=shortest, max_length=longest, pattern=_WORDS)


# --- what comes in ---------------------------------------------------------------------------


class QuoteQuery(BaseModel):
    """Which quotes to list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page_size: int = Field(PAGE_SIZE, ge=1, le=LARGEST_PAGE, description="How many at most.")
    cursor: Annotated[str, _text(200)] | None = Field(
        None, description="The `next_cursor` of the page before."
    )


class DeskQuoteQuery(QuoteQuery):
    """The same at the desk."""

    state: Literal[TABS] | None = Field(  # type: ignore[valid-type]  # a tuple of texts
        None, description="`waiting` wants a hand of ours."
    )


class QuoteAsk(Shape):
    """A wish for a quote: a cart's things, or so many of one thing, for each of some places."""

    cart_id: PublicId | None = None
    sku: Annotated[str, _text(60, 1)] | None = None
    quantity: int = Field(1, ge=1, le=MOST_PIECES)
    message: Annotated[str, _words(messages.LONGEST)] = ""
    sites: list[Address] = Field(default_factory=list, max_length=40)


class QuoteAccept(Shape):
    """A version accepted by somebody who may."""

    version: int = Field(ge=1, le=10_000)
    name: Annotated[str, _text(120, 1)]
    role: Annotated[str, _text(120, 1)]
    agrees: Literal[True] = Field(description="That what the version says is ordered.")
    payment: Literal["terms", "card"]
    purchase_order: Annotated[str, _text(60)] = Field("", description="A business's own number.")


class QuoteDecline(Shape):
    """No, and why."""

    version: int = Field(ge=1, le=10_000)
    reason: Literal[DECLINED_BECAUSE]  # type: ignore[valid-type]  # a tuple of texts
    note: Annotated[str, _words(1000)] = ""


class QuoteWrite(Shape):
    """A message to the other side."""

    text: Annotated[str, _words(messages.LONGEST, 1)]


class QuoteBegin(Shape):
    """A quote begun by staff, for an account or a new contact."""

    account: Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")] | None = None
    name: Annotated[str, _text(120)] = ""
    email: Annotated[str, _text(254)] = ""
    company: Annotated[str, _text(120)] = ""
    phone: Annotated[str, _text(40)] = ""
    vat_id: Annotated[str, _text(20)] = ""
    sites: list[Address] = Field(default_factory=list, max_length=40)


class DraftLine(Shape):
    """A line: of the catalog by its `sku`, or words with a price."""

    sku: Annotated[str, _text(60, 1)] | None = None
    name: Annotated[str, _text(200)] = ""
    quantity: int = Field(1, ge=1, le=MOST_PIECES)
    unit_price: Price | None = Field(None, description="Without it: the list's.")
    unit_cost: Price | None = None
    tax_category: Annotated[str, _text(40)] = ""
    term_months: int | None = Field(None, ge=1, le=120)
    site: int = Field(0, ge=0, le=39, description="The place among `sites`, from 0.")
    numbers: list[Annotated[str, _text(120, 1)]] = Field(
        default_factory=list,
        max_length=MOST_PIECES,
        description="Of what is sold by numbers: these, held from when it is sent; others are given.",
    )


class DraftWish(Shape):
    """The version in the making, whole."""

    revision: int = Field(ge=1)
    lines: list[DraftLine] = Field(min_length=1, max_length=200)
    sites: list[Address] = Field(default_factory=list, max_length=40)
    discount_percent: Percent | None = None
    discount_amount: int | None = Field(
        None, ge=0, le=10**12, description="In minor units, off what is charged once."
    )
    discount_reason: Annotated[str, _text(200)] = ""
    valid_through: Day
    delivery_method: Annotated[str, _text(40)] = ""
    delivery_amount: int | None = Field(None, ge=0, le=10**9, description="In minor units.")
    payment: Literal["either", "terms", "card"] = "either"
    note: Annotated[str, _words(600)] = ""


class OfRevision(Shape):
    """Which state of the version in the making is meant."""

    revision: int = Field(ge=1)


class ApprovalWish(OfRevision):
    """A second person is asked."""

    note: Annotated[str, _words(1000)] = ""


class Decision(OfRevision):
    """The second person's word."""

    approved: bool
    answer: Annotated[str, _words(1000)] = ""


class Withdrawal(Shape):
    """A quote taken back."""

    reason: Literal[WITHDRAWN_BECAUSE]  # type: ignore[valid-type]  # a tuple of texts
    note: Annotated[str, _words(1000)] = ""


# --- what goes out ---------------------------------------------------------------------------


class QuoteSummary(Shape):
    """A quote in a list."""

    id: PublicId
    number: str
    state: str
    name: str
    company: str
    value: Money = Field(description="What it comes to over its terms, before tax.")
    requested_at: datetime
    expires_at: datetime | None


class QuotePage(Shape):
    """A page of quotes."""

    quotes: list[QuoteSummary]
    next_cursor: str | None


class QuoteLineAnswer(Shape):
    """One line as it is agreed. `net` and `tax` are those of one charge; unknown while it is a draft."""

    sku: str
    name: str
    kind: str
    charge_kind: Literal["one_off", "monthly", "yearly"]
    term_months: int | None
    quantity: int
    list_price: str | None
    unit_price: str
    net: Money | None
    tax: Money | None
    numbers: list[str] = Field(description="Those that were chosen, of what is sold by numbers.")
    site: str = Field(description="The place that it is for, in words.")


class VersionAnswer(Shape):
    """One version. `net` and `tax` are what is due at acceptance."""

    number: int
    state: str
    revision: int | None = Field(description="Told to the desk only.")
    valid_through: date | None
    expires_at: datetime | None
    payment: Literal["either", "terms", "card"]
    needs_approval: bool | None = Field(description="Told to the desk only.")
    net: Money | None
    tax: Money | None
    lines: list[QuoteLineAnswer]


class MessageAnswer(Shape):
    """What one side wrote."""

    side: Literal["customer", "staff"]
    author: str
    text: str
    at: datetime


class QuoteAnswer(QuoteSummary):
    """A quote with what its reader may see."""

    email: str
    versions: list[VersionAnswer]
    making: VersionAnswer | None = Field(None, description="At the desk: not sent yet.")
    messages: list[MessageAnswer]
    order_id: PublicId | None


class AcceptedAnswer(Shape):
    """The order that it became; with a card, where to pay."""

    order_id: PublicId
    token: str
    redirect_url: str | None
