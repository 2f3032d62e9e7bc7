"""How quotes end: won and lost by month and by owner, what they were worth, why they were lost, how quickly
the house answered. Counted by the month in which a quote was asked for, where the channel is.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart.quotes.models import Quote
from core.kernel.clock import local_date
from core.kernel.money import Money
from core.parties.models import User


@dataclass
class Tally:
    """Quotes of one month, or of one owner. Shares are in parts per million of those that ended."""

    label: str
    currency: str
    asked: int = 0
    won: int = 0
    lost: int = 0
    expired: int = 0
    open: int = 0
    won_minor: int = 0
    lost_minor: int = 0
    waits: list[timedelta] = field(default_factory=list)

    @property
    def ended(self) -> int:
        """Won, lost or run out."""
        return self.won + self.lost + self.expired

    @property
    def win_ppm(self) -> int | None:
        """Won of those that ended; None while none has."""
        return self.won * 1_000_000 // self.ended if self.ended else None

    @property
    def won_value(self) -> Money:
        """What the won ones were worth."""
        return Money(self.won_minor, self.currency)

    @property
    def lost_value(self) -> Money:
        """What the others were worth."""
        return Money(self.lost_minor, self.currency)

    @property
    def usual_wait(self) -> timedelta | None:
        """The median time until the house answered."""
        if not self.waits:
            return None
        ordered = sorted(self.waits)
        return ordered[(len(ordered) - 1) // 2]


@dataclass(frozen=True)
class Report:
    """What the page shows of one currency."""

    currency: str
    months: list[Tally]
    owners: list[Tally]
    whole: Tally
    #: (customer's or house's reason, how many, what they were worth)
    reasons: list[tuple[str, int, Money]]


def read(session: Session, currency: str, since: date, zone: str, now: datetime) -> Report:
    """Quotes asked for from the month of ``since`` on. One query, however many there are."""
    begins = datetime.combine(since.replace(day=1), datetime.min.time(), now.tzinfo)
    rows = session.execute(
        select(
            Quote.state,
            Quote.expires_at,
            Quote.value_minor,
            Quote.requested_at,
            Quote.answered_at,
            Quote.source,
            Quote.close_reason,
            Quote.owner_id,
            User.name,
        )
        .outerjoin(User, User.id == Quote.owner_id)
        .where(Quote.requested_at >= begins - timedelta(days=1), Quote.currency == currency)
        .order_by(Quote.requested_at)
    ).all()
    first = since.replace(day=1)
    return tally(
        [row for row in rows if local_date(row.requested_at, zone) >= first], currency, zone, now
    )


def tally(rows: Iterable[Any], currency: str, zone: str, now: datetime) -> Report:
    """Count rows of the query."""
    whole = Tally("", currency)
    months: dict[str, Tally] = {}
    owners: dict[uuid.UUID | None, Tally] = {}
    reasons: dict[str, list[int]] = {}
    for row in rows:
        month = f"{local_date(row.requested_at, zone):%Y-%m}"
        name = row.name or ""
        counted = (
            whole,
            months.setdefault(month, Tally(month, currency)),
            owners.setdefault(row.owner_id, Tally(name, currency)),
        )
        for one in counted:
            _count(one, row, now)
        if row.state in ("declined", "withdrawn"):
            reasons.setdefault(row.close_reason or "other", []).append(row.value_minor)
    by_worth = sorted(reasons.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return Report(
        currency,
        [months[key] for key in sorted(months)],
        sorted(owners.values(), key=lambda one: (-one.won_minor, one.label)),
        whole,
        [(code, len(found), Money(sum(found), currency)) for code, found in by_worth],
    )


def _count(one: Tally, row: Any, now: datetime) -> None:
    one.asked += 1
    if row.state == "accepted":
        one.won += 1
        one.won_minor += row.value_minor
    elif row.state in ("declined", "withdrawn"):
        one.lost += 1
        one.lost_minor += row.value_minor
    elif row.state == "sent" and row.expires_at <= now:
        one.expired += 1
        one.lost_minor += row.value_minor
    else:
        one.open += 1
    if row.answered_at is not None and row.source != "staff":
        one.waits.append(row.answered_at - row.requested_at)
