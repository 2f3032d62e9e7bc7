"""Services for tests: lines of one family, a backup that counts gigabytes, and subscriptions to them."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalog.models import Product, Variant
from core.entitlements import granting
from core.kernel.clock import local_date
from core.kernel.money import to_micros
from core.parties.models import Account
from core.prices.models import Meter, Plan, Price, UsagePrice
from core.subscriptions import activating
from core.subscriptions.changing import Wish
from core.subscriptions.models import Subscription, SubscriptionPhase
from tests import world as worlds
from tests.world import ZONE, Goods, World

BY = "user:kim"


@dataclass(frozen=True)
class Plans:
    """What can be subscribed to."""

    brook: Goods
    stream: Goods
    #: Stream, paid by the year.
    stream_year: Goods
    backup: Goods
    #: Gigabytes that were moved, added up; five a month are free.
    moved: uuid.UUID
    #: The most that was stored at once.
    stored: uuid.UUID


def offer(session: Session, world: World, now: datetime) -> Plans:
    """Put the plans on a shelf."""
    shelf = worlds._Shelf(session, now, world.price_list_id, world.location_id)
    category = shelf.category("plans", "Plans", 3)

    def plan(sku: str, name: str, tax: str, price: str, **how: object) -> Goods:
        made = shelf.put(category, sku, name, "plan", tax, price, None)
        row = session.scalars(select(Plan).where(Plan.variant_id == made.variant_id)).one()
        for name_, value in how.items():
            setattr(row, name_, value)
        return made

    line = {"family": "line", "features": ["internet"]}
    backup = {"family": "burrow", "features": ["backup"], "activation": "at_once"}
    plans = {
        "brook": plan("T-BROOK", "Brook", "internet", "19.00", **line),
        "stream": plan("T-STREAM", "Stream", "internet", "29.00", **line),
        "stream_year": plan(
            "T-STREAM-Y", "Stream by the year", "internet", "319.00", interval="year", **line
        ),
        "backup": plan("T-BACKUP", "Burrow", "backup", "9.00", **backup),
    }
    moved = Meter(code="moved", name="Moved", unit="GB", counts="sum")
    stored = Meter(code="stored", name="Stored", unit="GB", counts="max")
    session.add_all([moved, stored])
    session.flush()
    key = session.scalars(
        select(Plan.id).where(Plan.variant_id == plans["backup"].variant_id)
    ).one()
    tiers = [[None, to_micros("0.10"), 0]]
    session.add_all(
        [
            UsagePrice(plan_id=key, meter_id=moved.id, currency="USD", free="5", tiers=tiers),
            UsagePrice(plan_id=key, meter_id=stored.id, currency="USD", tiers=tiers),
        ]
    )
    session.flush()
    return Plans(**plans, moved=moved.id, stored=stored.id)


def goods(session: Session, sku: str) -> Goods:
    """One of the plans on the shelf."""
    row = session.scalars(select(Variant).where(Variant.sku == sku)).one()
    product = session.get_one(Product, row.product_id)
    price = session.scalars(select(Price).where(Price.variant_id == row.id)).one()
    micros = price.unit_price_micros
    return Goods(product.id, row.id, product.slug, sku, micros, None)


def ordered(
    session: Session,
    world: World,
    account: Account,
    goods: Goods,
    now: datetime,
    *,
    quantity: int = 1,
    payer: Account | None = None,
) -> Subscription:
    """A service that waits for activation."""
    made = Subscription(
        legal_entity_id=world.legal_entity_id,
        channel_id=world.channel_id,
        currency="USD",
        payer_account_id=(payer or account).id,
        service_account_id=account.id,
        ordered_at=now,
    )
    session.add(made)
    session.flush()
    plan = session.scalars(select(Plan).where(Plan.variant_id == goods.variant_id)).one()
    session.add(
        SubscriptionPhase(
            subscription_id=made.id,
            number=0,
            variant_id=goods.variant_id,
            quantity=quantity,
            unit_price_micros=goods.unit_price_micros,
            price_trace={"list": "web-usd"},
            interval=plan.interval,
            agreed_at=now,
            agreed_by="order:test",
        )
    )
    session.flush()
    return made


def running(
    session: Session,
    world: World,
    account: Account,
    goods: Goods,
    now: datetime,
    *,
    on: date | None = None,
    quantity: int = 1,
    payer: Account | None = None,
) -> Subscription:
    """A service that is active since ``on`` (None: today), with what it gives."""
    made = ordered(session, world, account, goods, now, quantity=quantity, payer=payer)
    since = on or local_date(now, ZONE)
    activating.activate(session, made, since, BY, now)
    granting.grant(session, made, local_date(now, ZONE), BY, now)
    return made


def wish(goods: Goods, quantity: int = 1, *, interval: str = "month", name: str = "") -> Wish:
    """To have a plan in a quantity."""
    return Wish(
        variant_id=goods.variant_id,
        sku=goods.sku,
        name=name or goods.slug.replace("-", " ").capitalize(),
        tax_category="internet",
        quantity=quantity,
        unit_price_micros=goods.unit_price_micros,
        interval=interval,
        trace={"list": "web-usd"},
    )
