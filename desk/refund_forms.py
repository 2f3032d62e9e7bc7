"""The form by which the desk gives money of an order back."""

from wtforms import Form, HiddenField, RadioField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

#: Where a refund goes, in which order.
WAYS = {
    "usual": ("card", "gift_card", "credit"),
    "gift_card": ("gift_card", "credit", "card"),
    "credit": ("credit", "gift_card", "card"),
}


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
