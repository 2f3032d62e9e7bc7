"""Exchanges: goods go out instead of what a return brings back. In the caller's transaction, with the return.

Once it is agreed what goes out is held for the customer, and added to the order with a bill of its own when
the return is here; or it is added at once and leaves before. What the return is worth pays that bill. Called
by ``take_back`` and ``ask_return``.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart import additions, ordered
from cart.additions import ChangeRefused, NotAdded, Wanted
from core.catalog import products
from core.catalog.models import Variant
from core.kernel import crash
from core.kernel.money import Money, extend, micros_of, nearest, total
from core.ledger import items
from core.orders import changing, deliveries, exchanging, following, placing
from core.orders.drafting import NewLine
from core.orders.exchanging import AFTER, BEFORE, Exchange, Instead
from core.orders.fulfilling import Some, TooManyPieces, WrongKind
from core.orders.fulfilment_models import OrderChange, OrderExchangeLine
from core.orders.models import Order, OrderLine
from core.prices.resolve import NoPrice, Resolved
from core.stock import holds
from core.stock.holds import Demand, Owner
from core.tax.arithmetic import Tax, Taxed, TaxedLine
from core.tax.service import Answers
from flows import add_goods, worth
from flows.house import House
from flows.tax_goods import TaxGoods
from flows.taxing import with_taxes
from flows.worth import Worth
from invoices.content import TaxPart
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
        if variant is not None and line.kind == "physical" and not line.service_location:
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

    Raises UnknownSku, NotAdded, NoPrice, NotOffered for who is not of the staff, SeveralPlaces, WrongKind
    for what is no goods, and TooManyPieces for a line of which nothing comes back.
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
    additions.at_one_place([line])
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
        lines = added(session, house, order, exchange, chosen, answers, awaited=True)
        exchanging.move(session, exchange, "added", BEFORE)
        add_goods.add(session, order, change, lines, house)
        add_goods.bill(session, house, change, (), DAYS_TO_RETURN)
    else:
        exchanging.move(session, exchange, "held", AFTER)
        now, its = house.clock.now(), placing.lines_of(session, order.id)
        near = deliveries.near(order.shipping_address, its)
        demands = [
            Demand(line.id, line.variant_id, some.quantity)
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
        lines = added(session, house, order, exchange, chosen, answers)
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
    bill. ``lines`` were worked out before (``added``). Raises OutOfStock."""
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
        lines = added(session, house, order, exchange, chosen, answers)
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
        added(session, house, order, exchange, chosen, answers),
        worth.foresee(session, order, chosen),
        order.currency,
    )


def added(
    session: Session,
    house: House,
    order: Order,
    exchange: Exchange,
    chosen: Sequence[Some],
    answers: Answers,
    *,
    awaited: bool = False,
) -> list[NewLine]:
    """What goes out, as lines with their taxes. What costs the same takes over exactly what comes back, with
    its taxes (``awaited``: what it will be after all that is awaited); what does not is priced as agreed and
    taxed today. To be asked before the return is done."""
    even: list[NewLine] = []
    wanted: list[Wanted] = []
    mine = [one for one in chosen if one.line.id in exchange.lines]
    for one in worth.foresee(session, order, mine, awaited=awaited):
        line = exchange.lines[one.line.id]
        if line.unit_price_micros is None:
            even.append(_even(session, one, line))
        else:
            trace = {"list": one.line.price_trace.get("list", ""), "instead_of": one.line.sku}
            wanted.append(Wanted(line.sku, one.quantity, line.unit_price_micros, trace))
    if not wanted:
        return even
    goods = additions.priced(session, order, wanted, house.clock)
    counted = [one for line in goods for one in line.counted]
    asked = [(one.net.minor, one.tax_category) for one in counted]
    taxed = iter(TaxGoods(session, house, order, answers).of(asked, order.shipping_address))
    place: Any = order.shipping_address
    return [*even, *(ordered.new_line(line, taxed, place) for line in goods)]


def _even(session: Session, back: Worth, line: OrderExchangeLine) -> NewLine:
    variant = session.get_one(Variant, line.variant_id)
    contained = sum(part.amount_minor for part in back.taxes if part.inclusive)
    priced = Money(back.net_minor + contained, back.currency)
    each = back.line.unit_price_micros
    if extend(each, back.quantity, back.currency) != priced:
        each = nearest(Fraction(micros_of(priced), back.quantity))
    return NewLine(
        variant_id=variant.id,
        sku=variant.sku,
        name=variant.name,
        kind=variant.kind,
        tax_category=variant.tax_category,
        charge_kind="one_off",
        quantity=back.quantity,
        unit_price_micros=each,
        price_trace={
            "list": back.line.price_trace.get("list", ""),
            "instead_of": back.line.sku,
        },
        taxed=TaxedLine(back.net_minor, tuple(_taxed(part) for part in back.taxes)),
    )


def _taxed(part: TaxPart) -> Taxed:
    tax = Tax(part.jurisdiction, part.name, part.rate_ppm, part.inclusive, **part.more)
    return Taxed(tax, part.base_minor, part.amount_minor)
