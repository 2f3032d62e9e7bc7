"""The desk's forms about what is past due."""

from wtforms import DateField, Form, TextAreaField
from wtforms.validators import InputRequired, Length

_NOTE = Length(max=500, message="Use at most 500 characters.")


class RestForm(Form):
    """Until which day nothing happens, and why."""

    until = DateField("Until the end of", [InputRequired("Choose a day.")])
    note = TextAreaField("Why", [_NOTE])


class WaiveForm(Form):
    """Why a fee is taken back."""

    note = TextAreaField("Why", [InputRequired("Say why, for whoever reads the history."), _NOTE])
