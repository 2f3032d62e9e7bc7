"""May this account use this? One statement, for faces, for programs, and for whatever serves the service."""

import uuid
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.entitlements.models import Entitlement
from core.subscriptions.models import Subscription


@dataclass(frozen=True)
class Answer:
    """``reason`` is empty when it may; else ``never``, ``ended``, or what it is locked for: ``desk``,
    ``past_due``, ``paused``. ``until`` is the first day without it, where an end is set."""

    allowed: bool
    reason: str
    until: date | None = None
    #: The public id of the service that gives it.
    service: str | None = None


def may_use(session: Session, account_id: uuid.UUID, feature: str) -> Answer:
    """Whether any of the account's services gives the feature now; else why the nearest one does not.

    The state is as of the last night's turn: what ends today is told as ended from then on.
    """
    rows = session.execute(
        select(Entitlement, Subscription.public_id, Subscription.ended_on)
        .join(Subscription, Subscription.id == Entitlement.subscription_id)
        .where(Entitlement.account_id == account_id, Entitlement.feature == feature)
    ).all()
    if not rows:
        return Answer(False, "never")
    nearness = ("granted", "locked", "revoked")
    row, service, until = min(
        rows, key=lambda one: (nearness.index(one[0].state), one[0].lock_reason, one[1])
    )
    reasons = {"granted": "", "locked": row.lock_reason, "revoked": "ended"}
    return Answer(row.state == "granted", reasons[row.state], until, service)
