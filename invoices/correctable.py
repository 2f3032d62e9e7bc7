"""The lines of a bill that a memo may correct, each with what was credited of it before.

Read by ``memos`` under the payer's lock, and by the desk's pages.
"""

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.ledger.chart import GIFT_CARDS
from invoices import correcting
from invoices.content import TaxPart
from invoices.correcting import Creditable
from invoices.document import Kind
from invoices.models import Invoice, InvoiceLine, InvoiceLineTax


@dataclass(frozen=True)
class Corrected:
    """A line of the bill with its row and what is left of it."""

    row: InvoiceLine
    creditable: Creditable


def is_correctable(invoice: Invoice) -> bool:
    """Is it a bill of our own?"""
    return invoice.kind in ("invoice", "debit_memo") and not invoice.is_external


def lines_of(session: Session, invoice_id: uuid.UUID) -> list[Corrected]:
    """The lines of a document that count, each with what was credited of it before.

    Not those of gift cards: what they cost is on the cards, and goes back with them.
    """
    rows = session.scalars(
        select(InvoiceLine)
        .where(InvoiceLine.invoice_id == invoice_id)
        .order_by(InvoiceLine.line_number)
    ).all()
    bundles = {row.parent_id for row in rows}
    counted = [row for row in rows if row.id not in bundles and row.ledger_code != GIFT_CARDS]
    taxes = _taxes(session, invoice_id)
    nets, parts = _credited(session, invoice_id)
    return [
        Corrected(
            row,
            Creditable(
                row.line_number,
                row.net_minor,
                tuple(TaxPart.of(tax) for tax in taxes.get(row.id, [])),
                nets.get(row.id, 0),
                tuple(parts.get((row.id, tax.position), (0, 0)) for tax in taxes.get(row.id, [])),
            ),
        )
        for row in counted
    ]


def _taxes(session: Session, invoice_id: uuid.UUID) -> dict[uuid.UUID, list[InvoiceLineTax]]:
    found: dict[uuid.UUID, list[InvoiceLineTax]] = {}
    for row in session.scalars(
        select(InvoiceLineTax)
        .join(InvoiceLine, InvoiceLine.id == InvoiceLineTax.invoice_line_id)
        .where(InvoiceLine.invoice_id == invoice_id)
        .order_by(InvoiceLineTax.position)
    ):
        found.setdefault(row.invoice_line_id, []).append(row)
    return found


def _credited(
    session: Session, invoice_id: uuid.UUID
) -> tuple[dict[uuid.UUID, int], dict[tuple[uuid.UUID, int], tuple[int, int]]]:
    """What credit memos took of each line: net, and (base, amount) of each tax by its position."""
    mine = select(InvoiceLine.id).where(InvoiceLine.invoice_id == invoice_id)
    of_memos = (
        select(InvoiceLine.id, InvoiceLine.memo_of_id, InvoiceLine.net_minor)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(InvoiceLine.memo_of_id.in_(mine), Invoice.kind == Kind.CREDIT_MEMO.value)
        .subquery()
    )
    nets = {
        key: int(net)
        for key, net in session.execute(
            select(of_memos.c.memo_of_id, func.sum(of_memos.c.net_minor)).group_by(
                of_memos.c.memo_of_id
            )
        )
    }
    base, amount = func.sum(InvoiceLineTax.base_minor), func.sum(InvoiceLineTax.amount_minor)
    key = (of_memos.c.memo_of_id, InvoiceLineTax.position)
    rows = session.execute(
        select(*key, base, amount)
        .join(InvoiceLineTax, InvoiceLineTax.invoice_line_id == of_memos.c.id)
        .group_by(*key)
    )
    return nets, {(line, place): (int(one), int(two)) for line, place, one, two in rows}


def discount_left(session: Session, bill: Invoice) -> int:
    """What the bill's discount for early payment comes to now, tax included, in minor units; 0 for none.

    Credits made it less; once taken it is gone.
    """
    taken = select(Invoice.id).where(Invoice.made_of == discount_key(bill.id))
    if bill.discount_ppm is None or session.scalar(taken) is not None:
        return 0
    lines = [line.creditable for line in lines_of(session, bill.id)]
    return correcting.percent_total(lines, bill.discount_ppm, bill.currency)


def discount_key(invoice_id: uuid.UUID) -> str:
    """What the memo of a bill's discount is made of: there is one at most."""
    return f"discount:{invoice_id}"
