"""Reading documents: of an order, of accounts, one by its public id, and their stored bytes."""

import functools
import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, func, or_, select, tuple_, union
from sqlalchemy.orm import Session, load_only

from core.kernel.blobs import Blobs
from core.kernel.errors import NotFound
from core.kernel.sorting import By, Place, Sorts
from core.parties.listing import called
from core.parties.models import Account
from invoices.models import Invoice, InvoiceLine, StoredDocument


def of_order(session: Session, order_id: uuid.UUID) -> Sequence[Invoice]:
    """The documents of one order, the oldest first."""
    return session.scalars(
        select(Invoice).where(Invoice.order_id == order_id).order_by(Invoice.issued_at)
    ).all()


def of_accounts(
    session: Session,
    account_ids: Sequence[uuid.UUID],
    *,
    currency: str | None = None,
    before: tuple[date, uuid.UUID] | None = None,
    limit: int = 25,
) -> Sequence[Invoice]:
    """The documents that the accounts are billed by, the newest first, behind ``before``."""
    query = select(Invoice).where(Invoice.payer_account_id.in_(account_ids))
    if currency is not None:
        query = query.where(Invoice.currency == currency)
    if before is not None:
        query = query.where(tuple_(Invoice.issue_date, Invoice.id) < tuple_(*before))
    return session.scalars(
        query.order_by(Invoice.issue_date.desc(), Invoice.id.desc()).limit(limit)
    ).all()


#: So many of the last documents an account's first page tells.
LATELY = 10


def lately(
    session: Session,
    account_ids: Sequence[uuid.UUID],
    currency: str,
    also: Sequence[uuid.UUID] = (),
) -> tuple[list[Invoice], dict[uuid.UUID, Invoice]]:
    """The last documents of some accounts, the newest first, as far as lists tell of them; and by their
    keys those of ``also``, which are documents of the same accounts."""
    asked = {"accounts": list(account_ids), "currency": currency, "also": list(also)}
    rows = session.scalars(_lately(), asked).all()
    wanted = set(also)
    return list(rows[:LATELY]), {row.id: row for row in rows if row.id in wanted}


@functools.cache
def _lately() -> Select[Invoice]:
    newest = (Invoice.issue_date.desc(), Invoice.id.desc())
    also: BindParameter[uuid.UUID] = bindparam("also", expanding=True)
    last = (
        select(Invoice.id)
        .where(
            Invoice.payer_account_id.in_(bindparam("accounts", expanding=True)),
            Invoice.currency == bindparam("currency"),
        )
        .order_by(*newest)
        .limit(LATELY)
        .subquery()
    )
    named = select(Invoice.id).where(Invoice.id.in_(also))
    # A union, as one condition or the other would read the whole table.
    both = union(select(last.c.id), named).subquery()
    return select(Invoice).options(_told()).join(both, both.c.id == Invoice.id).order_by(*newest)


def _told() -> Any:
    """What a line of a list tells of a document, and nothing else."""
    return load_only(
        Invoice.public_id,
        Invoice.payer_account_id,
        Invoice.kind,
        Invoice.number,
        Invoice.currency,
        Invoice.total_minor,
        Invoice.issue_date,
        Invoice.due_date,
        Invoice.corrects_id,
        raiseload=True,
    )


def some(session: Session, invoice_ids: Sequence[uuid.UUID]) -> Sequence[Invoice]:
    """The documents with these keys, in no order."""
    return session.scalars(select(Invoice).where(Invoice.id.in_(invoice_ids))).all()


def names(session: Session, keys: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[str, str]]:
    """Number and public id of those of the keys that are documents'."""
    if not keys:
        return {}
    query = select(Invoice.id, Invoice.number, Invoice.public_id).where(Invoice.id.in_(keys))
    return {key: (number, public_id) for key, number, public_id in session.execute(query)}


def open_keys(
    session: Session, public_ids: Sequence[str], account_ids: Sequence[uuid.UUID]
) -> set[uuid.UUID]:
    """The keys of those documents of the accounts that have these public ids."""
    if not public_ids:
        return set()
    query = select(Invoice.id).where(
        Invoice.public_id.in_(public_ids), Invoice.payer_account_id.in_(account_ids)
    )
    return set(session.scalars(query))


def related(session: Session, invoice: Invoice) -> Sequence[Invoice]:
    """What a memo corrects, or the memos on a bill, the oldest first."""
    mine = [Invoice.corrects_id == invoice.id]
    if invoice.corrects_id is not None:
        mine.append(Invoice.id == invoice.corrects_id)
    return session.scalars(
        select(Invoice).where(or_(*mine)).order_by(Invoice.issued_at, Invoice.id)
    ).all()


def lines_of(session: Session, invoice_id: uuid.UUID) -> Sequence[InvoiceLine]:
    """A document's rows, in their order."""
    return session.scalars(
        select(InvoiceLine)
        .where(InvoiceLine.invoice_id == invoice_id)
        .order_by(InvoiceLine.line_number)
    ).all()


def last_day(session: Session, invoice_id: uuid.UUID) -> date | None:
    """The last day that a bill is for; None when it is for no days."""
    return session.scalar(
        select(func.max(InvoiceLine.period_end)).where(InvoiceLine.invoice_id == invoice_id)
    )


def one(
    session: Session, public_id: str, account_ids: Sequence[uuid.UUID] | None = None
) -> Invoice:
    """A document by its public id. NotFound when there is none, or it is none of the accounts'.

    ``account_ids`` None is for staff, who see all.
    """
    query = select(Invoice).where(Invoice.public_id == public_id)
    if account_ids is not None:
        query = query.where(Invoice.payer_account_id.in_(account_ids))
    found = session.scalar(query)
    if found is None:
        raise NotFound("document")
    return found


#: What the desk's list may be sorted by.
SORTS = Sorts(
    Invoice.id,
    {
        "issued": Invoice.issue_date,
        "due": By(Invoice.due_date, empty=date.max),  # what is never due stands behind all that is
        "total": Invoice.total_minor,
    },
)
NEWEST = Place("-issued")


def listing(
    session: Session,
    *,
    kind: str = "",
    words: str = "",
    since: date | None = None,
    through: date | None = None,
    place: Place = NEWEST,
    limit: int = 50,
) -> list[tuple[Invoice, Account]]:
    """Documents with who is billed, from a place on; ``words`` in number, name, account number.

    ``since`` and ``through`` are days of issue.
    """
    query = select(Invoice, Account).join(Account, Account.id == Invoice.payer_account_id)
    if kind:
        query = query.where(Invoice.kind == kind)
    if words:
        query = query.where(
            or_(
                Invoice.number == words,
                called(words),
            )
        )
    if since is not None:
        query = query.where(Invoice.issue_date >= since)
    if through is not None:
        query = query.where(Invoice.issue_date <= through)
    rows = session.execute(SORTS.apply(query, place, limit))
    return [(invoice, account) for invoice, account in rows]


def stored_ids(session: Session, invoice_ids: Sequence[uuid.UUID]) -> frozenset[uuid.UUID]:
    """Which of the documents are rendered and kept."""
    return frozenset(
        session.scalars(
            select(StoredDocument.invoice_id).where(StoredDocument.invoice_id.in_(invoice_ids))
        )
    )


def pdf_bytes(session: Session, blobs: Blobs, invoice_id: uuid.UUID) -> bytes | None:
    """The stored bytes of a document; None while they are not rendered."""
    row = session.get(StoredDocument, invoice_id)
    return blobs.get(row.sha256) if row is not None else None
