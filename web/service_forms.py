"""Forms about a service, on the portal and at the desk: another plan, a pause, an end."""

from collections.abc import Iterable

from wtforms import (
    DateField,
    Form,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
)
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from core.kernel.money import Money
from core.subscriptions.changing import MOST
from flows.wish_service import Wanted
from web.services import END_REASONS, PAUSE_REASONS

NOW, LATER = "now", "later"


def _choices(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in pairs]


class ServiceForm(Form):
    """About a service as somebody saw it."""

    revision = HiddenField()

    @property
    def seen_revision(self) -> int | None:
        """Which revision they saw; None when the page did not say."""
        text = self.revision.data or ""
        return int(text) if text.isdecimal() and len(text) < 10 else None


class ChangeForm(ServiceForm):
    """Another plan or quantity."""

    plan = RadioField("Plan", [InputRequired("Choose a plan.")], validate_choice=True)
    quantity = IntegerField(
        "How many",
        [
            InputRequired("Say how many."),
            NumberRange(1, MOST, message=f"Between 1 and {MOST}."),
        ],
        default=1,
    )
    when = RadioField("From when", [InputRequired("Choose from when.")], default=LATER)
    #: The preview's total in minor units: below zero it comes back.
    expected = HiddenField()

    def offer(self, plans: list[tuple[str, str]], later: str, *, on_trial: bool = False) -> None:
        """Fill in what can be chosen. A trial is changed from its end on."""
        self.plan.choices = _choices(plans)
        self.when.choices = _choices(
            [(LATER, f"When the trial is over, {later}")]
            if on_trial
            else [(LATER, f"From the next period, {later}"), (NOW, "From today")]
        )

    def wanted(self) -> Wanted:
        """What was chosen."""
        return Wanted(self.plan.data, self.quantity.data or 1, self.when.data == LATER)

    def total(self, currency: str) -> Money | None:
        """What they saw; None when they saw none yet."""
        text = self.expected.data or ""
        digits = text.removeprefix("-")
        if not digits.isdecimal() or len(digits) > 15:
            return None
        return Money(int(text), currency)


class PauseForm(ServiceForm):
    """Days of rest."""

    until = DateField("Runs again from", [Optional()])
    reason = SelectField("Why", choices=_choices(PAUSE_REASONS.items()))
    note = StringField("Anything to add", [Length(max=500, message="At most 500 characters.")])


class EndForm(ServiceForm):
    """The end."""

    when = RadioField("When", [InputRequired("Choose when.")], default=LATER)
    reason = SelectField("Why", choices=_choices(END_REASONS.items()))
    note = StringField("Anything to add", [Length(max=500, message="At most 500 characters.")])

    def offer(self, choices: list[tuple[str, str]]) -> None:
        """Fill in when it can end."""
        self.when.choices = _choices(choices)
