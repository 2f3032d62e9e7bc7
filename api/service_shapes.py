"""Services, usage and trials in the API: what comes in, and the forms of what goes out."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.shapes import LARGEST_PAGE, PAGE_SIZE, Interval, Money, PublicId, Shape, Text
from core.subscriptions.ending import REASONS as END_REASONS
from core.subscriptions.pausing import REASONS as PAUSE_REASONS

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
#: A day that a calendar has; longer texts are not looked at.
Day = Annotated[date, Field(strict=False)]
Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$")]


def _text(longest: int, shortest: int = 0) -> Any:
    return StringConstraints(min_length=shortest, max_length=longest, pattern=_PLAIN)


# --- what comes in ---------------------------------------------------------------------------


class ServiceQuery(BaseModel):
    """Which services to list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page_size: int = Field(PAGE_SIZE, ge=1, le=LARGEST_PAGE, description="How many at most.")
    cursor: Annotated[str, _text(200)] | None = Field(
        None, description="The `next_cursor` of the page before."
    )
    state: Literal["ordered", "active", "paused", "ended"] | None = Field(
        None, description="Only those in this state."
    )


class ServiceChange(Shape):
    """Another plan of the family, another quantity, or both."""

    plan: Annotated[str, _text(60, 1)] = Field(description="The plan's SKU.")
    quantity: int = Field(ge=1, le=10_000)
    when: Literal["now", "period_end"]


class ServiceChangeWish(ServiceChange):
    """The same, agreed to."""

    expected_total: Money | None = Field(
        None,
        description="The preview's `total`; when it would be another one now, 409 `bill_moved`.",
    )
    revision: int | None = Field(
        None, ge=1, description="The service's, as you saw it; 409 `stale_state` when it moved on."
    )


class PauseWish(Shape):
    """A pause from today on."""

    reason: Literal[PAUSE_REASONS]  # type: ignore[valid-type]  # a tuple of texts
    note: Annotated[str, _text(500)] = ""
    until: Day | None = Field(
        None, description="The first day with service again; null: until resumed."
    )


class EndWish(Shape):
    """An end, today or with the period that runs."""

    when: Literal["now", "period_end"]
    reason: Literal[END_REASONS]  # type: ignore[valid-type]  # a tuple of texts
    note: Annotated[str, _text(500)] = ""


class ActivateWish(Shape):
    """The day on which it began to work."""

    on: Day


class UsageTold(Shape):
    """So much was used."""

    service_id: PublicId
    meter: Annotated[str, _text(40, 1)]
    key: Annotated[str, _text(80, 1)] = Field(
        description="Yours: the same record told again is taken once."
    )
    quantity: Quantity = Field(description="A decimal as text, with six places at most.")
    used_at: datetime | None = Field(
        None, strict=False, description="With its zone. Not needed for a correction."
    )
    corrects: Annotated[str, _text(80, 1)] | None = Field(
        None, description="The key of the record that this one stands in for."
    )


class UsageBatch(Shape):
    """Records that are taken together, or none of them."""

    records: list[UsageTold] = Field(min_length=1, max_length=500)


# --- what goes out ---------------------------------------------------------------------------


class PhaseAnswer(Shape):
    """A plan at a price on some days. ``ends_on`` is the first day without it."""

    kind: Literal["paid", "trial"]
    plan: str
    name: str
    quantity: int
    unit_price: str = Field(description="A decimal of the major unit; it may have more places.")
    recurring: Interval
    starts_on: date | None
    ends_on: date | None


class PauseAnswer(Shape):
    """Days without service; ``ends_on`` is the first with it again."""

    starts_on: date
    ends_on: date | None


class ServiceAnswer(Shape):
    """One service."""

    id: PublicId
    state: Literal["ordered", "active", "paused", "ended"]
    label: str
    account: str = Field(description="The number of the account that it serves.")
    payer: str = Field(description="The number of the account that pays.")
    currency: str
    activated_on: date | None
    ends_on: date | None = Field(description="The first day without service.")
    next_bill_on: date | None
    bill_day: int | None
    revision: int
    now: PhaseAnswer | None
    phases: list[PhaseAnswer]
    pauses: list[PauseAnswer]


class ServicePage(Shape):
    """A page of services."""

    services: list[ServiceAnswer]
    next_cursor: str | None


class BillLine(Shape):
    """One line of a bill to be; what goes back is below zero."""

    service_id: PublicId
    name: str
    starts_on: date | None
    last_on: date | None
    net: Money
    tax: Money


class BillTax(Shape):
    """One tax of it."""

    name: str
    rate: str = Field(description="In percent, a decimal as text.")
    amount: Money


class BillPreview(Shape):
    """What would be billed and given back now. ``to_pay`` is what credit leaves of it."""

    lines: list[BillLine]
    taxes: list[BillTax]
    net: Money
    tax: Money
    total: Money
    credit_used: Money
    to_pay: Money
    credit_left: Money


class PreviewAnswer(Shape):
    """A service as it would be from ``on``, and what that brings to bill today."""

    on: date
    service: ServiceAnswer
    bill: BillPreview


class BilledDocument(Shape):
    """A document that was written."""

    number: str
    kind: str
    total: Money


class DoneAnswer(Shape):
    """A service as it is now, and what was billed with that."""

    service: ServiceAnswer
    documents: list[BilledDocument]


class UsagePeriod(Shape):
    """What a meter counted in one period of a plan."""

    meter: str
    unit: str
    plan: str
    starts_on: date
    ends_on: date
    quantity: str


class UsageAnswer(Shape):
    """Usage by period, the newest first."""

    periods: list[UsagePeriod]


class UsageTaken(Shape):
    """How many records stand now."""

    taken: int


class EntitlementAnswer(Shape):
    """May this account use this? ``reason`` tells why not."""

    feature: Text
    allowed: bool
    reason: str
    until: date | None
    service_id: PublicId | None
