"""A bill is corrected by a memo: credited in part or in full, voided, or charged more.

What the customer had paid already is kept as credit, or goes back as chosen (``refund_memo``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from cart import address
from core.events import CreditToRefund
from core.kernel import jobs
from core.ledger.memos import Credited
from flows.house import House
from flows.links import Links
from invoices import memos, reading
from invoices.memos import VOID, Wish
from invoices.models import Invoice
from invoices.wording import Printing


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
    return Printing(links.invoice, address.lines, links.pay_code)


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
