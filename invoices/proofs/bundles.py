"""Bundles on documents: the line that stands for a bundle shows the sum of its pieces, which alone count."""

from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from core.kernel import proof
from core.kernel.proof import Part
from core.orders.models import OrderLine, OrderLineCharge
from invoices.models import Invoice, InvoiceLine, InvoiceLineTax


def pieces_are_their_bundle(session: Session, as_of: date | None) -> Part:
    """Each bundle's line is the sum of its pieces, of the same document; no bundle lies in a bundle.

    Of an ordered one the pieces of each charge kind are what it was ordered for.
    """
    wrong = proof.offenders(
        session,
        _not_their_pieces(as_of),
        lambda row: (
            f"{row[0].replace('_', ' ')} {row[1]}, line {row[2]}: "
            f"its pieces come to {proof.amount(row[4], row[3])}"
        ),
    )
    many = proof.count(session, _many(as_of))
    return Part(f"{many:,} bundles on documents", (*wrong, *_wrong_kinds(session, as_of)))


def _wrong_kinds(session: Session, as_of: date | None) -> tuple[str, ...]:
    """Charge kinds of ordered bundles whose pieces on the order's bill do not come to their price.

    Where a tax that prices contain is not charged, they come to less by it.
    """
    return proof.offenders(
        session,
        _not_their_price(as_of),
        lambda row: (
            f"invoice {row[0]}: {row[2].replace('_', ' ')} pieces of a bundle come to "
            f"{proof.amount(row[4], row[3])} of {proof.amount(row[5], row[3])}"
        ),
    )


# --- statements, each put together once and at first use ------------------------------------------


@lru_cache(maxsize=8)
def _not_their_pieces(as_of: date | None) -> Select[*tuple[Any, ...]]:
    bundle, piece = InvoiceLine, aliased(InvoiceLine)
    net = func.sum(piece.net_minor)
    keys = (Invoice.kind, Invoice.number, bundle.line_number, Invoice.currency)
    elsewhere = func.sum(case((piece.invoice_id != bundle.invoice_id, 1), else_=0))
    return (
        select(*keys, net)
        .select_from(piece)
        .join(bundle, bundle.id == piece.parent_id)
        .join(Invoice, Invoice.id == bundle.invoice_id)
        .where(*proof.until(Invoice.issue_date, as_of))
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


@lru_cache(maxsize=8)
def _many(as_of: date | None) -> Select[int]:
    return (
        select(func.count(InvoiceLine.parent_id.distinct()))
        .select_from(InvoiceLine)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(*proof.until(Invoice.issue_date, as_of))
    )


@lru_cache(maxsize=8)
def _not_their_price(as_of: date | None) -> Select[*tuple[Any, ...]]:
    piece, ordered, charge = InvoiceLine, OrderLine, OrderLineCharge
    inclusive = (InvoiceLineTax.invoice_line_id == piece.id, InvoiceLineTax.inclusive)
    contained = (
        select(func.coalesce(func.sum(InvoiceLineTax.amount_minor), 0))
        .where(*inclusive)
        .scalar_subquery()
    )
    relieved = exists().where(*inclusive, InvoiceLineTax.relief != "")
    pieces = func.sum(piece.net_minor + contained)
    less = func.sum(case((relieved, 1), else_=0))
    keys = (Invoice.number, ordered.parent_id, charge.charge_kind, Invoice.currency)
    return (
        select(*keys, pieces, charge.priced_minor)
        .select_from(piece)
        .join(Invoice, Invoice.id == piece.invoice_id)
        .join(ordered, ordered.id == piece.order_line_id)
        .join(
            charge,
            and_(
                charge.order_line_id == ordered.parent_id,
                charge.charge_kind == ordered.charge_kind,
            ),
        )
        .where(Invoice.kind == "invoice", *proof.until(Invoice.issue_date, as_of))
        .group_by(*keys, charge.priced_minor)
        .having(and_(pieces != charge.priced_minor, or_(less == 0, pieces > charge.priced_minor)))
        .order_by(Invoice.number, charge.charge_kind)
    )
