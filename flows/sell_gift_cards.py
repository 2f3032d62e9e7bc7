"""The gift cards of a billed order are made and sent, in the transaction that bills it.

Those of a held order are made with its bill, as the books want it, and nobody is told a code before it is
approved; when it is cancelled they go back.
"""

import uuid

from sqlalchemy.orm import Session

from core.catalog.models import GIFT_CARD
from core.kernel import audit
from core.kernel.money import Money
from core.ledger import gift_cards
from core.ledger.gift_cards import Sold
from core.orders import placing
from core.orders.models import Order
from flows import keep_gift_cards, notify
from flows.house import House
from invoices.models import Invoice


def for_invoice(session: Session, house: House, invoice: Invoice) -> None:
    """Make a card for each piece of the order's gift card lines, once, and write to the buyer.

    Not of a held order, which is locked.
    """
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
        if not order.is_held:
            notify.gift_cards_sold(session, order, found, house.links, now)


def tell(session: Session, house: House, order: Order) -> None:
    """Write to the buyer of an order that was held, once, about the cards that are left of it."""
    kept = {line.id: line.cancelled for line in placing.lines_of(session, order.id)}
    cards = [
        held.card
        for held in gift_cards.of_order(session, order.id)
        if held.card.state == "live" and held.card.piece > kept[held.card.order_line_id]
    ]
    if cards:
        notify.gift_cards_sold(session, order, cards, house.links, house.clock.now())


def take_back(house: House, order_id: uuid.UUID) -> None:
    """The cards of cancelled pieces end, and their worth goes back to the buyer; asked again it goes on.

    Only a held order's can be cancelled: others are given at once. Raises a GatewayError when the processor
    does not answer.
    """
    with house.db.reading() as session:
        cancelled = {line.id: line.cancelled for line in placing.lines_of(session, order_id)}
        gone = [
            held.card.public_id
            for held in gift_cards.of_order(session, order_id)
            if held.card.piece <= cancelled[held.card.order_line_id]
        ]
    for public_id in gone:
        keep_gift_cards.refund_unused(house, public_id, "system")
