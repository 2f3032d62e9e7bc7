"""Which taxes apply to a category of goods in a place on a date."""

import uuid
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.orm import Session

from core.tax.arithmetic import Tax
from core.tax.models import TaxRate


def taxes_by_category(
    session: Session,
    legal_entity_id: uuid.UUID,
    place: dict[str, Any] | None,
    on: date,
    *,
    included: bool = False,
) -> dict[str, list[Tax]]:
    """The taxes of each category at ``place`` (``country``, ``region``); none when it is unknown.

    A rate without a region holds in the whole country, beside those of the region. ``included``: the
    channel's prices contain them all.
    """
    if not place or not place.get("country"):
        return {}
    rows = session.scalars(
        _holding(),
        {
            "entity": legal_entity_id,
            "country": place["country"],
            "regions": ["", place.get("region") or ""],
            "day": on,
        },
    )
    return _grouped(list(rows), included)


@cache
def _holding() -> Select[TaxRate]:
    """Put together once, at first use: that costs more than running it."""
    return (
        select(TaxRate)
        .where(
            TaxRate.legal_entity_id == bindparam("entity"),
            TaxRate.country == bindparam("country"),
            TaxRate.region.in_(bindparam("regions", expanding=True)),
            TaxRate.valid_from <= bindparam("day"),
            or_(TaxRate.valid_to.is_(None), TaxRate.valid_to >= bindparam("day")),
        )
        .order_by(TaxRate.region, TaxRate.jurisdiction, TaxRate.name)
    )


def _grouped(rows: Sequence[TaxRate], included: bool) -> dict[str, list[Tax]]:
    found: dict[str, list[Tax]] = {}
    for row in rows:
        inclusive = included or row.inclusive
        tax = Tax(row.jurisdiction, row.name, row.rate_ppm, inclusive, row.compound)
        found.setdefault(row.category, []).append(tax)
    return found
