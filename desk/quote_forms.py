"""The desk's forms of quotes, and reading what was typed into them."""

import re
from collections.abc import Sequence
from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from cart.quotes.models import MOST_PIECES
from cart.quotes.offer import Discount, Offer
from cart.quotes.wanting import Wanted
from core.kernel.money import MICROS, Money, to_micros
from core.stock import pools
from flows import ask_quote
from flows.draft_quote import Draft
from flows.quote_letters import REASONS
from invoices.wording import unit_price
from web import places
from web.places import PlaceForm

_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?")
#: Empty lines that are offered below the written ones.
SPARE = 2
MOST_LINES, MOST_PLACES = 100, 40
#: A number for each piece, with what stands between them.
_MOST = MOST_PIECES * (pools.LONGEST + len(", "))
PAYMENTS = {"either": "By bill or by card", "terms": "By bill", "card": "By card"}
WITHDRAW = ("mistake", "no_stock", "price_changed", "customer_asked", "other")


class BeginForm(Form):
    """For whom: an account, or somebody new."""

    account = StringField("Account number")
    name = StringField("Name", [Length(max=120, message="At most 120 characters.")])
    email = StringField("E-mail")
    company = StringField("Company", [Length(max=120, message="At most 120 characters.")])
    phone = StringField("Phone", [Length(max=40, message="At most 40 characters.")])


class ContactForm(Form):
    """Whom it is written to."""

    name = StringField("Name", [Length(max=120, message="At most 120 characters.")])
    email = StringField("E-mail")
    company = StringField("Company", [Length(max=120, message="At most 120 characters.")])
    phone = StringField("Phone", [Length(max=40, message="At most 40 characters.")])
    vat_id = StringField("VAT id")


class LineForm(Form):
    """One line: a SKU, or words. One without either is left out."""

    sku = StringField("SKU", [Length(max=60, message="At most 60 characters.")])
    name = StringField("Text", [Length(max=200, message="At most 200 characters.")])
    quantity = StringField("Quantity")
    price = StringField("Price each")
    term = StringField("Term, in months")
    site = SelectField("Place", validate_choice=False)
    cost = StringField("Costs us, each")
    tax_category = SelectField("Tax", validate_choice=False)
    numbers = StringField("Numbers", [Length(max=_MOST, message=f"At most {_MOST:,} characters.")])


class OfferForm(Form):
    """All of a version."""

    lines = FieldList(FormField(LineForm), max_entries=MOST_LINES)
    sites = FieldList(FormField(PlaceForm), max_entries=MOST_PLACES)
    percent = StringField("Discount in percent")
    amount = StringField("or an amount off")
    reason = StringField("Why", [Length(max=200, message="At most 200 characters.")])
    valid_through = DateField("Valid through", [Optional()])
    delivery_method = SelectField("Delivery", validate_choice=False)
    delivery_price = StringField("Delivery’s price, each place")
    payment = SelectField(
        "May be paid", choices=[SelectChoice(code, text) for code, text in PAYMENTS.items()]
    )
    note = TextAreaField(
        "Words to the customer", [Length(max=600, message="At most 600 characters.")]
    )
    revision = HiddenField()

    def offer(self, categories: Sequence[str], ways: Sequence[tuple[str, str]]) -> None:
        """What may be chosen: taxes, places, ways of delivery."""
        for entry in self.sites:
            places.offer(entry.form)
        named = [
            (entry.form.name.data or entry.form.line1.data or "").strip() for entry in self.sites
        ]
        where = [
            SelectChoice(str(at), f"{at + 1} {name}".strip()) for at, name in enumerate(named)
        ] or [SelectChoice("0", "1")]
        taxes = [SelectChoice("", "not taxed"), *(SelectChoice(one, one) for one in categories)]
        for entry in self.lines:
            entry.form.site.choices = where
            entry.form.tax_category.choices = taxes
        self.delivery_method.choices = [
            SelectChoice("", "the cheapest"),
            *(SelectChoice(code, name) for code, name in ways),
        ]

    def grow(self) -> None:
        """A few empty lines more, and room for one place where there is none."""
        for _ in range(min(SPARE, MOST_LINES - len(self.lines))):
            self.lines.append_entry({"quantity": "1"})
        if not len(self.sites):
            self.sites.append_entry({})

    def wanted(self, currency: str) -> tuple[Draft | None, list[int]]:
        """What was typed, and which lines of the form those of the draft are.

        None when something cannot be taken, which then stands with its field.
        """
        kept: list[tuple[int, Wanted]] = []
        for at, entry in enumerate(self.lines):
            line = _line(entry.form)
            if line is not None:
                kept.append((at, line))
        offer = self._offer(currency)
        fields = [field for entry in (*self.lines, *self.sites) for field in entry.form]
        if any(field.errors for field in (*fields, *(self[name] for name in _OWN))):
            return None, []
        return Draft([line for _, line in kept], offer), [at for at, _ in kept]

    def _offer(self, currency: str) -> Offer:
        sites = []
        for entry in self.sites:
            site = places.read(entry.form)
            if site is not None:
                places.wrong(entry.form, ask_quote.site_problems(site))
                sites.append(site)
        ppm, minor = _ppm(self.percent), _minor(self.amount, currency) or 0
        if ppm and minor:
            _wrong(self.amount, "Either a percentage or an amount.")
        if (ppm or minor) and not _plain(self.reason.data):
            _wrong(self.reason, "Say why there is a discount.")
        return Offer(
            sites=tuple(sites),
            discount=Discount(ppm, minor, _plain(self.reason.data)),
            valid_through=self.valid_through.data,
            delivery_method=self.delivery_method.data or "",
            delivery_minor=_minor(self.delivery_price, currency),
            payment=self.payment.data,
            note=_note(self.note.data),
        )

    def show(self, problems: dict[str, str], places_: Sequence[int]) -> None:
        """Put what a flow says next to its fields: ``lines-N.field`` counts the draft's lines."""
        for name, text in problems.items():
            line, _, field = name.partition(".")
            if line.startswith("lines-") and field:
                at = places_[int(line.removeprefix("lines-"))]
                form: Any = self.lines[at].form
                _wrong(form[field if field in form else "sku"], text)
            else:
                _wrong(self[name] if name in _OWN else self.note, text)

    @classmethod
    def of(cls, offer: Offer, revision: int, currency: str) -> "OfferForm":
        """The form with what a version says."""
        discount = offer.discount
        return cls(
            data={
                "lines": [_typed(line, currency) for line in offer.lines],
                "sites": [dict(site) for site in offer.sites],
                "percent": f"{discount.ppm / 10_000:g}" if discount.ppm else "",
                "amount": _amount(discount.minor or None, currency),
                "reason": discount.reason,
                "valid_through": offer.valid_through,
                "delivery_method": offer.delivery_method,
                "delivery_price": _amount(offer.delivery_minor, currency),
                "payment": offer.payment,
                "note": offer.note,
                "revision": str(revision),
            }
        )


