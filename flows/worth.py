"""What pieces of an order are worth on its bills: the net to credit, and what goes back with its taxes.

A line's pieces share its net by rounding on all that were credited so far, so that single pieces come to
exactly the line; nothing more than what courtesies have left of it. What comes back for a thing that went out
before, and costs the same, is worth what that was billed. An order has one bill for what it was
placed with, and one for each change that added something.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from sqlalchemy.orm import Session

from core.kernel.money import Money, nearest
from core.orders import changing, exchanging, placing
from core.orders.exchanging import Promise
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
    """What is to be credited on one bill: net by line number; with taxes where it is known to the cent."""

    bill: Invoice
    nets: Mapping[int, int]
    gross: Mapping[int, int]


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
    promised = _promised(session, order_id, change_id)
    found: dict[uuid.UUID, dict[int, int]] = {}
    gross: dict[uuid.UUID, dict[int, int]] = {}
    for one in chosen:
        line = billed.get(one.line.id)
        if line is None or line.bill is None:
            continue
        number = line.creditable.line_number
        part = before.get(one.line.id, 0), promised.get(one.line.id)
        net, with_taxes = _part(one, line.creditable, *part)
        if with_taxes is not None:
            gross.setdefault(line.bill.id, {})[number] = with_taxes
        if net:
            found.setdefault(line.bill.id, {})[number] = net
    return [
        Credits(bill, found[bill.id], gross.get(bill.id, {})) for bill in bills if bill.id in found
    ]


def _promised(
    session: Session, order_id: uuid.UUID, change_id: uuid.UUID | None
) -> dict[uuid.UUID, Promise]:
    """What went out before a return, by the line that comes back for it."""
    if change_id is None:
        return {}
    return {one.line_id: one for one in exchanging.promises(session, order_id, change_id)}


def _part(
    one: Some, line: Creditable, before: int, promise: Promise | None
) -> tuple[int, int | None]:
    """What pieces of a line are worth: the net, and what it comes to with taxes where that is promised."""
    if promise is None:
        return min(
            share(line.net_minor, one.line.quantity, before, one.quantity), line.left_net
        ), None
    net = promise.added.net_minor
    gross = net + sum(tax.amount_minor for tax in promise.taxes)
    return min(net, line.left_net), min(gross, line.left_total)


def foresee(
    session: Session,
    order: Order,
    chosen: Sequence[Some],
    change_id: uuid.UUID | None = None,
    *,
    awaited: bool = False,
) -> list[Worth]:
    """What each line would give back, as it would be credited (for the return of ``change_id``, where there
    is one); ``awaited``: after all that is to come back for what went out before. Writes nothing."""
    before = changing.credited_before(session, order.id, change_id)
    promised = _promised(session, order.id, change_id)
    _, billed = _billed(session, order.id)
    for promise in exchanging.promises(session, order.id) if awaited else ():
        key = promise.line_id
        before[key] = before.get(key, 0) + promise.added.quantity
        if key in billed:
            billed[key] = replace(billed[key], creditable=_kept(billed[key].creditable, promise))
    return [
        _worth(
            one,
            billed.get(one.line.id),
            before.get(one.line.id, 0),
            promised.get(one.line.id),
            order.currency,
        )
        for one in chosen
    ]


def _kept(line: Creditable, promise: Promise) -> Creditable:
    """A line as it will be once it is credited as promised."""
    credited = line.credited or ((0, 0),) * len(line.taxes)
    if promise.taxes:
        credited = tuple(
            (base + tax.base_minor, amount + tax.amount_minor)
            for (base, amount), tax in zip(credited, promise.taxes, strict=True)
        )
    net = line.credited_net + promise.added.net_minor
    return replace(line, credited_net=net, credited=credited)


def _worth(
    one: Some, line: _Billed | None, before: int, promise: Promise | None, currency: str
) -> Worth:
    if line is None:
        return Worth(one.line, one.quantity, 0, (), currency)
    net, gross = _part(one, line.creditable, before, promise)
    taxes = correcting.credit(line.creditable, net, currency, gross) if net else ()
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
