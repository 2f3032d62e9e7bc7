"""Tables of the statements. A statement never changes; what came too late stands on the next one.

The database itself keeps the chain: a foreign key says that each statement begins with the very amount
that the one before ended with, and that each account's postings are taken from the very number after
the last one that was taken.
"""

import uuid
from datetime import date, datetime
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

from core.kernel import guards
from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id


class Statement(Base):
    """What happened on an account, and on those that are stated with it, in one currency and period.

    Payments and credits are negative, charges positive: the five amounts sum to the closing balance.
    """

    __tablename__ = "statement"
    __table_args__ = (
        CheckConstraint(
            "opening_minor + moved_minor + payments_minor + adjustments_minor + charges_minor"
            " = closing_minor",
            name="adds_up",
        ),
        CheckConstraint(
            "(sequence = 1 AND previous_id IS NULL AND previous_sequence IS NULL"
            " AND opening_minor = 0)"
            " OR (sequence > 1 AND previous_id IS NOT NULL AND previous_sequence IS NOT NULL"
            " AND previous_sequence = sequence - 1)",
            name="chain",
        ),
        CheckConstraint("period_start <= period_end", name="period"),
        UniqueConstraint("legal_entity_id", "series_position"),
        UniqueConstraint("account_id", "currency", "sequence"),
        UniqueConstraint("account_id", "currency", "period_end"),
        UniqueConstraint(
            "id", "account_id", "currency", "sequence", "closing_minor", name="uq_statement_link"
        ),
        ForeignKeyConstraint(
            ["previous_id", "account_id", "currency", "previous_sequence", "opening_minor"],
            [
                "statement.id",
                "statement.account_id",
                "statement.currency",
                "statement.sequence",
                "statement.closing_minor",
            ],
            name="fk_statement_previous",
        ),
        Index("ix_statement_listing", "issue_date", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    channel_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("channel.id"))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    currency: Mapped[str] = mapped_column(String(3))
    number: Mapped[str] = mapped_column(String(40))
    #: The number as a position in the legal entity's series, which has no gap.
    series_position: Mapped[int]
    #: 1 for an account's first statement.
    sequence: Mapped[int]
    previous_id: Mapped[uuid.UUID | None]
    previous_sequence: Mapped[int | None]
    #: The account's bill day; the period ends on the day before.
    issue_date: Mapped[date]
    period_start: Mapped[date]
    period_end: Mapped[date]
    made_at: Mapped[datetime]
    #: The last posting of the legal entity that it looks at.
    cutoff: Mapped[int]
    opening_minor: Mapped[int]
    #: Balances of accounts that are stated here from now on, less those that are no more.
    moved_minor: Mapped[int]
    payments_minor: Mapped[int]
    adjustments_minor: Mapped[int]
    charges_minor: Mapped[int]
    closing_minor: Mapped[int]
    #: What was to be paid when it was made.
    due_minor: Mapped[int]
    #: How many of the journal's entries changed the balance.
    entry_count: Mapped[int]
    #: The frozen document model that page, PDF and CSV are made of, and the hash of its JSON.
    document: Mapped[dict[str, Any]]
    document_sha256: Mapped[str] = mapped_column(String(64))


class StatementRange(Base):
    """Which postings of an account a statement takes: those after ``after_posting`` up to ``to_posting``.

    An account has one chain of ranges, whichever statements they are on: its own, or its parent's.
    """

    __tablename__ = "statement_range"
    __table_args__ = (
        CheckConstraint("to_posting >= after_posting", name="forward"),
        CheckConstraint(
            "(sequence = 1 AND previous_sequence IS NULL AND after_posting = 0"
            " AND opening_minor = 0)"
            " OR (sequence > 1 AND previous_sequence IS NOT NULL"
            " AND previous_sequence = sequence - 1)",
            name="chain",
        ),
        UniqueConstraint("statement_id", "account_id"),
        UniqueConstraint(
            "account_id",
            "currency",
            "sequence",
            "to_posting",
            "closing_minor",
            name="uq_statement_range_link",
        ),
        ForeignKeyConstraint(
            ["account_id", "currency", "previous_sequence", "after_posting", "opening_minor"],
            [
                "statement_range.account_id",
                "statement_range.currency",
                "statement_range.sequence",
                "statement_range.to_posting",
                "statement_range.closing_minor",
            ],
            name="fk_statement_range_previous",
        ),
    )

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    previous_sequence: Mapped[int | None]
    statement_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("statement.id"))
    after_posting: Mapped[int]
    to_posting: Mapped[int]
    opening_minor: Mapped[int]
    closing_minor: Mapped[int]


class StoredStatement(Base):
    """The one rendering of a statement, and what it was made with."""

    __tablename__ = "stored_statement"

    statement_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("statement.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("blob.sha256"))
    template_version: Mapped[str] = mapped_column(String(40))
    renderer_version: Mapped[str] = mapped_column(String(40))
    fonts_version: Mapped[str] = mapped_column(String(64))
    stored_at: Mapped[datetime]


for _table in (Statement, StatementRange, StoredStatement):
    guards.append_only(_table.__table__)
