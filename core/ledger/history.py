"""History of another system in the ledger: many documents at once, earned on issue.

Posts what ``business`` posts for one document, in the documents' order, and says how the other system
was paid: against imported settlements, never against the processor.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy.orm import Session

from core.ledger import business, items
from core.ledger.business import Document
from core.ledger.chart import IMPORTED_SETTLEMENTS, RECEIVABLE
from core.ledger.items import NewApplication, NewItem
from core.ledger.journal import Posting, credit, debit, post_many


@dataclass(frozen=True)
class Past:
    """A document as it was issued elsewhere, and the day it was settled there, if it was.

    Credit memos become customer credit; they have no settlement.
    """

    kind: Literal["invoice", "credit_memo"]
    document: Document
    settled_on: date | None = None


def bring_in(session: Session, past: Sequence[Past], now: datetime) -> None:
    """Post documents of one legal entity, open their items, and settle those that were paid."""
    postings: list[Posting] = []
    new_items: list[tuple[int, NewItem]] = []
    settled: list[tuple[int, int, Past]] = []
    for one in past:
        posting, item = _issue(one)
        if posting is None:
            continue
        postings.append(posting)
        if not one.document.total:
            continue
        new_items.append((len(postings) - 1, item))
        if one.settled_on is not None and one.kind == "invoice":
            postings.append(_settlement(one.document, one.settled_on))
            settled.append((len(postings) - 1, len(new_items) - 1, one))
    entries = post_many(session, postings, now)
    opened = items.open_many(session, [(entries[at], item) for at, item in new_items])
    items.apply_many(
        session,
        [(entries[at], _application(one, opened[item_at])) for at, item_at, one in settled],
        now,
    )


def _issue(one: Past) -> tuple[Posting | None, NewItem]:
    if one.kind == "credit_memo":
        return business.credit_posting(one.document), business.credit_item(one.document)
    return business.charge_posting(one.document), business.charge_item(one.document)


def _settlement(document: Document, on: date) -> Posting:
    return Posting(
        document.legal_entity_id,
        "history_settled",
        on,
        "invoice",
        document.id,
        [
            debit(IMPORTED_SETTLEMENTS, document.total),
            credit(RECEIVABLE, document.total, document.account_id),
        ],
    )


def _application(one: Past, item_id: uuid.UUID) -> NewApplication:
    assert one.settled_on is not None
    return NewApplication(
        one.document.total,
        "settlement",
        one.document.id,
        one.settled_on,
        debit_item_id=item_id,
    )
