"""Tables of revenue recognition: obligations, and what was earned of each, entry by entry.

An obligation is written when its contract is first looked at, not when it is billed; ``earning`` alone writes
here. What each row of a schedule posted never changes.
"""

import uuid
from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards
from core.kernel.db import Base
from core.kernel.ids import new_id


class Obligation(Base):
    """What was promised in one line of an order or a bill, with its share of the contract's price.

    ``allocated_minor`` is what it comes to now: what memos took of it is off. It stands on contract liability
    as far as it is billed and not earned; what is earned and not billed yet on contract asset.
    """

    __tablename__ = "obligation"
    __table_args__ = (
        CheckConstraint(
            "trigger IN ('shipped', 'provisioned', 'accepted', 'ratable', 'usage')", name="trigger"
        ),
        CheckConstraint(
            "order_line_id IS NOT NULL OR invoice_line_id IS NOT NULL", name="promised"
        ),
        CheckConstraint(
            "earned_minor = 0 OR (earned_minor > 0) = (allocated_minor > 0)", name="sign"
        ),
        CheckConstraint("abs(earned_minor) <= abs(allocated_minor)", name="within"),
        CheckConstraint(
            "unbilled_minor = 0 OR (invoice_line_id IS NULL AND unbilled_minor = earned_minor)",
            name="unbilled",
        ),
        CheckConstraint("due_on IS NULL OR trigger = 'ratable'", name="due"),
        UniqueConstraint("order_line_id"),
        UniqueConstraint("invoice_line_id"),
        Index("ix_obligation_contract_id", "contract_id"),
        Index(
            "ix_obligation_due_on",
            "due_on",
            sqlite_where=text("due_on IS NOT NULL"),
            postgresql_where=text("due_on IS NOT NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    currency: Mapped[str] = mapped_column(String(3))
    #: The order, or the service that is billed by periods.
    contract_id: Mapped[uuid.UUID]
    order_line_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("order_line.id"))
    #: None until it is billed.
    invoice_line_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("invoice_line.id"))
    trigger: Mapped[str] = mapped_column(String(12))
    allocated_minor: Mapped[int]
    earned_minor: Mapped[int] = mapped_column(default=0)
    unbilled_minor: Mapped[int] = mapped_column(default=0)
    #: How many rows its schedule has.
    steps: Mapped[int] = mapped_column(default=0)
    #: Of what is earned by days: when the next of them are over.
    due_on: Mapped[date | None]

    @property
    def unearned_minor(self) -> int:
        """What is not earned yet."""
        return self.allocated_minor - self.earned_minor


class RevenueSchedule(Base):
    """So much more (or less) of an obligation is earned on a date, posted by the entry that it names.

    ``unbilled_minor`` is what that changed on contract asset; the rest is contract liability's.
    """

    __tablename__ = "revenue_schedule"
    __table_args__ = (
        UniqueConstraint("obligation_id", "number"),
        CheckConstraint("amount_minor <> 0 OR unbilled_minor <> 0", name="not_zero"),
        Index("ix_revenue_schedule_entry_id", "entry_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    obligation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("obligation.id"))
    #: From 1, in their order: two that look at once can't both post.
    number: Mapped[int]
    earned_on: Mapped[date]
    amount_minor: Mapped[int]
    unbilled_minor: Mapped[int]
    entry_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("journal_entry.id"))


guards.append_only(RevenueSchedule.__table__)
