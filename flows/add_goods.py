"""Goods and services are added to a placed order: its lines, their pieces, and a bill of their own, which
what was credited in their place pays first. In the caller's transaction; for changes and exchanges.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart import address, checkout
from cart.additions import ChangeRefused
from core.kernel import crash
from core.kernel.clock import local_date
from core.ledger import business, items, reversals, writeoffs
from core.ledger.chargebacks import CHARGEBACK
from core.orders import exchanging, fulfilling, places, placing
from core.orders.drafting import NewLine
from core.orders.fulfilling import Some
from core.orders.fulfilment_models import OrderChange
from core.orders.models import Order, OrderLine
from core.parties.models import LegalEntity
from core.stock import holds, sold
from core.stock.holds import Owner
from core.subscriptions import ordering
from flows.house import House
from invoices import issue
from invoices.models import Invoice
from invoices.wording import Printing


@dataclass(eq=False)
class AwaitsPayment(ChangeRefused):
    """What was added to an order that is paid at once leaves when its own bill is paid."""

    code: ClassVar[str] = "awaits_payment"
    text: ClassVar[str] = "{sku} was added later and leaves once bill {bill} is paid."
    line: int
    sku: str
    bill: str


def add(
    session: Session,
    order: Order,
    change: OrderChange,
    lines: Sequence[NewLine],
    house: House,
) -> Sequence[OrderLine]:
    """Write the lines down and take their pieces; a plan's service is ordered with its line. What is held
    for an exchange is taken first. Raises OutOfStock; the caller rolls back."""
    known = placing.lines_of(session, order.id)
    found = fulfilling.add(session, order, lines, change.id, known)
    crash.point("add.written")
    giver, now = Owner("exchange", change.id), house.clock.now()
    about = sold.reference(order.public_id)
    every = [*known, *found]
    near, demands = places.near(order, every, found), checkout.order_demands(found, every)
    holds.sell(session, giver, demands, about, now, near)
    ordering.begin(session, order, found, now)
    return found


def bill(
    session: Session,
    house: House,
    change: OrderChange,
    memos: Sequence[Invoice],
    days: int | None = None,
) -> Invoice:
    """Bill what the change added; what its memos left pays it as far as that goes. ``days`` to pay, where it
    is agreed otherwise than for the order."""
    printing = Printing(house.links.invoice, address.lines, house.links.pay_code)
    invoice = issue.for_change(session, change, printing, house.clock.now(), days)
    use(session, house, invoice, memos)
    return invoice


def use(session: Session, house: House, invoice: Invoice, memos: Sequence[Invoice]) -> None:
    """The credit that memos left pays a bill, as far as both go."""
    now = house.clock.now()
    entity = session.get_one(LegalEntity, invoice.legal_entity_id)
    today = local_date(now, entity.time_zone)
    for memo in memos:
        found = items.of_sources(session, [memo.id, invoice.id])
        held, owed = found.get(memo.id), found.get(invoice.id)
        if held is None or owed is None:
            continue
        part = min(held.open, owed.open)
        if part.minor > 0:
            business.use_credit(session, held, owed, part, today, now)
    crash.point("add.billed")


def may_leave(session: Session, order: Order, chosen: Sequence[Some]) -> None:
    """Raises AwaitsPayment for pieces that were added to an order that is paid at once, while their bill is
    open; not for an exchange that was to leave before the goods are back."""
    found = unpaid(session, order, [one.line for one in chosen])
    if found is not None:
        raise found


def unpaid(session: Session, order: Order, lines: Sequence[OrderLine]) -> AwaitsPayment | None:
    """Why some lines have to wait, if they have to: see ``may_leave``."""
    added = {line.change_id: line for line in lines if line.change_id is not None}
    if not added or order.payment == "on_terms":
        return None
    bills = _bills(session, added)
    owed = items.of_sources(session, [row.id for row in bills])
    before = exchanging.sent_before(session, list(added))
    for row in bills:
        item = owed.get(row.id)
        key = row.order_change_id
        if key is None or key in before or item is None:
            continue
        if item.open.minor > 0:
            line = added[key]
            return AwaitsPayment(line.line_number, line.sku, row.number)
    return None


def is_given_up(session: Session, lines: Sequence[OrderLine]) -> bool:
    """Was something of a bill for what was added written off, because nobody paid it, or is it charged
    back?"""
    bills = _bills(session, {line.change_id for line in lines if line.change_id is not None})
    owed = items.of_sources(session, [row.id for row in bills])
    return any(
        writeoffs.can_undo(one) or one.row.source_kind == CHARGEBACK
        for item in owed.values()
        for one in reversals.of_bill(session, item)
    )


def _bills(session: Session, changes: Collection[uuid.UUID]) -> Sequence[Invoice]:
    return session.scalars(select(Invoice).where(Invoice.order_change_id.in_(changes))).all()
