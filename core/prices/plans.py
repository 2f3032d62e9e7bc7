"""Plans: how variants recur, and which can be had in place of each other."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalog.models import Product, Variant
from core.prices.models import Meter, Plan, Price, UsagePrice


@dataclass(frozen=True)
class Terms:
    """How a plan is to recur: see ``Plan``."""

    interval: str
    activation: str = "by_hand"
    family: str = ""
    features: tuple[str, ...] = ()


def begin(session: Session, variant_id: uuid.UUID, terms: Terms) -> Plan:
    """Let a new variant recur. How it does is not changed afterwards: people have bought it like that."""
    row = Plan(
        variant_id=variant_id,
        interval=terms.interval,
        activation=terms.activation,
        family=terms.family,
        features=list(terms.features),
    )
    session.add(row)
    session.flush()
    return row


def of_variants(session: Session, variant_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Plan]:
    """The plan of each variant that recurs."""
    if not variant_ids:
        return {}
    rows = session.scalars(select(Plan).where(Plan.variant_id.in_(variant_ids)))
    return {row.variant_id: row for row in rows}


def is_one_family(session: Session, one: uuid.UUID, other: uuid.UUID) -> bool:
    """Can the second be had in place of the first? A plan can always be had again, in another quantity."""
    if one == other:
        return True
    found = of_variants(session, (one, other))
    return len(found) == 2 and found[one].family == found[other].family != ""


def by_sku(session: Session, sku: str) -> Plan | None:
    """The plan with that SKU."""
    return session.scalar(
        select(Plan).join(Variant, Variant.id == Plan.variant_id).where(Variant.sku == sku)
    )


def relatives(session: Session, variant_id: uuid.UUID) -> list[tuple[Plan, Variant]]:
    """Every plan of the variant's family that is on a shelf, itself included, in the order of the shelf."""
    own = session.scalar(select(Plan).where(Plan.variant_id == variant_id))
    if own is None:
        return []
    same = Plan.family == own.family if own.family else Plan.id == own.id
    rows = session.execute(
        select(Plan, Variant)
        .join(Variant, Variant.id == Plan.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(same)
        .order_by(Product.position, Variant.position, Variant.sku)
    )
    return [(plan, variant) for plan, variant in rows]


def meters(
    session: Session, variant_ids: Collection[uuid.UUID], currency: str
) -> dict[uuid.UUID, list[tuple[Meter, UsagePrice]]]:
    """What each plan counts in a currency, with what it costs."""
    rows = session.execute(
        select(Plan.variant_id, Meter, UsagePrice)
        .join(UsagePrice, UsagePrice.plan_id == Plan.id)
        .join(Meter, Meter.id == UsagePrice.meter_id)
        .where(Plan.variant_id.in_(variant_ids), UsagePrice.currency == currency)
        .order_by(Meter.code)
    )
    found: dict[uuid.UUID, list[tuple[Meter, UsagePrice]]] = {}
    for variant_id, meter, price in rows:
        found.setdefault(variant_id, []).append((meter, price))
    return found


def meter(session: Session, code: str) -> Meter | None:
    """The meter that a program names."""
    return session.scalar(select(Meter).where(Meter.code == code))


def named(
    session: Session, variant_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, tuple[Variant, Plan | None]]:
    """Some variants with their plans, in one statement."""
    rows = session.execute(
        select(Variant, Plan)
        .outerjoin(Plan, Plan.variant_id == Variant.id)
        .where(Variant.id.in_(variant_ids))
    )
    return {variant.id: (variant, plan) for variant, plan in rows}


def has_price(session: Session, variant_id: uuid.UUID) -> bool:
    """Does any list say what it costs?"""
    found = select(Price.id).where(Price.variant_id == variant_id).limit(1)
    return session.scalar(found) is not None


def on_offer(session: Session) -> list[tuple[str, str]]:
    """SKU and name of every plan, for whoever filters by one."""
    rows = session.execute(
        select(Variant.sku, Variant.name)
        .join(Plan, Plan.variant_id == Variant.id)
        .order_by(Variant.name, Variant.sku)
    )
    return [(row.sku, row.name) for row in rows]
