"""Posting: the only way a line gets into the journal."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.kernel import numbering
from core.kernel.ids import new_id
from core.kernel.money import Money, minor_digits
from core.ledger.models import JournalEntry, JournalLine

#: The number series of the posting sequence.
POSTING_SERIES = "posting"
#: Wide enough for any amount at any rate.
_WIDE = Context(prec=60)


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
    #: Major units of the functional currency for one of the lines' currency.
    rate: Decimal = Decimal(1)
    #: None when it is the lines' own.
    functional_currency: str | None = None


class Unbalanced(Exception):
    """A posting whose debits and credits differ: always a mistake in our code."""


def debit(code: str, amount: Money, account_id: uuid.UUID | None = None) -> Side:
    """A line on the debit side."""
    return Side(code, amount, account_id)


def credit(code: str, amount: Money, account_id: uuid.UUID | None = None) -> Side:
    """A line on the credit side."""
    return Side(code, -amount, account_id)


def post(session: Session, posting: Posting, now: datetime) -> uuid.UUID:
    """Write a balanced entry and answer its key; see ``post_many``."""
    return post_many(session, [posting], now)[0]


def post_many(session: Session, postings: Sequence[Posting], now: datetime) -> list[uuid.UUID]:
    """Write balanced entries of one legal entity, numbered in their order; answers their keys.

    Lines of zero are left out. The lines go in before the entries, whose trigger proves the balance;
    the posting numbers, a hot row, are taken in between, as late as can be. Raises Unbalanced, and
    ValueError for a posting without lines.
    """
    if not postings:
        return []
    entity_id, keys = postings[0].legal_entity_id, [new_id() for _ in postings]
    if any(posting.legal_entity_id != entity_id for posting in postings):
        raise ValueError("postings of several legal entities")
    lines = [
        line for key, posting in zip(keys, postings, strict=True) for line in _lines(key, posting)
    ]
    session.execute(insert(JournalLine), lines)
    first = numbering.take(session, entity_id, POSTING_SERIES, len(postings))
    session.execute(
        insert(JournalEntry),
        [
            {
                "id": key,
                "legal_entity_id": entity_id,
                "posting_number": number,
                "kind": posting.kind,
                "effective_date": posting.effective_date,
                "posted_at": now,
                "source_kind": posting.source_kind,
                "source_id": posting.source_id,
            }
            for number, (key, posting) in enumerate(zip(keys, postings, strict=True), start=first)
        ],
    )
    return keys


def _lines(entry_id: uuid.UUID, posting: Posting) -> list[dict[str, Any]]:
    sides = [side for side in posting.sides if side.amount]
    _check(sides)
    functional = _functional(sides, posting)
    return [
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
    ]


def _check(sides: Sequence[Side]) -> None:
    if not sides:
        raise ValueError("a posting without lines")
    sums: dict[str, int] = {}
    for side in sides:
        sums[side.amount.currency] = sums.get(side.amount.currency, 0) + side.amount.minor
    if any(sums.values()):
        raise Unbalanced(str(sums))


def _functional(sides: Sequence[Side], posting: Posting) -> list[int]:
    """Each line within one unit of its exact functional amount, all of them summing to zero."""
    if posting.rate == 1 and posting.functional_currency is None:
        return [side.amount.minor for side in sides]
    exact = [_exact(side.amount, posting) for side in sides]
    amounts = [int(part.to_integral_value(ROUND_FLOOR, _WIDE)) for part in exact]
    over = [_WIDE.subtract(part, amount) for part, amount in zip(exact, amounts, strict=True)]
    order = sorted(range(len(over)), key=lambda at: (-over[at], at))
    for at in order[: -sum(amounts)]:
        amounts[at] += 1
    return amounts


def _exact(amount: Money, posting: Posting) -> Decimal:
    functional = posting.functional_currency or amount.currency
    digits = minor_digits(functional) - minor_digits(amount.currency)
    return _WIDE.multiply(Decimal(amount.minor), posting.rate).scaleb(digits, _WIDE)
