"""What pieces of an order are worth on its bills: the net to credit, and what goes back with its taxes.

A line's pieces share its net by rounding on all that were credited so far, so that single pieces come to
exactly the line; nothing more than what courtesies have left of it. An order has one bill for what it was
placed with, and one for each change that added something.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy.orm import Session

from core.kernel.money import Money, nearest
from core.orders import changing, placing
from core.orders.fulfilling import Some
from core.orders.models import Order, OrderLine
from invoices import correcting, reading
from invoices.content import TaxPart
from invoices.correctable import lines_of
from invoices.correcting import Creditable
from invoices.models import Invoice


@dataclass(frozen=True)
class Worth:
    """What the pieces of a line give back: net and the line's own taxes, none for nothing."""

    line: OrderLine
    quantity: int
    net_minor: int
    taxes: tuple[TaxPart, ...]
    currency: str

    @property
    def amount(self) -> Money:
        """With tax."""
        tax = sum(part.amount_minor for part in self.taxes)
        return Money(self.net_minor + tax, self.currency)


@dataclass(frozen=True)
class Credits:
    """What is to be credited on one bill: net by line number."""

    bill: Invoice
    nets: Mapping[int, int]


@dataclass(frozen=True)
class _Billed:
    """A line on its bill; of an order that is not billed yet, as its bill will have it."""

    bill: Invoice | None
    creditable: Creditable


def share(total_minor: int, quantity: int, before: int, pieces: int) -> int:
    """What ``pieces`` more of a line cost, of which ``before`` were reckoned already."""

    def until(count: int) -> int:
        return nearest(Fraction(total_minor * count, quantity))

    return until(before + pieces) - until(before)


def nets(
    session: Session,
    order_id: uuid.UUID,
    chosen: Sequence[Some],
    change_id: uuid.UUID | None = None,
) -> list[Credits]:
    """What to credit on which of the order's bills, in their order; bills with nothing are left out."""
    before = changing.credited_before(session, order_id, change_id)
    bills, billed = _billed(session, order_id)
    found: dict[uuid.UUID, dict[int, int]] = {}
    for one in chosen:
        line = billed.get(one.line.id)
        if line is None or line.bill is None:
            continue
        net = _net(one, line.creditable, before.get(one.line.id, 0))
        if net:
            found.setdefault(line.bill.id, {})[line.creditable.line_number] = net
    return [Credits(bill, found[bill.id]) for bill in bills if bill.id in found]


def _net(one: Some, line: Creditable, before: int) -> int:
    part = share(line.net_minor, one.line.quantity, before, one.quantity)
    return min(part, line.left_net)


def foresee(session: Session, order: Order, chosen: Sequence[Some]) -> list[Worth]:
    """What each line would give back, as it would be credited. Writes nothing."""
    before = changing.credited_before(session, order.id)
    _, billed = _billed(session, order.id)
    return [
        _worth(one, billed.get(one.line.id), before.get(one.line.id, 0), order.currency)
        for one in chosen
    ]


def _worth(one: Some, line: _Billed | None, before: int, currency: str) -> Worth:
    net = _net(one, line.creditable, before) if line is not None else 0
    taxes = correcting.credit(line.creditable, net, currency) if line is not None and net else ()
    return Worth(one.line, one.quantity, net, taxes, currency)


def left(session: Session, order: Order) -> dict[uuid.UUID, Money]:
    """What is left of each line with its taxes, after all that was credited of it."""
    _, billed = _billed(session, order.id)
    return {key: Money(line.creditable.left_total, order.currency) for key, line in billed.items()}


def _billed(
    session: Session, order_id: uuid.UUID
) -> tuple[list[Invoice], dict[uuid.UUID, _Billed]]:
    """The order's bills, and its lines on them."""
    bills = [row for row in reading.of_order(session, order_id) if row.kind == "invoice"]
    found = {
        line.row.order_line_id: _Billed(bill, line.creditable)
        for bill in bills
        for line in lines_of(session, bill.id)
        if line.row.order_line_id is not None
    }
    if any(bill.order_change_id is None for bill in bills):
        return bills, found
    return bills, _as_ordered(session, order_id) | found


def _as_ordered(session: Session, order_id: uuid.UUID) -> dict[uuid.UUID, _Billed]:
    """The bill that is not written yet will have the lines as they were ordered, but no more to credit of
    gift cards than the written one has."""
    return {
        line.id: _Billed(
            None,
            Creditable(line.line_number, line.net_minor, tuple(TaxPart.of(tax) for tax in taxes)),
        )
        for line, taxes in placing.lines_with_taxes(session, order_id).items()
        if line.kind not in ("bundle", "gift_card")
    }
