"""Tables of what is past due: a case for each account while something is, and everything done in it."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards
from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id

#: What a case may be, and who may follow whom.
TRANSITIONS = {"open": ("closed",), "closed": ()}
KINDS = (
    "opened",
    "reminded",
    "passed_over",
    "fee",
    "fee_waived",
    "locked",
    "unlocked",
    "promised",
    "promise_broken",
    "promise_kept",
    "promise_ended",
    "held",
    "released",
    "closed",
)


class DunningCase(Base):
    """An account that has something past due, from the day on which it has until it has nothing more."""

    __tablename__ = "dunning_case"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'closed')", name="state"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed"),
        CheckConstraint("state = 'open' OR locked_at IS NULL", name="closed_is_unlocked"),
        CheckConstraint("(next_step = '') = (next_on IS NULL)", name="next"),
        Index(
            "uq_dunning_case_open",
            "account_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_dunning_case_account_id", "account_id"),
        Index("ix_dunning_case_listed", "state", "due_on", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    state: Mapped[str] = mapped_column(String(10), default="open")
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    #: The earliest due date that is past and not contested: the age is counted from it.
    due_on: Mapped[date]
    #: The day of the lock, as its payer was told.
    lock_on: Mapped[date | None]
    #: Services are locked for this reason since.
    locked_at: Mapped[datetime | None]
    #: Up to and including this day nothing happens: the payer promised, or staff hold it.
    promise_until: Mapped[date | None]
    hold_until: Mapped[date | None]
    #: How often the customer promised.
    promises: Mapped[int] = mapped_column(default=0)
    next_on: Mapped[date | None]
    next_step: Mapped[str] = mapped_column(String(20), default="")


class DunningAct(Base):
    """Something that was done in a case. ``key`` makes a step the only one of its kind, for ever."""

    __tablename__ = "dunning_act"
    __table_args__ = (
        CheckConstraint(
            "kind IN (" + ", ".join(f"'{kind}'" for kind in KINDS) + ")",
            name="kind",
        ),
        CheckConstraint("(amount_minor IS NULL) = (currency IS NULL)", name="amount"),
        Index("ix_dunning_act_case_id", "case_id", "at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dunning_case.id"))
    key: Mapped[str | None] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    #: Of a reminder which one; empty for one by hand.
    step: Mapped[str] = mapped_column(String(20), default="")
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))
    #: Until which day, of a promise or a hold; from which day, of a lock that was told.
    until: Mapped[date | None]
    amount_minor: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    #: A late fee's memo, or what took it back.
    document_id: Mapped[uuid.UUID | None]
    note: Mapped[str] = mapped_column(Text, default="")


guards.append_only(DunningAct.__table__)
