"""Tables of the taxes."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards, kept_rules
from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id


class TaxRate(Base):
    """One tax on one category in one place. ``rate_ppm`` is parts per million: 6.5 % is 65000.

    ``region`` empty means the whole country. What no row names is not taxed there.
    """

    __tablename__ = "tax_rate"
    __table_args__ = (
        CheckConstraint("rate_ppm >= 0", name="not_negative"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="days"),
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
    #: Contained in prices, also on a channel whose prices do not say so.
    inclusive: Mapped[bool] = mapped_column(default=False)
    #: Reckoned on the net and the taxes beside it.
    compound: Mapped[bool] = mapped_column(default=False)
    valid_from: Mapped[date]
    #: The last day.
    valid_to: Mapped[date | None]


class TaxExemption(Base):
    """A certificate that frees an account from taxes. What was entered stays; it ends by its day or by
    a row of ``TaxExemptionEnd``."""

    __tablename__ = "tax_exemption"
    __table_args__ = (
        CheckConstraint("ends_on IS NULL OR ends_on > valid_from", name="days"),
        Index("ix_tax_exemption_account_id", "account_id"),
        Index("ix_tax_exemption_ends_on", "ends_on", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    certificate_number: Mapped[str] = mapped_column(String(80))
    #: Names of jurisdictions and of categories; an empty list means all of them.
    jurisdictions: Mapped[list[Any]]
    categories: Mapped[list[Any]]
    #: Where the paper is kept.
    file_reference: Mapped[str] = mapped_column(String(200), default="")
    valid_from: Mapped[date]
    #: From this day on tax is charged again.
    ends_on: Mapped[date | None]
    entered_at: Mapped[datetime]
    entered_by: Mapped[str] = mapped_column(String(80))


class TaxExemptionEnd(Base):
    """A certificate was revoked: it frees nobody any more."""

    __tablename__ = "tax_exemption_end"

    exemption_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("tax_exemption.id"), primary_key=True
    )
    revoked_at: Mapped[datetime]
    revoked_by: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(String(200))


class VatCheck(Base):
    """What the register said of a VAT id at a moment."""

    __tablename__ = "vat_check"
    __table_args__ = (
        CheckConstraint("outcome IN ('valid', 'invalid', 'no_answer')", name="outcome"),
        Index("ix_vat_check_number", "number", "asked_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(String(20))
    asked_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(10))
    #: Who the register says it is, and its own number for this question.
    name: Mapped[str] = mapped_column(String(200), default="")
    reference: Mapped[str] = mapped_column(String(80), default="")


kept_rules.watch(TaxRate.__table__)
for _table in (TaxExemption, TaxExemptionEnd, VatCheck):
    guards.append_only(_table.__table__)
