"""Bill runs and parked accounts in the API."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.shapes import LARGEST_PAGE, PAGE_SIZE, Money, PublicId, Shape


class RunQuery(BaseModel):
    """Which to list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page_size: int = Field(PAGE_SIZE, ge=1, le=LARGEST_PAGE, description="How many at most.")
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="The `next_cursor` of the page before."
    )


class RunWish(Shape):
    """A run that is wanted. A preview writes no bill."""

    as_of: Annotated[date, Field(strict=False)]
    preview: bool = False
    account: Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")] | None = Field(
        None, description="Only this account's."
    )


class Release(Shape):
    """Why an account may be billed again."""

    note: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class RunSum(Shape):
    """What came together in one currency, tax included."""

    billed: Money
    credited: Money
    invoices: int
    memos: int


class RunAnswer(Shape):
    """A bill run: how far it is, and what it came to so far."""

    id: PublicId
    kind: Literal["real", "preview"]
    as_of: date
    started_at: datetime
    finished_at: datetime | None
    accounts: int
    done: int
    sums: list[RunSum]
    billed_accounts: int
    parked: int
    waiting: int


class RunSummary(Shape):
    """A bill run in a list."""

    id: PublicId
    kind: Literal["real", "preview"]
    as_of: date
    started_at: datetime
    finished_at: datetime | None
    accounts: int


class RunPage(Shape):
    """A page of bill runs."""

    runs: list[RunSummary]
    next_cursor: str | None


class ParkedAnswer(Shape):
    """An account that is not billed until a person has looked."""

    id: PublicId
    account: str
    reason: str
    detail: str
    as_of: date
    parked_at: datetime


class ParkedPage(Shape):
    """A page of parked accounts."""

    parked: list[ParkedAnswer]
    next_cursor: str | None


class ReleasedAnswer(Shape):
    """The account that may be billed again, with the next run."""

    account: str
