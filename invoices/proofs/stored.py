"""Stored documents: their bytes have their hash, their words are the books' figures, none is missing."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.blobs import Blob, Blobs, is_whole
from core.kernel.money import Money
from core.kernel.proof import Part
from invoices.document import InvoiceDocument
from invoices.models import Invoice, StoredDocument

#: So long a document of ours may wait to be rendered before something is wrong.
PATIENCE = timedelta(minutes=10)


def bytes_have_their_hash(session: Session, blobs: Blobs) -> Part:
    """Reads every stored document whole."""
    stored = proof.count(session, proof.every(StoredDocument))
    size = proof.count(session, _size())
    return Part(
        f"{stored:,} stored documents, {size / 1e6:,.1f} MB",
        proof.first_few(changed(session, blobs, _stored(), "document")),
    )


def changed(session: Session, blobs: Blobs, stored: Select[str, str], what: str) -> Iterator[str]:
    """Which of some stored papers, by number and hash, are not as they were; ``what`` they are."""
    found = session.execute(stored)
    with closing(found) as rows:  # whoever has seen enough reads no further
        for number, sha256 in rows:
            if not is_whole(blobs, sha256):
                yield f"the bytes of {what} {number} are missing or not those of {sha256[:12]}…"


def words_are_the_figures(session: Session) -> Part:
    """Each frozen document adds up and says what its row says."""
    documents = proof.count(session, proof.every(Invoice))
    wrong = disagreeing(session, _said(), "document", _disagreements)
    return Part(f"{documents:,} documents read", proof.first_few(wrong))


def disagreeing(
    session: Session,
    said: Select[*tuple[Any, ...]],
    what: str,
    disagreements: Callable[[Any], Iterator[str]],
) -> Iterator[str]:
    """What the words of some papers, row by row, say otherwise than their rows; ``what`` they are."""
    found = session.execute(said)
    with closing(found) as rows:  # whoever has seen enough reads no further
        for row in rows:
            for wrong in disagreements(row):
                yield f"{what} {row.number}: {wrong}"


def _disagreements(row: Any) -> Iterator[str]:
    document = InvoiceDocument.from_dict(row.document)
    yield from document.disagreements()
    said = (
        document.number,
        document.kind.value,
        document.currency,
        document.issue_date,
        document.due_date,
    )
    if said != (row.number, row.kind, row.currency, row.issue_date, row.due_date):
        yield "its words and its row differ in number, kind, currency or dates"
    if document.totals.gross != Money(row.total_minor, row.currency).decimal():
        yield f"it says {document.totals.gross}, its row {Money(row.total_minor, row.currency)}"


def none_is_missing(session: Session, now: datetime) -> Part:
    """Each document that we issued has its stored document; a young one may still wait for it."""
    since = {"since": now - PATIENCE}
    waiting = proof.count(session, _young(), since)
    return Part(
        f"{waiting:,} waiting to be rendered",
        proof.offenders(
            session,
            _late(),
            lambda row: f"document {row[0]} was never rendered",
            since,
        ),
    )


# --- statements, each put together once and at first use ------------------------------------------


@cache
def _size() -> Select[int]:
    return select(func.sum(Blob.size)).where(Blob.sha256.in_(select(StoredDocument.sha256)))


@cache
def _stored() -> Select[str, str]:
    return (
        select(Invoice.number, StoredDocument.sha256)
        .join(Invoice, Invoice.id == StoredDocument.invoice_id)
        .order_by(Invoice.number)
        .execution_options(yield_per=500)
    )


@cache
def _said() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Invoice.number,
            Invoice.kind,
            Invoice.currency,
            Invoice.issue_date,
            Invoice.due_date,
            Invoice.total_minor,
            Invoice.document,
        )
        .order_by(Invoice.id)
        .execution_options(yield_per=100)
    )


@cache
def _young() -> Select[int]:
    young = _missing().where(Invoice.issued_at >= bindparam("since"))
    return select(func.count()).select_from(young.subquery())


@cache
def _late() -> Select[str]:
    return _missing().where(Invoice.issued_at < bindparam("since")).order_by(Invoice.number)


def _missing() -> Select[str]:
    return (
        select(Invoice.number)
        .outerjoin(StoredDocument, StoredDocument.invoice_id == Invoice.id)
        .where(Invoice.is_external.is_(False), StoredDocument.invoice_id.is_(None))
    )
