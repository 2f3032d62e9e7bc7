"""Statements prove themselves: they chain, tie to the ledger at their cut-off, and take each posting once.

``as_of`` leaves out statements that are dated later.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from core.kernel import proof
from core.kernel.blobs import Blob, Blobs, is_whole
from core.kernel.money import Money
from core.kernel.numbering import NumberSeries
from core.kernel.proof import Part
from core.ledger.models import JournalEntry, JournalLine
from core.parties.models import Account
from invoices.proofs.stored import PATIENCE
from invoices.statements.document import StatementDocument, fingerprint
from invoices.statements.making import FIRST_NUMBER, SERIES
from invoices.statements.models import Statement, StatementRange, StoredStatement
from invoices.statements.rolling import BALANCE


def they_chain(session: Session, as_of: date | None) -> Part:
    """Each statement begins with what the one before ended with, and its lines sum to its end."""
    dated = proof.until(Statement.issue_date, as_of)
    count = proof.count(session, select(func.count()).select_from(Statement).where(*dated))
    before = aliased(Statement)
    broken = (
        select(Statement.number)
        .outerjoin(before, before.id == Statement.previous_id)
        .where(
            *dated,
            or_(
                and_(Statement.sequence == 1, Statement.opening_minor != 0),
                and_(
                    Statement.sequence > 1,
                    or_(
                        before.id.is_(None),
                        before.account_id != Statement.account_id,
                        before.currency != Statement.currency,
                        before.sequence != Statement.sequence - 1,
                        before.closing_minor != Statement.opening_minor,
                        before.period_end >= Statement.period_start,
                    ),
                ),
            ),
        )
    )
    lines = (
        Statement.opening_minor
        + Statement.moved_minor
        + Statement.payments_minor
        + Statement.adjustments_minor
        + Statement.charges_minor
    )
    uneven = select(Statement.number).where(*dated, lines != Statement.closing_minor)
    wrong = [
        *proof.offenders(
            session,
            broken.order_by(Statement.number),
            lambda row: f"statement {row[0]} does not begin where the one before ended",
        ),
        *proof.offenders(
            session,
            uneven.order_by(Statement.number),
            lambda row: f"the lines of statement {row[0]} do not sum to its closing balance",
        ),
    ]
    return Part(f"{count:,} statements", proof.first_few(wrong))


def they_take_each_posting_once(session: Session, as_of: date | None) -> Part:
    """An account's ranges of postings follow one another from the first without a gap or an overlap."""
    dated = proof.until(Statement.issue_date, as_of)
    wrong = [
        *proof.offenders(
            session,
            _out_of_line(dated),
            lambda row: (
                f"account {row[0]}: statement {row[1]} takes what is after posting {row[3]},"
                f" but up to {row[2] or 0} was taken"
            ),
        ),
        *proof.offenders(
            session,
            _apart(dated),
            lambda row: f"the accounts of statement {row[0]} do not sum to it",
        ),
    ]
    taken = select(func.count()).select_from(StatementRange)
    return Part(f"{proof.count(session, taken):,} ranges of postings", proof.first_few(wrong))


def _out_of_line(dated: list[ColumnElement[bool]]) -> Select[str, str, int, int]:
    """Ranges that do not begin where their account's range before ended."""
    before = aliased(StatementRange)
    return (
        select(Account.number, Statement.number, before.to_posting, StatementRange.after_posting)
        .join(Statement, Statement.id == StatementRange.statement_id)
        .join(Account, Account.id == StatementRange.account_id)
        .outerjoin(
            before,
            and_(
                before.account_id == StatementRange.account_id,
                before.currency == StatementRange.currency,
                before.sequence == StatementRange.sequence - 1,
            ),
        )
        .where(
            *dated,
            or_(
                func.coalesce(before.to_posting, 0) != StatementRange.after_posting,
                func.coalesce(before.closing_minor, 0) != StatementRange.opening_minor,
                and_(before.sequence.is_(None), StatementRange.sequence != 1),
            ),
        )
        .order_by(Account.number, Statement.number)
    )


def _apart(dated: list[ColumnElement[bool]]) -> Select[str]:
    """Statements whose accounts do not begin and end with what the statement does."""
    sums = (
        select(
            StatementRange.statement_id,
            func.sum(StatementRange.opening_minor).label("opening"),
            func.sum(StatementRange.closing_minor).label("closing"),
        )
        .group_by(StatementRange.statement_id)
        .subquery()
    )
    return (
        select(Statement.number)
        .outerjoin(sums, sums.c.statement_id == Statement.id)
        .where(
            *dated,
            or_(
                sums.c.statement_id.is_(None),
                sums.c.opening != Statement.opening_minor + Statement.moved_minor,
                sums.c.closing != Statement.closing_minor,
            ),
        )
        .order_by(Statement.number)
    )


