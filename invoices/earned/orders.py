"""Orders are earned by what was given of them: sent, done, handed out with the order.

Called where something of an order is given, billed, credited or charged in addition, in that transaction,
with the order locked.
"""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from sqlalchemy.orm import Session

from core.catalog.models import BUNDLE
from core.kernel.clock import local_date
from core.kernel.money import nearest
from core.orders import changing, placing
from core.orders.models import Order, OrderLine
from core.parties.models import LegalEntity
from core.revenue import earning
from core.revenue.earning import Contract
from core.revenue.promises import PROVISIONED, TRIGGERS, Promise
from invoices.earned import billed
from invoices.earned.billed import Billed


def is_given(line: OrderLine) -> bool:
    """Is it earned when it is given? Not a bundle's own line, what is served by days, or a gift card, whose
    price is owed to whoever has the card."""
    return line.kind not in (BUNDLE, "gift_card") and line.subscription_id is None


def settle(
    session: Session, order: Order, now: datetime, lines: Sequence[OrderLine] | None = None
) -> None:
    """Bring what is earned of an order to what was given of it. The order is locked.

    A plan's line is not the order's: it is earned by the days of its service.
    """
    lines = placing.lines_of(session, order.id) if lines is None else lines
    mine = [line for line in lines if is_given(line)]
    known = earning.of_contract(session, order.id) if mine else {}
    if not known and not any(line.fulfilled for line in mine):
        return
    found = billed.of_order_lines(session, [line.id for line in mine])
    back = changing.came_back(session, order.id) if any(line.returned for line in mine) else {}
    bills: dict[uuid.UUID | None, list[Promise]] = defaultdict(list)
    for line in mine:
        one = found.get(line.id)
        promise = _promise(line, one, back.get(line.id, 0))
        bills[one.invoice_id if one is not None else None].append(promise)
    entity = session.get_one(LegalEntity, order.legal_entity_id)
    today = local_date(now, entity.time_zone)
    for bill_id, promises in bills.items():
        posted = {one.key: known[one.key] for one in promises if one.key in known}
        earning.settle(session, _contract(session, order, bill_id), promises, posted, today, now)


def _contract(session: Session, order: Order, bill_id: uuid.UUID | None) -> Contract:
    """An order as far as one bill goes, at that bill's rate: what a change adds has a bill of its own."""
    bills = [bill_id] if bill_id is not None else []
    return Contract(
        order.id,
        "order",
        order.legal_entity_id,
        order.payer_account_id,
        order.currency,
        billed.rate_of(session, order.legal_entity_id, order.currency, bills),
    )


def _promise(line: OrderLine, found: Billed | None, back: int) -> Promise:
    alone = line.sale_price_minor or 0
    if line.priced_minor:  # without the tax that the price contains
        alone = nearest(Fraction(alone * line.net_minor, line.priced_minor))
    return Promise(
        key=line.id,
        trigger=TRIGGERS.get(line.kind, PROVISIONED),
        net=found.net if found is not None else line.net_minor,
        done=line.fulfilled - back,
        whole=line.quantity - line.cancelled - back,
        order_line_id=line.id,
        invoice_line_id=found.line_id if found is not None else None,
        ordered=line.quantity,
        alone=alone,
        group=line.parent_id,
    )
