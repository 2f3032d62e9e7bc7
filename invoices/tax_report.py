"""The tax report of a legal entity for some days: bases, tax and what was credited, by place and rate.

Documents count by their date, which is the date of their ledger entry, so that the report ties to the
account of tax payable. Asked by the desk; all sums are made by the database.
"""

import calendar
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from core.kernel.money import Money
from core.ledger.chart import TAX_PAYABLE
from core.ledger.models import JournalEntry, JournalLine
from core.tax.arithmetic import EXEMPT, REVERSE_CHARGE
from invoices.models import Invoice, InvoiceLine, InvoiceLineTax

#: The kinds of documents that have taxes, and of the entries that they make.
DOCUMENTS = ("invoice", "debit_memo", "credit_memo")
ISSUED = ("invoice_issued", "debit_memo_issued", "credit_memo_issued")


@dataclass(frozen=True)
class Period:
    """A month or a quarter: ``2026-11``, ``2026-Q4``. Both days are in it."""

    code: str
    first: date
    last: date


@dataclass(frozen=True)
class Row:
    """One tax of one place at one rate. Bases and tax are of invoices and debit memos; ``credited`` and
    ``tax_credited`` are what credit memos took off. Exempt and reverse-charge bases are net of credits."""

    jurisdiction: str
    name: str
    rate_ppm: int
    taxable: Money
    credited: Money
    exempt: Money
    reverse_charge: Money
    tax: Money
    tax_credited: Money

    @property
    def tax_due(self) -> Money:
        """What is owed to the place."""
        return self.tax - self.tax_credited


@dataclass(frozen=True)
class Tie:
    """One currency: the report's tax, what else was posted to tax payable, and the account itself."""

    reported: Money
    other: Money
    payable: Money
    #: What was sold without any tax line.
    untaxed: Money

    @property
    def difference(self) -> Money:
        """Zero, or something is wrong."""
        return self.payable - self.reported - self.other


@dataclass(frozen=True)
class Report:
    """The rows by currency, and how each currency ties."""

    rows: dict[str, list[Row]]
    ties: dict[str, Tie]


def month(year: int, number: int) -> Period:
    """A calendar month."""
    last = calendar.monthrange(year, number)[1]
    return Period(f"{year}-{number:02d}", date(year, number, 1), date(year, number, last))


def quarter(year: int, number: int) -> Period:
    """A quarter of a calendar year, 1 to 4."""
    first, last = month(year, 3 * number - 2), month(year, 3 * number)
    return Period(f"{year}-Q{number}", first.first, last.last)


def period(code: str) -> Period | None:
    """The period of a code; None for what is none."""
    year, _, rest = code.partition("-")
    digits = rest.removeprefix("Q")
    if not (year + digits).isascii() or not (year.isdigit() and digits.isdigit()):
        return None
    if len(year) != 4 or int(year) < 1:
        return None
    if rest.startswith("Q"):
        return quarter(int(year), int(digits)) if digits in ("1", "2", "3", "4") else None
    return month(int(year), int(digits)) if len(digits) == 2 and 1 <= int(digits) <= 12 else None


def report(session: Session, legal_entity_id: uuid.UUID, days: Period) -> Report:
    """The report of some days. Needs a snapshot."""
    rows: dict[str, list[Row]] = {}
    for currency, *values in session.execute(_by_rate(legal_entity_id, days)):
        rows.setdefault(currency, []).append(_row(currency, values))
    posted = _posted(session, legal_entity_id, days)
    untaxed = dict(session.execute(_untaxed(legal_entity_id, days)).all())
    ties = {
        currency: Tie(
            Money(sum(row.tax_due.minor for row in rows.get(currency, [])), currency),
            Money(posted.get((currency, False), 0), currency),
            Money(posted.get((currency, False), 0) + posted.get((currency, True), 0), currency),
            Money(int(untaxed.get(currency) or 0), currency),
        )
        for currency in sorted({*rows, *(currency for currency, _ in posted), *untaxed})
    }
    return Report({currency: rows.get(currency, []) for currency in ties}, ties)


def _row(currency: str, values: Sequence[Any]) -> Row:
    jurisdiction, name, rate_ppm, *sums = values
    return Row(jurisdiction, name, rate_ppm, *(Money(int(one or 0), currency) for one in sums))


def _by_rate(legal_entity_id: uuid.UUID, days: Period) -> Select[*tuple[Any, ...]]:
    credit = Invoice.kind == "credit_memo"
    sign = case((credit, -1), else_=1)
    charged = InvoiceLineTax.relief == ""
    base, amount = InvoiceLineTax.base_minor, InvoiceLineTax.amount_minor
    key = (
        Invoice.currency,
        InvoiceLineTax.jurisdiction,
        InvoiceLineTax.name,
        InvoiceLineTax.rate_ppm,
    )
    return (
        select(
            *key,
            _sum(~credit & charged, base),
            _sum(credit & charged, base),
            _sum(InvoiceLineTax.relief == EXEMPT, sign * base),
            _sum(InvoiceLineTax.relief == REVERSE_CHARGE, sign * base),
            _sum(~credit, amount),
            _sum(credit, amount),
        )
        .join(InvoiceLine, InvoiceLine.id == InvoiceLineTax.invoice_line_id)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(*_of(legal_entity_id, days))
        .group_by(*key)
        .order_by(*key)
    )


def _sum(condition: ColumnElement[bool], value: Any) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, value), else_=0)), 0)


def _of(legal_entity_id: uuid.UUID, days: Period) -> list[ColumnElement[bool]]:
    return [
        Invoice.legal_entity_id == legal_entity_id,
        Invoice.kind.in_(DOCUMENTS),
        Invoice.issue_date.between(days.first, days.last),
    ]


def _untaxed(legal_entity_id: uuid.UUID, days: Period) -> Select[str, int]:
    """Net of lines without any tax; a line that only shows the sum of its pieces does not count."""
    piece = aliased(InvoiceLine)
    sign = case((Invoice.kind == "credit_memo", -1), else_=1)
    return (
        select(Invoice.currency, func.sum(sign * InvoiceLine.net_minor))
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(
            *_of(legal_entity_id, days),
            ~exists().where(InvoiceLineTax.invoice_line_id == InvoiceLine.id),
            ~exists().where(piece.parent_id == InvoiceLine.id),
        )
        .group_by(Invoice.currency)
    )


def _posted(
    session: Session, legal_entity_id: uuid.UUID, days: Period
) -> dict[tuple[str, bool], int]:
    """By currency, and whether a document's entry did it: what tax payable grew by."""
    by_document = JournalEntry.kind.in_(ISSUED)
    query = (
        select(JournalLine.currency, by_document, func.sum(-JournalLine.amount_minor))
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(
            JournalLine.legal_entity_id == legal_entity_id,
            JournalLine.ledger_code == TAX_PAYABLE,
            JournalEntry.effective_date.between(days.first, days.last),
        )
        .group_by(JournalLine.currency, by_document)
    )
    return {(currency, bool(by)): int(minor) for currency, by, minor in session.execute(query)}
