"""What staff does about trials: the calls that were made, and how the offers are set."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.kernel import audit
from core.kernel.db import changed
from core.kernel.errors import Invalid, ShopError
from core.subscriptions.trial_models import FREE_TIER, SHORTEST_NOTICE, TrialFollowUp, TrialOffer

OUTCOMES = ("reached", "no_answer", "going_on", "not_wanted")
LONGEST = 366
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


def change_offer(
    session: Session, offer: TrialOffer, to: OfferChange, actor: str, now: datetime
) -> None:
    """Trials that run keep what was agreed. Raises Invalid by field."""
    if problems := _problems(offer, to):
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


def _problems(offer: TrialOffer, to: OfferChange) -> dict[str, str]:
    found = {}
    if to.notice_days < SHORTEST_NOTICE:
        found["notice_days"] = f"At least {SHORTEST_NOTICE} days before the end."
    if offer.kind != FREE_TIER and not (to.days and to.notice_days < to.days <= LONGEST):
        found["days"] = f"More days than the notice, and {LONGEST} at most."
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
