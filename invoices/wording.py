"""The frozen document of a ``Content``: what its page and its PDF say. Pure.

Called at issue, and to preview a draft.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from core.kernel.money import MICROS, minor_digits
from core.parties.models import Account
from core.tax.arithmetic import EXEMPT, REVERSE_CHARGE
from invoices.content import Content, Item, TaxPart
from invoices.document import (
    Buyer,
    EarlyPayment,
    InvoiceDocument,
    Kind,
    Line,
    Preceding,
    Seller,
    TaxSubtotal,
    Totals,
    scan_line,
)
from invoices.figures import Figures, figures
from invoices.reasons import reasons
from invoices.words import Words

#: Parts per million in a percent.
PER_CENT = 10_000
_ASKS_NOTHING = (Kind.CREDIT_MEMO, Kind.QUOTE)
#: BT-118: standard rate, exempt, reverse charge.
CATEGORIES = {"": "S", EXEMPT: "E", REVERSE_CHARGE: "AE"}


@dataclass(frozen=True)
class Printing:
    """How a document speaks of the outside: its page's address, and postal lines of an address."""

    page_url: Callable[[str], str]
    postal: Callable[[dict[str, Any] | None], tuple[str, ...]]
    #: What is typed beside an account's number to pay without logging in.
    pay_code: Callable[[Account], str] | None = None


@dataclass(frozen=True)
class Name:
    """What a document is called: its number, as the scan line has it, and its page. A draft has none."""

    number: str = ""
    scan_number: int = 0
    page_url: str = ""


def document(
    content: Content, name: Name, printing: Printing, early_minor: int = 0
) -> InvoiceDocument:
    """The document. ``early_minor`` is what the discount for paying early comes to, tax included."""
    say = figures(content.currency, content.locale)
    due = content.total_minor - content.applied_minor
    asks = bool(name.number) and content.kind not in _ASKS_NOTHING and due > 0
    early = _early(content, early_minor, due) if early_minor else None
    account = content.payer.number
    return InvoiceDocument(
        kind=content.kind,
        number=name.number,
        issue_date=content.issue_date,
        due_date=content.due_date,
        currency=content.currency,
        locale=content.locale,
        seller=_seller(content),
        buyer=Buyer(
            name=content.payer.name,
            address=printing.postal(content.payer.billing_address),
            account_number=account,
            email=content.payer.email or "",
            vat_id=_accounting_for_vat(content) or content.payer.vat_id or "",
        ),
        deliver_to=content.deliver_to,
        order_number=content.order_number,
        purchase_order=content.purchase_order,
        cost_centre=content.cost_centre,
        lines=tuple(_line(content, item, say) for item in content.items),
        tax_breakdown=breakdown(content),
        applied=tuple(content.applied),
        totals=_totals(content, due),
        terms=_terms(content, due, say),
        early=early,
        preceding=_preceding(content),
        reason=getattr(say.words, content.reason, ""),
        notes=(*_saving(early, say), *content.notes, *_tax_notes(content, say.words)),
        message=content.message,
        pay_url=name.page_url if asks else None,
        pay_code=printing.pay_code(content.payer) if asks and printing.pay_code else None,
        scan_line=scan_line(int(account), name.scan_number, due) if asks else None,
        draft=not name.number,
    )


def _seller(content: Content) -> Seller:
    entity = content.entity
    return Seller(
        name=entity.name,
        address=tuple(str(line) for line in entity.address),
        tax_id=entity.tax_id or "",
        phone=entity.phone or "",
        email=entity.email or "",
    )


def _totals(content: Content, due: int) -> Totals:
    contained = sum(item.contained_minor for item in content.counted)
    return Totals(
        line_total=content.decimal(content.net_minor + contained),
        tax=content.decimal(content.tax_minor),
        gross=content.decimal(content.total_minor),
        applied=content.decimal(content.applied_minor),
        amount_due=content.decimal(due),
    )


def _preceding(content: Content) -> tuple[Preceding, ...]:
    corrected = content.corrects
    return (Preceding(corrected.number, corrected.issue_date),) if corrected is not None else ()


