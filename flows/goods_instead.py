"""What goes out instead of what a return brings back, as lines of the order: each goes where the first one
went. Reads only; for ``exchange``."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from sqlalchemy.orm import Session

from cart import additions, ordered
from cart.additions import Wanted
from core.catalog.models import Variant
from core.kernel.money import Money, extend, micros_of, nearest
from core.orders import places, placing
from core.orders.drafting import NewLine
from core.orders.exchanging import Exchange
from core.orders.fulfilling import Some
from core.orders.fulfilment_models import OrderExchangeLine
from core.orders.models import Order, OrderLine
from core.tax.arithmetic import Tax, Taxed, TaxedLine
from core.tax.service import Answers
from flows import plan_delivery, worth
from flows.house import House
from flows.tax_goods import TaxGoods
from flows.worth import Worth
from invoices.content import TaxPart


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
    wanted: list[tuple[OrderLine, Wanted]] = []
    mine = [one for one in chosen if one.line.id in exchange.lines]
    for one in worth.foresee(session, order, mine, awaited=awaited):
        line = exchange.lines[one.line.id]
        if line.unit_price_micros is None:
            even.append(_even(session, one, line))
        else:
            trace = {"list": one.line.price_trace.get("list", ""), "instead_of": one.line.sku}
            more = Wanted(line.sku, one.quantity, line.unit_price_micros, trace)
            wanted.append((one.line, more))
    tax = TaxGoods(session, house, order, answers)
    return [*even, *_priced(order, wanted, tax)]


def _priced(
    order: Order, wanted: Sequence[tuple[OrderLine, Wanted]], tax: TaxGoods
) -> Iterator[NewLine]:
    """Each goes where the line goes that it is instead of, with the taxes there, or is fetched there."""
    lines = placing.lines_of(tax.session, order.id) if wanted else []
    for place in places.of(order, lines):
        its = [one for line, one in wanted if place.goes([line.line_number])]
        if not its:
            continue
        goods = additions.priced(tax.session, order, its, tax.house.clock)
        asked = [(one.net.minor, one.tax_category) for line in goods for one in line.counted]
        where = plan_delivery.taxed_at(tax, place, place.address)
        taxed = iter(tax.of(asked, where))
        for line in goods:
            new = ordered.new_line(line, taxed, dict(place.address))
            own = dict(place.address) if place.is_own else None
            yield replace(new, service_location=own)


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
        service_location=back.line.service_location,
    )


def _taxed(part: TaxPart) -> Taxed:
    tax = Tax(part.jurisdiction, part.name, part.rate_ppm, part.inclusive, **part.more)
    return Taxed(tax, part.base_minor, part.amount_minor)
