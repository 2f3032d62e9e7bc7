"""Services page by page, the newest first: for programs, which ask with a cursor."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select, tuple_
from sqlalchemy.orm import Session

from core.subscriptions import reading
from core.subscriptions.models import Subscription
from core.subscriptions.timeline import Timeline


def page(
    session: Session,
    account_ids: Sequence[uuid.UUID] | None,
    *,
    state: str | None = None,
    before: tuple[datetime, uuid.UUID] | None = None,
    limit: int = 24,
) -> list[tuple[Subscription, Timeline]]:
    """The services that accounts have or pay for (None: everybody's); four statements, however many."""
    query = select(Subscription)
    if account_ids is not None:
        query = query.where(
            or_(
                Subscription.service_account_id.in_(account_ids),
                Subscription.payer_account_id.in_(account_ids),
            )
        )
    if state is not None:
        query = query.where(Subscription.state == state)
    if before is not None:
        query = query.where(tuple_(Subscription.ordered_at, Subscription.id) < tuple_(*before))
    rows = session.scalars(
        query.order_by(Subscription.ordered_at.desc(), Subscription.id.desc()).limit(limit)
    ).all()
    found = {
        one.id: one
        for one in reading.timelines(session, Subscription.id.in_([row.id for row in rows]))
    }
    return [(row, found[row.id]) for row in rows]
