"""What is in a bundle. Read by prices and carts; a bundle's own price is in ``core.prices.bundles``."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from core.catalog.models import BundleComponent, Product, Variant
from core.kernel.db import table


@dataclass(frozen=True)
class Component:
    """A piece of a bundle: ``quantity`` of it are in one. ``sold``: it is, by itself, for sale."""

    variant_id: uuid.UUID
    sku: str
    name: str
    kind: str
    tax_category: str
    quantity: int
    weight: int
    sold: bool
    slug: str
    picture: str
    weight_g: int = 0
    goes_by: str = "parcel"
    #: Each is a number or a key of its own.
    numbered: bool = False

    @property
    def needs_stock(self) -> bool:
        """Only what is counted is held: goods, and what is numbered."""
        return self.kind == "physical" or self.numbered


def components(
    session: Session, bundle_ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, tuple[Component, ...]]:
    """The pieces of some bundles, in their fixed order: one query. What holds nothing is not in it."""
    found: dict[uuid.UUID, tuple[Component, ...]] = {}
    for row in session.execute(_components(), {"bundles": list(set(bundle_ids))}):
        piece = Component(
            variant_id=row.id,
            sku=row.sku,
            name=row.name,
            kind=row.kind,
            tax_category=row.own_category or row.tax_category,
            quantity=row.quantity,
            weight=row.weight,
            sold=bool(row.active and row.product_active),
            slug=row.slug,
            picture=row.picture,
            weight_g=row.weight_g,
            goes_by=row.goes_by,
            numbered=row.numbered,
        )
        found[row.bundle_id] = (*found.get(row.bundle_id, ()), piece)
    return found


@cache
def _components() -> Select[Any]:
    piece, variant, product = table(BundleComponent), table(Variant), table(Product)
    return (
        select(
            piece.c.bundle_id,
            piece.c.quantity,
            piece.c.weight,
            piece.c.tax_category.label("own_category"),
            variant.c.id,
            variant.c.sku,
            variant.c.name,
            variant.c.weight_g,
            variant.c.goes_by,
            variant.c.numbered,
            variant.c.kind,
            variant.c.tax_category,
            variant.c.active,
            product.c.active.label("product_active"),
            product.c.slug,
            product.c.picture,
        )
        .select_from(
            piece.join(variant, variant.c.id == piece.c.component_id).join(
                product, product.c.id == variant.c.product_id
            )
        )
        .where(piece.c.bundle_id.in_(bindparam("bundles", expanding=True)))
        .order_by(piece.c.bundle_id, piece.c.position, variant.c.sku)
    )
