"""Why something cannot be done with a service: typed, with a stable code and the facts."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from core.kernel.errors import ShopError


class ServiceRefused(ShopError):
    """The service is not in a condition for it; asked again, the answer is the same."""

    code: ClassVar[str] = "service_refused"
    text: ClassVar[str] = "That cannot be done with this service now."


@dataclass(eq=False)
class NotRunning(ServiceRefused):
    """``state`` is ordered, paused, ended, or ``ending`` where it is over before that day."""

    code: ClassVar[str] = "not_running"
    text: ClassVar[str] = "This service is {state}: that can only be done while it runs."
    state: str


@dataclass(eq=False)
class AlreadyThere(ServiceRefused):
    """What was asked for has been done before: active, paused, ending."""

    code: ClassVar[str] = "already_there"
    text: ClassVar[str] = "This service is {state} already."
    state: str


@dataclass(eq=False)
class SameAgain(ServiceRefused):
    """The wish is what holds on that day anyway."""

    code: ClassVar[str] = "same_again"
    text: ClassVar[str] = "That is how it is already."


@dataclass(eq=False)
class NothingAhead(ServiceRefused):
    """Neither an end nor a change lies ahead that could be taken back."""

    code: ClassVar[str] = "nothing_ahead"
    text: ClassVar[str] = "There is nothing ahead that could be taken back."


@dataclass(eq=False)
class OnTrial(ServiceRefused):
    """A trial is changed from its end on, not in the middle."""

    code: ClassVar[str] = "on_trial"
    text: ClassVar[str] = "This is a trial until {until}; it can be changed from that day on."
    until: date


@dataclass(eq=False)
class FreeTier(ServiceRefused):
    """What is free up to an amount has nothing that a pause could spare."""

    code: ClassVar[str] = "free_tier"
    text: ClassVar[str] = (
        "This is free up to an amount, so there is nothing to pause. It can be ended."
    )


@dataclass(eq=False)
class TermRuns(ServiceRefused):
    """It was agreed for a number of months that are not over."""

    code: ClassVar[str] = "in_term"
    text: ClassVar[str] = "This was agreed until {until}; it can end on that day at the earliest."
    until: date


class NotTaken(ShopError):
    """What was sent for a service cannot be taken as it is."""

    code: ClassVar[str] = "not_taken"
    text: ClassVar[str] = "That cannot be taken for this service."


@dataclass(eq=False)
class OtherFamily(NotTaken):
    """Plans are changed for plans of their own family only."""

    code: ClassVar[str] = "other_family"
    text: ClassVar[str] = "{sku} cannot be had in place of the plan that runs."
    sku: str


@dataclass(eq=False)
class WrongDay(NotTaken):
    """The day lies outside of what can be meant. Both bounds are days that can be."""

    code: ClassVar[str] = "wrong_day"
    text: ClassVar[str] = "{day} is not between {earliest} and {latest}."
    day: date
    earliest: date
    latest: date


@dataclass(eq=False)
class TooManyOf(NotTaken):
    """Fewer than one, or more than one service may have."""

    code: ClassVar[str] = "too_many_of_a_plan"
    text: ClassVar[str] = "Choose between 1 and {most}."
    quantity: int
    most: int


@dataclass(eq=False)
class UnknownReason(NotTaken):
    """A reason that is not on the list."""

    code: ClassVar[str] = "unknown_reason"
    text: ClassVar[str] = "“{reason}” is none of the reasons."
    reason: str


@dataclass(eq=False)
class PayerRefused(NotTaken):
    """A payer is an account of the same seller, in the same currency."""

    code: ClassVar[str] = "payer_refused"
    text: ClassVar[str] = "Account {account} cannot pay for this service."
    account: str


@dataclass(eq=False)
class NoSuchMeter(NotTaken):
    """The plan that runs on that day does not count this."""

    code: ClassVar[str] = "no_such_meter"
    text: ClassVar[str] = "The plan does not count “{meter}”."
    meter: str


@dataclass(eq=False)
class NoSuchRecord(NotTaken):
    """A correction names a record that there is not, or one that is a correction itself."""

    code: ClassVar[str] = "no_such_record"
    text: ClassVar[str] = "There is no record “{key}” that could be corrected."
    key: str


@dataclass(eq=False)
class UsageConflict(ServiceRefused):
    """The key was used before, for something else."""

    code: ClassVar[str] = "usage_conflict"
    text: ClassVar[str] = "“{key}” was recorded before with other content; correct it instead."
    key: str


@dataclass(eq=False)
class UsageTooMuch(NotTaken):
    """Less than nothing, finer than a millionth, or more than one record may say."""

    code: ClassVar[str] = "usage_too_much"
    text: ClassVar[str] = (
        "{quantity} is not between 0 and {most} with six places after the point at most."
    )
    quantity: str
    most: str


@dataclass(eq=False)
class OutsideOfService(NotTaken):
    """Used before activation, after the end, in the future, or longer ago than is taken."""

    code: ClassVar[str] = "outside_of_service"
    text: ClassVar[str] = "{used_at} is not within the service as far as it can be told now."
    used_at: datetime
