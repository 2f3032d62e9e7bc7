"""Tables of the entitlements: what is granted now, and every step that led there."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards
from core.kernel.db import Base
from core.kernel.ids import new_id

#: Who may follow whom.
STATES = {
    "granted": ("locked", "revoked"),
    "locked": ("granted", "revoked"),
    "revoked": ("granted",),
}


class Entitlement(Base):
    """One feature that a subscription gives its service account: ``internet``, ``backup``."""

    __tablename__ = "entitlement"
    __table_args__ = (
        CheckConstraint("state IN ('granted', 'locked', 'revoked')", name="state"),
        CheckConstraint("(state = 'locked') = (lock_reason <> '')", name="lock_reason"),
        UniqueConstraint("subscription_id", "feature"),
        Index("ix_entitlement_account_id", "account_id", "feature"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    subscription_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscription.id"))
    feature: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(10), default="granted")
    #: ``past_due``, ``paused``, ``desk``: empty unless it is locked.
    lock_reason: Mapped[str] = mapped_column(String(30), default="")
    changed_at: Mapped[datetime]


class EntitlementEvent(Base):
    """A step of an entitlement."""

    __tablename__ = "entitlement_event"
    __table_args__ = (
        CheckConstraint("kind IN ('grant', 'lock', 'unlock', 'revoke')", name="kind"),
        Index("ix_entitlement_event_entitlement_id", "entitlement_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    entitlement_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("entitlement.id"))
    kind: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(30), default="")
    actor: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]


guards.append_only(EntitlementEvent.__table__)
