"""A bill is corrected by a memo: credited in part or in full, voided, charged more, or discounted for early
payment. What the customer had paid already is kept as credit, or goes back as chosen (``refund_memo``).
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart import address
from core.events import CreditToRefund
from core.kernel import jobs
from core.kernel.clock import local_date
from core.ledger import applied
from core.ledger.applied import Settled
from core.ledger.memos import Credited
from core.parties.models import LegalEntity
from flows.house import House
from flows.links import Links
from invoices import memos, reading
from invoices.correctable import discount_key, discount_left
from invoices.memos import EARLY_PAYMENT, VOID, Wish
from invoices.models import Invoice
from invoices.wording import Printing
from payments.models import Payment


@dataclass(frozen=True)
class Correction:
    """What staff ask for: net amounts by line number, ``None`` for all that is left.

    ``once`` names the request: asked twice under one name, it happens once. ``refunded`` sends back what
    had been paid already; otherwise it is kept for the customer.
    """

    public_id: str
    parts: Mapping[int, int] | None
    reason: str
    once: str
    actor: str
    message: str = ""
    refunded: bool = False

    def wish(self, invoice: Invoice) -> Wish:
        """For the bill that was found."""
        return Wish(
            invoice.id,
            self.parts,
            self.reason,
            f"memo:{self.once}",
            self.actor,
            self.message,
            self.refunded,
        )


def printing(links: Links) -> Printing:
    """How documents speak of this shop's addresses."""
    return Printing(page_url=links.invoice, postal=address.lines)


def credit(house: House, asked: Correction) -> tuple[Invoice, Credited]:
    """Issue a credit memo. Raises NotFound and what ``memos.credit`` raises."""

    def write(session: Session) -> tuple[Invoice, Credited]:
        now = house.clock.now()
        wish = asked.wish(reading.one(session, asked.public_id))
        memo, credited = memos.credit(session, wish, printing(house.links), now)
        if asked.refunded and credited.kept:
            event = CreditToRefund(str(memo.id))
            jobs.record(session, event, now, key=f"credit-to-refund:{memo.id}")
        return memo, credited

    return house.db.run_tx(write)


def void(
    house: House, public_id: str, once: str, actor: str, *, refunded: bool
) -> tuple[Invoice, Credited]:
    """Take a bill back: a credit memo over all that is left of it."""
    return credit(house, Correction(public_id, None, VOID, once, actor, refunded=refunded))


def debit(house: House, asked: Correction) -> Invoice:
    """Issue a debit memo. Raises NotFound and what ``memos.debit`` raises."""

    def write(session: Session) -> Invoice:
        wish = asked.wish(reading.one(session, asked.public_id))
        return memos.debit(session, wish, printing(house.links), house.clock.now())

    return house.db.run_tx(write)


def take_discounts(session: Session, house: House, payment_id: uuid.UUID) -> list[Invoice]:
    """Bills that a payment settled in time, all but their discount, take the discount by a memo each.

    Hears ``PaymentApplied``; a second time does nothing.
    """
    payment = session.get_one(Payment, payment_id)
    entity = session.get_one(LegalEntity, payment.legal_entity_id)
    day = local_date(payment.captured_at, entity.time_zone)
    settled = {one.item.source_id: one for one in applied.of_payment(session, payment_id)}
    bills = session.scalars(
        select(Invoice).where(Invoice.id.in_(list(settled)), Invoice.discount_until >= day)
    ).all()
    now = house.clock.now()
    taken = [_take(session, house, bill, settled[bill.id], now) for bill in bills]
    return [memo for memo in taken if memo is not None]


def _take(
    session: Session, house: House, bill: Invoice, paid: Settled, now: datetime
) -> Invoice | None:
    """Only where so much is open as the discount is worth now, and it was not taken before."""
    if bill.discount_ppm is None or not 0 < paid.item.open.minor <= discount_left(session, bill):
        return None
    wish = Wish(bill.id, None, EARLY_PAYMENT, discount_key(bill.id), "system")
    memo, _ = memos.take_discount(session, wish, bill.discount_ppm, printing(house.links), now)
    return memo
