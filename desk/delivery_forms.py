"""The desk's forms about delivery: a way with its prices, a zone, times for visits."""

from collections.abc import Sequence
from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    Form,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from cart.delivery_models import DeliveryMethod, DeliveryZone
from core.kernel.errors import Invalid
from core.kernel.money import Money
from core.stock.models import Location
from flows.keep_delivery import Times, Way

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_AMOUNTS = ("price", "per_kg", "free_from", "goods_from", "goods_to")


class WayForm(Form):
    """One way of delivery."""

    code = StringField("Called", description="Small letters: standard, next-morning.")
    country = StringField("Country", description="Two letters.")
    name = StringField("Name", description="As people read it.")
    description = StringField("When it comes")
    kind = RadioField(
        "How",
        choices=[SelectChoice("ship", "It is sent"), SelectChoice("pickup", "It is picked up")],
    )
    location = SelectField("Picked up at", validate_choice=False)
    zone = SelectField("Only in", validate_choice=False)
    goes_by = StringField("For things that go by", description="parcel, or as products say.")
    price = StringField("Price")
    per_kg = StringField("And for each kilogram")
    free_from = StringField("Free from")
    goods_from = StringField("Only from a worth of")
    goods_to = StringField("Only up to a worth of")
    weight_to = StringField("Only up to a weight of", description="In kilograms.")
    position = StringField("Place in the list")
    active = BooleanField("Is offered")

    def offer(self, zones: Sequence[DeliveryZone], locations: Sequence[Location]) -> None:
        """What there is to choose from."""
        self.zone.choices = [
            SelectChoice("", "The whole country"),
            *(SelectChoice(one.code, one.name) for one in zones),
        ]
        self.location.choices = [
            SelectChoice("", "Nowhere: it is sent"),
            *(SelectChoice(one.code, one.name) for one in locations),
        ]

    def way(self, currency: str) -> Way:
        """As it was typed. Raises Invalid by field."""
        wrong: dict[str, str] = {}
        amounts = {name: self._minor(name, currency, wrong) for name in _AMOUNTS}
        weight = _decimal(self.weight_to.data, 1000, "weight_to", wrong)
        position = _decimal(self.position.data, 1, "position", wrong)
        if wrong:
            raise Invalid(wrong)
        return Way(
            country=(self.country.data or "").strip().upper(),
            code=(self.code.data or "").strip(),
            name=" ".join((self.name.data or "").split()),
            description=" ".join((self.description.data or "").split()),
            kind=self.kind.data or "",
            zone=self.zone.data or "",
            location=self.location.data or "",
            goes_by=(self.goes_by.data or "parcel").strip(),
            price_minor=amounts["price"] or 0,
            per_kg_minor=amounts["per_kg"] or 0,
            free_from_minor=amounts["free_from"],
            goods_from_minor=amounts["goods_from"],
            goods_to_minor=amounts["goods_to"],
            weight_to_g=weight,
            position=position or 0,
            active=bool(self.active.data),
        )

    def _minor(self, name: str, currency: str, wrong: dict[str, str]) -> int | None:
        text = (self[name].data or "").strip()
        if not text:
            return None
        try:
            return Money.parse(text, currency).minor
        except ValueError:
            wrong[name] = "An amount such as 6.90."
            return None


def _decimal(text: str | None, times: int, name: str, wrong: dict[str, str]) -> int | None:
    plain = (text or "").strip()
    if not plain:
        return None
    whole, _, part = plain.partition(".")
    if not (whole.isdecimal() and len(whole) < 6 and (not part or part.isdecimal())):
        wrong[name] = "A number, such as 20."
        return None
    return round(float(plain) * times)


def way_data(
    row: DeliveryMethod, zone: DeliveryZone | None, location: Location | None, currency: str
) -> dict[str, Any]:
    """A way as its form shows it."""

    def amount(minor: int | None) -> str:
        return "" if minor is None else str(Money(minor, currency).decimal())

    return {
        "code": row.code,
        "country": row.country,
        "name": row.name,
        "description": row.description,
        "kind": row.kind,
        "location": location.code if location is not None else "",
        "zone": zone.code if zone is not None else "",
        "goes_by": row.goes_by,
        "price": amount(row.price_minor),
        "per_kg": amount(row.per_kg_minor or None),
        "free_from": amount(row.free_from_minor),
        "goods_from": amount(row.goods_from_minor),
        "goods_to": amount(row.goods_to_minor),
        "weight_to": f"{row.weight_to_g / 1000:g}" if row.weight_to_g is not None else "",
        "position": str(row.position),
        "active": row.active,
    }


class ZoneForm(Form):
    """A part of the world."""

    code = StringField("Called", description="Small letters: tarnbrook.")
    name = StringField("Name")
    areas = TextAreaField("Where", description="An area on each line: US, US OH, or US OH 431.")


class TimesForm(Form):
    """Times for visits over some days."""

    first = DateField("First day", [InputRequired("Choose a day.")])
    last = DateField("Last day", [InputRequired("Choose a day.")])
    weekdays = SelectMultipleField(
        "On",
        choices=[SelectChoice(str(number), day) for number, day in enumerate(WEEKDAYS)],
    )
    begins = TimeField("From", [InputRequired("Say when.")])
    ends = TimeField("To", [InputRequired("Say when.")])
    capacity = StringField("Visits at once", description="How many can be made at the same time.")
    zone = SelectField("Only in", validate_choice=False)

    def times(self) -> Times:
        """As it was typed; the form is valid."""
        text = (self.capacity.data or "").strip()
        assert self.first.data is not None
        assert self.last.data is not None
        assert self.begins.data is not None
        assert self.ends.data is not None
        return Times(
            self.first.data,
            self.last.data,
            {int(one) for one in self.weekdays.data or ()},
            self.begins.data,
            self.ends.data,
            int(text) if text.isdecimal() and len(text) < 5 else 0,
            self.zone.data or "",
        )


class RoomForm(Form):
    """Room for how many visits."""

    capacity = StringField("Visits at once")
