"""After a memo: what is earned of its lines follows what it left of them. Called by ``invoices.memos``."""

import uuid
from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from core.orders import placing
from core.revenue import earning
from core.revenue.promises import RATABLE
from invoices.document import Kind
from invoices.earned import billed, days, orders
from invoices.models import Invoice


def settle(session: Session, bill: Invoice, line_ids: Collection[uuid.UUID], now: datetime) -> None:
    """Bring what is earned of a bill's lines to what a memo has left of them. Its payer is locked."""
    if bill.order_id is not None:
        orders.settle(session, placing.lock(session, bill.order_id), now)
    if bill.kind != Kind.INVOICE.value:
        line_ids = billed.roots(session, line_ids)
    known = earning.of_lines(session, list(line_ids))
    by_days = [key for key, row in known.items() if row.trigger == RATABLE]
    if by_days:
        days.settle(session, by_days, now)
