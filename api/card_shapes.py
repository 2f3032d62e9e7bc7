"""Cards, AutoPay and planned payments in the API: what comes in, and the forms of what goes out."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.shapes import LARGEST_PAGE, PAGE_SIZE, Money, PublicId, Shape

Number = Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")]
Shown = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
State = Literal["planned", "retrying", "waiting", "failed", "paid", "nothing_due", "cancelled"]
Kind = Literal["balance", "amount", "bills"]


class AccountQuery(BaseModel):
    """Of which account; the first that may be paid for where it is left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: Number | None = Field(None, description="An account's number.")


class ScheduledQuery(AccountQuery):
    """Which payments to list."""

    page_size: int = Field(PAGE_SIZE, ge=1, le=LARGEST_PAGE, description="How many at most.")
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="The `next_cursor` of the page before."
    )
    state: State | None = Field(None, description="Only those in this state.")


class OfAccount(Shape):
    """What is about an account; the first that may be paid for where it is left out."""

    account: Number | None = None


class CardWish(OfAccount):
    """A card is to be put on file, under the words of `keeping` that were shown."""

    agrees: Literal[True]
    shown: Shown


class InsteadWish(Shape):
    """Another card takes this one's place; a new one where `card` is left out."""

    card: PublicId | None = None
    agrees: Literal[True]


class AutoPayWish(OfAccount):
    """AutoPay with a card, under the words that were shown for it."""

    card: PublicId
    agrees: Literal[True]
    shown: Shown


class PlanWish(OfAccount):
    """What to pay on a day, and with which card. `bills` are ids of bills."""

    kind: Kind
    card: PublicId
    on: date
    amount: Money | None = None
    bills: Annotated[list[PublicId], Field(max_length=200)] = []


class AgreedPlan(PlanWish):
    """The same, under the words that the preview showed; `revision` guards a change."""

    agrees: Literal[True]
    shown: Shown
    revision: int | None = Field(None, ge=1)


class Terms(Shape):
    """Exactly what is agreed to; `shown` proves that it was read."""

    text: str
    shown: Shown


class UseAnswer(Shape):
    """Something that is charged to a card: `autopay`, `payment`, `retry` or `service`, with its id."""

    kind: str
    id: PublicId
    name: str


class CardAnswer(Shape):
    """A card. `state` is `active` or `detached`."""

    id: PublicId
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    state: Literal["active", "detached"]
    is_first: bool
    uses: list[UseAnswer]


class CardList(Shape):
    """The cards on file of an account, and what keeping another one means."""

    account: Number
    cards: list[CardAnswer]
    keeping: Terms


class OffTo(Shape):
    """Where somebody goes to put the card on file; None when nothing is to be entered."""

    redirect_url: str | None


class CardTerms(Terms):
    """What AutoPay with one card means."""

    card: PublicId


class AutoPayAnswer(Shape):
    """Is it on, with which card, since when, under which words; and what it would mean with each card."""

    account: Number
    on: bool
    card: PublicId | None
    since: datetime | None
    agreed: str | None
    notice_days: int
    terms: list[CardTerms]


class TryAnswer(Shape):
    """One try at a charge; `code` says why it took no money."""

    at: datetime
    amount: Money
    state: str
    code: str | None


class ScheduledAnswer(Shape):
    """A payment that is to be made, was made, or was declined."""

    id: PublicId
    account: Number
    origin: Literal["customer", "autopay", "bill"]
    kind: Kind
    state: State
    card: PublicId
    on: date
    next_at: datetime | None
    amount: Money | None
    bills: list[str]
    tries: int
    code: str | None
    revision: int


class ScheduledDetail(ScheduledAnswer):
    """The same with what was agreed, and every try."""

    agreed: str | None
    attempts: list[TryAnswer]


class ScheduledPage(Shape):
    """A page of payments."""

    payments: list[ScheduledAnswer]
    next_cursor: str | None


class PartAnswer(Shape):
    """So much of a bill."""

    bill: str
    amount: Money


class PreviewedPlan(Shape):
    """What a planned payment would take as things are now, and what is agreed by planning it."""

    total: Money
    parts: list[PartAnswer]
    terms: Terms


class WalletAnswer(Shape):
    """An account's cards, AutoPay and waiting payments, for staff."""

    account: Number
    cards: list[CardAnswer]
    autopay_card: PublicId | None
    waiting: list[ScheduledAnswer]
