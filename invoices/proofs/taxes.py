"""The tax report is tax payable: the tax lines of documents are what their entries posted, day by day."""

from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, case, func, select, union_all
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.proof import Part
from core.ledger.chart import TAX_PAYABLE
from core.ledger.models import JournalEntry, JournalLine
from core.parties.models import LegalEntity
from invoices.models import Invoice, InvoiceLine, InvoiceLineTax
from invoices.tax_report import DOCUMENTS, ISSUED


def report_is_tax_payable(session: Session, as_of: date | None) -> Part:
    """For each legal entity, currency and day, the report's tax is what documents posted."""
    wrong = proof.offenders(
        session,
        _uneven(as_of),
        lambda row: (
            f"{row[0]}, {row[2]}: report and tax payable differ by {proof.amount(row[3], row[1])}"
        ),
    )
    said = proof.amounts(session, _tax(as_of))
    return Part(f"tax {said}", wrong)


# --- statements, each put together once and at first use ------------------------------------------


@lru_cache(maxsize=8)
def _uneven(as_of: date | None) -> Select[*tuple[Any, ...]]:
    sides = union_all(_reported(as_of), _posted(as_of)).subquery()
    difference = func.sum(sides.c.amount)
    keys = (sides.c.legal_entity_id, sides.c.currency, sides.c.day)
    return (
        select(LegalEntity.code, sides.c.currency, sides.c.day, difference)
        .join(LegalEntity, LegalEntity.id == sides.c.legal_entity_id)
        .group_by(LegalEntity.code, *keys)
        .having(difference != 0)
        .order_by(LegalEntity.code, sides.c.day, sides.c.currency)
    )


@lru_cache(maxsize=8)
def _tax(as_of: date | None) -> Select[str, int]:
    reported = _reported(as_of).subquery()
    sums = select(reported.c.currency, func.sum(reported.c.amount)).group_by(reported.c.currency)
    return sums.order_by(reported.c.currency)


def _reported(as_of: date | None) -> Select[*tuple[Any, ...]]:
    sign = case((Invoice.kind == "credit_memo", -1), else_=1)
    return (
        select(
            Invoice.legal_entity_id.label("legal_entity_id"),
            Invoice.currency.label("currency"),
            Invoice.issue_date.label("day"),
            (sign * InvoiceLineTax.amount_minor).label("amount"),
        )
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .join(InvoiceLineTax, InvoiceLineTax.invoice_line_id == InvoiceLine.id)
        .where(Invoice.kind.in_(DOCUMENTS), *proof.until(Invoice.issue_date, as_of))
    )


def _posted(as_of: date | None) -> Select[*tuple[Any, ...]]:
    return (
        select(
            JournalLine.legal_entity_id,
            JournalLine.currency,
            JournalEntry.effective_date,
            JournalLine.amount_minor,
        )
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(
            JournalLine.ledger_code == TAX_PAYABLE,
            JournalEntry.kind.in_(ISSUED),
            *proof.until(JournalEntry.effective_date, as_of),
        )
    )
