"""A bill's money is put right: an application is taken back or moved, an amount is contested, or given up."""

import uuid
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from core.kernel import audit
from core.kernel.clock import local_date
from core.kernel.errors import NotFound
from core.kernel.money import Money
from core.ledger import contested, items, reversals, writeoffs
from core.ledger.items import Open
from core.ledger.reversals import Undoable
from core.parties import accounts
from core.parties.models import LegalEntity
from flows.house import House
from invoices import reading as invoices

#: What the desk contests of a bill is one amount: a person's word, changed and ended by people.
_NOTE = "note"


def _of_bill(
    house: House,
    public_id: str,
    by: str,
    act: str,
    change: Callable[[Session, Open, date, datetime], None],
    **told: str,
) -> None:
    """Change a bill's item under its account's lock, with a line in the audit log."""

    def work(session: Session) -> None:
        now = house.clock.now()
        invoice = invoices.one(session, public_id)
        accounts.lock(session, invoice.payer_account_id)
        item = items.of_sources(session, [invoice.id]).get(invoice.id)
        if item is None:
            raise NotFound("open amount")
        entity = session.get_one(LegalEntity, item.legal_entity_id)
        change(session, item, local_date(now, entity.time_zone), now)
        detail: dict[str, Any] = dict(told)
        audit.write(session, now, by, act, ("invoice", public_id), **detail)

    house.db.run_tx(work)


def contest(house: House, public_id: str, amount: Money, by: str) -> None:
    """So much of the bill is disputed. Raises NothingToContest."""

    def change(session: Session, item: Open, today: date, now: datetime) -> None:
        contested.contest(session, item, amount, (_NOTE, item.id), today, now)

    _of_bill(house, public_id, by, "bill.contested", change, amount=str(amount))


def settle_contest(house: House, public_id: str, by: str) -> None:
    """It is disputed no more. Raises StaleState."""

    def change(session: Session, item: Open, today: date, now: datetime) -> None:
        contested.close(session, item, (_NOTE, item.id), today, now)

    _of_bill(house, public_id, by, "bill.contest_ended", change)


def undo(house: House, public_id: str, application_id: uuid.UUID, by: str) -> None:
    """What was applied to the bill is held for the account again; what was given up is owed again.

    Raises CannotUndo.
    """

    def change(session: Session, item: Open, today: date, now: datetime) -> None:
        found = _check(session, item, application_id)
        if writeoffs.can_undo(found):
            writeoffs.undo(session, application_id, today, now)
        else:
            reversals.undo(session, application_id, today, now)

    _of_bill(house, public_id, by, "application.undone", change, application=str(application_id))


def move(house: House, public_id: str, application_id: uuid.UUID, number: str, by: str) -> None:
    """What was applied to the bill goes to another one, by its number; the rest is held for the account.

    Raises CannotUndo, and NotFound when no such bill is open in the same books and currency.
    """

    def change(session: Session, item: Open, today: date, now: datetime) -> None:
        _check(session, item, application_id)
        to = items.owed_under(session, item.legal_entity_id, number)
        if to is None or to.id == item.id or to.amount.currency != item.amount.currency:
            raise NotFound(f"open bill {number}")
        reversals.move(session, application_id, to, today, now)

    told = {"application": str(application_id), "to": number}
    _of_bill(house, public_id, by, "application.moved", change, **told)


def _check(session: Session, item: Open, application_id: uuid.UUID) -> Undoable:
    found = reversals.standing(session, application_id)
    if found.row.debit_item_id != item.id:
        raise NotFound("application")
    return found


# --- giving up ------------------------------------------------------------------------------------


def ask_write_off(house: House, public_id: str, amount: Money, reason: str, by: str) -> None:
    """Ask somebody else to give up so much. Raises TooMuchToWriteOff and RequestedAlready."""

    def change(session: Session, item: Open, today: date, now: datetime) -> None:
        writeoffs.request(session, item, amount, reason, by, now)

    _of_bill(house, public_id, by, "write_off.requested", change, amount=str(amount))


def decide_write_off(house: House, write_off_id: uuid.UUID, approved: bool, by: str) -> None:
    """Grant it or turn it down. Raises SamePerson, StaleState and TooMuchToWriteOff."""

    def work(session: Session) -> None:
        now = house.clock.now()
        row = writeoffs.get(session, write_off_id)
        item = items.get(session, row.item_id)
        assert item.account_id is not None
        account = accounts.lock(session, item.account_id)
        if approved:
            entity = session.get_one(LegalEntity, account.legal_entity_id)
            today = local_date(now, entity.time_zone)
            writeoffs.approve(session, write_off_id, by, today, now)
        else:
            writeoffs.decline(session, write_off_id, by, now)
        act = "write_off.approved" if approved else "write_off.declined"
        audit.write(session, now, by, act, ("write_off", str(write_off_id)))

    house.db.run_tx(work)
