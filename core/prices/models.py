"""Tables of the prices. Unit prices are millionths of the major unit (``micros``)."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
)
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


class BundlePrice(Base):
    """What one bundle costs for one charge kind: once, or for the first and every later period."""

    __tablename__ = "bundle_price"
    __table_args__ = (
        UniqueConstraint("variant_id", "price_list_id", "charge_kind"),
        CheckConstraint("charge_kind IN ('one_off', 'monthly', 'yearly')", name="charge_kind"),
        CheckConstraint("unit_price_micros >= 0", name="not_negative"),
        CheckConstraint("variant_kind = 'bundle'", name="variant_kind"),
        ForeignKeyConstraint(["variant_id", "variant_kind"], ["variant.id", "variant.kind"]),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    price_list_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("price_list.id"))
    variant_id: Mapped[uuid.UUID]
    variant_kind: Mapped[str] = mapped_column(String(10), default="bundle")
    charge_kind: Mapped[str] = mapped_column(String(10))
    unit_price_micros: Mapped[int]


class Plan(Base):
    """How a plan variant recurs. Its price is a Price like any other, per interval."""

    __tablename__ = "plan"
    __table_args__ = (
        CheckConstraint("interval IN ('month', 'year')", name="interval"),
        CheckConstraint("interval_count >= 1", name="interval_count"),
        CheckConstraint("activation IN ('at_once', 'by_hand', 'by_system')", name="activation"),
        CheckConstraint("bills_on IN ('activation', 'account')", name="bills_on"),
        Index("ix_plan_variant_id", "variant_id", unique=True),
        Index("ix_plan_family", "family"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variant.id"))
    interval: Mapped[str] = mapped_column(String(10))
    interval_count: Mapped[int] = mapped_column(default=1)
    #: Plans of one family can be changed for each other: ``line``, ``burrow``.
    family: Mapped[str] = mapped_column(String(40), default="")
    #: Digital services begin with the order; a line begins when somebody has connected it, or a system
    #: outside, which is asked with the order.
    activation: Mapped[str] = mapped_column(String(10), default="by_hand")
    #: Its bill day: the day of activation, or the account's own.
    bills_on: Mapped[str] = mapped_column(String(10), default="activation")
    #: What its account may use: ``["internet"]``.
    features: Mapped[list[Any]] = mapped_column(default=list)


class Meter(Base):
    """Something that is counted. ``counts``: all of a period, the most at once, or the last reading."""

    __tablename__ = "meter"
    __table_args__ = (CheckConstraint("counts IN ('sum', 'max', 'last')", name="counts"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    #: As people read it behind a number: ``GB``, ``minutes``.
    unit: Mapped[str] = mapped_column(String(20))
    counts: Mapped[str] = mapped_column(String(10), default="sum")


class UsagePrice(Base):
    """What a plan's usage costs in one currency, billed in arrears by period of the plan.

    ``tiers``: ``[[up_to, unit_price_micros, flat_micros], …]``, ``up_to`` a decimal as text and None for the
    last; of a package, one tier whose ``up_to`` is the package's size.
    """

    __tablename__ = "usage_price"
    __table_args__ = (
        CheckConstraint("model IN ('graduated', 'volume', 'package')", name="model"),
        UniqueConstraint("plan_id", "meter_id", "currency"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    plan_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plan.id"))
    meter_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("meter.id"))
    currency: Mapped[str] = mapped_column(String(3))
    model: Mapped[str] = mapped_column(String(10), default="graduated")
    #: So many units of each period cost nothing, as text of a decimal.
    free: Mapped[str] = mapped_column(String(40), default="0")
    tiers: Mapped[list[Any]]
