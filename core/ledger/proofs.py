"""What the journal shows of itself: entries balance, and no posting is missing.

``as_of`` leaves out what is dated later; None takes everything.
"""

from datetime import date
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Select, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.numbering import NumberSeries
from core.kernel.proof import Numbered, Part
from core.ledger.journal import POSTING_SERIES
from core.ledger.models import JournalEntry, JournalLine


def entries_balance(session: Session, as_of: date | None) -> Part:
    """Debits are credits, per entry and currency and in the functional currency."""
    entries = proof.count(session, _entries(as_of))
    wrong = [
        *proof.offenders(
            session,
            _uneven(as_of),
            lambda row: f"{_posting(row)}: debits less credits is {proof.amount(row[3], row[2])}",
        ),
        *proof.offenders(
            session,
            _functionally_uneven(as_of),
            lambda row: f"{_posting(row)}: functional amounts sum to {row[2]}",
        ),
        *proof.offenders(session, _empty(as_of), lambda row: f"{_posting(row)} has no line"),
        *proof.offenders(
            session, _loose(), lambda row: f"a line of {row[0]} has no entry: {row[1]}"
        ),
    ]
    each = proof.amounts(session, _debits(as_of))
    return Part(f"{entries:,} entries, {each} on each side", proof.first_few(wrong))


def postings_have_no_gap(session: Session) -> Part:
    """The posting sequence of each legal entity runs from 1 without a gap, to the last number taken."""
    part = proof.numbers(session, _numbered(), str)
    return Part(f"{part.figure} postings in sequence", part.offenders)


def _posting(row: Any) -> str:
    return f"posting {row[0]} ({row[1]})"


# --- statements, each put together once and at first use ------------------------------------------


@lru_cache(maxsize=8)
def _entries(as_of: date | None) -> Select[int]:
    return (
        select(func.count())
        .select_from(JournalEntry)
        .where(*proof.until(JournalEntry.effective_date, as_of))
    )


@lru_cache(maxsize=8)
def _uneven(as_of: date | None) -> Select[*tuple[Any, ...]]:
    """(number, kind, currency, difference) of entries that do not balance.

    First by the entry alone, as the lines lie; only what mixes currencies or differs is looked at closely.
    """
    key, currency = JournalLine.entry_id, JournalLine.currency
    difference = func.sum(JournalLine.amount_minor)
    doubtful = (
        select(key)
        .group_by(key)
        .having(or_(difference != 0, func.min(currency) != func.max(currency)))
    )
    named = (JournalEntry.posting_number, JournalEntry.kind, currency)
    return (
        lines(*named, difference)
        .where(key.in_(doubtful), *proof.until(JournalEntry.effective_date, as_of))
        .group_by(JournalEntry.id, *named)
        .having(difference != 0)
        .order_by(JournalEntry.posting_number)
    )


@lru_cache(maxsize=8)
def _functionally_uneven(as_of: date | None) -> Select[*tuple[Any, ...]]:
    sums = func.sum(JournalLine.functional_minor)
    key = JournalLine.entry_id
    uneven = select(key, sums.label("sums")).group_by(key).having(sums != 0).subquery()
    return (
        select(JournalEntry.posting_number, JournalEntry.kind, uneven.c.sums)
        .join(uneven, uneven.c.entry_id == JournalEntry.id)
        .where(*proof.until(JournalEntry.effective_date, as_of))
        .order_by(JournalEntry.posting_number)
    )


@lru_cache(maxsize=8)
def _empty(as_of: date | None) -> Select[int, str]:
    has_line = exists().where(JournalLine.entry_id == JournalEntry.id)
    return (
        select(JournalEntry.posting_number, JournalEntry.kind)
        .where(~has_line, *proof.until(JournalEntry.effective_date, as_of))
        .order_by(JournalEntry.posting_number)
    )


@cache
def _loose() -> Select[str, int]:
    has_entry = exists().where(JournalEntry.id == JournalLine.entry_id)
    return select(JournalLine.ledger_code, JournalLine.amount_minor).where(~has_entry)


@lru_cache(maxsize=8)
def _debits(as_of: date | None) -> Select[*tuple[Any, ...]]:
    return (
        lines(JournalLine.currency, func.sum(JournalLine.amount_minor))
        .where(JournalLine.amount_minor > 0, *proof.until(JournalEntry.effective_date, as_of))
        .group_by(JournalLine.currency)
        .order_by(JournalLine.currency)
    )


@cache
def _numbered() -> Numbered:
    rows = select(
        JournalEntry.legal_entity_id,
        literal(POSTING_SERIES).label("series"),
        JournalEntry.posting_number.label("position"),
    ).subquery()
    return Numbered(rows, NumberSeries.series == POSTING_SERIES)


def lines(*columns: Any) -> Select[*tuple[Any, ...]]:
    """Of the lines of the journal, with their entries."""
    return (
        select(*columns)
        .select_from(JournalLine)
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
    )
