"""Taking back an application: by a row of its own with the opposite amount, its own day and its own entry.

Money that was applied goes back to where it came from (a deposit, a credit), or becomes unapplied. What
came from outside, such as a refund that failed, stands on an open day.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.kernel.errors import NotFound, ShopError
from core.kernel.money import Money
from core.ledger import business, items, periods
from core.ledger.chart import CASH, CLEARING, UNAPPLIED
from core.ledger.items import NewApplication, NewItem, Open
from core.ledger.journal import Posting, Side, credit, debit, post
from core.ledger.models import Application, JournalEntry, JournalLine, OpenItem

#: Whose direct application to a bill can be taken back into unapplied money.
MONEY = ("payment", "transfer")


@dataclass(eq=False)
class CannotUndo(ShopError):
    """This application is corrected in another way (a memo by a memo), or so much of it is not there."""

    code: ClassVar[str] = "cannot_undo"
    text: ClassVar[str] = "{wanted} of this application of {kind} cannot be taken back: {left} can."
    kind: str
    wanted: Money
    left: Money


@dataclass(frozen=True)
class Undoable:
    """An application with what of it still stands."""

    row: Application
    left: Money


def standing(session: Session, application_id: uuid.UUID) -> Undoable:
    """An application and what of it was not taken back yet. NotFound when there is none."""
    row = session.get(Application, application_id)
    if row is None or row.reverses_id is not None:
        raise NotFound("application")
    back = session.scalar(
        select(func.coalesce(func.sum(Application.amount_minor), 0)).where(
            Application.reverses_id == application_id
        )
    )
    return Undoable(row, Money(row.amount_minor + int(back or 0), _item_of(session, row).currency))


def of_bill(session: Session, item: Open) -> list[Undoable]:
    """What was applied to a bill and still stands, in its order."""
    rows = session.scalars(
        select(Application)
        .where(Application.debit_item_id == item.id)
        .order_by(Application.posted_at, Application.id)
    ).all()
    left = {row.id: row.amount_minor for row in rows if row.reverses_id is None}
    for row in rows:
        if row.reverses_id is not None:
            left[row.reverses_id] += row.amount_minor
    return [
        Undoable(row, Money(left[row.id], item.amount.currency)) for row in rows if left.get(row.id)
    ]


def can_undo(one: Undoable) -> bool:
    """Is it money or credit that was applied to a bill, and does some of it stand?"""
    row = one.row
    is_money = row.credit_item_id is not None or row.source_kind in MONEY
    return row.debit_item_id is not None and is_money and one.left.minor > 0


def _item_of(session: Session, row: Application) -> Money:
    key = row.debit_item_id or row.credit_item_id
    assert key is not None
    return items.get(session, key).amount


def undo(
    session: Session,
    application_id: uuid.UUID,
    on: date,
    now: datetime,
    amount: Money | None = None,
) -> Open:
    """Take an application to a bill back, or a part of it; answers where the money is held now.

    The bill is open again by as much. CannotUndo for what is no payment, deposit or credit applied to a
    bill, and for more than still stands.
    """
    found = standing(session, application_id)
    row, part = found.row, found.left if amount is None else amount
    if not can_undo(found) or part.minor <= 0 or part > found.left:
        raise CannotUndo(row.source_kind, part, found.left)
    assert row.debit_item_id is not None
    owed = items.get(session, row.debit_item_id)
    if row.credit_item_id is not None:
        held = items.get(session, row.credit_item_id)
        entry = _post(session, row, on, [owed.restore(part), held.restore(part)], now)
        take_back(session, row, part, entry, on, now)
        return items.get(session, held.id)
    unapplied = credit(UNAPPLIED, part, owed.account_id)
    worth = _worth(session, row.entry_id, part)
    kept = Side(unapplied.ledger_code, unapplied.amount, unapplied.account_id, -worth)
    entry = _post(session, row, on, [owed.restore(part), kept], now)
    take_back(session, row, part, entry, on, now)
    return items.get(session, keep(session, entry, row, owed, part, on))


def keep(
    session: Session, entry: uuid.UUID, row: Application, owed: Open, part: Money, on: date
) -> uuid.UUID:
    """Hold money that had settled a bill as unapplied, under an entry that was just posted."""
    return items.open_item(
        session,
        entry,
        NewItem(
            legal_entity_id=owed.legal_entity_id,
            account_id=owed.account_id,
            ledger_code=UNAPPLIED,
            amount=part,
            source_kind=row.source_kind,
            source_id=row.source_id,
            number=owed.number,
            effective_date=on,
        ),
    )


def _worth(session: Session, entry_id: uuid.UUID, part: Money) -> int:
    """What a part of the money that came under an entry was worth on its day."""
    line = session.execute(
        select(func.sum(JournalLine.amount_minor), func.sum(JournalLine.functional_minor)).where(
            JournalLine.entry_id == entry_id, JournalLine.amount_minor > 0
        )
    ).one()
    whole, functional = int(line[0]), int(line[1])
    return (2 * functional * part.minor + whole) // (2 * whole)


def _post(
    session: Session, row: Application, on: date, sides: Sequence[Side], now: datetime
) -> uuid.UUID:
    entity = session.get_one(JournalEntry, row.entry_id).legal_entity_id
    posting = Posting(entity, "application_reversed", on, row.source_kind, row.source_id, sides)
    return post(session, posting, now)


def take_back(
    session: Session, row: Application, part: Money, entry: uuid.UUID, on: date, now: datetime
) -> None:
    """Write the row that reverses ``part`` of an application, under an entry that was just posted."""
    items.apply(
        session,
        entry,
        now,
        NewApplication(
            -part,
            row.source_kind,
            row.source_id,
            on,
            credit_item_id=row.credit_item_id,
            debit_item_id=row.debit_item_id,
            reverses_id=row.id,
        ),
    )


def move(
    session: Session,
    application_id: uuid.UUID,
    to: Open,
    on: date,
    now: datetime,
    amount: Money | None = None,
) -> Money:
    """A payment applied to the wrong bill goes to the right one, up to what is open of that.

    Answers what went there; the rest stays where it is held. Raises as ``undo`` does.
    """
    most = amount or standing(session, application_id).left
    held = undo(session, application_id, on, now, amount)
    to = items.get(session, to.id)
    part = min(most, held.open, to.open)
    if part.minor > 0:
        business.use_credit(session, held, to, part, on, now)
    return part


# --- refunds --------------------------------------------------------------------------------------


def refund_without_credit(
    session: Session,
    application_id: uuid.UUID,
    amount: Money,
    refund_id: uuid.UUID,
    on: date,
    now: datetime,
) -> None:
    """Money that paid a bill goes back through the processor, and the bill is owed again."""
    found = standing(session, application_id)
    row = found.row
    direct = row.debit_item_id is not None and row.credit_item_id is None
    if not direct or row.source_kind not in MONEY or not 0 < amount.minor <= found.left.minor:
        raise CannotUndo(row.source_kind, amount, found.left)
    assert row.debit_item_id is not None
    owed = items.get(session, row.debit_item_id)
    day = periods.open_day(session, owed.legal_entity_id, on)
    sides = [owed.restore(amount), credit(CLEARING, amount)]
    posting = Posting(owed.legal_entity_id, "refunded", day, "refund", refund_id, sides)
    take_back(session, row, amount, post(session, posting, now), day, now)


def refund_failed(session: Session, refund_id: uuid.UUID, on: date, now: datetime) -> Money | None:
    """A refund or pay-out did not arrive after all: what it took is held, or settled, as before.

    Answers how much came back; None when nothing of it stands (it was heard before).
    """
    came_back: Money | None = None
    heard = _is_posted_back(session, refund_id)
    entries = select(JournalEntry.id).where(
        JournalEntry.source_kind.in_((business.REFUND, business.PAY_OUT)),
        JournalEntry.source_id == refund_id,
        JournalEntry.kind == "refunded",
    )
    rows = session.scalars(select(Application).where(Application.entry_id.in_(entries))).all()
    for row in rows:
        part = None
        if row.reverses_id is None:
            part = _failed(session, row, refund_id, on, now)
        elif not heard:
            part = _paid_again(session, row, refund_id, on, now)
        if part is not None:
            came_back = part if came_back is None else came_back + part
    return came_back


def given_back_to(session: Session, refund_id: uuid.UUID) -> list[Open]:
    """What a refund was taken from, with what is held of it now."""
    keys = select(Application.credit_item_id).where(
        Application.source_kind == "refund", Application.source_id == refund_id
    )
    return items.find(session, OpenItem.id.in_(keys))


def _is_posted_back(session: Session, refund_id: uuid.UUID) -> bool:
    found = session.scalar(
        select(JournalEntry.id)
        .where(JournalEntry.source_kind == "refund_failed", JournalEntry.source_id == refund_id)
        .limit(1)
    )
    return found is not None


def _failed(
    session: Session, row: Application, refund_id: uuid.UUID, on: date, now: datetime
) -> Money | None:
    found = standing(session, row.id)
    if found.left.minor <= 0 or row.credit_item_id is None:
        return None
    held = items.get(session, row.credit_item_id)
    day = periods.open_day(session, held.legal_entity_id, on)
    sides = [debit(_through(session, row.entry_id), found.left), held.restore(found.left)]
    posting = Posting(held.legal_entity_id, "refund_failed", day, "refund_failed", refund_id, sides)
    take_back(session, row, found.left, post(session, posting, now), day, now)
    return found.left


def _paid_again(
    session: Session, row: Application, refund_id: uuid.UUID, on: date, now: datetime
) -> Money | None:
    """The bill that a refund had opened again is paid again, as far as it is still open."""
    if row.debit_item_id is None:
        return None
    owed = items.get(session, row.debit_item_id)
    back = Money(-row.amount_minor, owed.amount.currency)
    day = periods.open_day(session, owed.legal_entity_id, on)
    part = min(back, owed.open)
    settled = [owed.settle(part)] if part else []
    sides = [debit(CLEARING, back), *settled, credit(UNAPPLIED, back - part, owed.account_id)]
    posting = Posting(owed.legal_entity_id, "refund_failed", day, "refund_failed", refund_id, sides)
    entry = post(session, posting, now)
    if part:
        again = NewApplication(part, row.source_kind, row.source_id, day, debit_item_id=owed.id)
        items.apply(session, entry, now, again)
    if back - part:
        keep(session, entry, row, owed, back - part, day)
    return back


def _through(session: Session, entry_id: uuid.UUID) -> str:
    """Where a refund was paid from."""
    code = session.scalar(
        select(JournalLine.ledger_code).where(
            JournalLine.entry_id == entry_id, JournalLine.ledger_code.in_((CLEARING, CASH))
        )
    )
    return code or CLEARING
