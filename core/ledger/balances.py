"""Balances: the trial balance, one account's position, and sums by month. For the desk and exports."""

import functools
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, bindparam, case, func, select
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger.chart import CHART, RECEIVABLE
from core.ledger.cuts import Cut, settle
from core.ledger.models import Application, JournalEntry, JournalLine, LedgerAccount, OpenItem
from core.ledger.open_now import OpenNow

#: Ledger accounts stand in the order of the chart, those that it does not know behind.
_PLACES = {code: place for place, (code, _, _) in enumerate(CHART)}


@dataclass(frozen=True)
class Sums:
    """One ledger account in one currency: all its debits and all its credits, both positive.

    ``functional`` is the balance in minor units of the legal entity's own currency, a debit positive.
    """

    code: str
    name: str
    ledger_class: str
    debits: Money
    credits: Money
    functional: int

    @property
    def balance(self) -> Money:
        """Debits less credits."""
        return self.debits - self.credits


@dataclass(frozen=True)
class MonthSums:
    """What a ledger account was debited and credited within a month; ``month`` is its first day."""

    month: date
    sums: Sums


@dataclass(frozen=True)
class Position:
    """What an account stands at on one of the ledger's accounts: what is open of its items."""

    ledger_code: str
    side: str
    amount: Money


def trial_balance(session: Session, cut: Cut) -> list[Sums]:
    """Every ledger account that was posted to, in the order of the chart. Balances sum to zero."""
    query = _sums(settle(session, cut), JournalLine.ledger_code, JournalLine.currency)
    names = _names(session, cut.legal_entity_id)
    found = [
        _row(names, code, currency, debits, credits, functional)
        for code, currency, debits, credits, functional in session.execute(query)
    ]
    return sorted(found, key=_place)


def by_month(session: Session, cut: Cut, first: date | None = None) -> Iterator[MonthSums]:
    """The general journal: month by month, within each the accounts in the order of the chart.

    ``first`` leaves out what is effective before it. Reads one day after the other.
    """
    day = JournalEntry.effective_date
    query = _sums(cut, day, JournalLine.ledger_code, JournalLine.currency).order_by(day)
    if first is not None:
        query = query.where(day >= first)
    names = _names(session, cut.legal_entity_id)
    month: date | None = None
    kept: dict[tuple[str, str], Sums] = {}
    for on, code, currency, *minors in session.execute(query, execution_options={"yield_per": 500}):
        if month is not None and on.replace(day=1) != month:
            yield from _of_month(month, kept)
            kept = {}
        month = on.replace(day=1)
        row = _row(names, code, currency, *minors)
        before = kept.get((code, currency))
        kept[code, currency] = row if before is None else _together(before, row)
    if month is not None:
        yield from _of_month(month, kept)


def of_account(session: Session, account_id: uuid.UUID, cut: Cut) -> list[Position]:
    """What one account owes and what is held for it, by ledger account and currency."""
    cut = settle(session, cut)
    keys: tuple[Any, ...]
    if cut.whole:
        whose = {"account": account_id, "entity": cut.legal_entity_id}
        sums = session.execute(_open_now(), whose).all()
        return [Position(code, side, Money(int(minor), cur)) for code, side, cur, minor in sums]
    keys = (OpenItem.ledger_code, OpenItem.side, OpenItem.currency)
    mine = [OpenItem.account_id == account_id, *cut.items()]
    found: dict[tuple[str, str, str], int] = {}
    opened = select(*keys, func.sum(OpenItem.amount_minor)).where(*mine)
    for code, side, currency, minor in session.execute(opened.group_by(*keys)):
        found[code, side, currency] = int(minor)
    for link in (Application.debit_item_id, Application.credit_item_id):
        applied = select(*keys, func.sum(Application.amount_minor)).join(
            Application, link == OpenItem.id
        )
        applied = applied.where(*mine, *cut.applications()).group_by(*keys)
        for code, side, currency, minor in session.execute(applied):
            found[code, side, currency] -= int(minor)
    return [
        Position(code, side, Money(minor, currency))
        for (code, side, currency), minor in sorted(found.items())
        if minor
    ]


def owed_by_each(session: Session, account_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Money]:
    """What some accounts owe now on the receivable, each in its largest currency; without it, nothing."""
    rows = session.execute(
        select(OpenNow.account_id, OpenNow.currency, func.sum(OpenNow.open_minor))
        .where(
            OpenNow.account_id.in_(account_ids),
            OpenNow.ledger_code == RECEIVABLE,
            OpenNow.side == "debit",
        )
        .group_by(OpenNow.account_id, OpenNow.currency)
        .order_by(func.sum(OpenNow.open_minor))
    )
    return {key: Money(int(minor), currency) for key, currency, minor in rows if key is not None}


@functools.cache
def _open_now() -> Select[str, str, str, int]:
    keys = (OpenNow.ledger_code, OpenNow.side, OpenNow.currency)
    return (
        select(*keys, func.sum(OpenNow.open_minor))
        .where(
            OpenNow.account_id == bindparam("account"),
            OpenNow.legal_entity_id == bindparam("entity"),
        )
        .group_by(*keys)
        .order_by(*keys)
    )


def _sums(cut: Cut, *keys: Any) -> Select[*tuple[Any, ...]]:
    amount = JournalLine.amount_minor
    return (
        select(
            *keys,
            func.sum(case((amount > 0, amount), else_=0)),
            func.sum(case((amount < 0, -amount), else_=0)),
            func.sum(JournalLine.functional_minor),
        )
        .select_from(JournalLine)
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(*cut.entries())
        .group_by(*keys)
    )


def _names(session: Session, legal_entity_id: uuid.UUID) -> dict[str, tuple[str, str]]:
    query = select(LedgerAccount.code, LedgerAccount.name, LedgerAccount.ledger_class)
    rows = session.execute(query.where(LedgerAccount.legal_entity_id == legal_entity_id))
    return {code: (name, kind) for code, name, kind in rows}


def _row(
    names: dict[str, tuple[str, str]],
    code: str,
    currency: str,
    debits: Any,
    credits: Any,
    functional: Any,
) -> Sums:
    name, kind = names[code]
    sides = Money(int(debits), currency), Money(int(credits), currency)
    return Sums(code, name, kind, *sides, int(functional))


def _together(one: Sums, other: Sums) -> Sums:
    return Sums(
        one.code,
        one.name,
        one.ledger_class,
        one.debits + other.debits,
        one.credits + other.credits,
        one.functional + other.functional,
    )


def _of_month(month: date, kept: dict[tuple[str, str], Sums]) -> Iterator[MonthSums]:
    for sums in sorted(kept.values(), key=_place):
        yield MonthSums(month, sums)


def _place(sums: Sums) -> tuple[int, str, str]:
    return _PLACES.get(sums.code, len(_PLACES)), sums.code, sums.debits.currency
