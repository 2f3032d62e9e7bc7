"""Bad debt: an allowance is made, and a bill is written off against it when a second person agrees.

requested → approved or declined, by somebody other than who asked. Money that comes after all takes the
write-off back as far as it goes, and pays the bill.
"""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    func,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.kernel.db import Base, changed
from core.kernel.errors import NotFound, ShopError, StaleState
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.kernel.sorting import Place, Sorts
from core.ledger import business, items, reversals
from core.ledger.business import Receipt
from core.ledger.chart import ALLOWANCE, BAD_DEBT, RECEIVABLE
from core.ledger.items import NewApplication, Open
from core.ledger.journal import Posting, credit, debit, post
from core.ledger.models import Application, JournalLine
from core.ledger.reversals import CannotUndo, Undoable

#: From which state into which; a decision is final.
TRANSITIONS = {"requested": ("approved", "declined"), "approved": (), "declined": ()}


class WriteOff(Base):
    """A wish to give up so much of a bill, and what somebody else said to it."""

    __tablename__ = "write_off"
    __table_args__ = (
        CheckConstraint("state IN ('requested', 'approved', 'declined')", name="state"),
        CheckConstraint("amount_minor > 0", name="positive"),
        CheckConstraint("decided_by <> requested_by", name="second_person"),
        CheckConstraint(
            "(state = 'requested') = (decided_by IS NULL) "
            "AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="decided",
        ),
        Index("ix_write_off_state", "state", "requested_at"),
        Index(
            "uq_write_off_requested",
            "item_id",
            unique=True,
            sqlite_where=text("state = 'requested'"),
            postgresql_where=text("state = 'requested'"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    item_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("open_item.id"))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str] = mapped_column(Text)
    #: ``user:ID``, as in the audit log.
    requested_by: Mapped[str] = mapped_column(String(80))
    requested_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default="requested")
    decided_by: Mapped[str | None] = mapped_column(String(80))
    decided_at: Mapped[datetime | None]

    @property
    def amount(self) -> Money:
        """What is to be given up."""
        return Money(self.amount_minor, self.currency)


@dataclass(eq=False)
class SamePerson(ShopError):
    """Whoever asks for a write-off cannot grant it."""

    code: ClassVar[str] = "second_person_needed"
    text: ClassVar[str] = "You asked for this write-off yourself. Somebody else has to decide."


@dataclass(eq=False)
class TooMuchToWriteOff(ShopError):
    """Only what is still owed can be given up."""

    code: ClassVar[str] = "too_much_to_write_off"
    text: ClassVar[str] = "{wanted} of {number} cannot be written off: {open} is open."
    number: str
    wanted: Money
    open: Money


@dataclass(eq=False)
class RequestedAlready(ShopError):
    """One wish at a time."""

    code: ClassVar[str] = "write_off_requested"
    text: ClassVar[str] = "A write-off of {number} waits for a decision already."
    number: str


def make_allowance(
    session: Session, legal_entity_id: uuid.UUID, amount: Money, on: date, now: datetime
) -> uuid.UUID:
    """Bad debt against allowance: what will probably never be paid, before anybody knows by whom."""
    if amount.minor <= 0:
        raise ValueError(f"an allowance of {amount}")
    sides = [debit(BAD_DEBT, amount), credit(ALLOWANCE, amount)]
    posting = Posting(legal_entity_id, "allowance_made", on, "allowance", new_id(), sides)
    return post(session, posting, now)


def allowance(session: Session, legal_entity_id: uuid.UUID, currency: str) -> Money:
    """What is left of the allowance; below zero when more was written off."""
    found = session.scalar(
        select(func.coalesce(func.sum(JournalLine.amount_minor), 0)).where(
            JournalLine.legal_entity_id == legal_entity_id,
            JournalLine.ledger_code == ALLOWANCE,
            JournalLine.currency == currency,
        )
    )
    return Money(-int(found or 0), currency)


def request(
    session: Session, item: Open, amount: Money, reason: str, by: str, now: datetime
) -> uuid.UUID:
    """Ask for a write-off. Raises TooMuchToWriteOff and RequestedAlready."""
    _check(item, amount)
    waiting = select(WriteOff.id).where(WriteOff.item_id == item.id, WriteOff.state == "requested")
    if session.scalar(waiting) is not None:
        raise RequestedAlready(item.number)
    row = WriteOff(
        id=new_id(),
        item_id=item.id,
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=reason,
        requested_by=by,
        requested_at=now,
    )
    session.add(row)
    session.flush()
    return row.id


def _check(item: Open, amount: Money) -> None:
    if item.ledger_code != RECEIVABLE or amount.minor <= 0 or amount > item.open:
        raise TooMuchToWriteOff(item.number, amount, item.open)


