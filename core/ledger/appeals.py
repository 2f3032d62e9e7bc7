"""A chargeback that was lost is won after all: the network decided otherwise on appeal.

Meanwhile the bill was owed again. What of it is still open the payment settles as before; what was paid,
credited or written off in the meantime stays so, and as much is held for the payer. Posted once, as won.
Callers lock the payer's account.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from core.kernel.errors import StaleState
from core.kernel.money import Money, total
from core.ledger import chargebacks, items, periods, reversals
from core.ledger.chargebacks import LOST, WON
from core.ledger.chart import BAD_DEBT, CLEARING, FEES, UNAPPLIED
from core.ledger.items import Open
from core.ledger.journal import Side, credit, debit
from core.ledger.models import Application


@dataclass(frozen=True)
class _Again:
    """An application that was taken back, its bill, and how much of it can settle that again.

    ``given_up``: the bill stayed settled, as bad debt.
    """

    row: Application
    bill: Open
    part: Money
    given_up: bool

    @property
    def rest(self) -> Money:
        return Money(-self.row.amount_minor, self.part.currency) - self.part


def win(
    session: Session, chargeback_id: uuid.UUID, fee_back: Money, on: date, now: datetime
) -> bool:
    """The money comes back after all. False when it was heard before.

    NotFound where no such chargeback was begun, StaleState where it was not lost.
    """
    begun = chargebacks.entry_begun(session, chargeback_id)
    if chargebacks.entry_of(session, chargeback_id, WON) is not None:
        return False
    if chargebacks.entry_of(session, chargeback_id, LOST) is None:
        raise StaleState("chargeback", "lost")
    rows = chargebacks.rows_of(session, begun)
    gone = [one for row in rows if row.amount_minor > 0 for one in [_standing(session, row)] if one]
    again = _again(session, rows, fee_back.currency)
    sides = [*_settled(again), *_held(session, gone, again)]
    amount = -total((side.amount for side in sides), fee_back.currency)
    sides += [debit(CLEARING, amount + fee_back), credit(FEES, fee_back)]
    day = periods.open_day(session, begun.legal_entity_id, on)
    entry = chargebacks.posted(session, begun.legal_entity_id, WON, chargeback_id, day, sides, now)
    for row, left in gone:
        reversals.take_back(session, row, left, entry, day, now)
    for one in again:
        if one.part:
            before = chargebacks.as_before(one.row, fee_back.currency, day)
            items.apply(session, entry, now, replace(before, amount=one.part))
        if one.rest and one.row.credit_item_id is None:
            reversals.keep(session, entry, one.row, one.bill, one.rest, day)
    return True


def _standing(session: Session, row: Application) -> tuple[Application, Money] | None:
    """What the chargeback still takes by a row: of a bill that is owed again, nothing."""
    left = reversals.standing(session, row.id).left
    return (row, left) if left else None


def _again(session: Session, rows: Sequence[Application], currency: str) -> list[_Again]:
    """What the payment had settled, and how much of each it can settle now."""
    owed_again = {
        row.debit_item_id
        for row in rows
        if row.amount_minor > 0
        and row.debit_item_id is not None
        and not reversals.standing(session, row.id).left
    }
    left: dict[uuid.UUID, Money] = {}
    found = []
    for row in rows:
        if row.amount_minor >= 0:
            continue
        assert row.debit_item_id is not None
        bill = items.get(session, row.debit_item_id)
        whole = Money(-row.amount_minor, currency)
        given_up = bill.id not in owed_again
        part = whole if given_up else min(whole, left.get(bill.id, bill.open))
        if not given_up:
            left[bill.id] = left.get(bill.id, bill.open) - part
        found.append(_Again(row, bill, part, given_up))
    return found


def _settled(again: Sequence[_Again]) -> list[Side]:
    """The lines of the bills: each off what is owed of it, or out of bad debt."""
    sums: dict[uuid.UUID, Money] = {}
    bills = {one.bill.id: one.bill for one in again}
    for one in again:
        if not one.given_up:
            before = sums.get(one.bill.id, Money.zero(one.part.currency))
            sums[one.bill.id] = before + one.part
    sides = [bills[key].settle(part) for key, part in sums.items() if part]
    return sides + [credit(BAD_DEBT, one.part) for one in again if one.given_up]


def _held(
    session: Session, gone: Sequence[tuple[Application, Money]], again: Sequence[_Again]
) -> list[Side]:
    """The lines of what is held for the payer now: where it was held before, or as money unapplied."""
    back: dict[uuid.UUID, Money] = {}
    for row, left in gone:
        if row.credit_item_id is not None:
            zero = Money.zero(left.currency)
            back[row.credit_item_id] = back.get(row.credit_item_id, zero) + left
    for one in again:
        if one.row.credit_item_id is not None:
            back[one.row.credit_item_id] -= one.part
    sides = [items.get(session, key).restore(part) for key, part in back.items() if part]
    return sides + [
        credit(UNAPPLIED, one.rest, one.bill.account_id)
        for one in again
        if one.row.credit_item_id is None and one.rest
    ]
