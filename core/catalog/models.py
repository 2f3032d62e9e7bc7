"""Tables of the catalog."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id

GIFT_CARD = "gift_card"
KINDS = ("physical", "digital", "service", "plan", GIFT_CARD)


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
    picture: Mapped[str] = mapped_column(String(200))
    category_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("category.id"))
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class Variant(Base):
    """One thing with a SKU."""

    __tablename__ = "variant"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('physical', 'digital', 'service', 'plan', 'gift_card')", name="kind"
        ),
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


class BundleComponent(Base):
    """A piece of a bundle. A bundle holds no bundle; ``weight`` shares out the billed price."""

    __tablename__ = "bundle_component"
    __table_args__ = (CheckConstraint("quantity > 0 AND weight >= 0", name="positive"),)

    bundle_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variant.id"), primary_key=True)
    component_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variant.id"), primary_key=True)
    quantity: Mapped[int] = mapped_column(default=1)
    weight: Mapped[int]
    tax_category: Mapped[str | None] = mapped_column(String(40))