def they_tie_to_the_ledger(session: Session, as_of: date | None) -> Part:
    """What each statement closes with for an account is the ledger's balance at its cut-off."""
    dated = proof.until(Statement.issue_date, as_of)
    posted = _posted_in_range()
    change = func.coalesce(func.sum(posted.c.minor), 0)
    keys = (
        Statement.number,
        Account.number,
        StatementRange.currency,
        StatementRange.closing_minor,
        StatementRange.opening_minor,
    )
    untied = (
        select(*keys, change)
        .select_from(StatementRange)
        .join(Statement, Statement.id == StatementRange.statement_id)
        .join(Account, Account.id == StatementRange.account_id)
        .outerjoin(
            posted,
            and_(
                posted.c.account_id == StatementRange.account_id,
                posted.c.currency == StatementRange.currency,
                posted.c.legal_entity_id == Statement.legal_entity_id,
                posted.c.posting > StatementRange.after_posting,
                posted.c.posting <= StatementRange.to_posting,
            ),
        )
        .where(*dated)
        .group_by(*keys)
        .having(StatementRange.closing_minor - StatementRange.opening_minor != change)
        .order_by(Statement.number, Account.number)
    )
    wrong = proof.offenders(
        session,
        untied,
        lambda row: (
            f"statement {row[0]}, account {row[1]}: it changes by"
            f" {proof.amount(row[3] - row[4], row[2])}, the ledger by {proof.amount(row[5], row[2])}"
        ),
    )
    closing = (
        select(StatementRange.currency, func.sum(StatementRange.closing_minor))
        .join(Statement, Statement.id == StatementRange.statement_id)
        .where(*dated, _is_last(as_of))
        .group_by(StatementRange.currency)
        .order_by(StatementRange.currency)
    )
    return Part(f"{proof.amounts(session, closing)} at the last cut-offs", wrong)


def _posted_in_range() -> Any:
    """(account, currency, posting, minor): what each entry changes of a balance."""
    return (
        select(
            JournalLine.account_id,
            JournalLine.currency,
            JournalEntry.legal_entity_id,
            JournalEntry.posting_number.label("posting"),
            func.sum(JournalLine.amount_minor).label("minor"),
        )
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(JournalLine.ledger_code.in_(BALANCE), JournalLine.account_id.is_not(None))
        .group_by(
            JournalLine.account_id,
            JournalLine.currency,
            JournalEntry.legal_entity_id,
            JournalEntry.posting_number,
        )
        .subquery()
    )


def _is_last(as_of: date | None) -> ColumnElement[bool]:
    later, its = aliased(StatementRange), aliased(Statement)
    return ~(
        select(later.sequence)
        .join(its, its.id == later.statement_id)
        .where(
            later.account_id == StatementRange.account_id,
            later.currency == StatementRange.currency,
            later.sequence > StatementRange.sequence,
            *proof.until(its.issue_date, as_of),
        )
        .exists()
    )


def numbers_have_no_gap(session: Session) -> Part:
    """Our numbers run from 1 without a gap, and a statement's number tells its place."""
    rows = select(
        Statement.legal_entity_id,
        literal(SERIES).label("series"),
        Statement.series_position.label("position"),
    ).subquery()
    part = proof.numbers(session, rows, NumberSeries.series == SERIES, _shown)
    return Part(f"{part.figure} statements' numbers", part.offenders)


def _shown(position: int) -> str:
    return f"S-{FIRST_NUMBER + position}"


# --- with the documents ---------------------------------------------------------------------------


def bytes_have_their_hash(session: Session, blobs: Blobs) -> Part:
    """Reads the stored bytes of every statement whole."""
    stored = proof.count(session, select(func.count()).select_from(StoredStatement))
    size = proof.count(
        session,
        select(func.sum(Blob.size)).where(Blob.sha256.in_(select(StoredStatement.sha256))),
    )
    return Part(
        f"{stored:,} stored statements, {size / 1e6:,.1f} MB",
        proof.first_few(_changed(session, blobs)),
    )


def _changed(session: Session, blobs: Blobs) -> Iterator[str]:
    found = session.execute(
        select(Statement.number, StoredStatement.sha256)
        .join(Statement, Statement.id == StoredStatement.statement_id)
        .order_by(Statement.number)
        .execution_options(yield_per=500)
    )
    with closing(found) as rows:  # whoever has seen enough reads no further
        for number, sha256 in rows:
            if not is_whole(blobs, sha256):
                yield f"the bytes of statement {number} are missing or not those of {sha256[:12]}…"


def words_are_the_figures(session: Session) -> Part:
    """Each frozen document has its fingerprint, adds up, and says what its row says."""
    count = proof.count(session, select(func.count()).select_from(Statement))
    return Part(f"{count:,} statements read", proof.first_few(_disagreeing(session)))


def _disagreeing(session: Session) -> Iterator[str]:
    found = session.execute(
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
    with closing(found) as rows:  # whoever has seen enough reads no further
        for row in rows:
            for what in _disagreements(row):
                yield f"statement {row.number}: {what}"


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
    missing = (
        select(Statement.number)
        .outerjoin(StoredStatement, StoredStatement.statement_id == Statement.id)
        .where(StoredStatement.statement_id.is_(None))
    )
    young = missing.where(Statement.made_at >= now - PATIENCE)
    return Part(
        f"{proof.count(session, select(func.count()).select_from(young.subquery())):,} statements"
        " waiting to be rendered",
        proof.offenders(
            session,
            missing.where(Statement.made_at < now - PATIENCE).order_by(Statement.number),
            lambda row: f"statement {row[0]} was never rendered",
        ),
    )
