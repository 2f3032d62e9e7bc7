"""The desk's forms about stock: pieces that came, went or were counted, a level's limits, and places."""

from wtforms import (
    BooleanField,
    DateField,
    Form,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
)
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from core.stock.adjusting import MOST, Limits
from core.stock.places import Stands

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


def _count(label: str, hint: str = "") -> IntegerField:
    checks = [InputRequired(_NUMBER), NumberRange(0, MOST, message=_NUMBER)]
    return IntegerField(label, checks, description=hint)


class LimitsForm(Form):
    """From when on it is low, what is kept back, and how many may be sold that are not there."""

    low_at = _count("Low from so many on", "Staff are written to once when it gets there.")
    safety_stock = _count("Kept back from sale", "So many that are there are not sold.")
    backorder_limit = _count(
        "To be sold beyond what is there", "Orders for these wait until they come in."
    )
    preorder_limit = _count(
        "To be sold before the first ones come", "For what is new; the shop calls it a pre-order."
    )
    expected_on = DateField(
        "When more come", [Optional()], description="Told to whoever buys what is not there yet."
    )

    def limits(self) -> Limits:
        """As they were typed."""
        return Limits(
            int(self.low_at.data or 0),
            int(self.safety_stock.data or 0),
            int(self.backorder_limit.data or 0),
            int(self.preorder_limit.data or 0),
            self.expected_on.data,
        )


class PlaceForm(Form):
    """A place that pieces come from. What is wrong with it is said by the flow."""

    code = StringField("Code", description="Small letters, digits and hyphens: mill-street")
    name = StringField("What it is called")
    country = StringField("Country", description="Two letters, such as US")
    region = StringField("State or region")
    postal_prefix = StringField(
        "Postal codes around it begin with", description="430 is near to 43004"
    )
    priority = IntegerField(
        "Rank",
        [InputRequired("Give it a rank.")],
        default=0,
        description="Of places that are equally near, the lowest number goes first",
    )

    address = StringField(
        "Where it is", description="For whoever fetches something: 12 Harbor Lane, Marrow Bay"
    )
    hours = StringField("Opening hours", description="Monday to Friday, 8 to 18")

    releases_back_orders = BooleanField(
        "Pieces that come in are given to back-orders at once, the oldest first"
    )

    def stands(self) -> Stands:
        """As it was typed."""
        return Stands(
            self.name.data or "",
            self.country.data or "",
            self.region.data or "",
            self.postal_prefix.data or "",
            int(self.priority.data or 0),
            self.address.data or "",
            self.hours.data or "",
            bool(self.releases_back_orders.data),
        )
