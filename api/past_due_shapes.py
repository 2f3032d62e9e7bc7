"""What is past due, in the API."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.shapes import LARGEST_PAGE, PAGE_SIZE, Money, PublicId, Shape


class PromiseWish(Shape):
    """The day by which everything that is past due is paid."""

    until: Annotated[date, Field(strict=False)]


class CaseQuery(BaseModel):
    """Which to list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Literal["open", "locked", "promised", "held", "closed"] = Field(
        "open", description="Open ones, some of them, or those that are over."
    )
    page_size: int = Field(PAGE_SIZE, ge=1, le=LARGEST_PAGE, description="How many at most.")
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="The `next_cursor` of the page before."
    )


class CaseAnswer(Shape):
    """How far an account has come that is past due. `locked`: its services are. `lock_on` is the day that its
    payer was told. `next_step` is `payment` while a card is about to pay all of it."""

    id: PublicId
    state: Literal["open", "closed"]
    since: date
    locked: bool
    lock_on: date | None
    promised_until: date | None
    held_until: date | None
    next_step: str | None
    next_on: date | None


class LateBill(Shape):
    """A bill that is past its date; what is `contested` of it is not asked for."""

    number: str
    due_on: date
    open: Money
    contested: Money


class PastDueAccount(Shape):
    """An account with something past due. `promise_until` is the last day that may be promised, or null."""

    account: str
    amount: Money
    since: date
    bills: list[LateBill]
    case: CaseAnswer | None
    promise_until: date | None


class PastDueAnswer(Shape):
    """Accounts with something past due; none is good."""

    past_due: list[PastDueAccount]


class ListedCase(CaseAnswer):
    """A case of an account, with what is past its date now, by currency."""

    account: str
    amounts: list[Money]


class CasePage(Shape):
    """Cases, and where the next page begins."""

    cases: list[ListedCase]
    next_cursor: str | None


class CaseAct(Shape):
    """Something that was done."""

    kind: str
    step: str | None
    at: datetime
    until: date | None
    amount: Money | None
    note: str


class WholeCase(ListedCase):
    """A case with what was done, the last first."""

    acts: list[CaseAct]
