"""Statements of ``cart.lines`` that read what its lines stand for; each is put together once."""

from functools import cache

from sqlalchemy import Executable, and_, bindparam, select
from sqlalchemy.orm import load_only

from cart.models import CartLine
from core.catalog.models import Product, Variant
from core.kernel.db import table


@cache
def with_line() -> Executable:
    """What is sold under a SKU, with the cart's line of it."""
    variant, product, line = table(Variant), table(Product), table(CartLine)
    mine = and_(line.c.variant_id == variant.c.id, line.c.cart_id == bindparam("cart"))
    joined = variant.join(product, product.c.id == variant.c.product_id).outerjoin(line, mine)
    return (
        select(
            variant.c.id,
            variant.c.sku,
            variant.c.name,
            variant.c.kind,
            variant.c.quantity_step,
            variant.c.quantity_least,
            variant.c.quantity_most,
            variant.c.numbered,
            line.c.id.label("line_id"),
            line.c.public_id,
            line.c.quantity,
            line.c.added_at,
        )
        .select_from(joined)
        .where(variant.c.sku == bindparam("sku"), variant.c.active, product.c.active)
    )


@cache
def contents() -> Executable:
    return (
        select(CartLine, Variant, Product)
        .join(Variant, Variant.id == CartLine.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(CartLine.cart_id == bindparam("cart"))
        .order_by(CartLine.added_at, CartLine.id)
        .options(load_only(Product.slug, Product.name, Product.picture, Product.active))
    )