def _line(content: Content, item: Item, say: Figures) -> Line:
    return Line(
        line_no=item.line_number,
        name=item.name,
        net=content.decimal(_as_priced(content, item)),
        quantity=item.quantity,
        unit_price=unit_price(item.unit_price_micros, content.currency)
        if item.priced_each and item.line_number not in content.bundles
        else None,
        parent_no=item.parent,
        group=item.group,
        description=item.description,
        unit=item.unit,
        sku=item.sku if item.prints_sku else "",
        tax_category=item.tax_category,
        period_start=item.period_start,
        period_end=item.period_end,
        why=reasons(item.why, say),
    )


def _as_priced(content: Content, item: Item) -> int:
    """Its net, with the tax that its price contains."""
    if item.line_number not in content.bundles:
        return item.net_minor + item.contained_minor
    pieces = [piece for piece in content.items if piece.parent == item.line_number]
    return item.net_minor + sum(piece.contained_minor for piece in pieces)


@lru_cache(maxsize=4096)
def unit_price(micros: int, currency: str) -> Decimal:
    """A unit price with the currency's decimals, or as many more as it needs."""
    price = (Decimal(micros) / MICROS).normalize()
    digits = max(minor_digits(currency), -int(price.as_tuple().exponent))
    return price.quantize(Decimal(1).scaleb(-digits))


def breakdown(content: Content) -> tuple[TaxSubtotal, ...]:
    """Base and amount of each tax, place and rate."""
    sums: dict[tuple[str, str, int, bool, str, str], list[int]] = {}
    for part in _parts(content.counted):
        contained = part.inclusive and not part.relief
        told = (part.relief, part.reference)
        key = (part.jurisdiction, part.name, part.rate_ppm, contained, *told)
        pair = sums.setdefault(key, [0, 0])
        pair[0] += part.base_minor
        pair[1] += part.amount_minor
    return tuple(
        TaxSubtotal(
            jurisdiction=jurisdiction,
            category=CATEGORIES[relief],
            rate=(Decimal(ppm) / PER_CENT).normalize(),
            base=content.decimal(base),
            amount=content.decimal(amount),
            inclusive=inclusive,
            name=name,
            relief=relief,
            reference=reference,
        )
        for (jurisdiction, name, ppm, inclusive, relief, reference), (base, amount) in sums.items()
    )


def _accounting_for_vat(content: Content) -> str:
    """The VAT id of a buyer who accounts for tax themselves, or empty."""
    parts = _parts(content.counted)
    return next((part.reference for part in parts if part.relief == REVERSE_CHARGE), "")


def _tax_notes(content: Content, words: Words) -> list[str]:
    return [words.reverse_charge] if _accounting_for_vat(content) else []


def _parts(items: Sequence[Item]) -> list[TaxPart]:
    return [part for item in items for part in item.taxes]


def _early(content: Content, early_minor: int, due: int) -> EarlyPayment | None:
    if content.terms is None or content.discount_until is None or due <= early_minor:
        return None
    return EarlyPayment(
        percent=Decimal(content.terms.discount_ppm) / PER_CENT,
        until=content.discount_until,
        saved=content.decimal(early_minor),
        to_pay=content.decimal(due - early_minor),
    )


def _terms(content: Content, due: int, say: Figures) -> str:
    words = say.words
    if content.kind in _ASKS_NOTHING:
        return ""
    if due <= 0:
        return words.paid_in_full if content.total_minor else words.nothing_due
    if content.due_date is None or content.due_date == content.issue_date:
        return words.pay_on_receipt
    days = (content.due_date - content.issue_date).days
    return words.pay_within.format(days=days)


def _saving(early: EarlyPayment | None, say: Figures) -> tuple[str, ...]:
    """What paying early is worth, in words."""
    if early is None:
        return ()
    return (
        say.words.discount.format(
            amount=say.alone(early.to_pay),
            day=say.day(early.until),
            saved=say.alone(early.saved),
            percent=say.rate(early.percent),
        ),
    )
