"""Posting: the only way a line gets into the journal.

Amounts are in any currency; each line also has its functional amount, at the day's rate, or as a side
says it (what is carried of an item). Where these do not sum to zero, the rest is a currency difference.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from typing import Any, ClassVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.events import OpenItemsChanged
from core.kernel import jobs, numbering
from core.kernel.db import insert_answered, insert_rows
from core.kernel.errors import ShopError
from core.kernel.ids import new_id
from core.kernel.money import Money, minor_digits
from core.ledger import rates
from core.ledger.chart import CURRENCY_DIFFERENCE, OPEN_ITEM_ACCOUNTS
from core.ledger.models import JournalEntry, JournalLine

#: The number series of the posting sequence.
POSTING_SERIES = "posting"
#: Wide enough for any amount at any rate.
_WIDE = Context(prec=60)
#: So many digits has the rate of a line whose functional amount was given.
_RATE = Context(prec=12)


@dataclass(frozen=True)
class Side:
    """One line to post: a debit is positive, a credit negative. ``account_id`` says whose it is.

    ``functional``: what it is in minor units of the functional currency, where that is known and not to
    be taken from the day's rate; with the amount's sign.
    """

    ledger_code: str
    amount: Money
    account_id: uuid.UUID | None = None
    functional: int | None = None


@dataclass(frozen=True)
class Posting:
    """What is to be posted, and what it stands for."""

    legal_entity_id: uuid.UUID
    kind: str
    effective_date: date
    source_kind: str
    source_id: uuid.UUID
    sides: Sequence[Side]
    #: Major units of the functional currency for one of the lines' currency; None: the day's.
    rate: Decimal | None = None
    #: None when it is the legal entity's.
    functional_currency: str | None = None


@dataclass(eq=False)
class PeriodClosed(ShopError):
    """Nothing is posted in a closed period."""

    code: ClassVar[str] = "period_closed"
    text: ClassVar[str] = (
        "The books are closed for {day}. Choose a later day, or reopen the period."
    )
    day: date


class Unbalanced(Exception):
    """A posting whose debits and credits differ: always a mistake in our code."""


def debit(code: str, amount: Money, account_id: uuid.UUID | None = None) -> Side:
    """A line on the debit side."""
    return Side(code, amount, account_id)


def credit(code: str, amount: Money, account_id: uuid.UUID | None = None) -> Side:
    """A line on the credit side."""
    return Side(code, -amount, account_id)


def post(session: Session, posting: Posting, now: datetime) -> uuid.UUID:
    """Write a balanced entry and answer its key; see ``post_many``.

    Tells of each account whose open items change with it, once.
    """
    key = post_many(session, [posting], now)[0]
    for account_id in _holders(posting):
        jobs.record(session, OpenItemsChanged(str(account_id)), now)
    return key


def post_many(session: Session, postings: Sequence[Posting], now: datetime) -> list[uuid.UUID]:
    """Write balanced entries of one legal entity, numbered in their order; answers their keys.

    Lines of zero are left out. The lines go in before the entries, whose trigger proves the balance;
    the posting numbers, a hot row, are taken in between, as late as can be. Tells nobody: this is for
    history. Raises PeriodClosed, NoRate, Unbalanced, and ValueError for a posting without lines.
    """
    if not postings:
        return []
    entity_id, keys = postings[0].legal_entity_id, [new_id() for _ in postings]
    if any(posting.legal_entity_id != entity_id for posting in postings):
        raise ValueError("postings of several legal entities")
    lines = [
        line
        for key, posting in zip(keys, postings, strict=True)
        for line in _lines(session, key, posting)
    ]
    insert_rows(session, JournalLine, lines)
    first = numbering.take(session, entity_id, POSTING_SERIES, len(postings))
    entries = [
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
    ]
    try:
        insert_answered(session, JournalEntry, entries)
    except DBAPIError as error:
        if "closed period" not in str(error.orig):
            raise
        raise PeriodClosed(min(posting.effective_date for posting in postings)) from error
    return keys


def _holders(posting: Posting) -> list[uuid.UUID]:
    return list(
        dict.fromkeys(
            side.account_id
            for side in posting.sides
            if side.account_id is not None
            and side.amount
            and side.ledger_code in OPEN_ITEM_ACCOUNTS
        )
    )


def _lines(session: Session, entry_id: uuid.UUID, posting: Posting) -> list[dict[str, Any]]:
    sides = [side for side in posting.sides if side.amount]
    _check(sides)
    return [
        {
            "entry_id": entry_id,
            "line_number": number,
            "legal_entity_id": posting.legal_entity_id,
            "ledger_code": side.ledger_code,
            "account_id": side.account_id,
            "currency": side.amount.currency,
            "amount_minor": side.amount.minor,
            "functional_minor": side.functional,
            "rate": rate,
        }
        for number, (side, rate) in enumerate(_valued(session, sides, posting), start=1)
    ]


def _check(sides: Sequence[Side]) -> None:
    if not sides:
        raise ValueError("a posting without lines")
    sums: dict[str, int] = {}
    for side in sides:
        sums[side.amount.currency] = sums.get(side.amount.currency, 0) + side.amount.minor
    if any(sums.values()):
        raise Unbalanced(str(sums))


def _valued(session: Session, sides: Sequence[Side], posting: Posting) -> list[tuple[Side, str]]:
    """Every side with its functional amount and rate, and the difference that is realised."""
    functional = posting.functional_currency or rates.functional_currency(
        session, posting.legal_entity_id
    )
    if posting.rate is None and all(side.amount.currency == functional for side in sides):
        return [(replace(side, functional=side.amount.minor), "1") for side in sides]
    by_day = _rates(session, sides, posting, functional)
    free = [side for side in sides if side.functional is None]
    amounts = iter(_functional([_exact(side.amount, by_day, functional) for side in free]))
    valued = [
        (replace(side, functional=next(amounts)), str(by_day[side.amount.currency]))
        if side.functional is None
        else (side, _quotient(side.amount, side.functional, functional))
        for side in sides
    ]
    difference = -sum(side.functional or 0 for side, _ in valued)
    if difference:
        nothing = Money.zero(functional)
        valued.append((Side(CURRENCY_DIFFERENCE, nothing, functional=difference), "1"))
    return valued


def _rates(
    session: Session, sides: Sequence[Side], posting: Posting, functional: str
) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for side in sides:
        currency = side.amount.currency
        if side.functional is None and currency not in found:
            found[currency] = posting.rate or rates.rate_on(
                session, currency, functional, posting.effective_date
            )
    return found


def _functional(exact: Sequence[Decimal]) -> list[int]:
    """Whole units, each within one of its exact amount, that sum to the exact sum, rounded half up."""
    amounts = [int(part.to_integral_value(ROUND_FLOOR, _WIDE)) for part in exact]
    over = [_WIDE.subtract(part, amount) for part, amount in zip(exact, amounts, strict=True)]
    whole = Decimal(0)
    for part in over:
        whole = _WIDE.add(whole, part)
    order = sorted(range(len(over)), key=lambda at: (-over[at], at))
    for at in order[: int(whole.to_integral_value(ROUND_HALF_UP, _WIDE))]:
        amounts[at] += 1
    return amounts


def _exact(amount: Money, by_day: dict[str, Decimal], functional: str) -> Decimal:
    digits = minor_digits(functional) - minor_digits(amount.currency)
    product = _WIDE.multiply(Decimal(amount.minor), by_day[amount.currency])
    return product.scaleb(digits, _WIDE)


def _quotient(amount: Money, functional_minor: int, functional: str) -> str:
    """The rate at which a side is carried, in twelve digits."""
    digits = minor_digits(amount.currency) - minor_digits(functional)
    exact = _RATE.divide(Decimal(functional_minor), Decimal(amount.minor)).scaleb(digits, _RATE)
    return f"{exact.normalize(_RATE):f}"[:24]
