"""Numbers and credits: no number of ours is missing, none comes twice, no line is credited twice over."""

from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from core.kernel import proof
from core.kernel.numbering import NumberSeries
from core.kernel.proof import Numbered, Part
from invoices.models import Invoice, InvoiceLine
from invoices.numbers import INVOICES, SERIES, Series


def numbers_have_no_gap(session: Session) -> Part:
    """Our own series run from 1 without a gap, and a document's number tells its place."""
    part = proof.numbers(session, _ours(), lambda number: str(INVOICES.before_first + number))
    return Part(f"{part.figure} documents of ours", part.offenders)


def no_number_comes_twice(session: Session) -> Part:
    """Also among imported documents, which tell their content by its hash."""
    return Part(
        f"{proof.count(session, _imported()):,} imported",
        (
            *proof.offenders(
                session, _twice(), lambda row: f"{row[0]} {row[1]} is there {row[2]} times"
            ),
            *proof.offenders(
                session, _unhashed(), lambda row: f"{row[0]} {row[1]} has no content hash"
            ),
        ),
    )


def credits_stay_below_their_lines(session: Session) -> Part:
    """Credit per line ≤ line; a line that is credited in full gets back exactly its tax."""
    return Part(
        f"{proof.count(session, _credited()):,} lines credited, "
        f"{proof.count(session, _alone()):,} memos stand alone",
        proof.offenders(
            session,
            _overcredited(),
            lambda row: (
                f"{row[0]} {row[1]}, line {row[2]}: {proof.amount(row[3], row[5])} credited "
                f"of {proof.amount(row[4], row[5])}"
            ),
        ),
    )


# --- statements, each put together once and at first use ------------------------------------------


@cache
def _ours() -> Numbered:
    matching = or_(*(_is_number_of(series) for series in SERIES.values()))
    rows = (
        select(
            Invoice.legal_entity_id,
            Invoice.series,
            case((matching, Invoice.series_position)).label("position"),
        )
        .where(Invoice.is_external.is_(False))
        .subquery()
    )
    in_use = select(Invoice.series).where(Invoice.is_external.is_(False))
    known = [series.name for series in SERIES.values()]
    ours = or_(NumberSeries.series.in_(known), NumberSeries.series.in_(in_use))
    return Numbered(rows, ours)


def _is_number_of(series: Series) -> ColumnElement[bool]:
    shown = literal(series.prefix) + cast(Invoice.series_position + series.before_first, String)
    return and_(Invoice.series == series.name, Invoice.number == shown)


@cache
def _twice() -> Select[*tuple[Any, ...]]:
    key = (Invoice.legal_entity_id, Invoice.series, Invoice.number)
    return (
        select(Invoice.series, Invoice.number, func.count())
        .group_by(*key)
        .having(func.count() > 1)
        .order_by(Invoice.series, Invoice.number)
    )


@cache
def _unhashed() -> Select[str, str]:
    return (
        select(Invoice.series, Invoice.number)
        .where(Invoice.is_external.is_(True), Invoice.content_hash.is_(None))
        .order_by(Invoice.series, Invoice.number)
    )


@cache
def _imported() -> Select[int]:
    return select(func.count()).select_from(Invoice).where(Invoice.is_external.is_(True))


@cache
def _overcredited() -> Select[*tuple[Any, ...]]:
    memo, corrected = aliased(InvoiceLine), aliased(InvoiceLine)
    net, tax = func.sum(memo.net_minor), func.sum(memo.tax_minor)
    line = corrected.net_minor + corrected.tax_minor
    grouped = (corrected.id, corrected.line_number, corrected.net_minor, corrected.tax_minor)
    return (
        select(
            Invoice.kind, Invoice.number, corrected.line_number, net + tax, line, Invoice.currency
        )
        .select_from(memo)
        .join(corrected, corrected.id == memo.memo_of_id)
        .join(Invoice, Invoice.id == corrected.invoice_id)
        .where(memo.invoice_id.in_(select(Invoice.id).where(Invoice.kind == "credit_memo")))
        .group_by(Invoice.kind, Invoice.number, Invoice.currency, *grouped)
        .having(
            or_(
                and_(line >= 0, net + tax > line),
                and_(line < 0, net + tax < line),
                and_(net == corrected.net_minor, tax != corrected.tax_minor),
            )
        )
    )


@cache
def _credited() -> Select[int]:
    return select(func.count(InvoiceLine.memo_of_id.distinct()))


@cache
def _alone() -> Select[int]:
    has_original = exists().where(
        InvoiceLine.invoice_id == Invoice.id, InvoiceLine.memo_of_id.is_not(None)
    )
    return select(func.count()).where(Invoice.kind == "credit_memo", ~has_original)
