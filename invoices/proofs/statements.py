"""Statements prove themselves: they chain, tie to the ledger at their cut-off, and take each posting once.

``as_of`` leaves out statements that are dated later.
"""

from datetime import date
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from core.kernel import proof
from core.kernel.numbering import NumberSeries
from core.kernel.proof import Numbered, Part
from core.ledger.models import JournalEntry, JournalLine
from core.parties.models import Account
from invoices.statements.making import FIRST_NUMBER, SERIES
from invoices.statements.models import Statement, StatementRange
from invoices.statements.rolling import BALANCE


def they_chain(session: Session, as_of: date | None) -> Part:
    """Each statement begins with what the one before ended with, and its lines sum to its end."""
    count = proof.count(session, _many(as_of))
    wrong = [
        *proof.offenders(
            session,
            _broken(as_of),
            lambda row: f"statement {row[0]} does not begin where the one before ended",
        ),
        *proof.offenders(
            session,
            _uneven(as_of),
            lambda row: f"the lines of statement {row[0]} do not sum to its closing balance",
        ),
    ]
    return Part(f"{count:,} statements", proof.first_few(wrong))


def they_take_each_posting_once(session: Session, as_of: date | None) -> Part:
    """An account's ranges of postings follow one another from the first without a gap or an overlap."""
    wrong = [
        *proof.offenders(
            session,
            _out_of_line(as_of),
            lambda row: (
                f"account {row[0]}: statement {row[1]} takes what is after posting {row[3]},"
                f" but up to {row[2] or 0} was taken"
            ),
        ),
        *proof.offenders(
            session,
            _apart(as_of),
            lambda row: f"the accounts of statement {row[0]} do not sum to it",
        ),
    ]
    taken = proof.count(session, proof.every(StatementRange))
    return Part(f"{taken:,} ranges of postings", proof.first_few(wrong))


def they_tie_to_the_ledger(session: Session, as_of: date | None) -> Part:
    """What each statement closes with for an account is the ledger's balance at its cut-off."""
    wrong = proof.offenders(
        session,
        _untied(as_of),
        lambda row: (
            f"statement {row[0]}, account {row[1]}: it changes by"
            f" {proof.amount(row[3] - row[4], row[2])}, the ledger by {proof.amount(row[5], row[2])}"
        ),
    )
    return Part(f"{proof.amounts(session, _closing(as_of))} at the last cut-offs", wrong)


def numbers_have_no_gap(session: Session) -> Part:
    """Our numbers run from 1 without a gap, and a statement's number tells its place."""
    part = proof.numbers(session, _numbered(), _shown)
    return Part(f"{part.figure} statements' numbers", part.offenders)


def _shown(position: int) -> str:
    return f"S-{FIRST_NUMBER + position}"


# --- statements, each put together once and at first use ------------------------------------------


@lru_cache(maxsize=8)
def _many(as_of: date | None) -> Select[int]:
    return (
        select(func.count()).select_from(Statement).where(*proof.until(Statement.issue_date, as_of))
    )


@lru_cache(maxsize=8)
def _broken(as_of: date | None) -> Select[str]:
    before = aliased(Statement)
    return (
        select(Statement.number)
        .outerjoin(before, before.id == Statement.previous_id)
        .where(
            *proof.until(Statement.issue_date, as_of),
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
        .order_by(Statement.number)
    )


@lru_cache(maxsize=8)
def _uneven(as_of: date | None) -> Select[str]:
    lines = (
        Statement.opening_minor
        + Statement.moved_minor
        + Statement.payments_minor
        + Statement.adjustments_minor
        + Statement.charges_minor
    )
    wrong = (*proof.until(Statement.issue_date, as_of), lines != Statement.closing_minor)
    return select(Statement.number).where(*wrong).order_by(Statement.number)


@lru_cache(maxsize=8)
def _out_of_line(as_of: date | None) -> Select[str, str, int, int]:
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
            *proof.until(Statement.issue_date, as_of),
            or_(
                func.coalesce(before.to_posting, 0) != StatementRange.after_posting,
                func.coalesce(before.closing_minor, 0) != StatementRange.opening_minor,
                and_(before.sequence.is_(None), StatementRange.sequence != 1),
            ),
        )
        .order_by(Account.number, Statement.number)
    )


@lru_cache(maxsize=8)
def _apart(as_of: date | None) -> Select[str]:
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
            *proof.until(Statement.issue_date, as_of),
            or_(
                sums.c.statement_id.is_(None),
                sums.c.opening != Statement.opening_minor + Statement.moved_minor,
                sums.c.closing != Statement.closing_minor,
            ),
        )
        .order_by(Statement.number)
    )


@lru_cache(maxsize=8)
def _untied(as_of: date | None) -> Select[*tuple[Any, ...]]:
    posted = _posted_in_range()
    change = func.coalesce(func.sum(posted.c.minor), 0)
    keys = (
        Statement.number,
        Account.number,
        StatementRange.currency,
        StatementRange.closing_minor,
        StatementRange.opening_minor,
    )
    return (
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
        .where(*proof.until(Statement.issue_date, as_of))
        .group_by(*keys)
        .having(StatementRange.closing_minor - StatementRange.opening_minor != change)
        .order_by(Statement.number, Account.number)
    )


def _posted_in_range() -> Subquery:
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


@lru_cache(maxsize=8)
def _closing(as_of: date | None) -> Select[str, int]:
    return (
        select(StatementRange.currency, func.sum(StatementRange.closing_minor))
        .join(Statement, Statement.id == StatementRange.statement_id)
        .where(*proof.until(Statement.issue_date, as_of), _is_last(as_of))
        .group_by(StatementRange.currency)
        .order_by(StatementRange.currency)
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


@cache
def _numbered() -> Numbered:
    rows = select(
        Statement.legal_entity_id,
        literal(SERIES).label("series"),
        Statement.series_position.label("position"),
    ).subquery()
    return Numbered(rows, NumberSeries.series == SERIES)
