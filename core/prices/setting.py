"""Setting what a thing costs: on the list that a channel sells by when no other one is in force."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.kernel.errors import ShopError
from core.kernel.ids import new_id
from core.prices.models import Price, PriceList


@dataclass(eq=False)
class NoPriceList(ShopError):
    """The channel has no list for everybody and always."""

    code: ClassVar[str] = "no_price_list"
    text: ClassVar[str] = "This shop has no price list in {currency} that always holds."
    currency: str


def base_list(session: Session, channel_id: uuid.UUID, currency: str) -> PriceList:
    """The list for everybody and always, with the lowest priority. Raises NoPriceList."""
    found = session.scalar(
        select(PriceList)
        .where(
            PriceList.currency == currency,
            or_(PriceList.channel_id == channel_id, PriceList.channel_id.is_(None)),
            PriceList.account_id.is_(None),
            PriceList.segment.is_(None),
            PriceList.valid_from.is_(None),
            PriceList.valid_to.is_(None),
        )
        .order_by(PriceList.priority, PriceList.code)
        .limit(1)
    )
    if found is None:
        raise NoPriceList(currency)
    return found


def set_price(
    session: Session, book: PriceList, variant_id: uuid.UUID, unit_price_micros: int
) -> int | None:
    """What one costs from now on; answers what it cost before, or None."""
    row = session.scalar(
        select(Price)
        .where(
            Price.price_list_id == book.id,
            Price.variant_id == variant_id,
            Price.min_quantity == 1,
        )
        .with_for_update()
    )
    if row is None:
        session.add(
            Price(
                id=new_id(),
                price_list_id=book.id,
                variant_id=variant_id,
                min_quantity=1,
                unit_price_micros=unit_price_micros,
            )
        )
        session.flush()
        return None
    before, row.unit_price_micros = row.unit_price_micros, unit_price_micros
    session.flush()
    return before


def of_variants(
    session: Session, book: PriceList, variant_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, int]:
    """What each costs on a list, in millionths; those without a price are not in it."""
    query = select(Price.variant_id, Price.unit_price_micros).where(
        Price.price_list_id == book.id,
        Price.variant_id.in_(variant_ids),
        Price.min_quantity == 1,
    )
    return dict(session.execute(query).all())
