"""What a quote says: the same frozen document as a bill's, which asks for nothing. Pure.

Built by ``flows.quote_paper`` when a version is sent, or looked at before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from core.kernel.money import Money
from invoices import wording
from invoices.content import Content
from invoices.document import InvoiceDocument, Later
from invoices.figures import Figures, figures
from invoices.wording import Name, Printing, unit_price

_EVERY = {"monthly": "month", "yearly": "year"}


@dataclass(frozen=True)
class Recurring:
    """What is charged again each ``monthly`` or ``yearly`` period."""

    charge_kind: str
    net: Money
    tax: Money


@dataclass(frozen=True)
class Quoted:
    """A quote's content, with what no bill has. ``number`` is empty for one in the making."""

    content: Content
    number: str
    valid_until: date | None
    recurring: Sequence[Recurring]
    saved: Money
    because: str = ""


def document(quoted: Quoted, printing: Printing) -> InvoiceDocument:
    """The document that page and PDF show."""
    content = quoted.content
    say = figures(content.currency, content.locale)
    made = wording.document(content, Name(number=quoted.number), printing)
    return replace(
        made,
        due_date=None,
        valid_until=quoted.valid_until,
        later=tuple(
            Later(_EVERY[part.charge_kind], part.net.decimal(), part.tax.decimal())
            for part in quoted.recurring
        ),
        notes=(*_saved(quoted, say), *made.notes, say.words.how_to_accept),
    )


def _saved(quoted: Quoted, say: Figures) -> tuple[str, ...]:
    if quoted.saved.minor <= 0:
        return ()
    amount = str(say.alone(quoted.saved.decimal()))
    if not quoted.because:
        return (say.words.you_save_simply.format(amount=amount),)
    return (say.words.you_save.format(amount=amount, reason=quoted.because),)


def about_line(
    content_locale: str,
    currency: str,
    charge_kind: str,
    term_months: int | None,
    list_micros: int | None,
    final_micros: int,
) -> str:
    """The small words under a line: how often, for how long, and the list price that it is below."""
    say = figures(currency, content_locale)
    words, parts = say.words, []
    if charge_kind in _EVERY:
        every = words.year if charge_kind == "yearly" else words.month
        parts.append(words.first_period.format(every=every))
        if term_months is not None:
            parts.append(words.for_term.format(months=term_months))
    if list_micros is not None and list_micros != final_micros:
        price: Decimal = unit_price(list_micros, currency)
        parts.append(words.list_price.format(price=say.price(price)))
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]
