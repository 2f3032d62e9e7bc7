"""The desk's forms about numbers, addresses and keys: pools, what is added to them, and why one goes."""

from wtforms import (
    BooleanField,
    Form,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields import SelectChoice
from wtforms.validators import Length, NumberRange, Optional

from core.stock.pools import Terms

KINDS = {
    "number": "Numbers, as of telephones",
    "address": "Addresses, as of networks or mail",
    "licence_key": "Licence keys",
}
_DAYS = "A whole number of days up to 3,650, or nothing."
_NOTE = [Length(max=200, message="At most 200 characters.")]


class TermsForm(Form):
    """What counts for a pool."""

    picked = BooleanField("Customers choose theirs from a list; else one is given")
    quarantine_days = IntegerField(
        "Days that one rests before somebody else gets it",
        [Optional(), NumberRange(0, 3650, message=_DAYS)],
        description="Left empty, what was given back is given to nobody again",
    )

    def terms(self) -> Terms:
        """As they were typed."""
        return Terms(bool(self.picked.data), self.quarantine_days.data)


class PoolForm(TermsForm):
    """Another pool."""

    sku = StringField("SKU", description="Of a plan, a service or something digital")
    kind = SelectField("What they are", choices=[SelectChoice(*one) for one in KINDS.items()])


class AddForm(Form):
    """Some more, a line each."""

    values = TextAreaField("Which, a line each")
    note = StringField("A note for whoever asks later", _NOTE)
    once = HiddenField(validators=[Length(max=60)])

    def each(self) -> list[str]:
        """The lines that say something."""
        return [line for line in (self.values.data or "").splitlines() if line.strip()]


class WithdrawForm(Form):
    """Why it is sold no more."""

    note = StringField("Why", _NOTE)
