"""Tables of the webhooks that we send."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id


class HookEndpoint(Base):
    """An address of somebody's program. Secrets are sealed; an old one signs along until ``old_until``."""

    __tablename__ = "hook_endpoint"
    __table_args__ = (
        CheckConstraint("state IN ('on', 'off', 'removed')", name="state"),
        CheckConstraint("off_because IN ('', 'person', 'failing')", name="off_because"),
        CheckConstraint("(state = 'on') = (off_at IS NULL)", name="off"),
        CheckConstraint("(old_secret IS NULL) = (old_until IS NULL)", name="rotation"),
        Index("ix_hook_endpoint_created_at", "created_at", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    url: Mapped[str] = mapped_column(String(500))
    name: Mapped[str] = mapped_column(String(80))
    #: None: of every channel.
    channel_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("channel.id"))
    #: Types of ``core.hooks.kinds``, or ``*``.
    kinds: Mapped[list[Any]]
    secret: Mapped[str] = mapped_column(Text)
    old_secret: Mapped[str | None] = mapped_column(Text)
    old_until: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(10), default="on")
    off_because: Mapped[str] = mapped_column(String(10), default="")
    off_at: Mapped[datetime | None]
    #: Since when nothing was taken; None while all is well.
    failing_since: Mapped[datetime | None]
    #: So many tries in a row came to nothing.
    failures: Mapped[int] = mapped_column(default=0)
    #: Nothing is tried before: a machine that is down is not asked for each event.
    held_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(80))


class HookMessage(Base):
    """Something that happened, in the words that every endpoint gets."""

    __tablename__ = "hook_message"
    __table_args__ = (Index("ix_hook_message_made_at", "made_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    #: Names what happened: told once, however often its handler runs.
    key: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(60))
    body: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]


class HookDelivery(Base):
    """One message to one endpoint; a message that is sent again is another ``round``."""

    __tablename__ = "hook_delivery"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'delivered', 'failed', 'dropped')", name="state"),
        CheckConstraint("(state = 'waiting') = (finished_at IS NULL)", name="finished"),
        UniqueConstraint("message_id", "endpoint_id", "round"),
        Index("ix_hook_delivery_endpoint_id", "endpoint_id", "created_at", "id"),
        Index("ix_hook_delivery_created_at", "created_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("hook_message.id"))
    endpoint_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("hook_endpoint.id"))
    round: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class HookAttempt(Base):
    """One try: what came back, how long it took."""

    __tablename__ = "hook_attempt"
    __table_args__ = (UniqueConstraint("delivery_id", "number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    delivery_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("hook_delivery.id"))
    number: Mapped[int]
    at: Mapped[datetime]
    took_ms: Mapped[int]
    #: None when no answer came.
    status: Mapped[int | None]
    #: Why no answer came, in words; empty otherwise.
    trouble: Mapped[str] = mapped_column(String(200), default="")
    #: How the answer's body began.
    said: Mapped[str] = mapped_column(String(500), default="")
