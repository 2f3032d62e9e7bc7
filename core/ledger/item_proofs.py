"""What open items show of themselves: they are the control accounts, stay within bounds, and age as owed.

``as_of`` leaves out what is dated later; None takes everything.
"""

import uuid
from datetime import date
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Select, Subquery, case, func, or_, select, union_all
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.proof import Part
from core.ledger import ageing
from core.ledger.chart import (
    CUSTOMER_CREDIT,
    ORDER_DEPOSIT,
    RECEIVABLE,
    RECEIVABLE_CHARGED_BACK,
    UNAPPLIED,
    UNIDENTIFIED,
)
from core.ledger.cuts import Cut
from core.ledger.models import Application, JournalEntry, JournalLine, OpenItem
from core.ledger.open_now import OpenNow
from core.ledger.proofs import lines
from core.parties.models import Account, LegalEntity

#: The accounts whose balance is the sum of open items.
CONTROLS = (
    RECEIVABLE,
    RECEIVABLE_CHARGED_BACK,
    ORDER_DEPOSIT,
    CUSTOMER_CREDIT,
    UNAPPLIED,
    UNIDENTIFIED,
)


def controls_tie(session: Session, as_of: date | None) -> Part:
    """Each control account is the sum of what is open, for every account on its own."""
    wrong = proof.offenders(
        session,
        _untied(as_of),
        lambda row: (
            f"{row[0]}, {row[2]} of account {row[1] or '(none)'}: the journal has "
            f"{proof.amount(row[4], row[3])} more in debit than the open items"
        ),
    )
    figures = [
        f"{code.replace('_', ' ')} {proof.amount(abs(balance), currency)}"
        for code, currency, balance in session.execute(_balances(as_of))
    ]
    return Part(", ".join(figures) or "nothing is open", wrong)


def items_stay_within_bounds(session: Session, as_of: date | None) -> Part:
    """What is open of an item is never below zero nor above its amount."""
    items = proof.count(session, _items(as_of))
    return Part(
        f"{items:,} open items within bounds",
        proof.offenders(
            session,
            _out_of_bounds(as_of),
            lambda row: (
                f"item {row[0]}: {proof.amount(row[3], row[1])} applied "
                f"of {proof.amount(row[2], row[1])}"
            ),
        ),
    )


def what_is_open_is_kept(session: Session) -> Part:
    """What the triggers keep beside the items is what items and applications come to, now."""
    many = proof.count(session, proof.every(OpenNow))
    return Part(
        f"{many:,} of them open now",
        proof.offenders(
            session,
            _kept_otherwise(),
            lambda row: (
                f"item {row[0]}: {proof.amount(row[2], row[1])} more is open than is kept as open"
                if row[1]
                else f"{row[3]} is kept as open and is no item"
            ),
        ),
    )


def ageing_ties(session: Session, as_of: date | None, today: date) -> Part:
    """Receivable by age, each item in its bucket, sums to the control accounts; contested parts fit."""
    found: dict[str, list[int]] = {}
    contested: dict[str, int] = {}
    for key in session.scalars(_entities()).all():
        for ages in ageing.totals(session, Cut(key, as_of=as_of), today, by_items=True):
            currency = ages.total.currency
            sums = found.setdefault(currency, [0] * len(ageing.BUCKETS))
            for at, part in enumerate(ages.buckets):
                sums[at] += part.minor
            contested[currency] = contested.get(currency, 0) + ages.contested.minor
    control: dict[str, int] = {
        currency: int(sum_) for currency, sum_ in session.execute(_owed(as_of))
    }
    wrong = [
        f"the buckets sum to {proof.amount(sum(found.get(currency, [])), currency)}, "
        f"the control accounts have {proof.amount(control.get(currency, 0), currency)}"
        for currency in sorted({*found, *control})
        if sum(found.get(currency, [])) != control.get(currency, 0)
    ]
    wrong += [
        f"{proof.amount(minor, currency)} is contested of {proof.amount(sum(found[currency]), currency)}"
        for currency, minor in contested.items()
        if minor > sum(found[currency])
    ]
    figures = [
        _buckets(currency, found.get(currency, []), contested.get(currency, 0))
        for currency in sorted({*found, *control})
    ]
    return Part("; ".join(figures) or "nothing", proof.first_few(wrong))


def _buckets(currency: str, sums: list[int], contested: int) -> str:
    parts = [
        f"{name} {proof.amount(minor, currency)}"
        for name, minor in zip(ageing.BUCKETS, sums, strict=False)
        if minor
    ]
    parts += [f"contested {proof.amount(contested, currency)}"] if contested else []
    return f"{proof.amount(sum(sums), currency)}" + (f" ({', '.join(parts)})" if parts else "")


# --- statements, each put together once and at first use ------------------------------------------


