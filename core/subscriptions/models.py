"""Tables of the subscriptions: a plan in somebody's service, what it was over time, and what it used."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards
from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id

#: Who may follow whom.
STATES = {
    "ordered": ("active", "ended"),
    "active": ("paused", "ended"),
    "paused": ("active", "ended"),
    "ended": (),
}


class Subscription(Base):
    """A service of one account, billed to its payer. It starts at activation, not at the order.

    What is served and at which price stands in its phases; ``ended_on`` is the first day without service
    and may lie ahead of us while the state is still ``active``.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        CheckConstraint("state IN ('ordered', 'active', 'paused', 'ended')", name="state"),
        CheckConstraint(
            "state = 'ordered' OR activated_on IS NOT NULL OR ended_on IS NOT NULL",
            name="activated",
        ),
        CheckConstraint("state <> 'ended' OR ended_on IS NOT NULL", name="ended"),
        CheckConstraint("bill_day BETWEEN 1 AND 31", name="bill_day"),
        Index("ix_subscription_payer_account_id", "payer_account_id", "state"),
        Index("ix_subscription_service_account_id", "service_account_id"),
        Index("ix_subscription_ordered_at", "ordered_at", "id"),
        Index("ix_subscription_ended_on", "ended_on"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"))
    currency: Mapped[str] = mapped_column(String(3))
    payer_account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    service_account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    #: Where it is served: an address; taxes follow it, else the payer's billing address.
    service_location: Mapped[dict[str, Any] | None]
    #: What its owner calls it, when there are several: ``Warehouse``.
    label: Mapped[str] = mapped_column(String(80), default="")
    state: Mapped[str] = mapped_column(String(10), default="ordered")
    ordered_at: Mapped[datetime]
    activated_on: Mapped[date | None]
    #: The original bill day, of activation or of the account; months clamp it, they never move it.
    bill_day: Mapped[int | None]
    #: How long it was agreed for, from activation; None: any month.
    term_months: Mapped[int | None]
    ended_on: Mapped[date | None]
    end_reason: Mapped[str | None] = mapped_column(String(30))
    end_note: Mapped[str] = mapped_column(String(500), default="")
    #: A ``payment_method`` that its bills are charged to without asking again; None: a bill that is sent.
    payment_method_id: Mapped[uuid.UUID | None]
    #: What the days up to this one bring has been done: plans that began gave what they give.
    arrived_on: Mapped[date | None]
    #: Counts the changes, so that two people do not write over each other.
    revision: Mapped[int] = mapped_column(default=1)


class SubscriptionPhase(Base):
    """A plan at a price from a day on, until the next phase begins or the subscription ends.

    ``starts_on`` is None while the service waits for activation. A phase that lies ahead may be withdrawn;
    one that has begun stays.
    """

    __tablename__ = "subscription_phase"
    __table_args__ = (
        CheckConstraint("kind IN ('paid', 'trial')", name="kind"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("unit_price_micros >= 0", name="price"),
        CheckConstraint("kind <> 'trial' OR unit_price_micros = 0", name="trial_is_free"),
        CheckConstraint("interval IN ('month', 'year')", name="interval"),
        CheckConstraint("interval_count >= 1", name="interval_count"),
        CheckConstraint("(starts_on IS NULL) = (cycle_from IS NULL)", name="begun"),
        UniqueConstraint("subscription_id", "number"),
        Index("ix_subscription_phase_variant_id", "variant_id"),
        Index("ix_subscription_phase_starts_on", "starts_on"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    subscription_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscription.id"))
    #: From 0, in the order in which they were agreed.
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10), default="paid")
    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variant.id"))
    quantity: Mapped[int]
    unit_price_micros: Mapped[int]
    #: Why this price: a list, or the quote that it was agreed in.
    price_trace: Mapped[dict[str, Any]] = mapped_column(default=dict)
    interval: Mapped[str] = mapped_column(String(10))
    interval_count: Mapped[int] = mapped_column(default=1)
    starts_on: Mapped[date | None]
    #: The day that its periods are counted from, on the subscription's bill day.
    cycle_from: Mapped[date | None]
    withdrawn_at: Mapped[datetime | None]
    agreed_at: Mapped[datetime]
    agreed_by: Mapped[str] = mapped_column(String(80))
    #: The subscription's revision that this was agreed with.
    revision: Mapped[int] = mapped_column(default=1)


class SubscriptionPause(Base):
    """Days without service that are not billed; ``ends_on`` is the first day of service again."""

    __tablename__ = "subscription_pause"
    __table_args__ = (
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="order"),
        Index(
            "uq_subscription_pause_open",
            "subscription_id",
            unique=True,
            sqlite_where=text("ends_on IS NULL"),
            postgresql_where=text("ends_on IS NULL"),
        ),
        Index("ix_subscription_pause_subscription_id", "subscription_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    subscription_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscription.id"))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    reason: Mapped[str] = mapped_column(String(30), default="")
    note: Mapped[str] = mapped_column(String(500), default="")
    asked_at: Mapped[datetime]
    asked_by: Mapped[str] = mapped_column(String(80))


class UsageRecord(Base):
    """So much was used, told once under the teller's own key.

    A correction is a record that names the one it stands in for; the last correction counts.
    ``quantity_micros`` is millionths of the meter's unit.
    """

    __tablename__ = "usage_record"
    __table_args__ = (
        CheckConstraint("quantity_micros >= 0", name="not_negative"),
        UniqueConstraint("subscription_id", "meter_id", "record_key"),
        Index("ix_usage_record_used_on", "subscription_id", "meter_id", "used_on"),
        Index("ix_usage_record_corrects_id", "corrects_id"),
        Index("ix_usage_record_recorded_at", "subscription_id", "recorded_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    subscription_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscription.id"))
    meter_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("meter.id"))
    record_key: Mapped[str] = mapped_column(String(80))
    quantity_micros: Mapped[int]
    used_at: Mapped[datetime]
    #: The account's local day of ``used_at``: the day that is billed.
    used_on: Mapped[date]
    recorded_at: Mapped[datetime]
    source: Mapped[str] = mapped_column(String(80))
    #: The first record of the chain that this one corrects.
    corrects_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("usage_record.id"))


guards.append_only(UsageRecord.__table__)
