"""Tables of the taxes."""

import uuid
from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id


class TaxRate(Base):
    """One tax on one category in one place. ``rate_ppm`` is parts per million: 6.5 % is 65000.

    ``region`` empty means the whole country. What no row names is not taxed there.
    """

    __tablename__ = "tax_rate"
    __table_args__ = (
        CheckConstraint("rate_ppm >= 0", name="not_negative"),
        Index("ix_tax_rate_place", "legal_entity_id", "country", "region"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    country: Mapped[str] = mapped_column(String(2))
    region: Mapped[str] = mapped_column(String(10), default="")
    category: Mapped[str] = mapped_column(String(40))
    jurisdiction: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(80))
    rate_ppm: Mapped[int]
    inclusive: Mapped[bool] = mapped_column(default=False)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
