"""What lines of bills come to now, with their memos, and the rate that they were posted at."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session, aliased

from core.ledger import rates
from core.ledger.chart import CONTRACT_LIABILITY
from core.ledger.models import JournalEntry, JournalLine
from invoices.document import Kind
from invoices.models import NOT_USED, Invoice, InvoiceLine


@dataclass(frozen=True)
class Billed:
    """A line of a bill: ``net`` is what it comes to now with its memos, in minor units, and ``unused`` what
    was taken back of it for days that were not used."""

    line_id: uuid.UUID
    invoice_id: uuid.UUID
    net: int
    unused: int


def of_order_lines(session: Session, line_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Billed]:
    """What is billed of lines of orders, with all memos and memos on memos, by the order's line."""
    return _with_memos(session, InvoiceLine.order_line_id, line_ids)


def of_bill_lines(session: Session, line_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Billed]:
    """The same of lines of bills, by line."""
    return _with_memos(session, InvoiceLine.id, line_ids)


def _with_memos(
    session: Session, column: Any, keys: Collection[uuid.UUID]
) -> dict[uuid.UUID, Billed]:
    root = (
        select(
            column.label("key"),
            InvoiceLine.id.label("root"),
            InvoiceLine.invoice_id.label("bill"),
            InvoiceLine.id.label("line"),
            InvoiceLine.net_minor.label("net"),
            (InvoiceLine.net_minor - InvoiceLine.net_minor).label("unused"),
        )
        .where(column.in_(keys), InvoiceLine.memo_of_id.is_(None))
        .cte("with_memos", recursive=True)
    )
    line, document = aliased(InvoiceLine), aliased(Invoice)
    credits = document.kind == Kind.CREDIT_MEMO.value
    chain = root.union_all(
        select(
            root.c.key,
            root.c.root,
            root.c.bill,
            line.id,
            case((credits, -line.net_minor), else_=line.net_minor),
            case((and_(credits, document.reason == NOT_USED), line.net_minor), else_=0),
        )
        .join(line, line.memo_of_id == root.c.line)
        .join(document, document.id == line.invoice_id)
    )
    of = (chain.c.key, chain.c.root, chain.c.bill)
    sums = (func.sum(chain.c.net), func.sum(chain.c.unused))
    rows = session.execute(select(*of, *sums).group_by(*of))
    return {
        key: Billed(line_id, bill, int(net), int(unused))
        for key, line_id, bill, net, unused in rows
    }


def roots(session: Session, line_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """The lines of bills that lines of bills and debit memos go back to."""
    found, left = set(), set(line_ids)
    while left:
        rows = session.execute(
            select(InvoiceLine.id, InvoiceLine.memo_of_id).where(InvoiceLine.id.in_(left))
        ).all()
        found |= {key for key, of in rows if of is None}
        left = {of for _, of in rows if of is not None}
    return found


def rate_of(
    session: Session, legal_entity_id: uuid.UUID, currency: str, bills: Collection[uuid.UUID]
) -> Decimal | None:
    """The rate at which bills were posted, where their currency is not that of the books; None for none."""
    if not bills or rates.functional_currency(session, legal_entity_id) == currency:
        return None
    found = session.scalar(
        select(JournalLine.rate)
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(
            JournalEntry.source_kind == "invoice",
            JournalEntry.source_id.in_(bills),
            JournalLine.ledger_code == CONTRACT_LIABILITY,
        )
        .limit(1)
    )
    return Decimal(found) if found is not None else None
