"""The form by which the desk gives money of an order back."""

from wtforms import Form, HiddenField, RadioField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from core.kernel.money import Money

#: Where a refund goes, in which order.
WAYS = {
    "usual": ("card", "gift_card", "credit"),
    "gift_card": ("gift_card", "credit", "card"),
    "credit": ("credit", "gift_card", "card"),
}


def amount_in(field: StringField, currency: str) -> Money | None:
    """What somebody typed as an amount above nothing; None, and said at the field, when it is none."""
    try:
        amount = Money.parse((field.data or "").strip().replace(",", ""), currency)
    except ValueError:
        amount = Money.zero(currency)
    if amount.minor > 0:
        return amount
    field.errors = ["Write an amount such as 12.50."]
    return None


class GiveBackForm(Form):
    """How much, where first, and why."""

    amount = StringField("How much", [InputRequired("Say how much.")])
    to = RadioField(
        "Where it goes first",
        choices=[
            SelectChoice("usual", "to the card that paid, then gift cards, then credit"),
            SelectChoice("gift_card", "to gift cards, then credit, then the card"),
            SelectChoice("credit", "to credit, then gift cards, then the card"),
        ],
        default="usual",
    )
    reason = StringField("Why", [InputRequired("Say why, for whoever asks later."), Length(max=60)])
    #: Made with the page, so that a button pressed twice gives back once.
    key = HiddenField(validators=[Length(min=1, max=60)])
