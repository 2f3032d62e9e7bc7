"""Tables of the stock. The level's CHECK is the last word on overselling."""

import uuid
from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards, kept_rules
from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id


class Location(Base):
    """A warehouse or a shop, and where it stands: each of these may be empty. See ``sourcing``."""

    __tablename__ = "location"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    country: Mapped[str] = mapped_column(String(2), default="")
    region: Mapped[str] = mapped_column(String(40), default="")
    #: How the postal codes around it begin.
    postal_prefix: Mapped[str] = mapped_column(String(20), default="")
    #: Among places that are equally near, the lowest is taken from first.
    priority: Mapped[int] = mapped_column(default=0)
    #: For whoever fetches something there: where it is, and when somebody is there. Both may be empty.
    address: Mapped[str] = mapped_column(String(300), default="")
    hours: Mapped[str] = mapped_column(String(200), default="")
    #: Pieces that come in are given to back-orders at once, the oldest first; else staff release them.
    releases_back_orders: Mapped[bool] = mapped_column(default=True)


class StockLevel(Base):
    """Pieces of one variant at one location. ``held`` counts active holds, lapsed ones included
    until somebody expires them; ``allocated`` is sold and not yet gone."""

    __tablename__ = "stock_level"
    __table_args__ = (
        UniqueConstraint("variant_id", "location_id"),
        CheckConstraint("held >= 0 AND allocated >= 0 AND backorder_limit >= 0", name="signs"),
        CheckConstraint("on_hand >= 0 AND low_at >= 0", name="pieces"),
        CheckConstraint("safety_stock >= 0 AND preorder_limit >= 0", name="limits"),
        CheckConstraint(
            "on_hand - allocated - held + backorder_limit + preorder_limit >= 0",
            name="not_oversold",
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    location_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("location.id"))
    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variant.id"))
    on_hand: Mapped[int] = mapped_column(default=0)
    allocated: Mapped[int] = mapped_column(default=0)
    held: Mapped[int] = mapped_column(default=0)
    backorder_limit: Mapped[int] = mapped_column(default=0)
    #: From so few pieces that can be had on, it is marked as low.
    low_at: Mapped[int] = mapped_column(default=0)
    #: So many that are there are not sold.
    safety_stock: Mapped[int] = mapped_column(default=0)
    #: So many may be sold before the first ones come.
    preorder_limit: Mapped[int] = mapped_column(default=0)
    #: When more come, as far as it is known: told to whoever buys what is not there.
    expected_on: Mapped[date | None]
    #: When staff were told that it is low; None again once it is not.
    low_told_at: Mapped[datetime | None]


class Hold(Base):
    """Pieces kept for somebody until ``expires_at``: timed, and no sale yet.

    Also for nobody: a number that was given back rests until then (``quarantine``; its key is the owner's).
    """

    __tablename__ = "hold"
    __table_args__ = (
        CheckConstraint(
            "owner_kind IN ('cart', 'quote', 'order', 'offer', 'exchange', 'quarantine')",
            name="owner_kind",
        ),
        CheckConstraint("state IN ('active', 'released', 'lapsed', 'allocated')", name="state"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_hold_owner", "owner_kind", "owner_id"),
        Index(
            "ix_hold_active",
            "level_id",
            "expires_at",
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    level_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("stock_level.id"))
    owner_kind: Mapped[str] = mapped_column(String(10))
    #: The key of the cart, the quote, the order, or the return that is exchanged.
    owner_id: Mapped[uuid.UUID]
    #: The line it stands for.
    line_id: Mapped[uuid.UUID]
    quantity: Mapped[int]
    expires_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default="active")
    created_at: Mapped[datetime]
    #: Of things that are numbered: as many of them point to it while it is active.
    numbered: Mapped[bool] = mapped_column(default=False)


class StockMovement(Base):
    """Every change of ``on_hand`` and ``allocated``, append-only: they sum to the levels."""

    __tablename__ = "stock_movement"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('received', 'adjusted', 'allocated', 'deallocated', 'shipped', 'returned', "
            "'sent_on', 'arrived')",
            name="kind",
        ),
        Index("ix_stock_movement_level_id_at", "level_id", "at", "id"),
        Index("ix_stock_movement_reference", "reference"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    level_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("stock_level.id"))
    kind: Mapped[str] = mapped_column(String(15))
    on_hand: Mapped[int] = mapped_column(default=0)
    allocated: Mapped[int] = mapped_column(default=0)
    reference: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
    #: Of an adjustment: who said so, and why.
    actor: Mapped[str | None] = mapped_column(String(80))
    note: Mapped[str | None] = mapped_column(String(200))


class StockTransfer(Base):
    """Pieces on their way from one place to another: gone from the one, not yet at the other."""

    __tablename__ = "stock_transfer"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("arrived >= 0 AND lost >= 0 AND arrived + lost <= quantity", name="pieces"),
        CheckConstraint("from_level_id <> to_level_id", name="elsewhere"),
        CheckConstraint("state IN ('on_the_way', 'done')", name="state"),
        Index("ix_stock_transfer_sent_at", "sent_at"),
        Index("ix_stock_transfer_to_level_id", "to_level_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    from_level_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("stock_level.id"))
    to_level_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("stock_level.id"))
    quantity: Mapped[int]
    arrived: Mapped[int] = mapped_column(default=0)
    #: Sent, and never seen again.
    lost: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(12), default="on_the_way")
    note: Mapped[str] = mapped_column(String(200), default="")
    sent_by: Mapped[str] = mapped_column(String(80))
    sent_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class StockWait(Base):
    """Somebody wants to be told when a thing is back. First come, first served, by ``confirmed_at``.

    ``asked`` until the mail's link was answered, ``waiting``, ``offered`` while a hold is kept for them,
    ``taken`` when they put it into a cart, ``let_go`` when they did not in time, ``left`` when they said so.
    """

    __tablename__ = "stock_wait"
    __table_args__ = (
        CheckConstraint(
            "state IN ('asked', 'waiting', 'offered', 'taken', 'let_go', 'left')", name="state"
        ),
        CheckConstraint("state <> 'offered' OR offered_until IS NOT NULL", name="offered"),
        Index(
            "ix_stock_wait_open",
            "channel_id",
            "variant_id",
            "email",
            unique=True,
            sqlite_where=text("state IN ('asked', 'waiting', 'offered')"),
            postgresql_where=text("state IN ('asked', 'waiting', 'offered')"),
        ),
        Index("ix_stock_wait_turn", "variant_id", "state", "confirmed_at"),
        Index("ix_stock_wait_asked_at", "asked_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"))
    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variant.id"))
    email: Mapped[str] = mapped_column(String(254))
    state: Mapped[str] = mapped_column(String(10), default="asked")
    asked_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    offered_at: Mapped[datetime | None]
    offered_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class ResourcePool(Base):
    """The numbers, addresses or keys that a variant is sold with: settings of them all. See ``pools``."""

    __tablename__ = "resource_pool"
    __table_args__ = (
        CheckConstraint("kind IN ('number', 'address', 'licence_key')", name="kind"),
        # What a key opens is nobody's to see who has not paid for it.
        CheckConstraint("NOT picked OR kind <> 'licence_key'", name="picked"),
        CheckConstraint("quarantine_days BETWEEN 0 AND 3650", name="quarantine_days"),
        UniqueConstraint("id", "kind"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variant.id"), unique=True)
    level_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("stock_level.id"), unique=True)
    kind: Mapped[str] = mapped_column(String(12))
    #: Customers choose theirs; else one is given.
    picked: Mapped[bool] = mapped_column(default=False)
    #: So long it rests before somebody else gets it; None: nobody ever does.
    quarantine_days: Mapped[int | None]
    created_at: Mapped[datetime]


class LogicalResource(Base):
    """A number, an address or a licence key that is given to one line of an order at a time.

    ``resources`` has its states. While it is reserved or quarantined it points to a hold, which says until
    when: one whose hold is over is free, whoever reads first.
    """

    __tablename__ = "logical_resource"
    __table_args__ = (
        CheckConstraint(
            "state IN ('free', 'reserved', 'assigned', 'quarantined', 'withdrawn')", name="state"
        ),
        CheckConstraint(
            "(state IN ('reserved', 'quarantined')) = (hold_id IS NOT NULL)", name="held"
        ),
        CheckConstraint("(state = 'assigned') = (line_id IS NOT NULL)", name="assigned"),
        ForeignKeyConstraint(["pool_id", "kind"], ["resource_pool.id", "resource_pool.kind"]),
        # One number is in one pool, however it is written.
        UniqueConstraint("kind", "plain"),
        Index("ix_logical_resource_pool_id", "pool_id", "plain"),
        Index("ix_logical_resource_state", "pool_id", "state"),
        Index(
            "ix_logical_resource_hold_id",
            "hold_id",
            sqlite_where=text("hold_id IS NOT NULL"),
            postgresql_where=text("hold_id IS NOT NULL"),
        ),
        Index(
            "ix_logical_resource_line_id",
            "line_id",
            sqlite_where=text("line_id IS NOT NULL"),
            postgresql_where=text("line_id IS NOT NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    pool_id: Mapped[uuid.UUID]
    kind: Mapped[str] = mapped_column(String(12))
    value: Mapped[str] = mapped_column(String(120))
    #: Its letters and digits alone: by them it is found, and known again.
    plain: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(12), default="free")
    hold_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("hold.id"))
    #: The order's line that it is assigned to; whose it is stands there.
    line_id: Mapped[uuid.UUID | None]
    added_at: Mapped[datetime]


class ResourceStep(Base):
    """What became of a number, append-only. That a hold ended, and when, stands with the hold."""

    __tablename__ = "resource_step"
    __table_args__ = (
        CheckConstraint(
            "act IN ('add', 'reserve', 'assign', 'quarantine', 'release', 'withdraw', 'restore')",
            name="act",
        ),
        Index("ix_resource_step_resource_id", "resource_id", "at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    resource_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("logical_resource.id"))
    act: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    hold_id: Mapped[uuid.UUID | None]
    #: The line of a cart or an order that it was for.
    line_id: Mapped[uuid.UUID | None]
    reference: Mapped[str] = mapped_column(String(80), default="")
    actor: Mapped[str] = mapped_column(String(80), default="")
    note: Mapped[str] = mapped_column(String(200), default="")


class ResourcePick(Base):
    """Which numbers a line of a cart or an order has, or had: it takes them again after its hold lapsed.

    One that was ``chosen`` it takes or nothing; one that was given it takes if nobody else has it.
    """

    __tablename__ = "resource_pick"
    __table_args__ = (Index("ix_resource_pick_owner", "owner_kind", "owner_id"),)

    line_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    resource_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("logical_resource.id"), primary_key=True, index=True
    )
    owner_kind: Mapped[str] = mapped_column(String(10))
    owner_id: Mapped[uuid.UUID]
    chosen: Mapped[bool] = mapped_column(default=False)
    picked_at: Mapped[datetime]


guards.append_only(StockMovement.__table__)
guards.append_only(ResourceStep.__table__)
kept_rules.watch(Location.__table__)
