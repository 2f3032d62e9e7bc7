"""Forms of the desk's gift card pages."""

from wtforms import Form, RadioField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

CREDIT, FORFEIT = "credit", "forfeit"


class VoidForm(Form):
    """Why a card ends, and what becomes of what is left on it."""

    reason = StringField(
        "Why it ends", [InputRequired("Say why, for whoever asks later."), Length(max=200)]
    )
    to = RadioField(
        "What is left goes",
        choices=[
            SelectChoice(CREDIT, "to its buyer, as credit"),
            SelectChoice(FORFEIT, "to nobody: the card is forfeited"),
        ],
        default=CREDIT,
    )
