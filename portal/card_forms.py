"""Forms about cards on file: which card, and a payment on a date."""

from collections.abc import Sequence

from wtforms import DateField, Form, HiddenField, RadioField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from core.kernel.errors import Invalid
from core.kernel.money import Money
from payments import methods
from payments.models import PaymentMethod

NEW = "new"


class CardForm(Form):
    """Which card."""

    card = RadioField("Card", [InputRequired("Choose a card.")], validate_choice=True)

    def offer(self, cards: Sequence[PaymentMethod], *, with_new: str = "") -> None:
        """Fill in the cards, and ``with_new`` as the words for one that is put on file now."""
        choices = [SelectChoice(card.public_id, methods.label(card)) for card in cards]
        if with_new:
            choices.append(SelectChoice(NEW, with_new))
        self.card.choices = choices
        if self.card.data is None and choices:
            self.card.data = choices[0].value


class ScheduleForm(CardForm):
    """What to pay, on which day."""

    kind = RadioField(
        "What to pay",
        [InputRequired("Choose what to pay.")],
        choices=[
            SelectChoice("balance", "All that is open on that day"),
            SelectChoice("bills", "Certain bills"),
            SelectChoice("amount", "Another amount"),
        ],
        default="balance",
    )
    amount = StringField("Amount")
    on = DateField("On which day", [InputRequired("Choose a day.")])
    revision = HiddenField()

    def money(self, currency: str) -> Money | None:
        """The amount that was written; None when none is wanted. Raises Invalid for what is none."""
        text = (self.amount.data or "").strip()
        if self.kind.data != "amount":
            return None
        try:
            return Money.parse(text, currency)
        except ValueError:
            raise Invalid({"amount": "Give an amount, such as 45.00."}) from None

    @property
    def seen_revision(self) -> int | None:
        """Which revision of the payment was seen."""
        text = self.revision.data or ""
        return int(text) if text.isdecimal() and len(text) < 10 else None
