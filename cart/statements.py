"""What ``cart.lines`` asks the database: statements over carts and their lines.

Each is put together once and at first use, when the types of foreign keys are known.
"""

from functools import cache
from typing import Any

from sqlalchemy import Executable, Select, and_, bindparam, select, update
from sqlalchemy.orm import load_only

from cart import holds as policy
from cart.models import Cart, CartLine, HoldPolicy
from core.catalog.models import Product, Variant
from core.kernel import kept_rules
from core.kernel.db import table
from core.parties.models import Channel, LegalEntity
from core.prices import resolve


@cache
def of_id() -> Select[Cart]:
    return select(Cart).where(Cart.public_id == bindparam("public_id"))


@cache
def locked() -> Select[Cart]:
    return of_id().with_for_update()


@cache
def locked_with_seller() -> Executable:
    return (
        select(Cart, Channel, LegalEntity, policy.limits())
        .join(Channel, Channel.id == Cart.channel_id)
        .join(LegalEntity, LegalEntity.id == Cart.legal_entity_id)
        .where(Cart.public_id == bindparam("public_id"))
        .with_for_update(of=Cart)
    )


@cache
def moved(with_account: bool) -> Executable:
    cart = table(Cart)
    values: dict[str, Any] = {"state": bindparam("to"), "version": cart.c.version + 1}
    if with_account:
        values["account_id"] = bindparam("account")
    return (
        update(cart)
        .where(cart.c.id == bindparam("cart"), cart.c.state == bindparam("wanted"))
        .values(values)
    )


@cache
def touched() -> Executable:
    cart = table(Cart)
    return (
        update(cart)
        .where(cart.c.id == bindparam("cart"))
        .values(changed_at=bindparam("changed_at"), version=cart.c.version + 1)
    )


@cache
def changed() -> Executable:
    line = table(CartLine)
    names = ("quantity", "unit_price_micros", "price_trace", "unheld")
    return (
        update(line)
        .where(line.c.id == bindparam("line"))
        .values({name: bindparam(name) for name in names})
    )


@cache
def wanted() -> Executable:
    """What is sold under a SKU, a row for each of its prices (the best first), with the cart's line of it;
    are other things in the cart, and are there rules for holds?"""
    variant, product, line = table(Variant), table(Product), table(CartLine)
    mine = and_(line.c.variant_id == variant.c.id, line.c.cart_id == bindparam("cart"))
    joined = variant.join(product, product.c.id == variant.c.product_id).outerjoin(line, mine)
    other = line.alias("other")
    others = select(other.c.id).where(
        other.c.cart_id == bindparam("cart"), other.c.variant_id != variant.c.id
    )
    return (
        select(
            *resolve.columns(),
            variant.c.id.label("sold_id"),
            variant.c.product_id,
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
            others.correlate(variant).exists().label("has_others"),
            select(table(HoldPolicy).c.id).exists().label("has_rules"),
        )
        .select_from(resolve.beside(joined, variant.c.id))
        .where(variant.c.sku == bindparam("sku"), variant.c.active, product.c.active)
        .order_by(*resolve.best_first())
    )


@cache
def with_prices() -> Executable:
    line, variant, product = table(CartLine), table(Variant), table(Product)
    joined = line.join(variant, variant.c.id == line.c.variant_id).join(
        product, product.c.id == variant.c.product_id
    )
    return (
        select(
            *resolve.columns(),
            kept_rules.mark(),
            line.c.id.label("line_id"),
            line.c.public_id,
            line.c.quantity,
            line.c.unit_price_micros.label("put_in_micros"),
            line.c.price_trace.label("put_in_trace"),
            line.c.unheld,
            variant.c.id.label("sold_id"),
            variant.c.sku,
            variant.c.name,
            variant.c.kind,
            variant.c.tax_category,
            variant.c.weight_g,
            variant.c.goes_by,
            variant.c.quantity_step,
            variant.c.quantity_least,
            variant.c.quantity_most,
            variant.c.numbered,
            variant.c.active.label("is_sold"),
            product.c.active.label("is_shown"),
            product.c.slug,
            product.c.picture,
        )
        .select_from(resolve.beside(joined, variant.c.id))
        .where(line.c.cart_id == bindparam("cart"))
        .order_by(line.c.added_at, line.c.id, *resolve.best_first())
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
