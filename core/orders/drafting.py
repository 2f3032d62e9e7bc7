"""An order as it will be written: what is said of a new one, and the rows that come of it.

Nothing here asks the database; ``core.orders.placing`` writes what is drafted.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.kernel.db import new_row
from core.kernel.ids import new_id, new_public_id
from core.orders.models import Order, OrderLine
from core.tax.arithmetic import TaxedLine


@dataclass(frozen=True)
class NewLine:
    """One line to be ordered, at its frozen price, with its taxes."""

    variant_id: uuid.UUID | None
    sku: str
    name: str
    kind: str
    tax_category: str
    charge_kind: str
    quantity: int
    unit_price_micros: int
    price_trace: dict[str, Any]
    taxed: TaxedLine
    service_location: dict[str, Any] | None = None
    term_months: int | None = None
    #: What as much sells for by itself: of a bundle's piece.
    sale_price_minor: int | None = None
    #: Of a bundle: its pieces, which alone count, and what it costs for each charge kind.
    pieces: Sequence["NewLine"] = ()
    charges: Sequence["NewCharge"] = ()
    #: Each piece is a number or a key of its own.
    numbered: bool = False
    #: Of goods and of deliveries: by which way, and where they are fetched, if they are.
    goes_by: str | None = None
    pickup_id: uuid.UUID | None = None

    @property
    def counted(self) -> Sequence["NewLine"]:
        """The lines that count: itself, or its pieces."""
        return self.pieces or (self,)


@dataclass(frozen=True)
class NewCharge:
    """What a bundle costs for one charge kind, as priced."""

    charge_kind: str
    unit_price_micros: int
    priced_minor: int


@dataclass(frozen=True)
class NewOrder:
    """An order to be written down."""

    legal_entity_id: uuid.UUID
    channel_id: uuid.UUID
    currency: str
    payer_account_id: uuid.UUID
    service_account_id: uuid.UUID
    cart_id: uuid.UUID | None
    payment_method: str
    email: str
    shipping_address: dict[str, Any] | None
    shipping_method: str | None
    lines: Sequence[NewLine]
    #: The buyer's VAT id that was used.
    vat_id: str | None = None
    #: The version of a quote that it is made of, instead of a cart.
    quote_version_id: uuid.UUID | None = None
    purchase_order: str | None = None
    cost_centre: str | None = None
    #: How further deliveries go.
    ways: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Draft:
    """An order with its lines as they will be written; nothing of it is in the database yet."""

    order: Order
    #: As ``lines_of`` would answer them.
    lines: Sequence[OrderLine]
    taxes: Sequence[Mapping[str, Any]]
    charges: Sequence[Mapping[str, Any]]


def draft(new: NewOrder, now: datetime) -> Draft:
    """A pending order, to be written or looked at."""
    counted = [one for line in new.lines for one in line.counted]
    net = sum(line.taxed.net_minor for line in counted)
    tax = sum(line.taxed.tax_minor for line in counted)
    order = new_row(
        Order,
        id=new_id(),
        public_id=new_public_id(),
        legal_entity_id=new.legal_entity_id,
        channel_id=new.channel_id,
        currency=new.currency,
        payer_account_id=new.payer_account_id,
        service_account_id=new.service_account_id,
        cart_id=new.cart_id,
        from_cart_id=new.cart_id,
        quote_version_id=new.quote_version_id,
        lifecycle="pending",
        payment="awaiting",
        fulfilment="unfulfilled",
        payment_method=new.payment_method,
        email=new.email,
        vat_id=new.vat_id,
        purchase_order=new.purchase_order,
        cost_centre=new.cost_centre,
        shipping_address=new.shipping_address,
        shipping_method=new.shipping_method,
        ways=dict(new.ways) if new.ways else None,
        net_minor=net,
        tax_minor=tax,
        due_now_minor=net + tax,
        worth_minor=net + tax,
        created_at=now,
    )
    return Draft(order, *lines(order, new.lines))


def lines(
    order: Order,
    new: Sequence[NewLine],
    change_id: uuid.UUID | None = None,
    last: int = 0,
) -> tuple[list[OrderLine], list[dict[str, Any]], list[dict[str, Any]]]:
    """Lines of an order behind its ``last``, the rows of their taxes and those of their charges."""
    found: list[OrderLine] = []
    taxes: list[dict[str, Any]] = []
    charges: list[dict[str, Any]] = []
    for line in new:
        above = _line(order, line, last + len(found) + 1, None, change_id)
        found.append(above)
        taxes += _tax_rows(above.id, line.taxed)
        charges += [{"order_line_id": above.id, **vars(charge)} for charge in line.charges]
        for piece in line.pieces:
            one = _line(order, piece, last + len(found) + 1, above.id, change_id)
            found.append(one)
            taxes += _tax_rows(one.id, piece.taxed)
    return found, taxes, charges


def _line(
    order: Order,
    line: NewLine,
    number: int,
    parent_id: uuid.UUID | None,
    change_id: uuid.UUID | None,
) -> OrderLine:
    return new_row(
        OrderLine,
        id=new_id(),
        order_id=order.id,
        line_number=number,
        parent_id=parent_id,
        variant_id=line.variant_id,
        sku=line.sku,
        name=line.name,
        kind=line.kind,
        tax_category=line.tax_category,
        charge_kind=line.charge_kind,
        quantity=line.quantity,
        unit_price_micros=line.unit_price_micros,
        price_trace=line.price_trace,
        sale_price_minor=line.sale_price_minor,
        net_minor=line.taxed.net_minor,
        tax_minor=line.taxed.tax_minor,
        contained_minor=line.taxed.contained_minor,
        service_account_id=order.service_account_id,
        payer_account_id=order.payer_account_id,
        service_location=line.service_location,
        term_months=line.term_months,
        fulfilled=0,
        cancelled=0,
        returned=0,
        numbered=line.numbered,
        goes_by=line.goes_by,
        pickup_id=line.pickup_id,
        change_id=change_id,
        # Of a plan, once it begins.
        subscription_id=None,
        period_index=None,
    )


def _tax_rows(line_id: uuid.UUID, taxed: TaxedLine) -> list[dict[str, Any]]:
    return [
        {
            "order_line_id": line_id,
            "position": position,
            "jurisdiction": one.tax.jurisdiction,
            "name": one.tax.name,
            "rate_ppm": one.tax.rate_ppm,
            "base_minor": one.base_minor,
            "amount_minor": one.amount_minor,
            "inclusive": one.tax.inclusive,
            "compound": one.tax.compound,
            "relief": one.tax.relief,
            "reference": one.tax.reference,
        }
        for position, one in enumerate(taxed.taxes)
    ]
