"""The gift cards of a billed order are made and sent, in the transaction that bills it."""

from sqlalchemy.orm import Session

from core.catalog.models import GIFT_CARD
from core.kernel import audit
from core.kernel.money import Money
from core.ledger import gift_cards
from core.ledger.gift_cards import Sold
from core.orders import placing
from core.orders.models import Order
from flows import notify
from flows.house import House
from invoices.models import Invoice


def for_invoice(session: Session, house: House, invoice: Invoice) -> None:
    """Make a card for each piece of the order's gift card lines, once, and write to the buyer."""
    if invoice.order_id is None:
        return
    now, found = house.clock.now(), []
    for line in placing.lines_of(session, invoice.order_id):
        if line.kind == GIFT_CARD and line.net_minor > 0:
            sold = Sold(
                legal_entity_id=invoice.legal_entity_id,
                account_id=invoice.payer_account_id,
                order_id=invoice.order_id,
                order_line_id=line.id,
                invoice_id=invoice.id,
                pieces=line.quantity,
                worth=Money(line.net_minor, invoice.currency),
            )
            found += gift_cards.sell(session, sold, house.links.secret, now)
    for card in found:
        audit.write(session, now, "system", "gift_card.sold", ("gift_card", card.public_id))
    if found:
        order = session.get_one(Order, invoice.order_id)
        notify.gift_cards_sold(session, order, found, house.links, now)
