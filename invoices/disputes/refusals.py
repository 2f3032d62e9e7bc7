"""Why a dispute cannot be opened, answered or changed."""

from dataclasses import dataclass
from typing import ClassVar

from core.kernel.errors import ShopError
from core.kernel.money import Money


class DisputeRefused(ShopError):
    """Something about a dispute cannot be done; its subclasses say why."""

    code: ClassVar[str] = "dispute_refused"
    text: ClassVar[str] = "This cannot be done with the dispute."


@dataclass(eq=False)
class NotDisputable(DisputeRefused):
    """Lines of bills of ours can be disputed; not credits, history, or cards that hold their money."""

    code: ClassVar[str] = "not_disputable"
    text: ClassVar[str] = "This line of {number} cannot be disputed here. Write to us about it."
    number: str


@dataclass(eq=False)
class DisputedAlready(DisputeRefused):
    """The line is disputed now."""

    code: ClassVar[str] = "disputed_already"
    text: ClassVar[str] = "This line is disputed already, as {number}."
    number: str
    public_id: str


@dataclass(eq=False)
class AnsweredBefore(DisputeRefused):
    """The line was disputed and answered: one goes on by a message there."""

    code: ClassVar[str] = "dispute_answered"
    text: ClassVar[str] = "We have answered a dispute of this line, {number}. Write to us there."
    number: str
    public_id: str


@dataclass(eq=False)
class DisputedOften(DisputeRefused):
    """The line was disputed and taken back so often that it is not opened again by its customer."""

    code: ClassVar[str] = "disputed_often"
    text: ClassVar[str] = (
        "This line was disputed and taken back {times} times. Call or write to us about it."
    )
    times: int


@dataclass(eq=False)
class DisputedTooMuch(DisputeRefused):
    """More than is left of the line."""

    code: ClassVar[str] = "disputed_too_much"
    text: ClassVar[str] = "{left} is left of this line, not {asked}."
    left: Money
    asked: Money


@dataclass(eq=False)
class CreditTooMuch(DisputeRefused):
    """More than is disputed, or than is left of the line by now."""

    code: ClassVar[str] = "credit_too_much"
    text: ClassVar[str] = "At most {most} can be credited here, not {asked}."
    most: Money
    asked: Money


@dataclass(eq=False)
class CreditTooSmall(DisputeRefused):
    """So little that with its tax nothing of it can be credited."""

    code: ClassVar[str] = "credit_too_small"
    text: ClassVar[str] = "{asked} is too little to be credited with its tax."
    asked: Money


@dataclass(eq=False)
class DisputeOver(DisputeRefused):
    """It was resolved or withdrawn."""

    code: ClassVar[str] = "dispute_over"
    text: ClassVar[str] = "{number} is over already."
    number: str


@dataclass(eq=False)
class OwnDispute(DisputeRefused):
    """Nobody decides about their own dispute, or alone where two are needed."""

    code: ClassVar[str] = "own_dispute"
    text: ClassVar[str] = "Somebody else has to decide this."


@dataclass(eq=False)
class NothingToChoose(DisputeRefused):
    """There is no credit of it left that could be sent back."""

    code: ClassVar[str] = "nothing_to_choose"
    text: ClassVar[str] = "Nothing of the credit of {number} is left to be sent back."
    number: str
