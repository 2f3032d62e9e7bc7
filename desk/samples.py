"""What the component sheet shows: Fernway's invented people and figures, nothing from the database.

``sample_context`` is all that ``desk/styleguide.html`` needs besides what every desk page gets.
"""

from datetime import UTC, date, datetime
from types import SimpleNamespace as Sample
from typing import Any

from wtforms import (
    BooleanField,
    FileField,
    Form,
    MultipleFileField,
    RadioField,
    SelectField,
    StringField,
)
from wtforms.fields import SelectChoice

from core.kernel.money import Money
from desk.contrast import figures

NOW = datetime(2026, 11, 17, 19, 11, tzinfo=UTC)

_TYPE = (
    ("f6", "64.9 px", "Amount due"),
    ("f5", "51.9 px", "Rare, on a landing page"),
    ("f4", "41.5 px", "A page’s title"),
    ("f3", "33.2 px", "A section; a price"),
    ("f2", "26.6 px", "A small section"),
    ("f1", "21.3 px", "A thing in a list, a lede"),
    ("f0", "17 px", "Text is Source Sans 3 at 17 on 25.5, forty-five to seventy-five characters"),
    ("f-1", "13.6 px", "Labels, hints, reasons, tags. Nothing is smaller."),
)
_COLOURS = (
    "paper sheet shade ink ink-2 rule rule-2 fir fir-press fir-tint "
    "apricot apricot-ink apricot-tint red red-tint"
).split()
_SPACES = (4, 8, 12, 16, 24, 32, 48, 64, 96)
_PRODUCTS = (
    "router satellite camera camera-outdoor doorbell chime phone handset installation toolbox "
    "plan brook stream river business bundle backup burrow-large cable switch ont hub plug sensor "
    "battery mount letterbox"
).split()
_SCENES = "empty basket parcel mail door counter wait lost broken twice".split()

# Thirteen months of one household: internet, phone and backup, in cents.
_MONTHS = (
    ("Nov", "N", "2025", 1900, 948, 0, ""),
    ("Dec", "D", "", 1900, 1022, 0, ""),
    ("Jan", "J", "2026", 1900, 900, 0, ""),
    ("Feb", "F", "", 1900, 852, 0, ""),
    ("Mar", "M", "", 2900, 873, 0, "Brook to Stream"),
    ("Apr", "A", "", 2900, 916, 0, ""),
    ("May", "M", "", 2900, 868, 0, ""),
    ("Jun", "J", "", 2900, 852, 959, "Backup added"),
    ("Jul", "J", "", 2900, 969, 959, ""),
    ("Aug", "A", "", 2900, 905, 959, ""),
    ("Sep", "S", "", 2900, 878, 959, ""),
    ("Oct", "O", "", 2900, 889, 959, ""),
    ("Nov", "N", "", 5326, 927, 958, "Stream to River, Oct 24"),
)


class SampleForm(Form):
    """One field of each kind, one of them wrong."""

    email = StringField("E-mail", default="june.alder@example.com")
    postal_code = StringField("ZIP code", default="4301")
    pay_on = SelectField(
        "Pay on", choices=[SelectChoice("due", "Monday, November 30 (the due date)")]
    )
    way = RadioField(
        "Way of paying",
        choices=[SelectChoice("card", "Visa ending 4242"), SelectChoice("bank", "Bank account")],
        default="card",
    )
    paperless = BooleanField("Send the bill by e-mail instead of paper", default=True)
    photo = FileField("A photo of what is wrong")
    photos = MultipleFileField("Pictures")


def _usd(minor: int) -> Money:
    return Money(minor, "USD")


def _state(kind: str, text: str) -> Sample:
    return Sample(kind=kind, text=text)


def _form() -> SampleForm:
    form = SampleForm()
    form.postal_code.errors = ["A ZIP code has five digits, like 43099. Yours has four."]
    return form


def _plot() -> Sample:
    bars = [
        Sample(
            label=label,
            initial=initial,
            year=year,
            values=[_usd(internet), _usd(phone), _usd(backup)],
            total=_usd(internet + phone + backup),
            note=note,
        )
        for label, initial, year, internet, phone, backup, note in _MONTHS
    ]
    return Sample(
        title="What was paid in each of thirteen months, by service. November 2026: 72.11.",
        series=["Internet", "Phone, with tax", "Backup, with tax"],
        top=80,
        lines=[20, 40, 60, 80],
        bars=bars,
    )


def _events() -> list[Sample]:
    return [
        Sample(title="Waiting for payment", text="Due November 30", at=None, state="now"),
        Sample(
            title="You opened it",
            text="",
            at=datetime(2026, 11, 11, 0, 20, tzinfo=UTC),
            state="done",
        ),
        Sample(
            title="The first card was declined",
            text="Nothing was charged",
            at=None,
            state="bad",
        ),
        Sample(title="Sent to mara.hollis@example.com", text="", at=None, state=""),
    ]


def _shelf() -> list[Sample]:
    rows = (
        ("Canopy mesh router", "router", 12900, "", _state("go", "27 in stock")),
        ("Knock doorbell", "doorbell", 7900, "", _state("wait", "4 left")),
        ("Phone line", "phone", 800, "a month", _state("go", "Keep your number")),
        ("Fibre box", "ont", 4900, "", _state("", "From December")),
    )
    return [
        Sample(
            href="#drawings",
            name=name,
            picture=f"img/products/{picture}.svg",
            price=_usd(price),
            per=per,
            from_price=False,
            availability=availability,
        )
        for name, picture, price, per, availability in rows
    ]


def _orders() -> list[Sample]:
    rows = (
        ("F-20461", 9, "June Alder", "Router, doorbell, visit, River 100",
         _state("", "In checkout"), _state("", "None yet"), 30665, 4500),
        ("F-20460", 52, "Theo Marchetti", "Moving-in set",
         _state("go", "Paid"), _state("wait", "Visit Nov 24"), 14517, 4100),
        ("F-20457", 58, "Nora Quist", "Canopy pair",
         _state("bad", "Card declined"), _state("", "On hold"), 24389, 0),
    )  # fmt: skip
    return [
        Sample(
            number=number,
            href="#table",
            placed_at=NOW.replace(minute=minute),
            customer=customer,
            what=what,
            payment=payment,
            fulfilment=fulfilment,
            worth=_usd(due),
            monthly=_usd(monthly),
        )
        for number, minute, customer, what, payment, fulfilment, due, monthly in rows
    ]


def sample_context() -> dict[str, Any]:
    """Everything the sheet shows, for ``desk/styleguide.html``."""
    return {
        "usd": _usd,
        "now": NOW,
        "due_on": date(2026, 11, 30),
        "form": _form(),
        "plot": _plot(),
        "events": _events(),
        "shelf": _shelf(),
        "orders": _orders(),
        "contrast_figures": figures(),
        "type_scale": _TYPE,
        "colours": _COLOURS,
        "spaces": _SPACES,
        "product_pictures": _PRODUCTS,
        "scene_pictures": _SCENES,
        "payment_choice": Sample(
            name="payment",
            label="Payment",
            value="paid",
            options=[("", "any"), ("paid", "paid"), ("open", "open")],
        ),
        "rate_choice": Sample(
            name="currency", label="Currency", value="", options=[("", "all"), ("EUR", "EUR")]
        ),
        "pager_page": Sample(
            prev_href="#wayfinding", next_href="#wayfinding", said="51 to 100 of 834"
        ),
    }
