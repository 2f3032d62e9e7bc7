"""Reading disputes: the desk's list, a customer's own, one with all that was said. Writes nothing."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from core.kernel.errors import NotFound
from core.kernel.sorting import Place, Sorts
from core.ledger import items
from core.ledger.chart import GIFT_CARDS
from core.ledger.items import Open
from core.parties.listing import called
from core.parties.models import Account
from invoices.correctable import is_correctable
from invoices.disputes import deciding
from invoices.disputes.models import (
    STANDING,
    Dispute,
    DisputeFile,
    DisputeMessage,
    DisputeProposal,
)
from invoices.models import Invoice, InvoiceLine

#: The desk's tabs: what wants a hand, what is late, what waits for a second person, and how it ended.
TABS = ("open", "late", "waiting", "resolved", "withdrawn")
#: What the desk's list may be sorted by.
SORTS = Sorts(
    Dispute.id,
    {"answer": Dispute.answer_by, "opened": Dispute.opened_at, "amount": Dispute.amount_minor},
)
FIRST_PROMISED = Place("answer")
Cursor = tuple[Any, uuid.UUID]


@dataclass(frozen=True)
class Filter:
    """Which disputes: a tab (empty: all), a reason, and words to look for."""

    tab: str = ""
    reason: str = ""
    words: str = ""


@dataclass(frozen=True)
class Row:
    """A dispute with what it is about."""

    dispute: Dispute
    account: Account
    invoice: Invoice
    line: InvoiceLine


@dataclass(frozen=True)
class Told:
    """One dispute with everything that belongs to it."""

    dispute: Dispute
    account: Account
    invoice: Invoice
    line: InvoiceLine
    memo: Invoice | None
    #: The bill in the ledger, and what is left of the memo's credit.
    bill_item: Open | None
    credit_item: Open | None
    messages: Sequence[DisputeMessage]
    files: dict[uuid.UUID, list[DisputeFile]]
    proposals: Sequence[DisputeProposal]

    @property
    def waiting(self) -> DisputeProposal | None:
        """The decision that waits for a second person."""
        return next((one for one in self.proposals if one.state == "asked"), None)


def one(
    session: Session, public_id: str, account_ids: Sequence[uuid.UUID] | None = None
) -> Dispute:
    """A dispute by its public id. NotFound when there is none, or it is none of the accounts'.

    ``account_ids`` None is for staff, who see all.
    """
    query = select(Dispute).where(Dispute.public_id == public_id)
    if account_ids is not None:
        query = query.where(Dispute.account_id.in_(account_ids))
    found = session.scalar(query)
    if found is None:
        raise NotFound("dispute")
    return found


def told(session: Session, dispute: Dispute) -> Told:
    """Everything about one."""
    messages = session.scalars(
        select(DisputeMessage)
        .where(DisputeMessage.dispute_id == dispute.id)
        .order_by(DisputeMessage.at, DisputeMessage.id)
    ).all()
    files: dict[uuid.UUID, list[DisputeFile]] = {}
    for row in session.scalars(
        select(DisputeFile)
        .where(DisputeFile.dispute_id == dispute.id)
        .order_by(DisputeFile.position)
    ):
        files.setdefault(row.message_id, []).append(row)
    memo = session.get(Invoice, dispute.memo_id) if dispute.memo_id is not None else None
    keys = [dispute.invoice_id] if memo is None else [dispute.invoice_id, memo.id]
    found = items.of_sources(session, keys)
    return Told(
        dispute,
        session.get_one(Account, dispute.account_id),
        session.get_one(Invoice, dispute.invoice_id),
        session.get_one(InvoiceLine, dispute.line_id),
        memo,
        found.get(dispute.invoice_id),
        found.get(memo.id) if memo is not None else None,
        messages,
        files,
        deciding.proposals_of(session, dispute),
    )


def on_lines(session: Session, invoice: Invoice) -> tuple[list[int], list[tuple[int, Dispute]]]:
    """The numbers of a bill's lines of which something is left, as ``opening.disputable`` has them; and its
    disputes with the number of their line, the oldest of a line first."""
    rows: Sequence[Any] = session.execute(
        select(InvoiceLine.line_number, _is_disputable(), Dispute)
        .outerjoin(Dispute, Dispute.line_id == InvoiceLine.id)
        .where(InvoiceLine.invoice_id == invoice.id)
        .order_by(InvoiceLine.line_number, Dispute.opened_at, Dispute.id)
    ).all()
    numbers = sorted({number for number, may_be, _ in rows if may_be})
    known = [(number, dispute) for number, _, dispute in rows if dispute is not None]
    return (numbers if is_correctable(invoice) else []), known


def _is_disputable() -> ColumnElement[bool]:
    part, memo = aliased(InvoiceLine), aliased(Invoice)
    credited = (
        select(func.coalesce(func.sum(part.net_minor), 0))
        .join(memo, memo.id == part.invoice_id)
        .where(part.memo_of_id == InvoiceLine.id, memo.kind == "credit_memo")
        .correlate(InvoiceLine)
        .scalar_subquery()
    )
    piece = aliased(InvoiceLine)
    is_bundle = select(piece.id).where(piece.parent_id == InvoiceLine.id).exists()
    return and_(InvoiceLine.net_minor > credited, InvoiceLine.ledger_code != GIFT_CARDS, ~is_bundle)


def of_accounts(
    session: Session,
    account_ids: Sequence[uuid.UUID],
    *,
    before: Cursor | None = None,
    limit: int = 25,
) -> list[Row]:
    """The disputes of some accounts, the newest first."""
    query = _rows().where(Dispute.account_id.in_(account_ids))
    if before is not None:
        query = query.where(tuple_(Dispute.opened_at, Dispute.id) < tuple_(*before))
    query = query.order_by(Dispute.opened_at.desc(), Dispute.id.desc())
    return [Row(*row) for row in session.execute(query.limit(limit))]


def listing(
    session: Session,
    wanted: Filter,
    today: date,
    *,
    place: Place = FIRST_PROMISED,
    limit: int = 50,
) -> list[Row]:
    """Disputes for the desk, from a place on."""
    query = _rows()
    if wanted.tab:
        query = query.where(_in_tab(wanted.tab, today))
    if wanted.reason:
        query = query.where(Dispute.reason == wanted.reason)
    if wanted.words:
        query = query.where(_with_words(wanted.words))
    return [Row(*row) for row in session.execute(SORTS.apply(query, place, limit))]


def counts(session: Session, today: date) -> dict[str, int]:
    """How many disputes stand under each tab."""
    sums = [func.count().filter(_in_tab(tab, today)) for tab in TABS]
    row = session.execute(select(*sums)).one()
    return dict(zip(TABS, (int(count) for count in row), strict=True))


def late(today: date) -> Select[uuid.UUID]:
    """The keys of disputes whose promised day is over."""
    return select(Dispute.id).where(_in_tab("late", today))


def standing() -> Select[uuid.UUID]:
    """The keys of disputes that are not over, late ones and those for a second person too."""
    return select(Dispute.id).where(Dispute.state.in_(STANDING))


def to_second() -> Select[uuid.UUID]:
    """The keys of disputes that wait for a second person's word."""
    return select(Dispute.id).where(Dispute.state == "waiting")


def is_late(dispute: Dispute, today: date) -> bool:
    """Is the promised day over without an answer?"""
    return dispute.state in STANDING and dispute.answer_by < today


def _rows() -> Select[Dispute, Account, Invoice, InvoiceLine]:
    return (
        select(Dispute, Account, Invoice, InvoiceLine)
        .join(Account, Account.id == Dispute.account_id)
        .join(Invoice, Invoice.id == Dispute.invoice_id)
        .join(InvoiceLine, InvoiceLine.id == Dispute.line_id)
    )


def _in_tab(tab: str, today: date) -> ColumnElement[bool]:
    if tab == "open":
        return Dispute.state.in_(STANDING)
    if tab == "late":
        return and_(Dispute.state.in_(STANDING), Dispute.answer_by < today)
    return Dispute.state == tab


def _with_words(words: str) -> ColumnElement[bool]:
    return or_(
        Dispute.number == words.upper(),
        Invoice.number == words,
        called(words),
    )
