"""Products for staff: all of them, archived ones too, and writing them. Called by ``flows.keep_products``."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from core.catalog.models import Category, Product, Variant
from core.kernel.errors import NotFound, ShopError
from core.kernel.ids import new_id, token_hash
from core.kernel.sorting import By, Place, Sorts

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SKU = re.compile(r"[A-Z0-9]+([.-][A-Z0-9]+)*")


@dataclass(eq=False)
class TakenAlready(ShopError):
    """Another product has this address, or another thing this SKU."""

    code: ClassVar[str] = "taken_already"
    text: ClassVar[str] = "{what} {value} is taken already."
    what: str
    value: str


@dataclass(frozen=True)
class Words:
    """What a product's page says."""

    name: str
    summary: str
    description: str
    category: str


@dataclass(frozen=True)
class Pictures:
    """Those of a product by the names of the library, and the first as lists show it."""

    names: tuple[str, ...]
    first: str


def is_slug(text: str) -> bool:
    """May it stand in a product's address?"""
    return len(text) <= 120 and bool(_SLUG.fullmatch(text))


def is_sku(text: str) -> bool:
    """May a thing be called so?"""
    return len(text) <= 60 and bool(_SKU.fullmatch(text))


#: What the desk's list may be sorted by.
SORTS = Sorts(Product.id, {"shelf": Product.position, "name": By(Product.name, ignores_case=True)})
IN_SHELF_ORDER = Place("shelf")


def page(
    session: Session,
    *,
    words: str = "",
    active: bool | None = None,
    place: Place = IN_SHELF_ORDER,
    limit: int = 50,
) -> Sequence[Product]:
    """Products from a place on; ``words`` in names, addresses and SKUs."""
    query = select(Product)
    if active is not None:
        query = query.where(Product.active.is_(active))
    if words:
        sku = exists().where(
            Variant.product_id == Product.id, Variant.sku.icontains(words, autoescape=True)
        )
        query = query.where(
            or_(
                Product.name.icontains(words, autoescape=True),
                Product.slug.icontains(words, autoescape=True),
                sku,
            )
        )
    return session.scalars(SORTS.apply(query, place, limit)).all()


def counts(session: Session) -> dict[bool, int]:
    """How many are in the shop, and how many are archived."""
    rows = session.execute(select(Product.active, func.count()).group_by(Product.active))
    return {bool(active): int(count) for active, count in rows}


def variants_of(
    session: Session, product_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[Variant]]:
    """The variants of some products, in their order."""
    found: dict[uuid.UUID, list[Variant]] = {}
    for row in session.scalars(
        select(Variant)
        .where(Variant.product_id.in_(product_ids))
        .order_by(Variant.product_id, Variant.position, Variant.sku)
    ):
        found.setdefault(row.product_id, []).append(row)
    return found


def categories(session: Session) -> Sequence[Category]:
    """Every shelf, in their order."""
    return session.scalars(select(Category).order_by(Category.position, Category.slug)).all()


def one(session: Session, slug: str, *, lock: bool = False) -> Product:
    """A product by its address, archived or not. NotFound when there is none."""
    query = select(Product).where(Product.slug == slug)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound("product")
    return found


def variant(session: Session, sku: str, *, lock: bool = False) -> Variant:
    """A variant by its SKU, archived or not. NotFound when there is none."""
    query = select(Variant).where(Variant.sku == sku)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound("product")
    return found


def mark(product: Product) -> str:
    """Changes with what ``change`` and ``publish`` change: 32 signs."""
    said = [product.name, product.summary, product.description, str(pictures_of(product))]
    return token_hash(repr([*said, str(product.category_id), product.active]))[:32]


def pictures_of(product: Product) -> list[str]:
    """Its pictures in their order, by the names of the library."""
    return [str(name) for name in product.pictures] or [product.picture]


def make(session: Session, slug: str, words: Words, pictures: Pictures, now: datetime) -> Product:
    """A new product, the last of the shop, not shown yet. Raises TakenAlready and NotFound (its shelf)."""
    if session.scalar(select(Product.id).where(Product.slug == slug)) is not None:
        raise TakenAlready("The address", slug)
    last = session.scalar(select(func.max(Product.position))) or 0
    row = Product(id=new_id(), slug=slug, position=last + 10, active=False, created_at=now)
    _say(session, row, words)
    row.pictures, row.picture = list(pictures.names), pictures.first
    session.add(row)
    session.flush()
    return row


def change(session: Session, product: Product, words: Words) -> None:
    """Other words. Raises NotFound for a shelf that is none."""
    _say(session, product, words)
    session.flush()


def illustrate(session: Session, product: Product, pictures: Pictures) -> None:
    """Other pictures."""
    product.pictures, product.picture = list(pictures.names), pictures.first
    session.flush()


def move(session: Session, product: Product, slug: str) -> None:
    """Another address. Raises TakenAlready."""
    if session.scalar(select(Product.id).where(Product.slug == slug)) is not None:
        raise TakenAlready("The address", slug)
    product.slug = slug
    session.flush()


def _say(session: Session, row: Product, words: Words) -> None:
    category = None
    if words.category:
        category = session.scalar(select(Category.id).where(Category.slug == words.category))
        if category is None:
            raise NotFound("category")
    row.name, row.summary, row.description = words.name, words.summary, words.description
    row.category_id = category


def add_variant(
    session: Session, product: Product, sku: str, name: str, kind: str, tax_category: str
) -> Variant:
    """Another thing of a product, its last. Raises TakenAlready."""
    if session.scalar(select(Variant.id).where(Variant.sku == sku)) is not None:
        raise TakenAlready("The SKU", sku)
    last: Any = session.scalar(
        select(func.max(Variant.position)).where(Variant.product_id == product.id)
    )
    row = Variant(
        id=new_id(),
        product_id=product.id,
        sku=sku,
        name=name,
        kind=kind,
        tax_category=tax_category,
        position=(last or 0) + 1,
    )
    session.add(row)
    session.flush()
    return row


def tax_categories(session: Session) -> list[str]:
    """What things here are taxed as."""
    return list(
        session.scalars(select(Variant.tax_category).distinct().order_by(Variant.tax_category))
    )
