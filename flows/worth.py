"""What pieces of an order are worth on its bill: the net to credit, and what goes back with its taxes.

A line's pieces share its net by rounding on all that were credited so far, so that single pieces come to
exactly the line; nothing more than what courtesies have left of it.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy.orm import Session

from core.kernel.money import Money, nearest
from core.orders import changing
from core.orders.fulfilling import Some
from core.orders.models import Order, OrderLine
from invoices import correcting, reading
from invoices.correctable import Corrected, lines_of
from invoices.models import Invoice


@dataclass(frozen=True)
class Worth:
    """What the pieces of a line give back, with tax."""

    line: OrderLine
    quantity: int
    amount: Money


def share(total_minor: int, quantity: int, before: int, pieces: int) -> int:
    """What ``pieces`` more of a line cost, of which ``before`` were reckoned already."""

    def until(count: int) -> int:
        return nearest(Fraction(total_minor * count, quantity))

    return until(before + pieces) - until(before)


def nets(
    session: Session,
    invoice: Invoice,
    order_id: uuid.UUID,
    chosen: Sequence[Some],
    change_id: uuid.UUID | None = None,
) -> dict[int, int]:
    """Net amounts to credit, by line number of the order's bill."""
    before = changing.credited_before(session, order_id, change_id)
    billed = _billed(session, invoice)
    found = {}
    for one in chosen:
        line = billed.get(one.line.id)
        if line is not None:
            found[line.row.line_number] = _net(one, line, before.get(one.line.id, 0))
    return {number: net for number, net in found.items() if net}


def _net(one: Some, line: Corrected, before: int) -> int:
    part = share(line.row.net_minor, one.line.quantity, before, one.quantity)
    return min(part, line.creditable.left_net)


def foresee(session: Session, order: Order, chosen: Sequence[Some]) -> list[Worth]:
    """What each line would give back, with tax. Writes nothing."""
    before = changing.credited_before(session, order.id)
    bills = [row for row in reading.of_order(session, order.id) if row.kind == "invoice"]
    billed = _billed(session, bills[0]) if bills else {}
    found = []
    for one in chosen:
        line = billed.get(one.line.id)
        done = before.get(one.line.id, 0)
        if line is not None:
            net = _net(one, line, done)
            taxes = correcting.credit(line.creditable, net, order.currency) if net else ()
            minor = net + sum(part.amount_minor for part in taxes)
        elif bills:
            minor = 0
        else:
            whole = one.line.net_minor + one.line.tax_minor
            minor = share(whole, one.line.quantity, done, one.quantity)
        found.append(Worth(one.line, one.quantity, Money(minor, order.currency)))
    return found


def _billed(session: Session, invoice: Invoice) -> dict[uuid.UUID, Corrected]:
    return {
        line.row.order_line_id: line
        for line in lines_of(session, invoice.id)
        if line.row.order_line_id is not None
    }
