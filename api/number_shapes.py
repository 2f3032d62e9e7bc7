"""Numbers, addresses and keys: what comes in and what goes out."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.order_shapes import Paging, Sku
from api.shapes import LARGEST_PAGE, PAGE_SIZE, Shape, Text, text_of
from core.stock.pools import LONGEST, MOST_AT_ONCE

Kind = Literal["number", "address", "licence_key"]
State = Literal["free", "reserved", "assigned", "quarantined", "withdrawn"]
_Value = Annotated[str, text_of(LONGEST, 1)]


class NumberQuery(BaseModel):
    """Which free numbers to list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page_size: int = Field(PAGE_SIZE, ge=1, le=LARGEST_PAGE, description="How many at most.")
    cursor: Annotated[str, text_of(200)] | None = Field(
        None, description="The `next_cursor` of the page before."
    )
    q: Annotated[str, text_of(40)] = Field("", description="Digits or letters in it.")


class FreeNumber(Shape):
    """A number that can be chosen now; it is held once it is in a cart."""

    value: Text


class FreeNumbers(Shape):
    """A page of them, by their digits."""

    kind: Kind
    items: list[FreeNumber]
    next_cursor: Text | None


class PoolTerms(Shape):
    """What counts for a pool."""

    picked: bool = Field(False, description="Customers choose theirs; never of licence keys.")
    quarantine_days: int | None = Field(
        30, ge=0, le=3650, description="How long one rests; null: nobody ever gets it again."
    )


class PoolWish(PoolTerms):
    """A thing is sold with numbers from now on."""

    sku: Sku
    kind: Kind


class PoolCounts(Shape):
    """How many are in each state now."""

    free: int
    reserved: int
    assigned: int
    quarantined: int
    withdrawn: int


class PoolAnswer(PoolTerms):
    """A pool."""

    sku: Text
    kind: Kind
    counts: PoolCounts


class PoolPage(Shape):
    """A page of pools, the last made first."""

    items: list[PoolAnswer]
    next_cursor: Text | None


class PoolQuery(Paging):
    """Which pools."""


class NumbersQuery(Paging):
    """Which numbers of a pool."""

    state: State | None = Field(None, description="Only those that are so now.")


class NumberAnswer(Shape):
    """A number; of a licence key only its last four characters are told."""

    id: UUID
    value: Text
    state: State
    until: datetime | None = Field(description="Reserved, or at rest, until then.")
    order_id: Text | None = Field(description="Whose it is, of one that is given out.")
    added_at: datetime


class NumberPage(Shape):
    """A page of them, the last added first."""

    items: list[NumberAnswer]
    next_cursor: Text | None


class NumbersWish(Shape):
    """Some more, all or none."""

    values: list[_Value] = Field(min_length=1, max_length=MOST_AT_ONCE)
    note: Annotated[str, text_of(200)] = ""


class NumbersAdded(Shape):
    """How many were added."""

    added: int


class WithdrawWish(Shape):
    """Why it is sold no more."""

    note: Annotated[str, text_of(200)] = ""
