"""One order with everything about it, for whoever may see it. Reads only."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from cart import slots
from cart.slots import Slot
from core.catalog import products
from core.kernel.money import Money
from core.ledger import items, paid_by
from core.ledger.items import Open
from core.ledger.paid_by import PaidBy
from core.orders import (
    back_orders,
    deliveries,
    exchanging,
    following,
    grouping,
    naming,
    pickups,
    placing,
)
from core.orders.exchanging import Exchange
from core.orders.following import Change, Sent
from core.orders.models import Order, OrderLine
from core.orders.pickups import Ready
from invoices import reading
from invoices.models import Invoice
from payments import reading as payments
from payments.models import Payment


@dataclass(frozen=True)
class Followed:
    """An order, its lines, its documents with what is open of them, and its payments."""

    order: Order
    lines: Sequence[OrderLine]
    #: variant -> (product's slug, its picture)
    pictures: dict[uuid.UUID, tuple[str, str]]
    invoices: Sequence[Invoice]
    #: invoices whose PDF is stored
    stored: frozenset[uuid.UUID]
    open_items: dict[uuid.UUID, Open]
    payments: Sequence[Payment]
    #: Gift cards, credit, card or terms: how it is paid, or was to be paid.
    tenders: Sequence[PaidBy]
    #: Parcels and what was done, and the cancellations and returns, the oldest first.
    sent: Sequence[Sent] = ()
    changes: Sequence[Change] = ()
    #: What lies or lay ready to be fetched, the oldest first.
    pick_ups: Sequence[Ready] = ()
    #: How many pieces of each line were sold before they were there, and are still awaited.
    awaited: Mapping[uuid.UUID, int] = field(default_factory=dict)
    #: What goes out instead of what comes back, by return.
    exchanges: Mapping[uuid.UUID, Exchange] = field(default_factory=dict)
    #: When somebody comes, where a time was chosen.
    visit: Slot | None = None
    #: Numbers, addresses and keys, by line: for whoever may see the order.
    named: naming.Named = field(default_factory=dict)

    @property
    def is_placed(self) -> bool:
        """Was it ever certain? It may be cancelled since."""
        return self.order.number is not None

    @property
    def paid_by(self) -> Sequence[PaidBy]:
        """How it was paid, once that is certain."""
        return self.tenders if self.is_placed else ()

    @property
    def due(self) -> Money:
        """What is still to be paid of its documents."""
        zero = Money.zero(self.order.currency)
        owed = (item.open for item in self.open_items.values() if item.side == "debit")
        return sum(owed, zero)

    @property
    def placed(self) -> Sequence[OrderLine]:
        """The lines that it was placed with: what its total is of."""
        return grouping.as_placed(self.lines)

    @property
    def bills(self) -> Sequence[Invoice]:
        """The documents that ask for money: a credit memo gives."""
        return [row for row in self.invoices if row.kind != "credit_memo"]


def follow(
    session: Session,
    order: Order,
    *,
    with_pieces: bool = True,
    with_awaited: bool = False,
    for_staff: bool = False,
) -> Followed:
    """Everything about ``order``, in a constant number of queries.

    Without ``with_pieces`` what became of its pieces is not asked for: ``sent`` and ``changes`` are empty.
    ``with_awaited``: what waits as a back-order too. ``for_staff``: without the licence keys that were given.
    """
    lines = placing.lines_of(session, order.id)
    changes = following.changes(session, order.id) if with_pieces else []
    variants = [line.variant_id for line in lines if line.variant_id is not None]
    pictures = products.pictures(session, variants)
    found = reading.of_order(session, order.id)
    return Followed(
        order=order,
        lines=lines,
        pictures=pictures,
        invoices=found,
        stored=reading.stored_ids(session, [row.id for row in found]),
        open_items=items.of_sources(session, [row.id for row in found]),
        payments=payments.of_order(session, order.id),
        tenders=paid_by.of_order(session, order.id, _tenders(order)),
        sent=following.sent(session, order.id) if with_pieces else (),
        changes=changes,
        pick_ups=pickups.of_order(session, order.id)
        if any(line.pickup_id is not None for line in lines)
        else (),
        awaited=_awaited(session, order, lines) if with_awaited else {},
        exchanges=exchanging.of_changes(
            session, [one.row.id for one in changes if one.row.kind == "return"]
        ),
        visit=slots.of_order(session, order.id)
        if any(line.kind == "service" for line in lines)
        else None,
        named=naming.named(session, order, lines, secrets=not for_staff),
    )


def _awaited(session: Session, order: Order, lines: Sequence[OrderLine]) -> dict[uuid.UUID, int]:
    """What of each line waits as a back-order: of two lines of one thing the first has what is there."""
    goods = [line for line in lines if line.kind == deliveries.GOODS and line.waiting]
    left = back_orders.variants_waiting(session, order) if goods and order.number else {}
    found = {}
    for line in reversed(goods):
        part = min(line.waiting, left.get(line.variant_id, 0)) if line.variant_id else 0
        if line.variant_id and part:
            found[line.id] = part
            left[line.variant_id] -= part
    return found


def _tenders(order: Order) -> str:
    """In which state an order's tenders are."""
    if order.number is not None:
        return "committed"
    return "reserved" if order.lifecycle == "pending" else "released"
