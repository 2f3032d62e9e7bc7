"""Disputes in the API: what comes in, and the forms of what goes out."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, StringConstraints

from api.shapes import LARGEST_PAGE, PAGE_SIZE, Money, PublicId, Shape
from invoices.disputes import talking
from invoices.disputes.models import REASONS
from invoices.disputes.reading import TABS

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
#: Words of several lines.
_WORDS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
State = Literal["open", "waiting", "resolved", "withdrawn"]
Outcome = Literal["full", "part", "none"]
Day = Annotated[date, Field(strict=False)]
Moment = Annotated[datetime, Field(strict=False)]


def _words(longest: int, shortest: int = 0) -> Any:
    return StringConstraints(min_length=shortest, max_length=longest, pattern=_WORDS)


Pictures = Annotated[
    list[Base64Bytes],
    Field(
        default_factory=list,
        max_length=talking.MOST_FILES,
        description="JPEG, PNG or WebP in base64; each is written anew.",
    ),
]


# --- what comes in ---------------------------------------------------------------------------


class DisputeQuery(BaseModel):
    """Which disputes to list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page_size: int = Field(PAGE_SIZE, ge=1, le=LARGEST_PAGE, description="How many at most.")
    cursor: Annotated[str, StringConstraints(max_length=200, pattern=_PLAIN)] | None = Field(
        None, description="The `next_cursor` of the page before."
    )


class DeskDisputeQuery(DisputeQuery):
    """The same at the desk."""

    state: Literal[TABS] | None = Field(  # type: ignore[valid-type]  # a tuple of texts
        None, description="`late`: past the promised day."
    )


class DisputeOpen(Shape):
    """A line of a bill is wrong."""

    bill_id: PublicId
    line_number: int = Field(ge=0, le=100_000)
    reason: Literal[REASONS]  # type: ignore[valid-type]  # a tuple of texts
    amount: int | None = Field(
        None,
        ge=1,
        le=10**15,
        description="With its taxes, in minor units; all that is left of the line without it.",
    )
    text: Annotated[str, _words(talking.LONGEST)] = ""
    pictures: Pictures
    wish: Literal["keep", "refund"] = Field(
        "keep", description="What becomes of a credit for what was paid already."
    )


class DisputeWrite(Shape):
    """A message to the other side."""

    text: Annotated[str, _words(talking.LONGEST)] = ""
    pictures: Pictures


class DisputeAnswerWish(Shape):
    """How staff answer it."""

    credit: int = Field(
        ge=0, le=10**15, description="With its taxes, in minor units; 0 credits nothing."
    )
    answer: Annotated[str, _words(talking.LONGEST, 1)]


class DisputeSecond(Shape):
    """A second person's word on what the first decided."""

    proposal_id: PublicId
    approved: bool
    note: Annotated[str, _words(1000)] = ""


# --- what goes out ---------------------------------------------------------------------------


class DisputeSummary(Shape):
    """A dispute in a list."""

    id: PublicId
    number: str
    state: State
    reason: str
    bill_id: PublicId
    bill_number: str
    line_number: int
    line: str
    amount: Money
    opened_at: Moment
    answer_by: Day
    outcome: Outcome | None
    credited: Money


class DisputePage(Shape):
    """A page of disputes."""

    disputes: list[DisputeSummary]
    next_cursor: str | None


class DisputePicture(Shape):
    """A picture as it was written anew."""

    id: PublicId
    media_type: str
    width: int
    height: int


class DisputePictureData(DisputePicture):
    """The same with its bytes in base64."""

    data: str


class DisputeMessage(Shape):
    """What one side wrote."""

    side: Literal["customer", "staff"]
    author: str
    text: str
    at: Moment
    pictures: list[DisputePicture]


class DisputeProposal(Shape):
    """A decision over the limit, which takes two."""

    id: PublicId
    state: Literal["asked", "approved", "declined", "void"]
    credit: Money
    answer: str
    note: str


class DisputeAnswer(DisputeSummary):
    """A dispute with what was said. `kept` was paid already; `left` of it is not used yet.

    `proposals` are for staff: null for a customer.
    """

    wish: Literal["keep", "refund"]
    answer: str
    memo_id: PublicId | None
    memo_number: str | None
    kept: Money | None
    left: Money | None
    messages: list[DisputeMessage]
    proposals: list[DisputeProposal] | None
