"""Bundles to put on the shelf of the small shop of the tests, and to take apart again."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.catalog.models import BundleComponent, Product, Variant
from core.kernel.money import to_micros
from core.prices.models import BundlePrice
from tests.world import Goods, World


@dataclass(frozen=True)
class Inside:
    """A piece of a bundle."""

    goods: Goods
    quantity: int = 1
    weight: int = 1
    tax_category: str | None = None


def pack(
    session: Session,
    world: World,
    now: datetime,
    inside: Sequence[Inside],
    prices: Mapping[str, str | int],
    *,
    sku: str = "FW-HOME",
    name: str = "River at home",
) -> Goods:
    """A bundle of these pieces; ``prices`` by charge kind, in dollars or in millionths."""
    product = Product(
        slug=sku.lower(),
        name=name,
        summary=f"{name} from Fernway",
        picture="img/products/bundle.svg",
        created_at=now,
    )
    session.add(product)
    session.flush()
    variant = Variant(
        product_id=product.id, sku=sku, name=name, kind="bundle", tax_category="bundle"
    )
    session.add(variant)
    session.flush()
    put_inside(session, variant.id, inside)
    price_of(session, world, variant.id, prices)
    return Goods(product.id, variant.id, product.slug, sku, 0, None)


def put_inside(session: Session, bundle_id: uuid.UUID, inside: Sequence[Inside]) -> None:
    for position, one in enumerate(inside):
        kind = session.get_one(Variant, one.goods.variant_id).kind
        session.add(
            BundleComponent(
                bundle_id=bundle_id,
                component_id=one.goods.variant_id,
                component_kind=kind,
                position=position,
                quantity=one.quantity,
                weight=one.weight,
                tax_category=one.tax_category,
            )
        )
    session.flush()


def price_of(
    session: Session,
    world: World,
    bundle_id: uuid.UUID,
    prices: Mapping[str, str | int],
    price_list_id: uuid.UUID | None = None,
) -> None:
    session.add_all(
        BundlePrice(
            price_list_id=price_list_id or world.price_list_id,
            variant_id=bundle_id,
            charge_kind=kind,
            unit_price_micros=to_micros(price) if isinstance(price, str) else price,
        )
        for kind, price in prices.items()
    )
    session.flush()


def home(session: Session, world: World, now: datetime) -> Goods:
    """Line, router and visit for 149.00 once and 42.00 a month; apart they are 189.00 and 45.00."""
    inside = [
        Inside(world.router, weight=129),
        Inside(world.visit, weight=60),
        Inside(world.plan, weight=45),
    ]
    return pack(session, world, now, inside, {"one_off": "149.00", "monthly": "42.00"})
