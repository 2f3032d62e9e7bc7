"""Trials in the API: what comes in, and the forms of what goes out."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.shapes import LARGEST_PAGE, PAGE_SIZE, Address, PublicId, Shape

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~-]{1,40}$")]
Kind = Literal["no_card", "card", "free_tier"]


class TrialQuery(BaseModel):
    """Which trials to list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page_size: int = Field(PAGE_SIZE, ge=1, le=LARGEST_PAGE, description="How many at most.")
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="The `next_cursor` of the page before."
    )


class TrialBegin(Shape):
    """A trial, under the words that were shown."""

    offer: Code
    shown: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,64}$")] = Field(
        description="The offer's `shown`: what proves that these words were read."
    )
    agrees: Literal[True]
    address: Address | None = Field(
        None, description="Where the account is billed, when it has no address."
    )


class TrialGoOn(Shape):
    """From when it is paid for."""

    when: Literal["end", "now"]


class StepAnswer(Shape):
    """A day and what happens on it, in the words that are agreed to."""

    when: str
    text: str
    on: date | None


class OfferAnswer(Shape):
    """What may be tried, as it is told today."""

    code: Code
    kind: Kind
    plan: str
    name: str
    days: int | None
    steps: list[StepAnswer]
    shown: str


class OfferList(Shape):
    """What may be tried."""

    offers: list[OfferAnswer]


class TrialAnswer(Shape):
    """One trial. `ends_on` is None where it has no end."""

    id: PublicId
    state: Literal["awaiting_card", "running", "converted", "cancelled", "lapsed", "abandoned"]
    kind: Kind
    plan: str
    name: str
    account: str
    starts_on: date | None
    ends_on: date | None
    cancelled: bool
    goes_on: bool
    service_id: PublicId | None


class TrialPage(Shape):
    """A page of trials."""

    trials: list[TrialAnswer]
    next_cursor: str | None


class BegunAnswer(Shape):
    """A trial that begins; with a card, where it is put on file first."""

    trial: TrialAnswer
    redirect_url: str | None


Days = Annotated[int, Field(ge=1, le=366)]
OfferCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$")]


class DeskOffer(Shape):
    """How a plan can be tried, as staff set it. `days` is null for a free tier."""

    code: str
    sku: str
    plan: str
    kind: Kind
    days: int | None
    notice_days: int
    follow_up_days: list[int]
    active: bool


class DeskOfferList(Shape):
    """Every offer, switched off ones too."""

    offers: list[DeskOffer]


class OfferSet(Shape):
    """How an offer is to be, for whoever begins from now on. Trials that run keep what was agreed."""

    days: Days | None = Field(None, description="Of a free tier none.")
    notice_days: Annotated[int, Field(ge=7, le=365)] = 7
    follow_up_days: Annotated[list[Days], Field(max_length=6)] = []
    active: bool = True


class OfferWish(OfferSet):
    """Another offer, with its address in the shop."""

    code: OfferCode
    sku: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~-]{1,120}$")]
    kind: Kind
