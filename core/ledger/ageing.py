"""How old what is owed is: by due date, per account and in all, on any day.

Ageing is of what is receivable and of what was charged back; it sums to those two control accounts.
Called by the desk, exports and ``item_proofs``.
"""

import bisect
import functools
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger.chart import RECEIVABLE, RECEIVABLE_CHARGED_BACK
from core.ledger.cuts import Cut, settle
from core.ledger.models import Application, ContestedAmount, OpenItem
from core.ledger.open_now import OpenNow
from core.parties.models import Account

#: The accounts that ageing is of.
OWED = (RECEIVABLE, RECEIVABLE_CHARGED_BACK)
#: Days past due at which the next bucket begins.
STEPS = (1, 31, 61, 91)
#: As pages, files and proofs name them.
BUCKETS = ("current", "1–30 days", "31–60 days", "61–90 days", "over 90 days")


@dataclass(frozen=True)
class Ages:
    """What is owed in one currency, by age: what is not yet due, then by days past due.

    ``contested`` is the part of the total that the payer disputes; it stays in its bucket.
    """

    buckets: tuple[Money, ...]
    contested: Money

    @property
    def total(self) -> Money:
        """All of it."""
        return sum(self.buckets[1:], self.buckets[0])


@dataclass(frozen=True)
class Row:
    """One account's ages in one currency."""

    account_id: uuid.UUID
    public_id: str
    number: str
    name: str
    ages: Ages


def bucket(due: Any, today: date) -> ColumnElement[int]:
    """The bucket of a due date, from 0: what is due today is current."""
    days = [date.fromordinal(max(1, today.toordinal() - step)) for step in STEPS]
    older = [(due > day, at) for at, day in enumerate(days)]
    return case(*older, else_=len(STEPS))


def of_account(session: Session, account_id: uuid.UUID, cut: Cut, today: date) -> list[Ages]:
    """One account's ages, one for each currency in which it owes."""
    cut = settle(session, cut)
    found: dict[str, list[int]] = {}
    for currency, due, minor in _due_of(session, account_id, cut):
        sums = found.setdefault(currency, [0] * len(BUCKETS))
        sums[bisect.bisect_right(STEPS, (today - due).days)] += int(minor)
    disputed = _contested(session, cut, account_id) if found else {}
    return [
        _ages(currency, sums, disputed.get((account_id, currency), 0))
        for currency, sums in sorted(found.items())
        if any(sums)
    ]


def _due_of(session: Session, account_id: uuid.UUID, cut: Cut) -> Iterable[Any]:
    """(currency, due, amount) of what one account owed."""
    if cut.whole:
        whose = {"account": account_id, "entity": cut.legal_entity_id}
        return session.execute(_due_now(), whose)
    open_ = _then(cut, OpenItem.account_id == account_id)
    keys = (open_.c.currency, open_.c.due)
    return session.execute(select(*keys, func.sum(open_.c.amount)).group_by(*keys))


@functools.cache
def _due_now() -> Select[str, date, int]:
    keys = (OpenNow.currency, OpenNow.due)
    return (
        select(*keys, func.sum(OpenNow.open_minor))
        .where(
            OpenNow.account_id == bindparam("account"),
            OpenNow.legal_entity_id == bindparam("entity"),
            OpenNow.ledger_code.in_(OWED),
        )
        .group_by(*keys)
    )


def totals(session: Session, cut: Cut, today: date, *, by_items: bool = False) -> list[Ages]:
    """All accounts together, one for each currency; ``by_items`` never takes the shortcut."""
    cut = settle(session, cut)
    open_ = _then(cut) if by_items or not cut.whole else _now(cut)
    disputed: dict[str, int] = {}
    for (_, currency), minor in _contested(session, cut).items():
        disputed[currency] = disputed.get(currency, 0) + minor
    return [
        _ages(currency, sums, disputed.get(currency, 0))
        for currency, *sums in session.execute(
            _summed(open_, today, open_.c.currency).order_by(open_.c.currency)
        )
    ]


def rows(
    session: Session,
    cut: Cut,
    today: date,
    *,
    after: tuple[str, str] | None = None,
    limit: int | None = None,
) -> Iterator[Row]:
    """The accounts that owe, by their numbers; ``after`` is the number and currency of the row before.

    Reads row by row: as many accounts as there are.
    """
    cut = settle(session, cut)
    open_ = _now(cut) if cut.whole else _then(cut)
    key = (Account.number, open_.c.currency)
    query = (
        _summed(open_, today, Account.id, Account.public_id, Account.name, *key)
        .join(Account, Account.id == open_.c.account_id)
        .having(func.sum(open_.c.amount) != 0)
        .order_by(*key)
    )
    if after is not None:
        query = query.where(
            or_(
                Account.number > after[0],
                and_(Account.number == after[0], open_.c.currency > after[1]),
            )
        )
    if limit is not None:
        query = query.limit(limit)
    disputed = _contested(session, cut)
    for account_id, public_id, name, number, currency, *sums in session.execute(
        query, execution_options={"yield_per": 1000}
    ):
        ages = _ages(currency, sums, disputed.get((account_id, currency), 0))
        yield Row(account_id, public_id, number, name, ages)


