"""Tables of delivery: zones, ways to get there, appointments."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import kept_rules
from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id


class DeliveryZone(Base):
    """A part of the world: countries, regions, and how postal codes begin."""

    __tablename__ = "delivery_zone"
    __table_args__ = (UniqueConstraint("channel_id", "code"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"))
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    #: ``[[country, region, postal prefix], …]``; the last two may be empty.
    areas: Mapped[list[Any]]


class DeliveryMethod(Base):
    """A way of delivery of one channel to one country, or to a zone of it; free from an order value on."""

    __tablename__ = "delivery_method"
    __table_args__ = (
        UniqueConstraint("channel_id", "country", "code"),
        CheckConstraint("kind IN ('ship', 'pickup')", name="kind"),
        CheckConstraint("kind <> 'pickup' OR location_id IS NOT NULL", name="pickup"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"))
    country: Mapped[str] = mapped_column(String(2))
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(String(200), default="")
    price_minor: Mapped[int]
    free_from_minor: Mapped[int | None]
    tax_category: Mapped[str] = mapped_column(String(40), default="delivery")
    position: Mapped[int] = mapped_column(default=0)
    #: Only there; None: in the whole country.
    zone_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("delivery_zone.id"))
    kind: Mapped[str] = mapped_column(String(8), default="ship")
    #: Of a pick-up: where.
    location_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("location.id"))
    #: Which goods go this way, by ``Variant.goes_by``.
    goes_by: Mapped[str] = mapped_column(String(20), default="parcel")
    #: For goods worth so much, and of such a weight; the upper ends are included.
    goods_from_minor: Mapped[int | None]
    goods_to_minor: Mapped[int | None]
    weight_to_g: Mapped[int | None]
    #: On top of the price, for each kilogram that is begun.
    per_kg_minor: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)


class VisitSlot(Base):
    """A time at which so many visits can be made. ``held`` counts lapsed holds until somebody ends them."""

    __tablename__ = "visit_slot"
    __table_args__ = (
        CheckConstraint("capacity >= 0 AND held >= 0 AND booked >= 0", name="signs"),
        CheckConstraint("held + booked <= capacity", name="promised"),
        CheckConstraint("ends_at > starts_at", name="times"),
        UniqueConstraint("channel_id", "zone_id", "starts_at"),
        Index("ix_visit_slot_starts_at", "channel_id", "starts_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"))
    #: Only there; None: wherever the channel delivers to.
    zone_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("delivery_zone.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int]
    held: Mapped[int] = mapped_column(default=0)
    booked: Mapped[int] = mapped_column(default=0)


class SlotHold(Base):
    """One visit of a slot, kept for a cart or an order until a time, or booked."""

    __tablename__ = "slot_hold"
    __table_args__ = (
        CheckConstraint("owner_kind IN ('cart', 'order')", name="owner_kind"),
        CheckConstraint("state IN ('active', 'released', 'lapsed', 'booked')", name="state"),
        # One visit for each: who takes another gives the first back.
        Index(
            "ix_slot_hold_owner",
            "owner_kind",
            "owner_id",
            unique=True,
            sqlite_where=text("state IN ('active', 'booked')"),
            postgresql_where=text("state IN ('active', 'booked')"),
        ),
        Index("ix_slot_hold_slot_id", "slot_id", "state"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    slot_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("visit_slot.id"))
    owner_kind: Mapped[str] = mapped_column(String(8))
    owner_id: Mapped[uuid.UUID]
    state: Mapped[str] = mapped_column(String(8), default="active")
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]


for _table in (DeliveryZone, DeliveryMethod):
    kept_rules.watch(_table.__table__)
