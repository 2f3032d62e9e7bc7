"""The desk's forms about stock: pieces that came, went or were counted, and a level's limits."""

from wtforms import BooleanField, Form, HiddenField, IntegerField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange

from core.stock.adjusting import MOST

REASONS = {
    "received": "They came in",
    "counted": "We counted them: so many are there",
    "found": "They were found",
    "damaged": "They are broken",
    "lost": "They are lost",
    "own_use": "We use them ourselves",
}
_NUMBER = f"A whole number up to {MOST:,}."


class AdjustForm(Form):
    """How many, and why. ``seen`` is what was on hand when the page was made."""

    reason = SelectField(
        "What happened",
        [InputRequired("Choose what happened.")],
        choices=[SelectChoice(key, text) for key, text in REASONS.items()],
    )
    pieces = IntegerField(
        "How many pieces", [InputRequired(_NUMBER), NumberRange(0, MOST, message=_NUMBER)]
    )
    note = StringField(
        "A note for whoever asks later", [Length(max=200, message="At most 200 characters.")]
    )
    even_so = BooleanField(
        "Even when fewer are left than are sold or held: the limit for back-orders then covers the rest, "
        "and nothing more can be sold"
    )
    seen = IntegerField(validators=[InputRequired()])
    once = HiddenField(validators=[Length(min=1, max=60)])


class LimitsForm(Form):
    """From when on it is low, and how many may be sold that are not there."""

    low_at = IntegerField(
        "Low from so many on", [InputRequired(_NUMBER), NumberRange(0, MOST, message=_NUMBER)]
    )
    backorder_limit = IntegerField(
        "To be sold beyond what is there",
        [InputRequired(_NUMBER), NumberRange(0, MOST, message=_NUMBER)],
    )
