"""Chargebacks in the API: what comes in, and the forms of what goes out."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Base64Bytes, Field, StringConstraints

from api.dispute_shapes import DisputeQuery, Moment
from api.shapes import Money, PublicId, Shape
from payments.chargebacks import TABS
from payments.evidence import KINDS, LONGEST

Kind = Literal[KINDS]  # type: ignore[valid-type]  # a tuple of texts
State = Literal["open", "warned", "won", "lost", "ended"]
#: Words of several lines.
_WORDS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"


class ChargebackQuery(DisputeQuery):
    """Which chargebacks to list."""

    state: Literal[TABS] | None = Field(  # type: ignore[valid-type]  # a tuple of texts
        None, description="`warned`: nothing is taken yet."
    )


class EvidencePicture(Shape):
    """A picture for the network; it takes the place of one that shows the same."""

    shows: Kind
    data: Annotated[Base64Bytes, Field(description="JPEG or PNG in base64; it is written anew.")]


class EvidenceKeep(Shape):
    """The draft as it shall be. Pictures that are not named stay."""

    text: Annotated[str, StringConstraints(max_length=LONGEST, pattern=_WORDS)]
    pictures: Annotated[list[EvidencePicture], Field(default_factory=list, max_length=len(KINDS))]
    without: Annotated[
        list[Kind],
        Field(default_factory=list, max_length=len(KINDS), description="Taken out again."),
    ]


class ChargebackSummary(Shape):
    """A chargeback in a list. `fee` is what the processor keeps; `trouble`: why it is not in the books."""

    id: PublicId
    state: State
    payment_id: PublicId
    payment_number: str
    account_number: str
    amount: Money
    fee: Money
    reason: str
    answer_by: Annotated[datetime | None, Field(strict=False)]
    answered_at: Annotated[datetime | None, Field(strict=False)]
    opened_at: Moment
    closed_at: Annotated[datetime | None, Field(strict=False)]
    trouble: str


class ChargebackPage(Shape):
    """A page of chargebacks."""

    chargebacks: list[ChargebackSummary]
    next_cursor: str | None


class ChargebackBill(Shape):
    """A bill that the payment had settled, and how much of it is charged back."""

    number: str
    amount: Money


class EvidenceFile(Shape):
    """A picture of the draft, or of what was sent."""

    id: PublicId
    shows: Kind
    media_type: str
    width: int
    height: int


class Evidence(Shape):
    """What we answer. `trouble`: why the processor did not take it; then it is a draft again."""

    state: Literal["draft", "sending", "sent"]
    text: str
    pictures: list[EvidenceFile]
    sent_at: Annotated[datetime | None, Field(strict=False)]
    trouble: str


class ChargebackAnswer(ChargebackSummary):
    """A chargeback with its bills and our evidence. `may_answer`: the network waits for our word."""

    bills: list[ChargebackBill]
    may_answer: bool
    evidence: Evidence | None
