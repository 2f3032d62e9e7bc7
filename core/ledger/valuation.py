"""The functional currency proves itself: what stands in it is itself, items in others are carried whole."""

import uuid
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.money import Money
from core.kernel.proof import Part
from core.ledger import items
from core.ledger.chart import OPEN_ITEM_ACCOUNTS
from core.ledger.models import JournalLine, OpenItem
from core.parties.models import LegalEntity

#: Legal entity, ledger account, whose, currency.
_Key = tuple[uuid.UUID, str, uuid.UUID | None, str]


def functional_amounts_tie(session: Session, as_of: date | None) -> Part:
    """A line in the functional currency is its own amount; controls of other currencies are their items.

    An item is carried at the rate of the day it was opened, in proportion to what is open of it. That
    is known for today only: a date may fall between parts that were taken off in another order.
    """
    differing = proof.offenders(
        session, _own(), lambda row: f"a line of {row[0]}: {row[1]} in books of its own is {row[2]}"
    )
    if as_of is not None:
        return Part("own amounts are themselves", proof.first_few(differing))
    balances = _balances(session)
    wrong = [
        f"{key[1]} in {key[3]}: the journal has {balances.get(key, 0) - carried} functional "
        "minor units more in debit than its items carry"
        for key, carried in _carried(session, balances).items()
        if balances.get(key, 0) != carried
    ]
    return Part(
        f"{len(balances):,} positions in other currencies",
        proof.first_few([*differing, *wrong]),
    )


def _balances(session: Session) -> dict[_Key, int]:
    rows = session.execute(_posted())
    return {(entity, code, who, currency): int(sum_) for entity, code, who, currency, sum_ in rows}


def _carried(session: Session, balances: dict[_Key, int]) -> dict[_Key, int]:
    """What the open items of other currencies carry, debits positive; every balance has its key."""
    found = dict.fromkeys(balances, 0)
    rows = session.execute(_in_other_currencies()).yield_per(1000)
    for item, applied in rows:
        key = (item.legal_entity_id, item.ledger_code, item.account_id, item.currency)
        open_ = Money(item.amount_minor - int(applied), item.currency)
        carried = items.carried(item.functional_minor, item.amount_minor, open_.minor)
        found[key] = found.get(key, 0) + (carried if item.side == "debit" else -carried)
    return found


# --- statements, each put together once and at first use ------------------------------------------


@cache
def _own() -> Select[str, int, int]:
    return (
        select(JournalLine.ledger_code, JournalLine.amount_minor, JournalLine.functional_minor)
        .join(LegalEntity, LegalEntity.id == JournalLine.legal_entity_id)
        .where(
            JournalLine.currency == LegalEntity.functional_currency,
            JournalLine.amount_minor != JournalLine.functional_minor,
            JournalLine.amount_minor != 0,
        )
    )


@cache
def _posted() -> Select[*tuple[Any, ...]]:
    return (
        select(
            JournalLine.legal_entity_id,
            JournalLine.ledger_code,
            JournalLine.account_id,
            JournalLine.currency,
            func.sum(JournalLine.functional_minor),
        )
        .join(LegalEntity, LegalEntity.id == JournalLine.legal_entity_id)
        .where(
            JournalLine.ledger_code.in_(OPEN_ITEM_ACCOUNTS),
            JournalLine.currency != LegalEntity.functional_currency,
        )
        .group_by(
            JournalLine.legal_entity_id,
            JournalLine.ledger_code,
            JournalLine.account_id,
            JournalLine.currency,
        )
    )


@cache
def _in_other_currencies() -> Select[OpenItem, int]:
    entity_currency = (
        select(LegalEntity.functional_currency)
        .where(LegalEntity.id == OpenItem.legal_entity_id)
        .correlate(OpenItem)
        .scalar_subquery()
    )
    return items.with_open(None).where(OpenItem.currency != entity_currency).order_by(None)
