"""What staff does about trials: the calls that were made, and how the offers are set."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.kernel import audit
from core.kernel.db import changed
from core.kernel.errors import Invalid, ShopError
from core.kernel.ids import new_id
from core.prices import plans
from core.prices.models import Plan, UsagePrice
from core.subscriptions.trial_models import (
    FREE_TIER,
    KINDS,
    SHORTEST_NOTICE,
    TrialFollowUp,
    TrialOffer,
)

OUTCOMES = ("reached", "no_answer", "going_on", "not_wanted")
LONGEST = 366
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")
#: What an address below the list of offers means already.
_TAKEN = frozenset({"new"})
#: More calls than this nobody makes.
_MOST_CALLS = 6


@dataclass(eq=False)
class DoneAlready(ShopError):
    """Somebody else called first."""

    code: ClassVar[str] = "follow_up_done"
    text: ClassVar[str] = "Somebody has done this already. The list is up to date now."


@dataclass(frozen=True)
class OfferChange:
    """How an offer is to be; ``days`` None for a free tier."""

    days: int | None
    notice_days: int
    follow_up_days: tuple[int, ...]
    is_active: bool


@dataclass(frozen=True)
class NewOffer:
    """Another way to try a plan; ``code`` is its address in the shop."""

    code: str
    sku: str
    kind: str
    change: OfferChange


def done(
    session: Session, follow_up: TrialFollowUp, outcome: str, note: str, actor: str, now: datetime
) -> None:
    """A call was made, once. Raises Invalid for an outcome that is none, and DoneAlready."""
    if outcome not in OUTCOMES:
        raise Invalid({"outcome": "Choose how it went."})
    result = session.execute(
        update(TrialFollowUp)
        .where(TrialFollowUp.id == follow_up.id, TrialFollowUp.done_at.is_(None))
        .values(done_at=now, done_by=actor, outcome=outcome, note=note.strip()[:500])
    )
    if changed(result) == 0:
        raise DoneAlready
    subject = ("trial_follow_up", follow_up.public_id)
    audit.write(session, now, actor, "trial.followed_up", subject, outcome=outcome)


def add_offer(session: Session, new: NewOffer, actor: str, now: datetime) -> TrialOffer:
    """Another offer, behind those that are there. Raises Invalid by field."""
    plan = plans.by_sku(session, new.sku)
    problems = _new_problems(session, new, plan)
    if new.kind in KINDS:
        problems |= _problems(new.kind, new.change)
    if problems or plan is None:
        raise Invalid(problems)
    last = session.scalar(select(func.max(TrialOffer.position)))
    row = TrialOffer(
        id=new_id(),
        code=new.code,
        variant_id=plan.variant_id,
        kind=new.kind,
        days=new.change.days,
        notice_days=new.change.notice_days,
        follow_up_days=list(new.change.follow_up_days),
        is_active=new.change.is_active,
        position=(last or 0) + 1,
        created_at=now,
    )
    session.add(row)
    session.flush()
    about = ("trial_offer", row.code)
    audit.write(session, now, actor, "trial_offer.made", about, sku=new.sku, kind=new.kind)
    return row


def _new_problems(session: Session, new: NewOffer, plan: Plan | None) -> dict[str, str]:
    found = {}
    if plan is None:
        found["sku"] = "Choose a plan."
    elif new.kind == FREE_TIER and not _has_free_use(session, plan):
        found["sku"] = "Nothing of this plan’s use is free, so it has no free tier."
    elif new.kind != FREE_TIER and not plans.has_price(session, plan.variant_id):
        found["sku"] = "This plan has no price yet: nobody could go on with it."
    if new.kind not in KINDS:
        found["kind"] = "Choose how it is tried."
    if not _CODE.fullmatch(new.code) or new.code in _TAKEN:
        found["code"] = "Small letters, figures and hyphens, like burrow-30-days."
    elif session.scalar(select(TrialOffer.id).where(TrialOffer.code == new.code)) is not None:
        found["code"] = "Another offer has this address."
    return found


def _has_free_use(session: Session, plan: Plan) -> bool:
    free = session.scalars(select(UsagePrice.free).where(UsagePrice.plan_id == plan.id))
    return any(Decimal(one) > 0 for one in free)


def change_offer(
    session: Session, offer: TrialOffer, to: OfferChange, actor: str, now: datetime
) -> None:
    """Trials that run keep what was agreed. Raises Invalid by field."""
    if problems := _problems(offer.kind, to):
        raise Invalid(problems)
    offer.days, offer.notice_days = to.days, to.notice_days
    offer.follow_up_days = list(to.follow_up_days)
    offer.is_active = to.is_active
    audit.write(
        session,
        now,
        actor,
        "trial_offer.changed",
        ("trial_offer", offer.code),
        days=to.days,
        notice_days=to.notice_days,
        follow_up_days=list(to.follow_up_days),
        is_active=to.is_active,
    )


def _problems(kind: str, to: OfferChange) -> dict[str, str]:
    found = {}
    if to.notice_days < SHORTEST_NOTICE:
        found["notice_days"] = f"At least {SHORTEST_NOTICE} days before the end."
    if kind != FREE_TIER and not (to.days and to.notice_days < to.days <= LONGEST):
        found["days"] = f"More days than the notice, and {LONGEST} at most."
    if kind == FREE_TIER and to.days is not None:
        found["days"] = "A free tier has no end."
    if any(not 0 < day <= LONGEST for day in to.follow_up_days) or (
        len(to.follow_up_days) > _MOST_CALLS
    ):
        found["follow_up_days"] = f"Up to {_MOST_CALLS} days after the start, like 3, 10."
    return found


def days_of(text: str) -> tuple[int, ...] | None:
    """``3, 10`` as days; None when it is something else."""
    parts: Sequence[str] = [part.strip() for part in text.replace(";", ",").split(",")]
    told = [part for part in parts if part]
    if not all(part.isascii() and part.isdigit() and len(part) < 4 for part in told):
        return None
    return tuple(sorted({int(part) for part in told}))
