"""Chargebacks: the card network takes a payment back, and gives it back again or doesn't.

Begun, what the payment had settled is owed again, but apart (receivable charged back): it is not dunned and
not drawn while the network decides. The bill stays settled, by the chargeback instead of the payment. Won,
everything is as before; lost, the bill is open again or given up. Each is one entry, and heard twice it is
posted once. Callers lock the payer's account.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.kernel.errors import NotFound, ShopError, StaleState
from core.kernel.money import Money, total
from core.ledger import items, periods, reversals
from core.ledger.chart import BAD_DEBT, CLEARING, FEES, RECEIVABLE_CHARGED_BACK
from core.ledger.items import NewApplication, NewItem, Open
from core.ledger.journal import Posting, Side, credit, debit, post
from core.ledger.models import Application, JournalEntry, JournalLine, OpenItem
from core.ledger.reversals import Undoable

#: The source of a chargeback's entries, items and applications.
CHARGEBACK = "chargeback"
BEGUN, WON, LOST = "chargeback_opened", "chargeback_won", "chargeback_lost"
#: A fee that comes later, or that comes back later.
FEE = "chargeback_fee"


@dataclass(frozen=True)
class Chargeback:
    """What the processor tells: of which payment, how much, and the fee it takes for it."""

    id: uuid.UUID
    payment_id: uuid.UUID
    amount: Money
    fee: Money


@dataclass(eq=False)
class ChargedBackTooMuch(ShopError):
    """More is taken back than stands of the payment: somebody has to look at it."""

    code: ClassVar[str] = "charged_back_too_much"
    text: ClassVar[str] = "{amount} is charged back of a payment of which only {left} stands."
    amount: Money
    left: Money


@dataclass(frozen=True)
class _Taken:
    """What a chargeback takes: parts of money still held, and of applications to bills."""

    held: Sequence[tuple[Open, Money]]
    applied: Sequence[tuple[Undoable, Money]]

    def by_bill(self) -> dict[uuid.UUID, Money]:
        """How much of each bill was settled by what is taken."""
        found: dict[uuid.UUID, Money] = {}
        for undoable, part in self.applied:
            assert undoable.row.debit_item_id is not None
            key = undoable.row.debit_item_id
            found[key] = found[key] + part if key in found else part
        return found


def begin(session: Session, chargeback: Chargeback, on: date, now: datetime) -> bool:
    """Receivable charged back (or what is still held of the payment) and fees against processor clearing.

    What nobody has used yet goes first, then what was applied last. False when it was heard before.
    Raises ChargedBackTooMuch.
    """
    if entry_of(session, chargeback.id, BEGUN) is not None:
        return False
    taken = _take(session, chargeback)
    bills = [(items.get(session, key), part) for key, part in taken.by_bill().items()]
    first = taken.held[0][0] if taken.held else bills[0][0]
    sides = [
        *(item.settle(part) for item, part in taken.held),
        *(replace(bill.restore(part), ledger_code=RECEIVABLE_CHARGED_BACK) for bill, part in bills),
        debit(FEES, chargeback.fee),
        credit(CLEARING, chargeback.amount + chargeback.fee),
    ]
    day = periods.open_day(session, first.legal_entity_id, on)
    entry = posted(session, first.legal_entity_id, BEGUN, chargeback.id, day, sides, now)
    for undoable, part in taken.applied:
        reversals.take_back(session, undoable.row, part, entry, day, now)
    holds = [(item.id, part) for item, part in taken.held]
    holds += [
        (undoable.row.credit_item_id, part)
        for undoable, part in taken.applied
        if undoable.row.credit_item_id is not None
    ]
    for key, part in holds:
        gone = NewApplication(part, CHARGEBACK, chargeback.id, day, credit_item_id=key)
        items.apply(session, entry, now, gone)
    for bill, part in bills:
        instead = NewApplication(part, CHARGEBACK, chargeback.id, day, debit_item_id=bill.id)
        items.apply(session, entry, now, instead)
    items.open_many(
        session, [(entry, _charged(chargeback.id, bill, part, day)) for bill, part in bills]
    )
    return True


def win(
    session: Session, chargeback_id: uuid.UUID, fee_back: Money, on: date, now: datetime
) -> bool:
    """The money comes back, and settles what it had settled; so does a part of the fee, if any.

    False when it was heard before. NotFound where no such chargeback was begun, StaleState where it is lost
    (then see ``core.ledger.appeals``).
    """
    begun = entry_begun(session, chargeback_id)
    if entry_of(session, chargeback_id, WON) is not None:
        return False
    if entry_of(session, chargeback_id, LOST) is not None:
        raise StaleState("chargeback", "open")
    rows = rows_of(session, begun)
    charged = _open_of(session, chargeback_id)
    again = [*_held_again(session, rows), *(item.settle(item.open) for item in charged)]
    amount = -total((side.amount for side in again), fee_back.currency)
    sides = [*again, debit(CLEARING, amount + fee_back), credit(FEES, fee_back)]
    day = periods.open_day(session, begun.legal_entity_id, on)
    entry = posted(session, begun.legal_entity_id, WON, chargeback_id, day, sides, now)
    _settle(session, charged, entry, day, now)
    for row in rows:
        if row.amount_minor > 0:
            part = Money(row.amount_minor, fee_back.currency)
            reversals.take_back(session, row, part, entry, day, now)
    for row in rows:
        if row.amount_minor < 0:
            items.apply(session, entry, now, as_before(row, fee_back.currency, day))
    return True


def lose(
    session: Session, chargeback_id: uuid.UUID, on: date, now: datetime, *, give_up: bool = False
) -> bool:
    """The bill is owed again, or its amount is bad debt (``give_up``); the fee stays ours.

    What was taken of money that nobody had used stays gone. False when nothing is left to decide.
    NotFound where no such chargeback was begun, StaleState where it is won.
    """
    begun = entry_begun(session, chargeback_id)
    if entry_of(session, chargeback_id, WON) is not None:
        raise StaleState("chargeback", "open")
    charged = _open_of(session, chargeback_id)
    if not charged:
        return False
    rows = [row for row in rows_of(session, begun) if row.debit_item_id and row.amount_minor > 0]
    day = periods.open_day(session, begun.legal_entity_id, on)
    currency = charged[0].amount.currency
    if give_up:
        loss = total((item.open for item in charged), currency)
        sides = [debit(BAD_DEBT, loss)]
    else:
        sides = [_owed_again(session, row) for row in rows]
    sides += [item.settle(item.open) for item in charged]
    entry = posted(session, begun.legal_entity_id, LOST, chargeback_id, day, sides, now)
    _settle(session, charged, entry, day, now)
    if not give_up:
        for row in rows:
            part = Money(row.amount_minor, currency)
            reversals.take_back(session, row, part, entry, day, now)
    return True


def settle_fees(
    session: Session, chargeback_id: uuid.UUID, kept: Money, on: date, now: datetime
) -> bool:
    """Bring what is booked of its fees to ``kept``, what the processor keeps of them by now.

    False when that is so. NotFound where no such chargeback was begun.
    """
    begun = entry_begun(session, chargeback_id)
    entries = (JournalEntry.source_kind == CHARGEBACK, JournalEntry.source_id == chargeback_id)
    booked = session.scalar(
        select(func.coalesce(func.sum(JournalLine.amount_minor), 0))
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(*entries, JournalLine.ledger_code == FEES)
    )
    more = kept - Money(int(booked or 0), kept.currency)
    if not more:
        return False
    later = session.scalar(
        select(func.count()).select_from(JournalEntry).where(*entries, _is_of_fees())
    )
    day = periods.open_day(session, begun.legal_entity_id, on)
    kind = f"{FEE}_{later + 1}" if later else FEE
    sides = [debit(FEES, more), credit(CLEARING, more)]
    posted(session, begun.legal_entity_id, kind, chargeback_id, day, sides, now)
    return True


def _is_of_fees() -> ColumnElement[bool]:
    return JournalEntry.kind.startswith(FEE)


def bills_of(session: Session, chargeback_id: uuid.UUID) -> list[tuple[OpenItem, Money]]:
    """Which bills the payment had settled with what is taken back, and how much of each."""
    rows = session.execute(
        select(OpenItem, Application.amount_minor)
        .join(Application, Application.debit_item_id == OpenItem.id)
        .join(JournalEntry, JournalEntry.id == Application.entry_id)
        .where(
            JournalEntry.source_kind == CHARGEBACK,
            JournalEntry.source_id == chargeback_id,
            JournalEntry.kind == BEGUN,
            Application.source_kind == CHARGEBACK,
        )
        .order_by(OpenItem.due_date, OpenItem.id)
    )
    return [(item, Money(minor, item.currency)) for item, minor in rows]


def charged_back(session: Session, bill: Open) -> Money:
    """How much of a bill's payments the network holds back now; its balance is this and what is open."""
    found = items.find(
        session,
        OpenItem.ledger_code == RECEIVABLE_CHARGED_BACK,
        OpenItem.account_id == bill.account_id,
        OpenItem.source_id.in_(
            select(Application.source_id).where(
                Application.debit_item_id == bill.id, Application.source_kind == CHARGEBACK
            )
        ),
        OpenItem.number == bill.number,
    )
    return total((item.open for item in found), bill.amount.currency)


