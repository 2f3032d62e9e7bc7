"""Tables of the catalog."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id

GIFT_CARD = "gift_card"
BUNDLE = "bundle"
KINDS = ("physical", "digital", "service", "plan", GIFT_CARD, BUNDLE)


class Category(Base):
    """A shelf of the shop."""

    __tablename__ = "category"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    intro: Mapped[str] = mapped_column(Text, default="")
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("category.id"))
    position: Mapped[int] = mapped_column(default=0)


class Product(Base):
    """What a product page shows; what is bought is one of its variants."""

    __tablename__ = "product"
    __table_args__ = (
        Index("ix_product_category_id", "category_id", "position", "id"),
        Index("ix_product_listed", "active", "position", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(String(300), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    #: ``[[label, value], …]``
    facts: Mapped[list[Any]] = mapped_column(default=list)
    #: The first of its pictures as lists show it: a drawing under ``static``, or where an upload is served.
    picture: Mapped[str] = mapped_column(String(200))
    category_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("category.id"))
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    #: All of them in their order, by the names of the library; empty: ``picture`` alone.
    pictures: Mapped[list[Any]] = mapped_column(default=list)


class Variant(Base):
    """One thing with a SKU."""

    __tablename__ = "variant"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('physical', 'digital', 'service', 'plan', 'gift_card', 'bundle')",
            name="kind",
        ),
        CheckConstraint(
            "quantity_step >= 1 AND quantity_least >= 1 AND quantity_most >= quantity_least",
            name="limits",
        ),
        CheckConstraint("weight_g >= 0", name="weight"),
        CheckConstraint("NOT numbered OR kind IN ('digital', 'service', 'plan')", name="numbered"),
        # So that what holds a variant may hold it as what it is.
        UniqueConstraint("id", "kind"),
        Index("ix_variant_product_id", "product_id", "position"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("product.id"))
    sku: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(10))
    tax_category: Mapped[str] = mapped_column(String(40))
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)
    #: How many are bought at once: ``core.catalog.limits``.
    quantity_step: Mapped[int] = mapped_column(default=1)
    quantity_least: Mapped[int] = mapped_column(default=1)
    quantity_most: Mapped[int | None]
    weight_g: Mapped[int] = mapped_column(default=0)
    #: How it is delivered: ``parcel``, or what a merchant calls it: ``bulky``. Of work, ``visit``: at a time
    #: that is chosen.
    goes_by: Mapped[str] = mapped_column(String(20), default="parcel")
    #: Each is a number, an address or a key of its own, and there are only so many: ``core.stock.pools``.
    numbered: Mapped[bool] = mapped_column(default=False)


class BundleComponent(Base):
    """A piece of a bundle. ``weight`` is its part of what the bundle costs for the piece's charge kind.

    The weight is of all ``quantity`` together. What kind both variants are stands in the keys: a bundle
    holds no bundle, and no gift card, whose worth is what it costs; nobody becomes one afterwards.
    """

    __tablename__ = "bundle_component"
    __table_args__ = (
        CheckConstraint("quantity BETWEEN 1 AND 99 AND weight >= 0", name="positive"),
        # Few enough that a plan's unit price, in millionths, always gives its exact share back.
        CheckConstraint("component_kind <> 'plan' OR quantity <= 10", name="plans"),
        CheckConstraint("bundle_kind = 'bundle'", name="bundle_kind"),
        CheckConstraint(
            "component_kind IN ('physical', 'digital', 'service', 'plan')", name="component_kind"
        ),
        ForeignKeyConstraint(["bundle_id", "bundle_kind"], ["variant.id", "variant.kind"]),
        ForeignKeyConstraint(["component_id", "component_kind"], ["variant.id", "variant.kind"]),
        Index("ix_bundle_component_component_id", "component_id"),
    )

    bundle_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    component_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    bundle_kind: Mapped[str] = mapped_column(String(10), default=BUNDLE)
    component_kind: Mapped[str] = mapped_column(String(10))
    #: Its place among the pieces; of two equal remainders the earlier piece takes the last cent.
    position: Mapped[int] = mapped_column(default=0)
    quantity: Mapped[int] = mapped_column(default=1)
    weight: Mapped[int]
    #: Where the piece is taxed otherwise in the bundle than by itself.
    tax_category: Mapped[str | None] = mapped_column(String(40))
