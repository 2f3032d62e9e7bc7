"""Stored statements: their bytes have their hash, their words are the books' figures, none is missing."""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.blobs import Blob, Blobs
from core.kernel.money import Money
from core.kernel.proof import Part
from invoices.proofs.stored import PATIENCE, changed, disagreeing
from invoices.statements.document import StatementDocument, fingerprint
from invoices.statements.models import Statement, StoredStatement


def bytes_have_their_hash(session: Session, blobs: Blobs) -> Part:
    """Reads the stored bytes of every statement whole."""
    stored = proof.count(session, proof.every(StoredStatement))
    size = proof.count(session, _size())
    return Part(
        f"{stored:,} stored statements, {size / 1e6:,.1f} MB",
        proof.first_few(changed(session, blobs, _stored(), "statement")),
    )


def words_are_the_figures(session: Session) -> Part:
    """Each frozen document has its fingerprint, adds up, and says what its row says."""
    count = proof.count(session, proof.every(Statement))
    wrong = disagreeing(session, _said(), "statement", _disagreements)
    return Part(f"{count:,} statements read", proof.first_few(wrong))


def _disagreements(row: Any) -> Iterator[str]:
    if fingerprint(row.document) != row.document_sha256:
        yield "its words are not those that it was made with"
    document = StatementDocument.from_dict(row.document)
    yield from document.disagreements()
    said = (
        document.number,
        document.currency,
        document.issue_date,
        document.period_end,
        document.cutoff,
        document.movement_count,
    )
    if said != tuple(row[:6]):
        yield "its words and its row differ in number, currency, dates, cut-off or count"
    figures = (
        document.opening,
        document.moved,
        document.payments,
        document.adjustments,
        document.charges,
        document.closing,
        document.amount_due,
    )
    for amount, minor in zip(figures, row[6:13], strict=True):
        if amount != Money(minor, row.currency).decimal():
            yield f"it says {amount}, its row {Money(minor, row.currency)}"


def none_is_missing(session: Session, now: datetime) -> Part:
    """Each statement has its stored document; a young one may still wait for it."""
    since = {"since": now - PATIENCE}
    return Part(
        f"{proof.count(session, _young(), since):,} statements waiting to be rendered",
        proof.offenders(
            session, _late(), lambda row: f"statement {row[0]} was never rendered", since
        ),
    )


# --- statements, each put together once and at first use ------------------------------------------


@cache
def _size() -> Select[int]:
    return select(func.sum(Blob.size)).where(Blob.sha256.in_(select(StoredStatement.sha256)))


@cache
def _stored() -> Select[str, str]:
    return (
        select(Statement.number, StoredStatement.sha256)
        .join(Statement, Statement.id == StoredStatement.statement_id)
        .order_by(Statement.number)
        .execution_options(yield_per=500)
    )


@cache
def _said() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Statement.number,
            Statement.currency,
            Statement.issue_date,
            Statement.period_end,
            Statement.cutoff,
            Statement.entry_count,
            Statement.opening_minor,
            Statement.moved_minor,
            Statement.payments_minor,
            Statement.adjustments_minor,
            Statement.charges_minor,
            Statement.closing_minor,
            Statement.due_minor,
            Statement.document,
            Statement.document_sha256,
        )
        .order_by(Statement.id)
        .execution_options(yield_per=20)
    )


@cache
def _young() -> Select[int]:
    young = _missing().where(Statement.made_at >= bindparam("since"))
    return select(func.count()).select_from(young.subquery())


@cache
def _late() -> Select[str]:
    return _missing().where(Statement.made_at < bindparam("since")).order_by(Statement.number)


def _missing() -> Select[str]:
    return (
        select(Statement.number)
        .outerjoin(StoredStatement, StoredStatement.statement_id == Statement.id)
        .where(StoredStatement.statement_id.is_(None))
    )