def _take(session: Session, chargeback: Chargeback) -> _Taken:
    """The parts of the payment that the chargeback is made of."""
    left = chargeback.amount
    held, applied = [], []
    for item in _held(session, chargeback.payment_id):
        part = min(item.open, left)
        if part.minor > 0:
            held.append((item, part))
            left -= part
    for undoable in _applied(session, chargeback.payment_id):
        part = min(undoable.left, left)
        if part.minor > 0:
            applied.append((undoable, part))
            left -= part
    if left or not chargeback.amount.minor > 0:
        raise ChargedBackTooMuch(chargeback.amount, chargeback.amount - left)
    return _Taken(held, applied)


def _held(session: Session, payment_id: uuid.UUID) -> list[Open]:
    return items.find(
        session,
        OpenItem.side == "credit",
        OpenItem.source_kind.in_(reversals.MONEY),
        OpenItem.source_id == payment_id,
    )


def _applied(session: Session, payment_id: uuid.UUID) -> list[Undoable]:
    """What of the payment still settles bills, the last applied first."""
    keys = session.scalars(
        select(Application.id)
        .where(
            Application.source_kind.in_(reversals.MONEY),
            Application.source_id == payment_id,
            Application.debit_item_id.is_not(None),
            Application.reverses_id.is_(None),
        )
        .order_by(Application.posted_at.desc(), Application.id.desc())
    )
    return [reversals.standing(session, key) for key in keys.all()]


