"""An order that is certain is billed; an issued document is rendered and kept."""

import uuid

from sqlalchemy.orm import Session

from cart import address
from flows import sell_gift_cards
from flows.house import House
from invoices import issue, storing
from invoices.models import Invoice
from invoices.wording import Printing


def for_order(session: Session, house: House, order_id: uuid.UUID) -> Invoice:
    """Issue an order's invoice, once, and make the gift cards that it sells."""
    printing = Printing(house.links.invoice, address.lines, house.links.pay_code)
    invoice = issue.for_order(session, order_id, printing, house.clock.now())
    sell_gift_cards.for_invoice(session, house, invoice)
    return invoice


def store(house: House, invoice_id: uuid.UUID) -> str:
    """Render an issued document, once; answers the hash of its bytes."""
    return storing.store(house.db, house.blobs, invoice_id, house.clock)
