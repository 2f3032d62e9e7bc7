"""A place as a part of a form: where goods go or a service is used. For the shop and for the desk."""

from typing import Any

from babel import Locale
from wtforms import Form, SelectField, StringField
from wtforms.fields import SelectChoice

from cart import address
from cart.address import US_STATES
from web.context import channel, countries


class PlaceForm(Form):
    """One place; empty when nothing was typed."""

    name = StringField("Who or what is there")
    line1 = StringField("Street and number")
    line2 = StringField("Building, floor")
    city = StringField("Town")
    region = SelectField(
        "State",
        choices=[SelectChoice("", "Choose"), *map(SelectChoice, sorted(US_STATES))],
        validate_choice=False,
    )
    postal_code = StringField("ZIP code")
    country = SelectField("Country", choices=[], validate_choice=False)


def offer(form: Any) -> None:
    """Give a place its countries; what this shop has no use for is left out."""
    codes = sorted(countries())
    if "US" not in codes and "region" in form:
        del form.region
        form.postal_code.label.text = "Postal code"
    if "country" not in form:
        return
    if len(codes) < 2:
        del form.country
        return
    names = Locale.parse(channel()[0].locale).territories
    choices = sorted(((code, names.get(code, code)) for code in codes), key=lambda one: one[1])
    form.country.choices = [SelectChoice(*one) for one in choices]
    form.country.data = form.country.data or channel()[1].country


def read(form: Any) -> dict[str, str] | None:
    """The address that was typed; None when there is none. ``offer`` goes before."""
    raw = {name: form[name].data for name in address.FIELDS if name in form}
    typed = any(
        str(raw.get(name) or "").strip() for name in ("name", "line1", "city", "postal_code")
    )
    if not typed:
        return None
    return address.clean({"country": channel()[1].country, **raw})


def wrong(form: Any, problems: dict[str, str]) -> None:
    """Put what is wrong next to its field; what has no field stands with the street."""
    for name, text in problems.items():
        field = form[name if name in form else "line1"]
        field.errors = [*field.errors, text]
