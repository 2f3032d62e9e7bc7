"""Rates between currencies, by day and source: told by a person or an import, asked by the journal.

A rate is major units of the functional currency for one major unit of the other. Rates are never
changed: a better one for the same day is told later and counts from then on.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import CheckConstraint, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.kernel.db import Base
from core.kernel.errors import ShopError
from core.kernel.ids import new_id
from core.kernel.money import minor_digits
from core.kernel.sorting import Place, Sorts
from core.parties.models import LegalEntity

#: A day without a rate (a weekend, a holiday) takes the last one before it, this old at most.
OLDEST = timedelta(days=7)
#: Up to twelve digits before the point and ten behind it.
_PLAIN = re.compile(r"[0-9]{1,12}(\.[0-9]{1,10})?")


class CurrencyRate(Base):
    """What one unit of ``currency`` was worth in ``functional`` on a day, as somebody said."""

    __tablename__ = "currency_rate"
    __table_args__ = (
        CheckConstraint("currency <> functional", name="pair"),
        Index("ix_currency_rate_pair", "currency", "functional", "on_date"),
        Index("ix_currency_rate_on_date", "on_date", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    currency: Mapped[str] = mapped_column(String(3))
    functional: Mapped[str] = mapped_column(String(3))
    on_date: Mapped[date]
    #: A decimal as text.
    rate: Mapped[str] = mapped_column(String(24))
    source: Mapped[str] = mapped_column(String(40))
    recorded_at: Mapped[datetime]


@dataclass(eq=False)
class NoRate(ShopError):
    """Nobody has told what the currency was worth that day, nor in the week before."""

    code: ClassVar[str] = "no_currency_rate"
    text: ClassVar[str] = "There is no rate from {currency} to {functional} for {day}."
    currency: str
    functional: str
    day: date


def tell(
    session: Session, pair: tuple[str, str], on: date, rate: Decimal, source: str, now: datetime
) -> None:
    """Write down a rate of ``pair`` (currency, functional). ValueError for what is no rate or pair."""
    currency, functional = pair
    minor_digits(currency), minor_digits(functional)
    words = f"{rate:f}"
    if currency == functional or not _PLAIN.fullmatch(words) or not rate:
        raise ValueError(f"not a rate from {currency} to {functional}: {words[:40]}")
    session.add(
        CurrencyRate(
            currency=currency,
            functional=functional,
            on_date=on,
            rate=words,
            source=source,
            recorded_at=now,
        )
    )
    session.flush()


def rate_on(session: Session, currency: str, functional: str, day: date) -> Decimal:
    """The rate of a day, or the last one in the week before it. NoRate when there is none."""
    if currency == functional:
        return Decimal(1)
    found = session.scalar(
        select(CurrencyRate.rate)
        .where(
            CurrencyRate.currency == currency,
            CurrencyRate.functional == functional,
            CurrencyRate.on_date <= day,
            CurrencyRate.on_date >= day - OLDEST,
        )
        .order_by(
            CurrencyRate.on_date.desc(), CurrencyRate.recorded_at.desc(), CurrencyRate.id.desc()
        )
        .limit(1)
    )
    if found is None:
        raise NoRate(currency, functional, day)
    return Decimal(found)


def functional_currency(session: Session, legal_entity_id: uuid.UUID) -> str:
    """The currency that a legal entity keeps its books in; asked once a session, as it never changes."""
    key = ("functional_currency", legal_entity_id)
    if key not in session.info:
        session.info[key] = session.get_one(LegalEntity, legal_entity_id).functional_currency
    return str(session.info[key])


def currencies(session: Session) -> list[str]:
    """Those that something was told of."""
    query = select(CurrencyRate.currency).distinct().order_by(CurrencyRate.currency)
    return list(session.scalars(query))


#: What the desk's list may be sorted by.
SORTS = Sorts(CurrencyRate.id, {"day": CurrencyRate.on_date})
NEWEST = Place("-day")


def listing(
    session: Session, *, currency: str = "", place: Place = NEWEST, limit: int = 50
) -> list[CurrencyRate]:
    """What was told, from a place on; of one currency, or all."""
    query = select(CurrencyRate)
    if currency:
        query = query.where(CurrencyRate.currency == currency)
    return list(session.scalars(SORTS.apply(query, place, limit)))
