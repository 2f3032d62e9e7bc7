"""Setting what a thing costs: on the list that a channel sells by when no other one is in force."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.kernel.errors import ShopError
from core.prices.models import BundlePrice, Price, PriceList

Row = TypeVar("Row", Price, BundlePrice)


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
    session: Session,
    book: PriceList,
    variant_id: uuid.UUID,
    unit_price_micros: int | None,
    min_quantity: int = 1,
) -> int | None:
    """What one costs on a list from so many on; None: nothing on it. Answers what it cost before, or None."""
    key = {"price_list_id": book.id, "variant_id": variant_id, "min_quantity": min_quantity}
    return _set(session, Price, key, unit_price_micros)


def set_bundle_price(
    session: Session,
    book: PriceList,
    variant_id: uuid.UUID,
    charge_kind: str,
    unit_price_micros: int | None,
) -> int | None:
    """The same of a bundle, for one of its charge kinds."""
    key = {"price_list_id": book.id, "variant_id": variant_id, "charge_kind": charge_kind}
    return _set(session, BundlePrice, key, unit_price_micros)


def _set(
    session: Session,
    model: type[Row],
    key: Mapping[str, Any],
    micros: int | None,
) -> int | None:
    row = session.scalar(select(model).filter_by(**key).with_for_update())
    before = row.unit_price_micros if row is not None else None
    if micros is None:
        if row is not None:
            session.delete(row)
    elif row is None:
        session.add(model(**key, unit_price_micros=micros))
    else:
        row.unit_price_micros = micros
    session.flush()
    return before


def lists(session: Session, channel_id: uuid.UUID, currency: str) -> Sequence[PriceList]:
    """The lists for everybody on a channel, the one that goes first first."""
    return session.scalars(
        select(PriceList)
        .where(
            PriceList.currency == currency,
            or_(PriceList.channel_id == channel_id, PriceList.channel_id.is_(None)),
            PriceList.account_id.is_(None),
            PriceList.segment.is_(None),
        )
        .order_by(PriceList.priority.desc(), PriceList.code)
    ).all()


def by_code(session: Session, code: str) -> PriceList | None:
    """The list that goes by a code."""
    return session.scalar(select(PriceList).where(PriceList.code == code))


def of_variant(session: Session, variant_id: uuid.UUID) -> dict[uuid.UUID, list[Price]]:
    """Its prices by list, from one on to the most."""
    found: dict[uuid.UUID, list[Price]] = {}
    for row in session.scalars(
        select(Price).where(Price.variant_id == variant_id).order_by(Price.min_quantity)
    ):
        found.setdefault(row.price_list_id, []).append(row)
    return found


def of_bundle(session: Session, variant_id: uuid.UUID) -> dict[uuid.UUID, list[BundlePrice]]:
    """A bundle's prices by list."""
    found: dict[uuid.UUID, list[BundlePrice]] = {}
    query = select(BundlePrice).where(BundlePrice.variant_id == variant_id)
    for row in session.scalars(query.order_by(BundlePrice.charge_kind.desc())):
        found.setdefault(row.price_list_id, []).append(row)
    return found


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
