"""Tables of revenue recognition: obligations and their schedules."""

import uuid
from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id


class Obligation(Base):
    """What was promised in one invoice line, with its share of the contract's price."""

    __tablename__ = "obligation"
    __table_args__ = (
        CheckConstraint(
            "trigger IN ('shipped', 'provisioned', 'accepted', 'ratable', 'usage')", name="trigger"
        ),
        Index("ix_obligation_invoice_line_id", "invoice_line_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    currency: Mapped[str] = mapped_column(String(3))
    contract_id: Mapped[uuid.UUID]
    order_line_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("order_line.id"))
    invoice_line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("invoice_line.id"))
    trigger: Mapped[str] = mapped_column(String(12))
    allocated_minor: Mapped[int]


class RevenueSchedule(Base):
    """So much of an obligation is earned on a date; posted once, by the entry it names."""

    __tablename__ = "revenue_schedule"
    __table_args__ = (UniqueConstraint("obligation_id", "earned_on"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    obligation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("obligation.id"))
    earned_on: Mapped[date]
    amount_minor: Mapped[int]
    entry_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("journal_entry.id"))
