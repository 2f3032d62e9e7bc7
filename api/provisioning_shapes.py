"""Services that a system outside begins, in the API: what comes in, and the forms of what goes out."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.shapes import LARGEST_PAGE, PAGE_SIZE, PublicId, Shape, text_of

State = Literal["waiting", "failed", "done", "dropped"]


class ProvisioningQuery(BaseModel):
    """Which to list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: State | None = Field(None, description="`failed` needs a person.")
    page_size: int = Field(PAGE_SIZE, ge=1, le=LARGEST_PAGE, description="How many at most.")
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="The `next_cursor` of the page before."
    )


class DoneWish(Shape):
    """Since which day it works, today or up to 60 days ago, and what was done."""

    on: date
    note: Annotated[str, text_of(300)] = ""


class ProvisioningAnswer(Shape):
    """A service that a system begins. `trouble` is what the last try said."""

    id: PublicId
    order: str
    account: str
    sku: str
    quantity: int
    state: State
    tries: int
    trouble: str
    asked_at: datetime
    next_at: datetime | None
    began_on: date | None
    reference: str
    note: str


class ProvisioningPage(Shape):
    """A page of them, the longest waiting first."""

    items: list[ProvisioningAnswer]
    next_cursor: str | None
