"""Which taxes apply to a category of goods in a place on a date, and how staff changes them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.orm import Session

from core.kernel import audit
from core.kernel.db import table
from core.kernel.errors import Invalid, NotFound, ShopError
from core.kernel.ids import new_id
from core.kernel.kept_rules import Kept
from core.kernel.sorting import By, Place, Sorts
from core.parties.models import LegalEntity
from core.tax.arithmetic import Tax
from core.tax.models import TaxRate


def taxes_by_category(
    session: Session,
    legal_entity_id: uuid.UUID,
    place: dict[str, Any] | None,
    on: date,
    *,
    included: bool = False,
    under: uuid.UUID | None = None,
) -> dict[str, list[Tax]]:
    """The taxes of each category at ``place`` (``country``, ``region``); none when it is unknown.

    A rate without a region holds in the whole country, beside those of the region. ``included``: the
    channel's prices contain them all. ``under``: the mark under which what is kept may answer.
    """
    if not place or not place.get("country"):
        return {}
    values = {
        "entity": legal_entity_id,
        "country": place["country"],
        "region": place.get("region") or "",
        "day": on,
    }
    return _grouped(_KEPT.rows(session, under, values), included)


@cache
def _holding() -> Select[Any]:
    """Put together once, at first use: that costs more than running it."""
    rate = table(TaxRate).c
    return (
        select(
            rate.category,
            rate.jurisdiction,
            rate.name,
            rate.rate_ppm,
            rate.inclusive,
            rate.compound,
        )
        .where(
            rate.legal_entity_id == bindparam("entity"),
            rate.country == bindparam("country"),
            rate.region.in_(("", bindparam("region"))),
            rate.valid_from <= bindparam("day"),
            or_(rate.valid_to.is_(None), rate.valid_to >= bindparam("day")),
        )
        .order_by(rate.region, rate.jurisdiction, rate.name)
    )


#: By seller, place and day: a shop that sells to all of the world asks for some hundreds a day.
_KEPT = Kept(_holding, 4_000)


def _grouped(rows: Sequence[Any], included: bool) -> dict[str, list[Tax]]:
    found: dict[str, list[Tax]] = {}
    for row in rows:
        inclusive = included or row.inclusive
        tax = Tax(row.jurisdiction, row.name, row.rate_ppm, inclusive, row.compound)
        found.setdefault(row.category, []).append(tax)
    return found


# --- what staff does with them --------------------------------------------------------------------


@dataclass(frozen=True)
class NewRate:
    """A tax on some categories in a place. ``region`` empty: the whole country."""

    legal_entity_id: uuid.UUID
    country: str
    region: str
    categories: tuple[str, ...]
    jurisdiction: str
    name: str
    rate_ppm: int
    valid_from: date
    valid_to: date | None = None
    inclusive: bool = False
    compound: bool = False


@dataclass(eq=False)
class RateOverlaps(ShopError):
    """The same tax holds already on one of these days."""

    code: ClassVar[str] = "rate_overlaps"
    text: ClassVar[str] = "{name} on {category} holds already on some of these days. End it first."
    name: str
    category: str


def add(session: Session, new: NewRate, actor: str, now: datetime) -> list[TaxRate]:
    """A row for each category. Raises RateOverlaps."""
    if not new.categories:
        raise ValueError("a rate without a category")
    rows = [
        TaxRate(
            id=new_id(),
            legal_entity_id=new.legal_entity_id,
            country=new.country,
            region=new.region,
            category=category,
            jurisdiction=new.jurisdiction,
            name=new.name,
            rate_ppm=new.rate_ppm,
            inclusive=new.inclusive,
            compound=new.compound,
            valid_from=new.valid_from,
            valid_to=new.valid_to,
        )
        for category in new.categories
    ]
    for row in rows:
        _refuse_overlap(session, row)
    session.add_all(rows)
    session.flush()
    for row in rows:
        _tell(session, now, actor, "tax_rate.added", row)
    return rows


def end(session: Session, rate: TaxRate, last: date, actor: str, now: datetime) -> None:
    """Its last day. Raises Invalid when that is before its first, or after the last that is set."""
    if last < rate.valid_from or (rate.valid_to is not None and last > rate.valid_to):
        raise Invalid({"last": "Choose a day on which it holds."})
    rate.valid_to = last
    _tell(session, now, actor, "tax_rate.ended", rate)


def _tell(session: Session, now: datetime, actor: str, act: str, row: TaxRate) -> None:
    audit.write(
        session,
        now,
        actor,
        act,
        ("tax_rate", str(row.id)),
        place=f"{row.country} {row.region}".strip(),
        tax=f"{row.jurisdiction}, {row.name}",
        category=row.category,
        rate_ppm=row.rate_ppm,
        valid_from=str(row.valid_from),
        valid_to=str(row.valid_to or ""),
    )


def _refuse_overlap(session: Session, row: TaxRate) -> None:
    ends = [] if row.valid_to is None else [TaxRate.valid_from <= row.valid_to]
    other = session.scalars(
        select(TaxRate)
        .where(
            TaxRate.legal_entity_id == row.legal_entity_id,
            TaxRate.country == row.country,
            TaxRate.region == row.region,
            TaxRate.category == row.category,
            TaxRate.jurisdiction == row.jurisdiction,
            TaxRate.name == row.name,
            or_(TaxRate.valid_to.is_(None), TaxRate.valid_to >= row.valid_from),
            *ends,
        )
        .limit(1)
    ).first()
    if other is not None:
        raise RateOverlaps(row.name, row.category)


#: What the desk's list may be sorted by.
SORTS = Sorts(TaxRate.id, {"from": TaxRate.valid_from, "tax": By(TaxRate.name, ignores_case=True)})
NEWEST = Place("-from")


def listing(
    session: Session, *, words: str = "", place: Place = NEWEST, limit: int
) -> Sequence[tuple[TaxRate, LegalEntity]]:
    """Rates from a place on; ``words`` in place, jurisdiction, name or category."""
    query = select(TaxRate, LegalEntity).join(
        LegalEntity, LegalEntity.id == TaxRate.legal_entity_id
    )
    if words:
        query = query.where(
            or_(
                TaxRate.country == words.upper(),
                TaxRate.region == words.upper(),
                TaxRate.category == words,
                TaxRate.jurisdiction.icontains(words, autoescape=True),
                TaxRate.name.icontains(words, autoescape=True),
            )
        )
    rows = session.execute(SORTS.apply(query, place, limit))
    return [(rate, entity) for rate, entity in rows]


def one(session: Session, rate_id: uuid.UUID) -> TaxRate:
    """One rate. NotFound when there is none."""
    rate = session.get(TaxRate, rate_id)
    if rate is None:
        raise NotFound("tax rate")
    return rate


def jurisdictions(session: Session) -> list[str]:
    """The names of all places that tax."""
    query = select(TaxRate.jurisdiction).distinct().order_by(TaxRate.jurisdiction)
    return list(session.scalars(query))


def categories(session: Session) -> list[str]:
    """The categories that some rate names."""
    return list(session.scalars(select(TaxRate.category).distinct().order_by(TaxRate.category)))


def sellers(session: Session) -> Sequence[LegalEntity]:
    """Who bills, and so who owes taxes."""
    return session.scalars(select(LegalEntity).order_by(LegalEntity.code)).all()
