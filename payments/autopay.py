"""AutoPay's rules: one that runs for an account, begun with what was agreed, ended by its owner."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.events import AutoPayMoved
from core.kernel import jobs
from core.kernel.db import changed
from core.kernel.errors import ShopError
from core.kernel.ids import new_id, new_public_id
from payments import methods
from payments.automatic_models import AutoPayRule
from payments.models import Authorisation, PaymentMethod


@dataclass(eq=False)
class AutoPayRuns(ShopError):
    """AutoPay runs already for this account, with this card."""

    code: ClassVar[str] = "autopay_runs"
    text: ClassVar[str] = "AutoPay is on already, with this card."


def subject(account_id: uuid.UUID) -> str:
    """How an authorisation names an account's AutoPay."""
    return f"autopay:{account_id}"


def active(session: Session, account_id: uuid.UUID) -> AutoPayRule | None:
    """The rule that runs for an account."""
    return session.scalar(
        select(AutoPayRule).where(
            AutoPayRule.account_id == account_id, AutoPayRule.state == "active"
        )
    )


def active_of(session: Session, account_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, AutoPayRule]:
    """The rules that run, by account."""
    rows = session.scalars(
        select(AutoPayRule).where(
            AutoPayRule.account_id.in_(account_ids), AutoPayRule.state == "active"
        )
    )
    return {row.account_id: row for row in rows}


def of_account(session: Session, account_id: uuid.UUID, limit: int = 20) -> Sequence[AutoPayRule]:
    """All that ever ran for an account, the newest first."""
    return session.scalars(
        select(AutoPayRule)
        .where(AutoPayRule.account_id == account_id)
        .order_by(AutoPayRule.started_at.desc(), AutoPayRule.id.desc())
        .limit(limit)
    ).all()


def with_card(session: Session, method_id: uuid.UUID) -> Sequence[AutoPayRule]:
    """Rules that run and charge this card."""
    return session.scalars(
        select(AutoPayRule).where(
            AutoPayRule.payment_method_id == method_id, AutoPayRule.state == "active"
        )
    ).all()


def start(
    session: Session, method: PaymentMethod, given: Authorisation, actor: str, now: datetime
) -> AutoPayRule:
    """From now on this card is charged; a rule with another card ends with it. The account is locked.

    Raises AutoPayRuns when it is this very card's already.
    """
    running = active(session, method.account_id)
    if running is not None:
        if running.payment_method_id == method.id:
            raise AutoPayRuns
        stop(session, running, actor, now)
    rule = AutoPayRule(
        id=new_id(),
        public_id=new_public_id(),
        account_id=method.account_id,
        payment_method_id=method.id,
        authorisation_id=given.id,
        state="active",
        started_at=now,
        started_by=actor,
    )
    session.add(rule)
    session.flush()
    _told(session, rule, "started", now)
    return rule


def stop(session: Session, rule: AutoPayRule, actor: str, now: datetime) -> bool:
    """It charges nothing any more, and what was agreed is over. False when it was stopped."""
    done = session.execute(
        update(AutoPayRule)
        .where(AutoPayRule.id == rule.id, AutoPayRule.state == "active")
        .values(state="stopped", stopped_at=now, stopped_by=actor)
    )
    session.refresh(rule)
    if changed(done) == 1:
        methods.end_one(session, rule.authorisation_id, now)
        _told(session, rule, "stopped", now)
        return True
    return False


def _told(session: Session, rule: AutoPayRule, how: str, now: datetime) -> None:
    event = AutoPayMoved(str(rule.id), how)
    jobs.record(session, event, now, key=f"autopay-{how}:{rule.id}")
