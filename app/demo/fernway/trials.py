"""What can be tried at Fernway's: Burrow in three ways, and the small Burrow that is free up to 5 GB."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalog.models import Variant
from core.kernel.money import to_micros
from core.prices.models import Meter, Plan, UsagePrice
from core.subscriptions.trial_models import CARD, FREE_TIER, NO_CARD, TrialOffer

FAMILY = "burrow"
#: Of the small one: free, then so much for all of the next, then so much for each.
FREE_GB = "5"
_TIERS = [["95", 0, to_micros("2.00")], [None, to_micros("0.02"), 0]]
NO_CARD_CODE, CARD_CODE, FREE_CODE = "burrow-14-days", "burrow-30-days", "burrow-5-gb"


def offer(session: Session, now: datetime) -> None:
    """Put the small Burrow beside the one on the shelf, and the trials on both."""
    burrow = session.scalars(select(Variant).where(Variant.sku == "BUR-1")).one()
    small = Variant(
        product_id=burrow.product_id,
        sku="BUR-0",
        name="Burrow small",
        kind="plan",
        tax_category=burrow.tax_category,
        position=9,
    )
    meter = Meter(code="burrow-stored", name="Stored", unit="GB", counts="max")
    session.add_all([small, meter])
    session.flush()
    plan = Plan(variant_id=small.id, interval="month")
    session.add(plan)
    session.flush()
    session.add(
        UsagePrice(plan_id=plan.id, meter_id=meter.id, currency="USD", free=FREE_GB, tiers=_TIERS)
    )
    for sku in ("BUR-1", "BUR-5", "BUR-0"):
        _begins_at_once(session, sku)
    session.add_all(
        [
            TrialOffer(
                code=NO_CARD_CODE,
                variant_id=burrow.id,
                kind=NO_CARD,
                days=14,
                follow_up_days=[5, 10, 21],
                position=1,
                created_at=now,
            ),
            TrialOffer(
                code=CARD_CODE,
                variant_id=burrow.id,
                kind=CARD,
                days=30,
                position=2,
                created_at=now,
            ),
            TrialOffer(
                code=FREE_CODE, variant_id=small.id, kind=FREE_TIER, position=3, created_at=now
            ),
        ]
    )
    session.flush()


def _begins_at_once(session: Session, sku: str) -> None:
    plan = session.scalars(
        select(Plan).join(Variant, Variant.id == Plan.variant_id).where(Variant.sku == sku)
    ).one()
    plan.family, plan.features, plan.activation = FAMILY, ["backup"], "at_once"
