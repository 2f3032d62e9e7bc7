"""Tables of the subscriptions."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id


class Subscription(Base):
    """One plan for one service account, billed to its payer. It starts at activation."""

    __tablename__ = "subscription"
    __table_args__ = (
        CheckConstraint("state IN ('ordered', 'active', 'paused', 'ended')", name="state"),
        Index("ix_subscription_payer_account_id", "payer_account_id"),
        Index("ix_subscription_service_account_id", "service_account_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"))
    currency: Mapped[str] = mapped_column(String(3))
    payer_account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    service_account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variant.id"))
    quantity: Mapped[int]
    unit_price_micros: Mapped[int]
    interval: Mapped[str] = mapped_column(String(10))
    interval_count: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(10), default="ordered")
    ordered_at: Mapped[datetime]
    activated_on: Mapped[date | None]
    #: The original bill day; months clamp it, they never move it.
    anchor_day: Mapped[int | None]
    ended_on: Mapped[date | None]
