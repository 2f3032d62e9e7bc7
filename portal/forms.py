"""The account's forms."""

from wtforms import Form, HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length


class RegisterForm(Form):
    """Who somebody is."""

    name = StringField(
        "Full name",
        [
            InputRequired("Tell us your name."),
            Length(max=120, message="Use at most 120 characters."),
        ],
    )
    email = StringField("E-mail", [InputRequired("Tell us your e-mail address.")])
    password = PasswordField("Password", [InputRequired("Choose a password.")])
    next = HiddenField()


class ForgotForm(Form):
    """Whose password."""

    email = StringField("E-mail", [InputRequired("Tell us your e-mail address.")])


class PasswordForm(Form):
    """A new password."""

    password = PasswordField("New password", [InputRequired("Choose a password.")])


class VatIdForm(Form):
    """A business's VAT id."""

    account = HiddenField()
    vat_id = StringField("VAT id")
