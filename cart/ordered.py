"""What is priced in a cart, as lines of the order that it becomes."""

from collections.abc import Iterator
from dataclasses import replace

from cart.delivery import Choice
from cart.priced import PricedCart, PricedLine
from cart.pricing import delivery_micros
from core.orders.deliveries import GOODS
from core.orders.drafting import NewCharge, NewLine
from core.prices.bundles import Bundle, Share
from core.tax.arithmetic import TaxedLine

NOT_TAXED = TaxedLine(0, ())


def new_lines(priced: PricedCart, place: dict[str, str]) -> list[NewLine]:
    """All of a cart that goes to ``place``, its deliveries last."""
    taxed = iter(priced.taxed)
    found = [new_line(line, taxed, place) for line in priced.lines]
    return [*found, *(new_delivery(way, next(taxed)) for way in priced.chosen)]


def new_line(line: PricedLine, taxed: Iterator[TaxedLine], place: dict[str, str] | None) -> NewLine:
    """One line of a cart that goes to ``place``; of a bundle its pieces each take the next of the taxes."""
    whole = NewLine(
        variant_id=line.variant_id,
        sku=line.sku,
        name=line.name,
        kind=line.kind,
        tax_category=line.tax_category,
        charge_kind=line.price.charge_kind,
        quantity=line.quantity,
        unit_price_micros=line.price.unit_price_micros,
        price_trace=line.price.trace,
        taxed=NOT_TAXED if line.bundle else next(taxed),
        service_location=None if line.ships else place,
        numbered=line.numbered,
        goes_by=_goes_by(line.kind, line.goes_by),
    )
    if line.bundle is None:
        return whole
    pieces = [_piece(line.sku, line.bundle, share, next(taxed), place) for share in line.shares]
    net = sum(piece.taxed.net_minor for piece in pieces)
    return replace(
        whole,
        taxed=TaxedLine(net, ()),
        service_location=place,
        pieces=pieces,
        charges=[
            NewCharge(
                charge.charge_kind,
                line.bundle.unit_prices[charge.charge_kind],
                charge.together.minor,
            )
            for charge in line.charges
        ],
    )


def _piece(
    sku: str, bundle: Bundle, share: Share, taxed: TaxedLine, place: dict[str, str] | None
) -> NewLine:
    piece, kind = share.piece.component, share.piece.charge_kind
    return NewLine(
        variant_id=piece.variant_id,
        sku=piece.sku,
        name=piece.name,
        kind=piece.kind,
        tax_category=piece.tax_category,
        charge_kind=kind,
        quantity=share.quantity,
        unit_price_micros=share.unit_price_micros,
        price_trace={
            "list": bundle.prices[kind].trace["list"],
            "bundle": sku,
            "weight": share.weight,
            "of_weight": share.of_weight,
            "of_minor": share.of.minor,
        },
        taxed=taxed,
        service_location=None if piece.kind == "physical" else place,
        numbered=piece.numbered,
        goes_by=_goes_by(piece.kind, piece.goes_by),
        sale_price_minor=share.apart.minor,
    )


def new_delivery(method: Choice, taxed: TaxedLine) -> NewLine:
    """A way of delivery as a line of an order."""
    return NewLine(
        variant_id=None,
        sku=f"delivery:{method.code}",
        name=f"Delivery, {method.name}",
        kind="delivery",
        tax_category=method.tax_category,
        charge_kind="one_off",
        quantity=1,
        unit_price_micros=delivery_micros(method),
        price_trace={"delivery": method.code},
        taxed=taxed,
        goes_by=method.goes_by,
        pickup_id=method.pickup_id,
    )


def _goes_by(kind: str, way: str) -> str | None:
    """Only goods go anywhere."""
    return way if kind == GOODS else None