def _ages(currency: str, sums: list[Any], contested: int) -> Ages:
    return Ages(
        tuple(Money(int(minor or 0), currency) for minor in sums), Money(contested, currency)
    )


def _summed(open_: Subquery, today: date, *keys: Any) -> Select[*tuple[Any, ...]]:
    at = bucket(open_.c.due, today)
    sums = [func.sum(case((at == each, open_.c.amount), else_=0)) for each in range(len(BUCKETS))]
    return select(*keys, *sums).select_from(open_).group_by(*keys)


def _now(cut: Cut, *whose: ColumnElement[bool]) -> Subquery:
    """(account, currency, due, amount): what is open now."""
    return (
        select(
            OpenNow.account_id,
            OpenNow.currency,
            OpenNow.due,
            OpenNow.open_minor.label("amount"),
        )
        .where(
            OpenNow.ledger_code.in_(OWED),
            OpenNow.legal_entity_id == cut.legal_entity_id,
            *whose,
        )
        .subquery()
    )


def _then(cut: Cut, *whose: ColumnElement[bool]) -> Subquery:
    """The same from items less applications: (account, currency, due, amount) add up to it."""
    due = func.coalesce(OpenItem.due_date, OpenItem.effective_date).label("due")
    keys = (OpenItem.account_id, OpenItem.currency, due)
    mine = [OpenItem.ledger_code.in_(OWED), *cut.items(), *whose]
    opened = select(*keys, OpenItem.amount_minor.label("amount")).where(*mine)
    applied = (
        select(*keys, (-Application.amount_minor).label("amount"))
        .join(Application, Application.debit_item_id == OpenItem.id)
        .where(*mine, *cut.applications())
    )
    return union_all(opened, applied).subquery()


def _contested(
    session: Session, cut: Cut, account_id: uuid.UUID | None = None
) -> dict[tuple[uuid.UUID, str], int]:
    """(account, currency): what is contested of what is open. Few items are, so each is looked at."""
    query = _contested_now(cut) if cut.whole else _contested_then(cut)
    if account_id is not None:
        query = query.where((OpenNow if cut.whole else OpenItem).account_id == account_id)
    found: dict[tuple[uuid.UUID, str], int] = {}
    for account, currency, open_, contested in session.execute(query):
        key = (account, currency)
        found[key] = found.get(key, 0) + min(int(open_), int(contested))
    return found


def _contested_now(cut: Cut) -> Select[*tuple[Any, ...]]:
    keys = (OpenNow.item_id, OpenNow.account_id, OpenNow.currency, OpenNow.open_minor)
    return (
        select(*keys[1:], func.sum(ContestedAmount.amount_minor))
        .join(ContestedAmount, ContestedAmount.item_id == OpenNow.item_id)
        .where(
            OpenNow.legal_entity_id == cut.legal_entity_id,
            OpenNow.ledger_code.in_(OWED),
            ContestedAmount.closed_at.is_(None),
        )
        .group_by(*keys)
    )


def _contested_then(cut: Cut) -> Select[*tuple[Any, ...]]:
    closed = ContestedAmount.closed_on
    on: list[ColumnElement[bool]] = [closed.is_(None)]
    if cut.as_of is not None:
        on = [ContestedAmount.opened_on <= cut.as_of, or_(closed.is_(None), closed > cut.as_of)]
    keys = (OpenItem.id, OpenItem.account_id, OpenItem.currency, OpenItem.amount_minor)
    return (
        select(
            *keys[1:3],
            OpenItem.amount_minor - _applied_to(cut),
            func.sum(ContestedAmount.amount_minor),
        )
        .join(ContestedAmount, ContestedAmount.item_id == OpenItem.id)
        .where(OpenItem.ledger_code.in_(OWED), *cut.items(), *on)
        .group_by(*keys)
    )


def _applied_to(cut: Cut) -> Any:
    applied = func.coalesce(func.sum(Application.amount_minor), 0)
    return (
        select(applied)
        .where(Application.debit_item_id == OpenItem.id, *cut.applications())
        .correlate(OpenItem)
        .scalar_subquery()
    )
