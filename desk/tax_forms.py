"""The desk's forms about taxes, and reading what was typed into them."""

import re
import uuid
from collections.abc import Sequence
from datetime import date

from wtforms import BooleanField, DateField, Form, SelectField, SelectMultipleField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, Regexp

from core.kernel.errors import Invalid
from core.kernel.money import to_micros
from core.parties.models import LegalEntity
from core.tax.exemptions import NewExemption
from core.tax.rates import NewRate

_CATEGORY = re.compile(r"[a-z][a-z0-9_-]{0,39}")
#: A percent is so many parts per million; 500 % is more than any tax takes.
_PPM, _MOST = 10_000, 5_000_000


class RateForm(Form):
    """A tax on some categories in a place."""

    seller = SelectField("Who sells", validate_choice=True)
    country = StringField(
        "Country", [InputRequired("Two letters."), Regexp("^[A-Za-z]{2}$", message="Two letters.")]
    )
    region = StringField("State or region", [Length(max=10, message="At most 10 letters.")])
    jurisdiction = StringField(
        "Who levies it",
        [InputRequired("Say who levies it, like Ohio."), Length(max=80, message="At most 80.")],
    )
    name = StringField(
        "Name of the tax",
        [
            InputRequired("Say what it is called, like Sales tax."),
            Length(max=80, message="At most 80."),
        ],
    )
    percent = StringField("Percent", [InputRequired("Say how much, like 6.5.")])
    categories = StringField("Categories", [InputRequired("Name one or more.")])
    valid_from = DateField("First day", [InputRequired("Choose a day.")])
    valid_to = DateField("Last day", [Optional()])
    compound = BooleanField("Reckoned on the other taxes too")
    inclusive = BooleanField("Contained in the prices")

    def offer(self, sellers: Sequence[LegalEntity]) -> None:
        """Who may be chosen."""
        self.seller.choices = [SelectChoice(row.code, row.name) for row in sellers]

    def wanted(self, sellers: Sequence[LegalEntity]) -> NewRate:
        """What was typed. Raises Invalid by field."""
        seller = next(row.id for row in sellers if row.code == self.seller.data)
        first, last = self.valid_from.data, self.valid_to.data
        assert isinstance(first, date)  # a valid form has it
        if last is not None and last < first:
            raise Invalid({"valid_to": "It cannot end before it begins."})
        return NewRate(
            legal_entity_id=seller,
            country=_plain(self.country.data).upper(),
            region=_plain(self.region.data).upper(),
            categories=_categories(self.categories.data),
            jurisdiction=_plain(self.jurisdiction.data),
            name=_plain(self.name.data),
            rate_ppm=_ppm(self.percent.data),
            valid_from=first,
            valid_to=last,
            inclusive=bool(self.inclusive.data),
            compound=bool(self.compound.data),
        )


class EndForm(Form):
    """The last day of a rate."""

    last = DateField("Last day", [InputRequired("Choose a day.")])


class ExemptionForm(Form):
    """A certificate as somebody showed it."""

    account = StringField("Account number", [InputRequired("Whose is it?")])
    certificate_number = StringField("Number of the certificate")
    jurisdictions = SelectMultipleField("Places", validate_choice=True)
    categories = SelectMultipleField("Categories", validate_choice=True)
    valid_from = DateField("Holds from", [InputRequired("Choose a day.")])
    ends_on = DateField("Tax is charged again from", [Optional()])
    file_reference = StringField("Where the paper is kept")

    def offer(self, jurisdictions: Sequence[str], categories: Sequence[str]) -> None:
        """What may be ticked."""
        self.jurisdictions.choices = [SelectChoice(name) for name in jurisdictions]
        self.categories.choices = [SelectChoice(name) for name in categories]

    def wanted(self, account_id: uuid.UUID) -> NewExemption:
        """What was typed."""
        first = self.valid_from.data
        assert isinstance(first, date)  # a valid form has it
        return NewExemption(
            account_id=account_id,
            certificate_number=_plain(self.certificate_number.data),
            jurisdictions=tuple(self.jurisdictions.data or ()),
            categories=tuple(self.categories.data or ()),
            valid_from=first,
            ends_on=self.ends_on.data,
            file_reference=_plain(self.file_reference.data),
        )


class RevokeForm(Form):
    """Why it does not hold any more."""

    reason = StringField("Why")


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())


def _ppm(text: str | None) -> int:
    try:
        micros = to_micros(_plain(text).removesuffix("%").strip())
    except ValueError:
        micros = -1
    ppm, rest = divmod(micros * _PPM, 1_000_000)
    if rest or not 0 <= ppm <= _MOST:
        raise Invalid({"percent": "A number like 6.5, with four decimals at most."})
    return ppm


def _categories(text: str | None) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(re.split(r"[,\s]+", _plain(text).strip(", "))))
    if not names or not all(_CATEGORY.fullmatch(name) for name in names):
        raise Invalid({"categories": "Small letters, with commas between, like device, phone."})
    return names
