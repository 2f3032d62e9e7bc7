"""The desk's forms about money: transfers, whose they are, closing days, rates, disputes, write-offs."""

from decimal import Decimal

from wtforms import (
    BooleanField,
    DateField,
    Form,
    HiddenField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Regexp

from core.kernel.ids import new_public_id
from core.kernel.money import Money, minor_digits


class AmountForm(Form):
    """An amount of money."""

    amount = StringField("Amount", [InputRequired("Say how much, like 120.50.")])
    #: Drawn with the page: sent twice, it is done once.
    once = HiddenField(default=new_public_id)

    def money(self, currency: str) -> Money | None:
        """The amount, above zero; None, with the reason at the field, when it is none."""
        try:
            found = Money.parse(self.amount.data or "", currency)
        except ValueError:
            found = None
        if found is not None and found.minor > 0:
            return found
        self.amount.errors = [*self.amount.errors, "An amount above zero, like 120.50."]
        return None


class TransferForm(AmountForm):
    """A line of the bank's list."""

    reference = StringField(
        "Reference",
        [
            InputRequired("What the bank says of it."),
            Length(max=40, message="At most 40 characters."),
        ],
    )
    currency = StringField(
        "Currency",
        [InputRequired("Three letters."), Regexp("^[A-Za-z]{3}$", message="Three letters.")],
    )
    received_on = DateField("Received on", [InputRequired("The day on the bank's list.")])
    account = StringField("Account", [Length(max=20, message="An account number has 9 digits.")])


class IdentifyForm(Form):
    """Whose money it is."""

    account = StringField("Account", [InputRequired("The number on the payer's bills.")])


class MoveForm(Form):
    """To which bill."""

    number = StringField("To bill", [InputRequired("The number of the right bill.")])


class CloseForm(Form):
    """Through which day the books close."""

    seller = SelectField("Whose books")
    through = DateField("Close through", [InputRequired("The last day to be closed.")])
    sure = BooleanField(
        "Nothing dated up to this day may be added or changed",
        [InputRequired("Say that you have checked it.")],
    )


class SureForm(Form):
    """Said twice."""

    sure = BooleanField("", [InputRequired("Say that you mean it.")])


class RateForm(Form):
    """What one unit of a currency is worth."""

    currency = StringField(
        "Currency",
        [InputRequired("Three letters."), Regexp("^[A-Za-z]{3}$", message="Three letters.")],
    )
    functional = StringField(
        "In",
        [InputRequired("Three letters."), Regexp("^[A-Za-z]{3}$", message="Three letters.")],
    )
    on_date = DateField("On", [InputRequired("The day it holds from.")])
    rate = StringField("Rate", [InputRequired("What one unit is worth, like 1.0850.")])

    def decimal(self) -> Decimal:
        """The rate. InvalidOperation for what is no number."""
        return Decimal((self.rate.data or "").strip())


class WriteOffForm(AmountForm):
    """What is to be given up, and why."""

    reason = TextAreaField(
        "Why", [InputRequired("Whoever decides wants to know why."), Length(max=500)]
    )


def is_currency(code: str) -> bool:
    """Is there such a currency?"""
    try:
        minor_digits(code)
    except ValueError:
        return False
    return True
