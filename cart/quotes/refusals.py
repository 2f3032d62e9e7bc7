"""Why something about a quote cannot be done, in words that say what to do instead."""

from dataclasses import dataclass
from typing import Any, ClassVar

from cart.checkout import Requirement
from core.kernel.errors import ShopError


class QuoteRefused(ShopError):
    """What was asked of a quote cannot be done; nothing has changed."""

    code: ClassVar[str] = "quote_refused"
    text: ClassVar[str] = "That cannot be done with this quote."


@dataclass(eq=False)
class QuoteIncomplete(QuoteRefused):
    """Something is missing before it can be sent."""

    code: ClassVar[str] = "quote_incomplete"
    text: ClassVar[str] = "Something is missing before this quote can be sent."
    requirements: list[Requirement]

    def facts(self) -> dict[str, Any]:
        return {"requirements": [vars(item) for item in self.requirements]}


@dataclass(eq=False)
class NotAcceptable(QuoteRefused):
    """The base of whatever stands between a customer and accepting."""

    code: ClassVar[str] = "quote_not_acceptable"
    text: ClassVar[str] = "This version cannot be accepted. Ask us, and we make a new one."


@dataclass(eq=False)
class QuoteExpired(NotAcceptable):
    code: ClassVar[str] = "quote_expired"
    text: ClassVar[str] = (
        "This quote was valid until {until}, so it cannot be accepted any more. Write to us below: a new "
        "one is quickly made."
    )
    until: str


@dataclass(eq=False)
class QuoteSuperseded(NotAcceptable):
    code: ClassVar[str] = "quote_superseded"
    text: ClassVar[str] = (
        "Version {number} was replaced by version {by}. Look at the new one; only that can be accepted."
    )
    number: int
    by: int


@dataclass(eq=False)
class QuoteWithdrawn(NotAcceptable):
    code: ClassVar[str] = "quote_withdrawn"
    text: ClassVar[str] = "We have taken this quote back. Write to us below if you still need it."


@dataclass(eq=False)
class QuoteDeclined(NotAcceptable):
    code: ClassVar[str] = "quote_declined"
    text: ClassVar[str] = (
        "You have declined this quote. Changed your mind? Write to us below, and we send it anew."
    )


@dataclass(eq=False)
class QuoteNotSent(NotAcceptable):
    code: ClassVar[str] = "quote_not_sent"
    text: ClassVar[str] = "This quote is still being made. We write to you when it is ready."


@dataclass(eq=False)
class QuoteAccepted(NotAcceptable):
    code: ClassVar[str] = "quote_accepted"
    text: ClassVar[str] = "This quote was accepted already; it is order {order}."
    order: str


@dataclass(eq=False)
class PaymentNotOffered(NotAcceptable):
    code: ClassVar[str] = "payment_not_offered"
    text: ClassVar[str] = "Choose one of the ways of paying that this quote offers."


@dataclass(eq=False)
class OverTheBuyersLimit(NotAcceptable):
    code: ClassVar[str] = "over_the_buyers_limit"
    text: ClassVar[str] = (
        "This comes to more than you may order for your company. Somebody who owns the account can accept it."
    )


@dataclass(eq=False)
class NumberGone(NotAcceptable):
    """A number that was chosen in it was let go, and is somebody else's or not sold any more."""

    code: ClassVar[str] = "quoted_number_gone"
    text: ClassVar[str] = (
        "{value} is not free any more, so this quote cannot be accepted as it is. Write to us below, and we "
        "choose another one with you."
    )
    value: str


@dataclass(eq=False)
class QuoteBeingPaid(QuoteRefused):
    """The customer is on the payment page: what they pay for cannot be taken from under them."""

    code: ClassVar[str] = "quote_being_paid"
    text: ClassVar[str] = (
        "The customer has accepted this quote and is paying for it just now. Try again in a while: it is "
        "then an order, or yours to change."
    )


@dataclass(eq=False)
class NeedsApproval(QuoteRefused):
    code: ClassVar[str] = "quote_needs_approval"
    text: ClassVar[str] = "A second person has to approve this version before it can be sent."


@dataclass(eq=False)
class ApprovalNotNeeded(QuoteRefused):
    code: ClassVar[str] = "quote_approval_not_needed"
    text: ClassVar[str] = "This version is within the limits: it can be sent as it is."


@dataclass(eq=False)
class OwnQuote(QuoteRefused):
    """Whoever made a version, or asked for the approval, cannot give it."""

    code: ClassVar[str] = "second_person_needed"
    text: ClassVar[str] = (
        "You made this version or asked for its approval. Somebody else has to decide."
    )


@dataclass(eq=False)
class NothingToQuote(QuoteRefused):
    code: ClassVar[str] = "nothing_to_quote"
    text: ClassVar[str] = "There is nothing in it that can be quoted."
