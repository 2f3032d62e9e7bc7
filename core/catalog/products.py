"""Reading the catalog: pages of products, one product, what a SKU is."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Row, Select, bindparam, exists, func, select, tuple_
from sqlalchemy.orm import Session

from core.catalog.limits import ANY_NUMBER, Limits
from core.catalog.models import Category, Product, Variant
from core.kernel.db import table
from core.kernel.errors import NotFound, ShopError


@dataclass(eq=False)
class UnknownSku(ShopError):
    code: ClassVar[str] = "unknown_sku"
    text: ClassVar[str] = "Nothing is sold under {sku}."
    sku: str


@dataclass(frozen=True)
class ListedVariant:
    """A variant as a list shows it."""

    id: uuid.UUID
    sku: str
    name: str
    kind: str
    tax_category: str
    limits: Limits = ANY_NUMBER
    #: Each is a number, an address or a key of its own.
    numbered: bool = False


@dataclass(frozen=True)
class ListedProduct:
    """A product as a list shows it, with its variants."""

    id: uuid.UUID
    slug: str
    name: str
    summary: str
    picture: str
    position: int
    category_slug: str | None
    variants: tuple[ListedVariant, ...]


@dataclass(frozen=True)
class ProductDetail:
    """A product as its own page shows it."""

    listed: ListedProduct
    description: str
    facts: tuple[tuple[str, str], ...]
    category_name: str | None
    #: By the names of the library, in their order.
    pictures: tuple[str, ...] = ()


def listing(
    session: Session,
    *,
    category_slug: str | None = None,
    after: tuple[int, uuid.UUID] | None = None,
    limit: int = 24,
    only: ColumnElement[bool] | None = None,
    now: datetime | None = None,
) -> list[ListedProduct]:
    """Active products in shelf order, from behind ``after`` (position, key): one query. ``only`` those with a
    variant for which this holds at ``now``."""
    values: dict[str, Any] = {"limit": limit}
    if now is not None:
        values["now"] = now
    if category_slug is not None:
        values["category"] = category_slug
    if after is not None:
        values["position"], values["key"] = after
    query = _listing(category_slug is not None, after is not None, only)
    return _grouped(session.execute(query, values).all())


@cache
def _listing(
    of_category: bool, from_behind: bool, only: ColumnElement[bool] | None = None
) -> Select[Any]:
    """Built once for each way of asking: putting a statement together costs more than running it."""
    product, variant, category = table(Product), table(Variant), table(Category)
    # One without anything to buy takes no place, or a page would look like the last.
    sold = exists().where(variant.c.product_id == product.c.id, variant.c.active)
    if only is not None:
        sold = sold.where(only)
    # Compared, not bare: else SQLite does not look into the index of what is listed.
    page = select(product.c.id).where(product.c.active.is_(True), sold)
    if of_category:
        page = page.join(category, category.c.id == product.c.category_id).where(
            category.c.slug == bindparam("category")
        )
    if from_behind:
        place = tuple_(
            bindparam("position", type_=Product.position.type),
            bindparam("key", type_=Product.id.type),
        )
        page = page.where(tuple_(product.c.position, product.c.id) > place)
    page = page.order_by(product.c.position, product.c.id).limit(bindparam("limit"))
    return (
        _joined()
        .where(product.c.id.in_(page))
        .order_by(product.c.position, product.c.id, variant.c.position, variant.c.id)
    )


def picked(
    session: Session, category_slugs: Collection[str], skus: Collection[str], *, most: int
) -> list[ListedProduct]:
    """Active products in shelf order: the first ``most`` of each category ("" is the whole shop), and
    those with
    one of the SKUs. One query, however many are asked for."""
    values = {
        "slugs": sorted({slug for slug in category_slugs if slug}) or [""],
        "skus": sorted(skus) or [""],
        "most": most,
        "of_all": most if "" in category_slugs else 0,
    }
    return _grouped(session.execute(_picked(), values).all())


@cache
def _picked() -> Select[Any]:
    product, variant, category = table(Product), table(Variant), table(Category)
    sold = exists().where(variant.c.product_id == product.c.id, variant.c.active)
    place = func.row_number().over(
        partition_by=product.c.category_id, order_by=(product.c.position, product.c.id)
    )
    ranked = (
        select(product.c.id, place.label("place"))
        .join(category, category.c.id == product.c.category_id)
        .where(
            product.c.active.is_(True),
            sold,
            category.c.slug.in_(bindparam("slugs", expanding=True)),
        )
        .subquery()
    )
    first = (
        select(product.c.id)
        .where(product.c.active.is_(True), sold)
        .order_by(product.c.position, product.c.id)
        .limit(bindparam("of_all"))
        .subquery()
    )
    named = select(variant.c.product_id).where(variant.c.sku.in_(bindparam("skus", expanding=True)))
    return (
        _joined()
        .where(
            product.c.active.is_(True),
            product.c.id.in_(select(ranked.c.id).where(ranked.c.place <= bindparam("most")))
            | product.c.id.in_(select(first.c.id))
            | product.c.id.in_(named),
        )
        .order_by(product.c.position, product.c.id, variant.c.position, variant.c.id)
    )


def detail(session: Session, slug: str) -> ProductDetail:
    """One active product with its variants: one query. NotFound when there is none."""
    rows = session.execute(_detail(), {"slug": slug}).all()
    if not rows:
        raise NotFound("product")
    first = rows[0]
    return ProductDetail(
        _grouped(rows)[0],
        first.description,
        tuple((str(label), str(value)) for label, value in first.facts),
        first.category_name,
        tuple(map(str, first.pictures)) or (first.picture,),
    )


@cache
def _detail() -> Select[Any]:
    product, variant = table(Product).c, table(Variant).c
    return (
        _joined(
            product.description,
            product.facts,
            product.pictures,
            table(Category).c.name.label("category_name"),
        )
        .where(product.slug == bindparam("slug"), product.active)
        .order_by(variant.position, variant.id)
    )


def _joined(*more: Any) -> Select[Any]:
    """Products that are listed with the variants that are sold, a row each."""
    product, variant, category = table(Product), table(Variant), table(Category)
    return (
        select(
            product.c.id,
            product.c.slug,
            product.c.name,
            product.c.summary,
            product.c.picture,
            product.c.position,
            category.c.slug.label("category_slug"),
            variant.c.id.label("variant_id"),
            variant.c.sku,
            variant.c.name.label("variant_name"),
            variant.c.kind,
            variant.c.tax_category,
            variant.c.quantity_step,
            variant.c.quantity_least,
            variant.c.quantity_most,
            variant.c.numbered,
            *more,
        )
        .select_from(
            product.join(variant, variant.c.product_id == product.c.id).outerjoin(
                category, category.c.id == product.c.category_id
            )
        )
        .where(variant.c.active)
    )


def _grouped(rows: Sequence[Row[Any]]) -> list[ListedProduct]:
    variants: dict[uuid.UUID, list[ListedVariant]] = {}
    firsts: dict[uuid.UUID, Row[Any]] = {}
    for row in rows:
        firsts.setdefault(row.id, row)
        variants.setdefault(row.id, []).append(
            ListedVariant(
                row.variant_id,
                row.sku,
                row.variant_name,
                row.kind,
                row.tax_category,
                Limits.of(row),
                bool(row.numbered),
            )
        )
    return [
        ListedProduct(
            row.id,
            row.slug,
            row.name,
            row.summary,
            row.picture,
            row.position,
            row.category_slug,
            tuple(variants[key]),
        )
        for key, row in firsts.items()
    ]


def count_listed(session: Session) -> int:
    """How many products have a page."""
    return session.scalar(select(func.count()).select_from(Product).where(Product.active)) or 0


def slugs(session: Session, start: int, limit: int) -> Sequence[str]:
    """Addresses of products that have a page, by key, from a place on."""
    return session.scalars(
        select(Product.slug).where(Product.active).order_by(Product.id).offset(start).limit(limit)
    ).all()


def categories(session: Session) -> Sequence[Category]:
    """The shelves, in their order."""
    return session.scalars(select(Category).order_by(Category.position, Category.name)).all()


def category(session: Session, slug: str) -> Category:
    """One shelf. NotFound when there is none."""
    found = session.scalar(select(Category).where(Category.slug == slug))
    if found is None:
        raise NotFound("category")
    return found


def variant(session: Session, sku: str) -> Variant:
    """What is sold under ``sku``. UnknownSku when nothing is."""
    found = session.scalar(
        select(Variant)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.sku == sku, Variant.active, Product.active)
    )
    if found is None:
        raise UnknownSku(sku)
    return found


def pictures(
    session: Session, variant_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, tuple[str, str]]:
    """The product's slug and picture of each variant."""
    rows = session.execute(
        select(Variant.id, Product.slug, Product.picture)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.id.in_(variant_ids))
    )
    return {variant_id: (slug, picture) for variant_id, slug, picture in rows}
