"""Exchanges: goods go out instead of what a return brings back. In the caller's transaction, with the return.

Once it is agreed what goes out is held for the customer, and added to the order with a bill of its own when
the return is here; or it is added at once and leaves before. What the return is worth pays that bill. Called
by ``take_back`` and ``ask_return``.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart import additions
from cart.additions import ChangeRefused, NotAdded
from core.catalog import products
from core.catalog.models import Variant
from core.kernel import crash
from core.kernel.money import Money, extend, total
from core.ledger import items
from core.orders import changing, deliveries, exchanging, following, places, placing
from core.orders.drafting import NewLine
from core.orders.exchanging import AFTER, BEFORE, Exchange, Instead
from core.orders.fulfilling import Some, TooManyPieces, WrongKind
from core.orders.fulfilment_models import OrderChange
from core.orders.models import Order, OrderLine
from core.prices.resolve import NoPrice, Resolved
from core.stock import holds
from core.stock.holds import Demand, Owner
from core.tax.service import Answers
from flows import add_goods, goods_instead, worth
from flows.house import House
from flows.taxing import with_taxes
from flows.worth import Worth
from invoices.models import Invoice

#: So long it is held for the customer, until the return is here; taken again then where it had lapsed.
HELD_FOR = timedelta(days=30)
#: So long the bill for what left before the return is here waits for it.
DAYS_TO_RETURN = 30


@dataclass(eq=False)
class NotOffered(ChangeRefused):
    """A customer exchanges a thing for the same, or another variant of its product; staff may for any."""

    code: ClassVar[str] = "exchange_not_offered"
    text: ClassVar[str] = (
        "{sku} cannot be had instead. Choose the same again, or another kind of it."
    )
    line: int
    sku: str


@dataclass(frozen=True)
class Choice:
    """What a customer may have instead of one piece; ``more``: what it costs more with today's price, before
    tax; None where it costs the same."""

    sku: str
    name: str
    more: Money | None


@dataclass(frozen=True)
class Foreseen:
    """What an exchange would come to: what goes out with its taxes, and what comes back."""

    lines: Sequence[NewLine] = ()
    back: Sequence[Worth] = field(default_factory=tuple)
    currency: str = "USD"

    @property
    def amount(self) -> Money:
        """The difference without its sign."""
        return max(self.difference, -self.difference)

    @property
    def difference(self) -> Money:
        """Above zero: to pay; below: to give back."""
        more = sum(
            one.taxed.net_minor + one.taxed.tax_minor for line in self.lines for one in line.counted
        )
        return Money(more, self.currency) - total((one.amount for one in self.back), self.currency)


# --- what is wanted -------------------------------------------------------------------------------


def choices(
    session: Session, house: House, order: Order, lines: Sequence[OrderLine]
) -> dict[uuid.UUID, list[Choice]]:
    """What a customer may have instead of a piece of each line, by its key: the same, and the other variants
    of its product that are sold. Asks the database twice, however many there are."""
    goods = {line.variant_id for line in lines if line.kind == "physical" and line.variant_id}
    mine = select(Variant.product_id).where(Variant.id.in_(goods))
    rows = session.scalars(
        select(Variant).where(Variant.product_id.in_(mine)).order_by(Variant.position, Variant.sku)
    ).all()
    own = {variant.id: variant for variant in rows}
    now = additions.prices(session, order, rows, house.clock)
    found: dict[uuid.UUID, list[Choice]] = {}
    for line in lines:
        variant = own.get(line.variant_id) if line.variant_id is not None else None
        if variant is not None and line.kind == "physical":
            its = [one for one in rows if one.product_id == variant.product_id]
            found[line.id] = list(_choices(order, line, variant, its, now))
    return found


def _choices(
    order: Order,
    line: OrderLine,
    own: Variant,
    variants: Sequence[Variant],
    now: Mapping[uuid.UUID, Resolved],
) -> Iterator[Choice]:
    for variant in variants:
        if not variant.active or variant.kind != "physical":
            continue
        if additions.agreed_of(line, own, variant, now) is not None:
            yield Choice(variant.sku, variant.name, None)
        elif variant.id in now:
            more = extend(now[variant.id].unit_price_micros, 1, order.currency)
            more -= extend(line.unit_price_micros, 1, order.currency)
            yield Choice(variant.sku, variant.name, more)


def want(
    session: Session,
    house: House,
    order: Order,
    change: OrderChange,
    chosen: Sequence[Some],
    instead: Mapping[int, str],
    *,
    by_staff: bool = True,
) -> Exchange | None:
    """Write down what is to go out, by line number of what comes back; none: money goes back.

    Raises UnknownSku, NotAdded, NoPrice, NotOffered for who is not of the staff, WrongKind for what is
    no goods, and TooManyPieces for a line of which nothing comes back.
    """
    if not instead:
        return None
    known = {one.line.line_number: one for one in chosen}
    found = []
    for number, sku in sorted(instead.items()):
        some = known.get(number)
        if some is None:
            raise TooManyPieces(number, sku, "return", 1, 0)
        found.append(_instead(session, house, order, some, sku, by_staff=by_staff))
    return exchanging.write(session, change, found)


def _instead(
    session: Session, house: House, order: Order, some: Some, sku: str, *, by_staff: bool
) -> Instead:
    line = some.line
    if line.kind != "physical":
        raise WrongKind(line.line_number, line.sku, "exchange")
    if not by_staff and sku not in [
        one.sku for one in choices(session, house, order, [line]).get(line.id, [])
    ]:
        raise NotOffered(line.line_number, sku)
    variant = products.variant(session, sku)
    if variant.kind != "physical":
        raise NotAdded(sku)
    if additions.agreed(session, order, line, sku, house.clock) is not None:
        return Instead(line, variant, None)
    price = additions.today(session, order, variant, some.quantity, house.clock)
    if price is None:
        raise NoPrice(sku)
    return Instead(line, variant, price)


# --- agreed ---------------------------------------------------------------------------------------


def agree(
    session: Session,
    house: House,
    order: Order,
    change: OrderChange,
    chosen: Sequence[Some],
    sends: str,
    answers: Answers,
) -> None:
    """It may come back: what goes out is held until then, or added at once to leave before. Raises
    OutOfStock."""
    exchange = exchanging.of(session, change.id)
    if exchange is None or exchange.row.state != "wanted":
        return
    if sends == BEFORE:
        lines = goods_instead.added(session, house, order, exchange, chosen, answers, awaited=True)
        exchanging.move(session, exchange, "added", BEFORE)
        add_goods.add(session, order, change, lines, house)
        add_goods.bill(session, house, change, (), DAYS_TO_RETURN)
    else:
        exchanging.move(session, exchange, "held", AFTER)
        now, its = house.clock.now(), placing.lines_of(session, order.id)
        near = places.near(order, its, [some.line for some in chosen])
        fetched = deliveries.picked_up(its)
        demands = [
            Demand(line.id, line.variant_id, some.quantity, place=fetched.get(some.line.id))
            for some in chosen
            if (line := exchange.lines.get(some.line.id)) is not None
        ]
        holds.hold(session, _owner(change), demands, now + HELD_FOR, now, near)
    crash.point("exchange.agreed")


def to_add(
    session: Session,
    house: House,
    order: Order,
    change: OrderChange,
    chosen: Sequence[Some],
    answers: Answers,
) -> tuple[list[NewLine], Money | None]:
    """What ``here`` will add for a return, to be asked before it is done; and what of its credit that, or the
    bill for what was sent before, will take. None where money goes back."""
    exchange = exchanging.of(session, change.id)
    if exchange is None or exchange.row.state == "let_go":
        return [], None
    if exchange.is_open:
        lines = goods_instead.added(session, house, order, exchange, chosen, answers)
        return lines, Foreseen(lines, (), order.currency).difference
    bill = session.scalar(select(Invoice).where(Invoice.order_change_id == change.id))
    owed = items.of_sources(session, [bill.id]).get(bill.id) if bill is not None else None
    return [], owed.open if owed is not None else None


def here(
    session: Session,
    house: House,
    order: Order,
    change: OrderChange,
    lines: Sequence[NewLine],
    memos: Sequence[Invoice],
) -> None:
    """What comes back is here and credited: what goes out is added, where it was not, and the credit pays its
    bill. ``lines`` were worked out before (``to_add``). Raises OutOfStock."""
    exchange = exchanging.of(session, change.id)
    if exchange is None or exchange.row.state == "let_go":
        return
    if exchange.is_open:
        exchanging.move(session, exchange, "added", AFTER)
        add_goods.add(session, order, change, lines, house)
        add_goods.bill(session, house, change, memos)
    else:
        bill = session.scalar(select(Invoice).where(Invoice.order_change_id == change.id))
        if bill is not None:
            add_goods.use(session, house, bill, memos)
    crash.point("exchange.here")


def off(
    session: Session,
    house: House,
    order: Order,
    change: OrderChange,
    chosen: Sequence[Some],
    answers: Answers,
    *,
    billed: bool,
) -> None:
    """Nothing comes back, or not as it should be: what was held is let go, or with ``billed`` sent all the
    same and billed, as a sale by itself. What was added already stays for the caller. Raises OutOfStock."""
    exchange = exchanging.of(session, change.id)
    if exchange is None or not exchange.is_open:
        return
    if billed:
        lines = goods_instead.added(session, house, order, exchange, chosen, answers)
        exchanging.move(session, exchange, "added")
        add_goods.add(session, order, change, lines, house)
        add_goods.bill(session, house, change, ())
    else:
        let_go(session, house, change)
    crash.point("exchange.off")


def let_go(session: Session, house: House, change: OrderChange) -> None:
    """Money goes back instead, or nothing: what is held is free again."""
    exchange = exchanging.of(session, change.id)
    if exchange is not None and exchange.is_open:
        exchanging.move(session, exchange, "let_go")
        holds.release(session, _owner(change), telling=house.clock.now())


def _owner(change: OrderChange) -> Owner:
    return Owner("exchange", change.id)


def look(house: House, change_id: str) -> Foreseen:
    """What an exchange that is open would come to now; writes nothing. Raises NotFound."""

    def work(answers: Answers) -> Foreseen:
        with house.db.snapshot() as session:
            change, order = following.change(session, change_id)
            exchange = exchanging.of(session, change.id)
            if exchange is None:
                return Foreseen(currency=order.currency)
            chosen = changing.pieces_of(session, change, placing.lines_of(session, order.id))
            return foresee(session, house, order, exchange, chosen, answers)

    return with_taxes(house, work)


# --- what goes out, as lines of the order ---------------------------------------------------------


def foresee(
    session: Session,
    house: House,
    order: Order,
    exchange: Exchange,
    chosen: Sequence[Some],
    answers: Answers,
) -> Foreseen:
    """What it would come to now; writes nothing."""
    return Foreseen(
        goods_instead.added(session, house, order, exchange, chosen, answers),
        worth.foresee(session, order, chosen),
        order.currency,
    )
