"""Where somebody is: the fields of an address that every form asks for alike, in each country's own way."""

from typing import Any

from wtforms import Form, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.widgets import TextInput

from cart import formats


class RegionField(SelectField):
    """A state of a list, or typed where a country has no list of them."""

    def _value(self) -> str:
        return str(self.data or "")

    def offer(self, codes: tuple[str, ...]) -> None:
        """Choose one of these; none: it is typed."""
        if codes:
            self.choices = [SelectChoice("", "Choose"), *map(SelectChoice, codes)]
        else:
            self.widget = TextInput()


class PlaceForm(Form):
    """Street, town, state and code. What is wrong with them the flow or ``cart.checkout`` says."""

    line1 = StringField("Street and number")
    line2 = StringField("Flat, floor, company")
    city = StringField("Town")
    region = RegionField(
        "State",
        choices=[SelectChoice("", "Choose"), *map(SelectChoice, formats.of("US").regions)],
        validate_choice=False,
    )
    postal_code = StringField("ZIP code")


def fit(form: Any, country: str) -> None:
    """Call the fields what they are called in a country, and leave out those that it does not have."""
    known = formats.of(country)
    labels = {
        "line1": known.street,
        "line2": known.more,
        "city": known.city,
        "region": known.region,
        "postal_code": known.postal,
    }
    for name, label in labels.items():
        if name not in form:
            continue
        if not label:
            del form[name]
            continue
        form[name].label.text = label
    if "region" in form:
        form.region.offer(known.regions)
    if "postal_code" in form:
        keys = {"inputmode": "numeric"} if known.numeric else {"autocapitalize": "characters"}
        form.postal_code.render_kw = keys