@lru_cache(maxsize=8)
def _untied(as_of: date | None) -> Select[*tuple[Any, ...]]:
    parts = _differences(as_of)
    difference = func.sum(parts.c.amount)
    keys = (parts.c.ledger_code, parts.c.currency, parts.c.account_id)
    return (
        select(LegalEntity.code, Account.number, parts.c.ledger_code, parts.c.currency, difference)
        .join(LegalEntity, LegalEntity.id == parts.c.legal_entity_id)
        .outerjoin(Account, Account.id == parts.c.account_id)
        .group_by(LegalEntity.code, Account.number, *keys)
        .having(difference != 0)
        .order_by(LegalEntity.code, parts.c.ledger_code, Account.number)
    )


def _differences(as_of: date | None) -> Subquery:
    """Journal less open items on each control account; every account sums to zero."""
    posted = lines(
        JournalLine.legal_entity_id,
        JournalLine.ledger_code,
        JournalLine.account_id,
        JournalLine.currency,
        JournalLine.amount_minor.label("amount"),
    ).where(JournalLine.ledger_code.in_(CONTROLS), *proof.until(JournalEntry.effective_date, as_of))
    sign = case((OpenItem.side == "debit", 1), else_=-1)
    whose = (OpenItem.legal_entity_id, OpenItem.ledger_code, OpenItem.account_id, OpenItem.currency)
    opened = select(*whose, (-sign * OpenItem.amount_minor).label("amount")).where(
        *proof.until(OpenItem.effective_date, as_of)
    )
    pieces = _applied(as_of).subquery()
    applied = select(*whose, (sign * pieces.c.amount).label("amount")).join(
        pieces, pieces.c.item_id == OpenItem.id
    )
    return union_all(posted, opened, applied).subquery()


@lru_cache(maxsize=8)
def _balances(as_of: date | None) -> Select[*tuple[Any, ...]]:
    keys = (JournalLine.ledger_code, JournalLine.currency)
    return (
        lines(*keys, func.sum(JournalLine.amount_minor))
        .where(
            JournalLine.ledger_code.in_(CONTROLS), *proof.until(JournalEntry.effective_date, as_of)
        )
        .group_by(*keys)
        .order_by(*keys)
    )


@lru_cache(maxsize=8)
def _out_of_bounds(as_of: date | None) -> Select[*tuple[Any, ...]]:
    pieces = _applied(as_of).subquery()
    applied = func.sum(pieces.c.amount)
    sums = select(pieces.c.item_id, applied.label("applied")).group_by(pieces.c.item_id).subquery()
    return (
        select(OpenItem.number, OpenItem.currency, OpenItem.amount_minor, sums.c.applied)
        .join(sums, sums.c.item_id == OpenItem.id)
        .where(
            or_(sums.c.applied > OpenItem.amount_minor, sums.c.applied < 0),
            *proof.until(OpenItem.effective_date, as_of),
        )
        .order_by(OpenItem.number)
    )


@lru_cache(maxsize=8)
def _items(as_of: date | None) -> Select[int]:
    return (
        select(func.count())
        .select_from(OpenItem)
        .where(*proof.until(OpenItem.effective_date, as_of))
    )


@cache
def _kept_otherwise() -> Select[*tuple[Any, ...]]:
    pieces = _applied(None).subquery()
    parts = union_all(
        select(OpenItem.id.label("item_id"), OpenItem.amount_minor.label("amount")),
        select(pieces.c.item_id, -pieces.c.amount),
        select(OpenNow.item_id, -OpenNow.open_minor),
    ).subquery()
    difference = func.sum(parts.c.amount)
    keys = (parts.c.item_id,)
    untrue = select(*keys, difference.label("more")).group_by(*keys).having(difference != 0)
    found = untrue.subquery()
    return (
        select(OpenItem.number, OpenItem.currency, found.c.more, found.c.item_id)
        .select_from(found)
        .outerjoin(OpenItem, OpenItem.id == found.c.item_id)
        .order_by(OpenItem.number)
    )


def _applied(as_of: date | None) -> Any:
    """(item, amount) of every application, on either side."""
    dated = proof.until(Application.effective_date, as_of)
    return union_all(
        *(
            select(column.label("item_id"), Application.amount_minor.label("amount")).where(
                column.is_not(None), *dated
            )
            for column in (Application.debit_item_id, Application.credit_item_id)
        )
    )


@cache
def _entities() -> Select[uuid.UUID]:
    return select(LegalEntity.id)


@lru_cache(maxsize=8)
def _owed(as_of: date | None) -> Select[*tuple[Any, ...]]:
    return (
        lines(JournalLine.currency, func.sum(JournalLine.amount_minor))
        .where(
            JournalLine.ledger_code.in_(ageing.OWED),
            *proof.until(JournalEntry.effective_date, as_of),
        )
        .group_by(JournalLine.currency)
        .order_by(JournalLine.currency)
    )
