"""Tables of the prices. Unit prices are millionths of the major unit (``micros``)."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id


class PriceList(Base):
    """Prices of one currency, within a window, for a channel, a segment or one account."""

    __tablename__ = "price_list"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    currency: Mapped[str] = mapped_column(String(3))
    channel_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("channel.id"), index=True)
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    segment: Mapped[str | None] = mapped_column(String(40))
    priority: Mapped[int] = mapped_column(default=0)
    valid_from: Mapped[datetime | None]
    valid_to: Mapped[datetime | None]


class Price(Base):
    """The unit price of a variant from ``min_quantity`` on."""

    __tablename__ = "price"
    __table_args__ = (
        UniqueConstraint("variant_id", "price_list_id", "min_quantity"),
        CheckConstraint("min_quantity >= 1", name="min_quantity"),
        CheckConstraint("unit_price_micros >= 0", name="not_negative"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    price_list_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("price_list.id"))
    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variant.id"))
    min_quantity: Mapped[int] = mapped_column(default=1)
    unit_price_micros: Mapped[int]


class Plan(Base):
    """How a plan variant recurs. Its price is a Price like any other, per interval."""

    __tablename__ = "plan"
    __table_args__ = (
        CheckConstraint("interval IN ('month', 'year')", name="interval"),
        CheckConstraint("interval_count >= 1", name="interval_count"),
        Index("ix_plan_variant_id", "variant_id", unique=True),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variant.id"))
    interval: Mapped[str] = mapped_column(String(10))
    interval_count: Mapped[int] = mapped_column(default=1)
    phases: Mapped[list[Any]] = mapped_column(default=list)
    trial: Mapped[dict[str, Any] | None]
    usage_tiers: Mapped[list[Any]] = mapped_column(default=list)