def _charged(chargeback_id: uuid.UUID, bill: Open, part: Money, day: date) -> NewItem:
    return NewItem(
        legal_entity_id=bill.legal_entity_id,
        account_id=bill.account_id,
        ledger_code=RECEIVABLE_CHARGED_BACK,
        amount=part,
        source_kind=CHARGEBACK,
        source_id=chargeback_id,
        number=bill.number,
        effective_date=day,
        due_date=bill.due_date,
    )


def _open_of(session: Session, chargeback_id: uuid.UUID) -> list[Open]:
    """What is still charged back by it."""
    found = items.find(
        session, OpenItem.source_kind == CHARGEBACK, OpenItem.source_id == chargeback_id
    )
    return [item for item in found if item.open]


def rows_of(session: Session, begun: JournalEntry) -> Sequence[Application]:
    return session.scalars(
        select(Application).where(Application.entry_id == begun.id).order_by(Application.id)
    ).all()


def _held_again(session: Session, rows: Sequence[Application]) -> list[Side]:
    """The lines that put back what was taken of money still held."""
    sums: dict[uuid.UUID, int] = {}
    for row in rows:
        if row.credit_item_id is not None:
            sums[row.credit_item_id] = sums.get(row.credit_item_id, 0) + row.amount_minor
    held = [(items.get(session, key), minor) for key, minor in sums.items() if minor]
    return [item.restore(Money(minor, item.amount.currency)) for item, minor in held]


def _owed_again(session: Session, row: Application) -> Side:
    assert row.debit_item_id is not None
    bill = items.get(session, row.debit_item_id)
    return bill.restore(Money(row.amount_minor, bill.amount.currency))


def as_before(row: Application, currency: str, day: date) -> NewApplication:
    """The application that a reversal had taken back."""
    return NewApplication(
        Money(-row.amount_minor, currency),
        row.source_kind,
        row.source_id,
        day,
        credit_item_id=row.credit_item_id,
        debit_item_id=row.debit_item_id,
    )


def _settle(
    session: Session, charged: Sequence[Open], entry: uuid.UUID, day: date, now: datetime
) -> None:
    for item in charged:
        over = NewApplication(item.open, CHARGEBACK, item.source_id, day, debit_item_id=item.id)
        items.apply(session, entry, now, over)


def posted(
    session: Session,
    entity_id: uuid.UUID,
    kind: str,
    chargeback_id: uuid.UUID,
    day: date,
    sides: Sequence[Side],
    now: datetime,
) -> uuid.UUID:
    return post(session, Posting(entity_id, kind, day, CHARGEBACK, chargeback_id, sides), now)


def entry_begun(session: Session, chargeback_id: uuid.UUID) -> JournalEntry:
    found = entry_of(session, chargeback_id, BEGUN)
    if found is None:
        raise NotFound("chargeback")
    return found


def entry_of(session: Session, chargeback_id: uuid.UUID, kind: str) -> JournalEntry | None:
    return session.scalar(
        select(JournalEntry).where(
            JournalEntry.source_kind == CHARGEBACK,
            JournalEntry.source_id == chargeback_id,
            JournalEntry.kind == kind,
        )
    )
