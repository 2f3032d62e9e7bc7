"""Webhooks in the API: endpoints, and what was sent to them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.shapes import LARGEST_PAGE, PAGE_SIZE, PublicId, Shape

_STATES = Literal["waiting", "delivered", "failed", "dropped"]


class HookQuery(BaseModel):
    """Which to list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page_size: int = Field(PAGE_SIZE, ge=1, le=LARGEST_PAGE, description="How many at most.")
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="The `next_cursor` of the page before."
    )


class DeliveryQuery(HookQuery):
    """Which deliveries to list."""

    state: _STATES | None = Field(None, description="How they went.")


class HookWish(Shape):
    """An endpoint that is wanted. `kinds` are types of events, or `*` for all."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    kinds: list[Annotated[str, StringConstraints(max_length=60)]] = Field(
        min_length=1, max_length=40
    )
    channel: Annotated[str, StringConstraints(max_length=40)] = Field(
        "", description="A channel's code; empty: every channel."
    )


class HookSwitch(Shape):
    """Whether it is told of anything."""

    on: bool


class HookRotation(Shape):
    """For how long the old secret signs along."""

    alongside_hours: int = Field(24, ge=0, le=168)


class HookAnswer(Shape):
    """An endpoint. `state` is `off` when a person or five days of failures switched it off."""

    id: PublicId
    url: str
    name: str
    kinds: list[str]
    channel: str
    state: Literal["on", "off"]
    off_because: Literal["", "person", "failing"]
    failing_since: datetime | None
    created_at: datetime


class HookSecretAnswer(HookAnswer):
    """An endpoint with its secret, which is in this answer alone."""

    secret: str


class HookPage(Shape):
    """A page of endpoints."""

    webhooks: list[HookAnswer]
    next_cursor: str | None


class AttemptAnswer(Shape):
    """One try: `status` is null and `trouble` says why when no answer came."""

    number: int
    at: datetime
    took_ms: int
    status: int | None
    trouble: str
    said: str


class DeliverySummary(Shape):
    """A delivery in a list."""

    id: PublicId
    message: str = Field(description="The `webhook-id` that it was sent under.")
    kind: str
    state: _STATES
    attempts: int
    created_at: datetime
    next_at: datetime | None
    finished_at: datetime | None


class DeliveryAnswer(DeliverySummary):
    """A delivery with what it says, as the text that was signed, and its tries."""

    body: str
    tries: list[AttemptAnswer]


class DeliveryPage(Shape):
    """A page of deliveries."""

    deliveries: list[DeliverySummary]
    next_cursor: str | None
