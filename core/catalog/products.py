"""Reading the catalog: pages of products, one product, what a SKU is."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import Row, Select, bindparam, exists, select, tuple_
from sqlalchemy.orm import Session

from core.catalog.models import Category, Product, Variant
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


_LISTED = (
    Product.id,
    Product.slug,
    Product.name,
    Product.summary,
    Product.picture,
    Product.position,
    Category.slug.label("category_slug"),
)
_VARIANT = (
    Variant.id.label("variant_id"),
    Variant.sku,
    Variant.name.label("variant_name"),
    Variant.kind,
    Variant.tax_category,
)


def listing(
    session: Session,
    *,
    category_slug: str | None = None,
    after: tuple[int, uuid.UUID] | None = None,
    limit: int = 24,
) -> list[ListedProduct]:
    """Active products in shelf order, from behind ``after`` (position, key): one query."""
    values: dict[str, Any] = {"limit": limit}
    if category_slug is not None:
        values["category"] = category_slug
    if after is not None:
        values["position"], values["key"] = after
    query = _listing(category_slug is not None, after is not None)
    return _grouped(session.execute(query, values).all())


@cache
def _listing(of_category: bool, from_behind: bool) -> Select[Any]:
    """Built once for each way of asking: putting a statement together costs more than running it."""
    # One without anything to buy takes no place, or a page would look like the last.
    sold = exists().where(Variant.product_id == Product.id, Variant.active)
    # Compared, not bare: else SQLite does not look into the index of what is listed.
    page = select(Product.id).where(Product.active.is_(True), sold)
    if of_category:
        page = page.join(Category, Category.id == Product.category_id).where(
            Category.slug == bindparam("category")
        )
    if from_behind:
        place = tuple_(
            bindparam("position", type_=Product.position.type),
            bindparam("key", type_=Product.id.type),
        )
        page = page.where(tuple_(Product.position, Product.id) > place)
    page = page.order_by(Product.position, Product.id).limit(bindparam("limit"))
    return (
        _joined(*_LISTED, *_VARIANT)
        .where(Product.id.in_(page))
        .order_by(Product.position, Product.id, Variant.position, Variant.id)
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
    )


@cache
def _detail() -> Select[Any]:
    return (
        _joined(
            *_LISTED,
            *_VARIANT,
            Product.description,
            Product.facts,
            Category.name.label("category_name"),
        )
        .where(Product.slug == bindparam("slug"), Product.active)
        .order_by(Variant.position, Variant.id)
    )


def _joined(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .join(Variant, Variant.product_id == Product.id)
        .outerjoin(Category, Category.id == Product.category_id)
        .where(Variant.active)
    )


def _grouped(rows: Sequence[Row[Any]]) -> list[ListedProduct]:
    variants: dict[uuid.UUID, list[ListedVariant]] = {}
    firsts: dict[uuid.UUID, Row[Any]] = {}
    for row in rows:
        firsts.setdefault(row.id, row)
        variants.setdefault(row.id, []).append(
            ListedVariant(row.variant_id, row.sku, row.variant_name, row.kind, row.tax_category)
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
