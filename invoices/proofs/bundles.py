"""Bundles on documents: the line that stands for a bundle shows the sum of its pieces, which alone count."""

from datetime import date

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session, aliased

from core.kernel import proof
from core.kernel.proof import Part
from invoices.models import Invoice, InvoiceLine


def pieces_are_their_bundle(session: Session, as_of: date | None) -> Part:
    """Each bundle's line is the sum of its pieces, of the same document; no bundle lies in a bundle."""
    bundle, piece = InvoiceLine, aliased(InvoiceLine)
    net = func.sum(piece.net_minor)
    keys = (Invoice.kind, Invoice.number, bundle.line_number, Invoice.currency)
    elsewhere = func.sum(case((piece.invoice_id != bundle.invoice_id, 1), else_=0))
    dated = proof.until(Invoice.issue_date, as_of)
    query = (
        select(*keys, net)
        .select_from(piece)
        .join(bundle, bundle.id == piece.parent_id)
        .join(Invoice, Invoice.id == bundle.invoice_id)
        .where(*dated)
        .group_by(*keys, bundle.id, bundle.net_minor, bundle.tax_minor, bundle.parent_id)
        .having(
            or_(
                net != bundle.net_minor,
                elsewhere > 0,
                bundle.tax_minor != 0,
                bundle.parent_id.is_not(None),
            )
        )
        .order_by(Invoice.number, bundle.line_number)
    )
    wrong = proof.offenders(
        session,
        query,
        lambda row: (
            f"{row[0].replace('_', ' ')} {row[1]}, line {row[2]}: "
            f"its pieces come to {proof.amount(row[4], row[3])}"
        ),
    )
    pieces = select(func.count(InvoiceLine.parent_id.distinct())).select_from(InvoiceLine)
    many = proof.count(
        session, pieces.join(Invoice, Invoice.id == InvoiceLine.invoice_id).where(*dated)
    )
    return Part(f"{many:,} bundles on documents", wrong)
