"""The desk's forms to write an invoice, and reading what was typed into them."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from wtforms import DateField, FieldList, Form, FormField, HiddenField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from core.kernel.money import Money, to_micros
from core.ledger.chart import CHART
from invoices.drafts import LEDGER_CODES, MOST_LINES, Draft, DraftLine
from invoices.wording import unit_price

_QUANTITY = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
#: Empty lines that are offered below the written ones.
SPARE = 2
LEDGER_NAMES = {code: name for code, name, _ in CHART if code in LEDGER_CODES}


class StartForm(Form):
    """Whom to bill."""

    account = StringField("Account number", [InputRequired("Type the nine digits of an account.")])


class LineForm(Form):
    """One line; one without words is left out."""

    name = StringField("Text", [Length(max=300, message="At most 300 characters.")])
    quantity = StringField("Quantity")
    price = StringField("Price each")
    tax_category = SelectField("Tax", validate_choice=True)
    ledger_code = SelectField(
        "Ledger", choices=[SelectChoice(code, name) for code, name in LEDGER_NAMES.items()]
    )
    description = StringField("More words", [Length(max=300, message="At most 300 characters.")])
    period_start = DateField("From", [Optional()])
    period_end = DateField("To", [Optional()])
    part_of = StringField("Part of line")
    cost = StringField("Costs us")
    sale_price = StringField("Sells for by itself")


class DraftForm(Form):
    """All of an invoice."""

    lines = FieldList(FormField(LineForm), max_entries=MOST_LINES)
    purchase_order = StringField(
        "Their order number", [Length(max=60, message="At most 60 characters.")]
    )
    message = StringField("A message to them", [Length(max=300, message="At most 300 characters.")])
    revision = HiddenField()

    def offer(self, categories: list[str]) -> None:
        """What each line may be taxed as."""
        choices = [SelectChoice("", "not taxed"), *(SelectChoice(one, one) for one in categories)]
        for entry in self.lines:
            known = choices
            chosen = entry.form.tax_category.data
            if chosen and chosen not in categories:
                known = [*choices, SelectChoice(chosen, chosen)]
            entry.form.tax_category.choices = known

    def grow(self) -> None:
        """A few empty lines more."""
        for _ in range(min(SPARE, MOST_LINES - len(self.lines))):
            self.lines.append_entry({"quantity": "1"})

    def wanted(self, currency: str) -> Draft | None:
        """What was typed; None when something cannot be taken, which then stands with its field."""
        read = [(entry.form, _line(entry.form, currency)) for entry in self.lines]
        kept = [(number, form, line) for number, (form, line) in enumerate(read, 1) if line]
        places = {number: place for place, (number, _, _) in enumerate(kept, 1)}
        lines = []
        for number, form, line in kept:
            parent = line.part_of
            if parent is not None and not _is_bundle(parent, number, dict_of(kept)):
                _wrong(form.part_of, "Name the number of a line above that is no part itself.")
            lines.append(replace(line, part_of=places.get(parent) if parent else None))
        if any(entry.form.errors or _errors(entry.form) for entry in self.lines):
            return None
        return Draft(tuple(lines), _plain(self.purchase_order.data), _plain(self.message.data))

    @classmethod
    def of(cls, draft: Draft, revision: int, currency: str) -> "DraftForm":
        """The form with what a draft says."""
        return cls(
            data={
                "lines": [_typed(line, currency) for line in draft.lines],
                "purchase_order": draft.purchase_order,
                "message": draft.message,
                "revision": str(revision),
            }
        )


def dict_of(kept: list[tuple[int, Any, DraftLine]]) -> dict[int, DraftLine]:
    """Lines by the number that they stand under."""
    return {number: line for number, _, line in kept}


def _is_bundle(parent: int, number: int, lines: Mapping[int, DraftLine]) -> bool:
    return parent < number and parent in lines and lines[parent].part_of is None


def _errors(form: Any) -> bool:
    return any(field.errors for field in form)


def _wrong(field: Any, text: str) -> None:
    field.errors = [*field.errors, text]


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())


def _line(form: Any, currency: str) -> DraftLine | None:
    """One line, or None when it has no words."""
    if not _plain(form.name.data):
        return None
    start, end = form.period_start.data, form.period_end.data
    if isinstance(start, date) and isinstance(end, date) and end < start:
        _wrong(form.period_end, "It cannot end before it begins.")
    return DraftLine(
        name=_plain(form.name.data),
        quantity=_quantity(form.quantity),
        unit_price_micros=_micros(form.price),
        tax_category=form.tax_category.data or "",
        ledger_code=form.ledger_code.data,
        part_of=_number(form.part_of),
        description=_plain(form.description.data),
        period_start=start,
        period_end=end,
        cost_minor=_minor(form.cost, currency),
        sale_price_minor=_minor(form.sale_price, currency),
    )


def _quantity(field: Any) -> Decimal:
    text = _plain(field.data) or "1"
    if not _QUANTITY.fullmatch(text) or not Decimal(text):
        _wrong(field, "A number above zero, like 2 or 1.5.")
        return Decimal(1)
    return Decimal(text)


def _micros(field: Any) -> int:
    text = _plain(field.data).replace("\N{MINUS SIGN}", "-") or "0"
    try:
        return to_micros(text)
    except ValueError:
        _wrong(field, "An amount with a point, like 45.00 or -5.")
        return 0


def _minor(field: Any, currency: str) -> int | None:
    if not _plain(field.data):
        return None
    try:
        return Money.parse(_plain(field.data), currency).minor
    except ValueError:
        _wrong(field, "An amount with a point, like 45.00.")
        return None


def _number(field: Any) -> int | None:
    text = _plain(field.data)
    if not text:
        return None
    if not text.isdecimal() or len(text) > 3:
        _wrong(field, "The number of a line.")
        return None
    return int(text)


def _typed(line: DraftLine, currency: str) -> dict[str, Any]:
    def amount(minor: int | None) -> str:
        return "" if minor is None else str(Money(minor, currency).decimal())

    return {
        "name": line.name,
        "quantity": f"{line.quantity.normalize() + 0:f}",
        "price": str(unit_price(line.unit_price_micros, currency)),
        "tax_category": line.tax_category,
        "ledger_code": line.ledger_code,
        "description": line.description,
        "period_start": line.period_start,
        "period_end": line.period_end,
        "part_of": str(line.part_of or ""),
        "cost": amount(line.cost_minor),
        "sale_price": amount(line.sale_price_minor),
    }
