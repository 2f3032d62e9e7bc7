"""Forms of the desk's bill runs and parked accounts."""

from wtforms import BooleanField, DateField, Form, StringField, TextAreaField
from wtforms.validators import InputRequired, Length


class RunForm(Form):
    """By which day to bill, whom, and whether only to look."""

    as_of = DateField("Bill up to", [InputRequired("Choose a day.")])
    account = StringField("Account number", [Length(max=20)])
    preview = BooleanField("Only look: write no bill", default=True)


class ReleaseForm(Form):
    """Why a parked account may be billed again."""

    note = TextAreaField(
        "What you found", [InputRequired("Say what was put right."), Length(max=500)]
    )
