"""Tables of the night: runs with their chunks and what became of each account, marks, and parked accounts."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id

#: Kinds of a run.
REAL, PREVIEW = "real", "preview"


class BillRun(Base):
    """One run over all accounts (or one) with something to bill by a day. A preview writes no bill."""

    __tablename__ = "bill_run"
    __table_args__ = (
        CheckConstraint("kind IN ('real', 'preview')", name="kind"),
        CheckConstraint("(finished_at IS NULL) = (totals IS NULL)", name="finished"),
        Index("ix_bill_run_started_at", "started_at", "id"),
        Index("ix_bill_run_as_of", "kind", "as_of"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    kind: Mapped[str] = mapped_column(String(10))
    as_of: Mapped[date]
    #: Only this account; None: all.
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    #: How many accounts it looks at.
    accounts: Mapped[int]
    started_by: Mapped[str] = mapped_column(String(80))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    #: A ``runs.Totals``, once it is finished.
    totals: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class BillChunk(Base):
    """Some accounts of a run, by their keys from ``first_id`` to ``last_id``; done with its last account."""

    __tablename__ = "bill_chunk"
    __table_args__ = (CheckConstraint("accounts >= 1", name="accounts"),)

    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("bill_run.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_id: Mapped[uuid.UUID]
    last_id: Mapped[uuid.UUID]
    accounts: Mapped[int]
    taken_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]


class BillOutcome(Base):
    """What a run did (or would do) with an account: an invoice, a memo, or why it was parked.

    ``waiting``: nobody could say its taxes; the next run asks again.
    """

    __tablename__ = "bill_outcome"
    __table_args__ = (
        CheckConstraint("kind IN ('billed', 'credited', 'parked', 'waiting')", name="kind"),
        CheckConstraint("(kind IN ('parked', 'waiting')) = (reason <> '')", name="reason"),
        CheckConstraint("reason = '' OR invoice_id IS NULL", name="no_document"),
        Index("ix_bill_outcome_run_id", "run_id", "account_id", "id"),
        Index("ix_bill_outcome_account_id", "account_id"),
        Index(
            "uq_bill_outcome_invoice_id",
            "invoice_id",
            unique=True,
            sqlite_where=text("invoice_id IS NOT NULL"),
            postgresql_where=text("invoice_id IS NOT NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("bill_run.id"))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str] = mapped_column(String(10))
    currency: Mapped[str] = mapped_column(String(3))
    #: With tax; positive, of a memo too.
    amount_minor: Mapped[int]
    #: None in a preview.
    invoice_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("invoice.id"))
    reason: Mapped[str] = mapped_column(String(30), default="")


class BillMark(Base):
    """When a service was last looked at, in which revision, and the next day that may bring something.

    A run looks at a service that has no mark, that changed since, whose day has come, or that told late of
    usage before ``open_from``. A shortcut only: without it a run finds the same, later.
    """

    __tablename__ = "bill_mark"
    __table_args__ = (Index("ix_bill_mark_next_on", "next_on"),)

    subscription_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("subscription.id"), primary_key=True
    )
    revision: Mapped[int]
    #: What was due by this day was billed.
    as_of: Mapped[date]
    next_on: Mapped[date | None]
    #: Usage of earlier days was billed.
    open_from: Mapped[date | None]
    #: What was written down by then was seen: a little before somebody looked.
    looked_at: Mapped[datetime]


class BillParking(Base):
    """An account that is not billed until a person has looked at it."""

    __tablename__ = "bill_parking"
    __table_args__ = (
        CheckConstraint("(released_at IS NULL) = (released_by IS NULL)", name="released"),
        Index(
            "uq_bill_parking_open",
            "account_id",
            unique=True,
            sqlite_where=text("released_at IS NULL"),
            postgresql_where=text("released_at IS NULL"),
        ),
        Index("ix_bill_parking_parked_at", "parked_at", "id"),
        Index("ix_bill_parking_account_id", "account_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    #: The error's stable code.
    reason: Mapped[str] = mapped_column(String(30))
    #: What it said, for staff.
    detail: Mapped[str] = mapped_column(String(500), default="")
    as_of: Mapped[date]
    parked_at: Mapped[datetime]
    parked_by: Mapped[str] = mapped_column(String(80))
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None] = mapped_column(String(80))
    note: Mapped[str] = mapped_column(String(500), default="")
