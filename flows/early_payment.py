"""Paying early: the discount is taken off what is asked while it lasts, and taken by a memo once all but the
discount was paid in time, however it was paid.
"""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.kernel.clock import local_date
from core.kernel.money import Money
from core.ledger import items
from core.ledger.items import Open
from core.ledger.models import Application
from core.parties import accounts
from core.parties.models import LegalEntity
from flows.correct_invoice import printing
from flows.house import House
from invoices import memos
from invoices.correctable import discount_key, discount_left
from invoices.memos import EARLY_PAYMENT, Wish
from invoices.models import Invoice


def asked(session: Session, house: House, found: Sequence[Open]) -> list[Open]:
    """The items with what paying them in full takes now: less the discount, where one still holds."""
    bills = _discounted(session, found)
    return [
        _less(session, house, item, bills[item.source_id]) if item.source_id in bills else item
        for item in found
    ]


def asked_for(session: Session, house: House, bill: Invoice, item: Open | None) -> Money | None:
    """What paying this bill in full takes now, where that is less than what is open of it."""
    if item is None or bill.discount_until is None or not item.open:
        return None
    return _less(session, house, item, bill).open


def _discounted(session: Session, found: Sequence[Open]) -> dict[uuid.UUID, Invoice]:
    """The bills with a discount among items that are owed."""
    keys = [item.source_id for item in found if item.side == "debit" and item.open.minor > 0]
    if not keys:
        return {}
    rows = session.scalars(
        select(Invoice).where(Invoice.id.in_(keys), Invoice.discount_until.is_not(None))
    )
    return {row.id: row for row in rows}


def _less(session: Session, house: House, item: Open, bill: Invoice) -> Open:
    if bill.discount_until is None or _today(session, house, bill) > bill.discount_until:
        return item
    saved = Money(discount_left(session, bill), bill.currency)
    return replace(item, open=item.open - saved) if saved < item.open else item


def _today(session: Session, house: House, bill: Invoice) -> date:
    entity = session.get_one(LegalEntity, bill.legal_entity_id)
    return local_date(house.clock.now(), entity.time_zone)


def take(session: Session, house: House, account_id: uuid.UUID) -> list[Invoice]:
    """Issue the memo of each discount that an account has earned. Hears ``OpenItemsChanged``; a second
    time does nothing."""
    bills = _discounted(session, items.owed_by(session, [account_id]))
    if not bills:
        return []
    accounts.lock(session, account_id)  # what is read from here on stays as it is
    owed = items.of_sources(session, list(bills))
    taken = []
    for bill in bills.values():
        item = owed[bill.id]
        if bill.discount_ppm is None or not item.open or not _earned(session, bill, item):
            continue
        wish = Wish(bill.id, None, EARLY_PAYMENT, discount_key(bill.id), "system")
        memo, _ = memos.take_discount(
            session, wish, bill.discount_ppm, printing(house.links), house.clock.now()
        )
        taken.append(memo)
    return taken


def _earned(session: Session, bill: Invoice, item: Open) -> bool:
    """So little is open that it is the discount, and the last that was paid came in time."""
    if item.open.minor > discount_left(session, bill):
        return False
    last = session.scalar(
        select(func.max(Application.effective_date)).where(
            Application.debit_item_id == item.id, Application.amount_minor > 0
        )
    )
    return last is not None and bill.discount_until is not None and last <= bill.discount_until