_OWN = (
    "percent",
    "amount",
    "reason",
    "valid_through",
    "delivery_method",
    "delivery_price",
    "payment",
    "note",
)


class AskForm(Form):
    """Asking a second person."""

    note = TextAreaField(
        "What they should know", [Length(max=600, message="At most 600 characters.")]
    )
    revision = HiddenField()


class DecideForm(Form):
    """A second person's word."""

    answer = TextAreaField("Your answer", [Length(max=600, message="At most 600 characters.")])
    revision = HiddenField()


class WithdrawForm(Form):
    """Taking it back."""

    reason = RadioField(
        "Why",
        [InputRequired("Choose the reason that fits best.")],
        choices=[SelectChoice(code, REASONS[code].capitalize()) for code in WITHDRAW],
    )
    note = TextAreaField(
        "Words to the customer", [Length(max=600, message="At most 600 characters.")]
    )
    sure = BooleanField(
        "It can no longer be accepted", [InputRequired("Tick this to take it back.")]
    )


def revision_of(text: str | None) -> int:
    """The revision that a form was made from; 0 for what is none."""
    return int(text) if text and text.isdecimal() and len(text) < 9 else 0


# --- reading fields -------------------------------------------------------------------------------


def _line(form: Any) -> Wanted | None:
    sku, name = _plain(form.sku.data), _plain(form.name.data)
    if not sku and not name:
        return None
    return Wanted(
        sku=sku,
        name=name,
        quantity=_whole(form.quantity, 1, MOST_PIECES) or 1,
        price_micros=_micros(form.price),
        term_months=_whole(form.term, 1, 120),
        cost_micros=_micros(form.cost),
        tax_category=form.tax_category.data or "" if not sku else "",
        site=int(form.site.data) if str(form.site.data or "").isdecimal() else 0,
        numbers=tuple(
            one for part in (form.numbers.data or "").split(",") if (one := _plain(part))
        ),
    )


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())


def _note(text: str | None) -> str:
    lines = [_plain(line) for line in (text or "").splitlines()]
    return "\n".join(lines).strip()


def _wrong(field: Any, text: str) -> None:
    field.errors = [*field.errors, text]


def _whole(field: Any, least: int, most: int) -> int | None:
    text = _plain(field.data)
    if not text:
        return None
    if not text.isdecimal() or len(text) > 6 or not least <= int(text) <= most:
        _wrong(field, f"A whole number from {least} to {most}.")
        return None
    return int(text)


def _micros(field: Any) -> int | None:
    text = _plain(field.data)
    if not text:
        return None
    try:
        found = to_micros(text)
    except ValueError:
        found = -1
    if found < 0:
        _wrong(field, "An amount with a point, like 45.00.")
        return None
    return found


def _minor(field: Any, currency: str) -> int | None:
    text = _plain(field.data)
    if not text:
        return None
    try:
        found = Money.parse(text, currency).minor
    except ValueError:
        found = -1
    if found < 0:
        _wrong(field, "An amount with a point, like 45.00.")
        return None
    return found


def _ppm(field: Any) -> int:
    text = _plain(field.data).removesuffix("%").strip()
    if not text:
        return 0
    found = to_micros(text) // 100 if _PERCENT.fullmatch(text) else MICROS + 1
    if found > MICROS:
        _wrong(field, "A percentage from 0 to 100, like 7.5.")
        return 0
    return found


def _amount(minor: int | None, currency: str) -> str:
    return "" if minor is None else str(Money(minor, currency).decimal())


def _typed(line: Any, currency: str) -> dict[str, Any]:
    def price(micros: int | None) -> str:
        return "" if micros is None else str(unit_price(micros, currency))

    return {
        "sku": line.sku,
        "name": line.name,
        "quantity": str(line.quantity),
        "price": price(line.unit_price_micros),
        "term": str(line.term_months or ""),
        "site": str(line.site),
        "cost": price(line.cost_micros),
        "tax_category": line.tax_category,
        "numbers": ", ".join(line.numbers),
    }
