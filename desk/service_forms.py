"""The desk's forms about a service: its first day, who pays, what was used, what is locked."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from wtforms import DateField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional, Regexp

from web.service_forms import ServiceForm


class ActivateForm(ServiceForm):
    """Since when it works."""

    on_date = DateField("First day of service", [InputRequired("The day it began to work.")])


class PayerForm(ServiceForm):
    """Who pays from now on."""

    account = StringField("Account number", [InputRequired("Nine digits, as printed on bills.")])


class UsageForm(ServiceForm):
    """So much was used."""

    meter = SelectField("What", [InputRequired("Choose what was used.")])
    quantity = StringField(
        "How much",
        [
            InputRequired("A number like 12.5."),
            Regexp(r"^\d{1,12}(\.\d{1,6})?$", message="A number like 12.5, six places at most."),
        ],
    )
    used_date = DateField("On which day", [Optional()])
    key = StringField(
        "Record's own name",
        [
            InputRequired("A name that no other record of this service has, like 2026-11-17-a."),
            Length(max=80, message="At most 80 characters."),
        ],
    )
    corrects = StringField(
        "In place of the record", [Length(max=80, message="At most 80 characters.")]
    )

    def validate(self, extra_validators: object = None) -> bool:
        """A record says its day; a correction stands on the day of what it corrects."""
        is_valid = bool(super().validate())
        if is_valid and not self.used_date.data and not self.corrects.data:
            self.used_date.errors = ["The day it was used."]
            return False
        return is_valid

    def amount(self) -> Decimal:
        """How much, in the meter's unit."""
        return Decimal(self.quantity.data or "0")

    def used_at(self, zone: str, now: datetime) -> datetime | None:
        """Noon of that day where the service is used; today: this moment."""
        day: date | None = self.used_date.data
        if day is None:
            return None
        noon = datetime.combine(day, time(12), ZoneInfo(zone)).astimezone(UTC)
        return min(noon, now) if day == now.astimezone(ZoneInfo(zone)).date() else noon


class LockForm(ServiceForm):
    """Why a feature is locked or unlocked."""

    feature = SelectField("Feature", [InputRequired("Choose a feature.")])
    note = StringField("Why", [InputRequired("Say why, for whoever asks later."), Length(max=200)])
