"""Posting: the only way a line gets into the journal."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.kernel import numbering
from core.kernel.ids import new_id
from core.kernel.money import Money, round_half_up
from core.ledger.models import JournalEntry, JournalLine

#: The number series of the posting sequence.
POSTING_SERIES = "posting"


@dataclass(frozen=True)
class Side:
    """One line to post: a debit is positive, a credit negative. ``account_id`` says whose it is."""

    ledger_code: str
    amount: Money
    account_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Posting:
    """What is to be posted, and what it stands for."""

    legal_entity_id: uuid.UUID
    kind: str
    effective_date: date
    source_kind: str
    source_id: uuid.UUID
    sides: Sequence[Side]
    #: Functional units for one unit of the lines' currency.
    rate: Decimal = Decimal(1)


class Unbalanced(Exception):
    """A posting whose debits and credits differ: always a mistake in our code."""


def debit(code: str, amount: Money, account_id: uuid.UUID | None = None) -> Side:
    """A line on the debit side."""
    return Side(code, amount, account_id)


def credit(code: str, amount: Money, account_id: uuid.UUID | None = None) -> Side:
    """A line on the credit side."""
    return Side(code, -amount, account_id)


def post(session: Session, posting: Posting, now: datetime) -> uuid.UUID:
    """Write a balanced entry and answer its key. Lines of zero are left out.

    The lines go in before the entry, whose trigger proves the balance; the posting number, a hot
    row, is taken in between, as late as can be. Raises Unbalanced, and ValueError for no lines.
    """
    sides = [side for side in posting.sides if side.amount]
    _check(sides)
    entry_id = new_id()
    functional = _functional(sides, posting.rate)
    session.execute(
        insert(JournalLine),
        [
            {
                "entry_id": entry_id,
                "line_number": number,
                "legal_entity_id": posting.legal_entity_id,
                "ledger_code": side.ledger_code,
                "account_id": side.account_id,
                "currency": side.amount.currency,
                "amount_minor": side.amount.minor,
                "functional_minor": functional[number - 1],
                "rate": str(posting.rate),
            }
            for number, side in enumerate(sides, start=1)
        ],
    )
    session.execute(
        insert(JournalEntry),
        [
            {
                "id": entry_id,
                "legal_entity_id": posting.legal_entity_id,
                "posting_number": numbering.take(session, posting.legal_entity_id, POSTING_SERIES),
                "kind": posting.kind,
                "effective_date": posting.effective_date,
                "posted_at": now,
                "source_kind": posting.source_kind,
                "source_id": posting.source_id,
            }
        ],
    )
    return entry_id


def _check(sides: Sequence[Side]) -> None:
    if not sides:
        raise ValueError("a posting without lines")
    sums: dict[str, int] = {}
    for side in sides:
        sums[side.amount.currency] = sums.get(side.amount.currency, 0) + side.amount.minor
    if any(sums.values()):
        raise Unbalanced(str(sums))


def _functional(sides: Sequence[Side], rate: Decimal) -> list[int]:
    amounts = [round_half_up(side.amount.minor * rate) for side in sides]
    amounts[-1] -= sum(amounts)
    return amounts