def approve(session: Session, write_off_id: uuid.UUID, by: str, on: date, now: datetime) -> Open:
    """Grant it: allowance against receivable, with an application; what the allowance lacks is made first.

    The caller has locked the account. Raises SamePerson, StaleState when it was decided, and
    TooMuchToWriteOff when less is open by now.
    """
    row = _decide(session, write_off_id, "approved", by, now)
    item = items.get(session, row.item_id)
    _check(item, row.amount)
    lacking = row.amount - allowance(session, item.legal_entity_id, row.currency)
    if lacking.minor > 0:
        make_allowance(session, item.legal_entity_id, lacking, on, now)
    sides = [debit(ALLOWANCE, row.amount), item.settle(row.amount)]
    posting = Posting(item.legal_entity_id, "written_off", on, "write_off", row.id, sides)
    given_up = NewApplication(row.amount, "write_off", row.id, on, debit_item_id=item.id)
    items.apply(session, post(session, posting, now), now, given_up)
    return items.get(session, item.id)


def decline(session: Session, write_off_id: uuid.UUID, by: str, now: datetime) -> None:
    """Turn it down. Raises SamePerson, and StaleState when it was decided."""
    _decide(session, write_off_id, "declined", by, now)


def _decide(
    session: Session, write_off_id: uuid.UUID, state: str, by: str, now: datetime
) -> WriteOff:
    row = get(session, write_off_id)
    if row.requested_by == by:
        raise SamePerson
    result = session.execute(
        update(WriteOff)
        .where(WriteOff.id == write_off_id, WriteOff.state == "requested")
        .values(state=state, decided_by=by, decided_at=now)
        .execution_options(synchronize_session=False)
    )
    if changed(result) != 1:
        raise StaleState("write-off", "requested")
    return row


def recover(session: Session, write_off_id: uuid.UUID, receipt: Receipt, now: datetime) -> Money:
    """Money came for what was given up: the write-off is taken back as far as it goes, the bill paid.

    What is more than that is kept as unapplied and answered. StaleState when nothing of the write-off
    stands.
    """
    row = get(session, write_off_id)
    applied = session.scalar(
        select(Application.id).where(
            Application.source_kind == "write_off",
            Application.source_id == row.id,
            Application.reverses_id.is_(None),
        )
    )
    if applied is None:
        raise StaleState("write-off", "approved")
    found = reversals.standing(session, applied)
    part = min(found.left, receipt.amount)
    if part.minor <= 0:
        raise StaleState("write-off", "approved")
    receipt = business.on_open_day(session, receipt)
    day, item = receipt.received_on, items.get(session, row.item_id)
    fresh = _restore(session, item, found, part, day, now)
    return business.receive_for_items(session, receipt, [(fresh, part)], now)


def make_room(session: Session, item: Open, wanted: Money, on: date, now: datetime) -> Open:
    """A credit of ``wanted`` comes for a bill: what was given up of it is owed again, as far as that needs.

    So it lowers what was never paid before it becomes the payer's credit. Answers the bill as it is then.
    """
    for found in reversals.of_bill(session, item):
        part = min(found.left, wanted - item.open)
        if found.row.source_kind == "write_off" and part.minor > 0:
            item = _restore(session, item, found, part, on, now)
    return item


def can_undo(one: Undoable) -> bool:
    """Is it a write-off, of which some stands?"""
    return one.row.source_kind == "write_off" and one.left.minor > 0


def undo(session: Session, application_id: uuid.UUID, on: date, now: datetime) -> Open:
    """What was given up is owed again, all that stands of it: whoever pays after all can. CannotUndo
    for what is no write-off, or was taken back."""
    found = reversals.standing(session, application_id)
    if not can_undo(found) or found.row.debit_item_id is None:
        raise CannotUndo(found.row.source_kind, found.left, found.left)
    item = items.get(session, found.row.debit_item_id)
    return _restore(session, item, found, found.left, on, now)


def _restore(
    session: Session, item: Open, found: Undoable, part: Money, on: date, now: datetime
) -> Open:
    """So much of a write-off is taken back; the bill is open by as much again."""
    sides, row_id = [item.restore(part), credit(ALLOWANCE, part)], found.row.source_id
    posting = Posting(item.legal_entity_id, "write_off_recovered", on, "write_off", row_id, sides)
    reversals.take_back(session, found.row, part, post(session, posting, now), on, now)
    return items.get(session, item.id)


def get(session: Session, write_off_id: uuid.UUID) -> WriteOff:
    """One by its key. NotFound when there is none."""
    row = session.get(WriteOff, write_off_id)
    if row is None:
        raise NotFound("write-off")
    return row


#: What the desk's list may be sorted by.
SORTS = Sorts(WriteOff.id, {"asked": WriteOff.requested_at, "amount": WriteOff.amount_minor})
NEWEST = Place("-asked")


def listing(
    session: Session, *, state: str = "", place: Place = NEWEST, limit: int = 50
) -> list[WriteOff]:
    """Write-offs from a place on; of one state, or all when it is empty."""
    query = select(WriteOff)
    if state:
        query = query.where(WriteOff.state == state)
    return list(session.scalars(SORTS.apply(query, place, limit)))
