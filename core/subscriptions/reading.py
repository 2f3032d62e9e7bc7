"""Reading subscriptions."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalog.models import Variant
from core.subscriptions.models import Subscription


def of_accounts(
    session: Session, account_ids: Sequence[uuid.UUID]
) -> list[tuple[Subscription, str]]:
    """The services of the accounts that have not ended, with the plan's name."""
    rows = session.execute(
        select(Subscription, Variant.name)
        .join(Variant, Variant.id == Subscription.variant_id)
        .where(Subscription.service_account_id.in_(account_ids), Subscription.state != "ended")
        .order_by(Subscription.ordered_at)
    )
    return [(subscription, name) for subscription, name in rows]
