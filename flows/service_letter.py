"""Gathers what the mails about a service say, from its timeline as it is when they are written.

Called by ``flows.notify_service``. Reads; writes nothing.
"""

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy.orm import Session

from core.kernel.money import Money, extend
from core.notices import addressing
from core.notices.letters import Row, ServiceLetter
from core.parties.models import Account
from core.subscriptions import pausing, reading
from core.subscriptions.models import Subscription, SubscriptionPhase
from core.subscriptions.timeline import Phase, Timeline
from flows.letters import greeting

DAY = timedelta(days=1)
_EVERY = {"month": "months", "year": "years"}


def of_start(session: Session, row: Subscription, account: Account, link: str) -> ServiceLetter:
    """It runs."""
    timeline = reading.timeline(session, row.id)
    since = timeline.activated_on or row.ordered_at.date()
    phase = timeline.phase_on(since) or timeline.phases[0]
    return _letter(session, row, timeline, account, link, "started", phase, since)


def of_change(
    session: Session, row: Subscription, account: Account, link: str, phase: SubscriptionPhase
) -> ServiceLetter | None:
    """Another plan or quantity, as it was agreed; None when it was taken back meanwhile."""
    timeline = reading.timeline(session, row.id)
    spans = list(timeline.spans())
    places = [place for place, (one, _) in enumerate(spans) if one.id == phase.id]
    if not places or places[0] == 0:
        return None
    new, days = spans[places[0]]
    old = spans[places[0] - 1][0]
    what = "quantity" if old.variant_id == new.variant_id else "plan"
    letter = _letter(session, row, timeline, account, link, what, new, days.start)
    return replace(letter, before=named(old))


def of_pause(session: Session, row: Subscription, account: Account, link: str) -> ServiceLetter:
    """It rests, to a day that is set or not."""
    rest = pausing.current(session, row)
    letter = _plain(session, row, account, link, "paused", rest.starts_on)
    return replace(letter, until=rest.ends_on - DAY if rest.ends_on else None, rows=())


def of_return(session: Session, row: Subscription, account: Account, link: str) -> ServiceLetter:
    """It runs again."""
    rest = pausing.current(session, row)
    return _plain(session, row, account, link, "resumed", rest.ends_on or rest.starts_on)


def of_end(
    session: Session,
    row: Subscription,
    account: Account,
    link: str,
    what: str,
    back: Money | None = None,
) -> ServiceLetter | None:
    """It will end (``cancelled``), or has (``ended``); None when that was taken back meanwhile."""
    if row.ended_on is None:
        return None
    letter = _plain(session, row, account, link, what, row.ended_on)
    until = row.ended_on - DAY if row.state != "ended" else None
    return replace(letter, until=until, rows=(), back=back)


def of_keep(
    session: Session, row: Subscription, account: Account, link: str, on: date
) -> ServiceLetter:
    """What was planned does not come."""
    return _plain(session, row, account, link, "kept", on)


def of_payer(
    session: Session, row: Subscription, account: Account, link: str, on: date
) -> ServiceLetter:
    """Somebody else pays."""
    payer = session.get_one(Account, row.payer_account_id)
    return replace(_plain(session, row, account, link, "payer", on), payer=payer.name)


def named(phase: Phase) -> str:
    """``Stream 18``, or ``Stream 18 × 3``."""
    return phase.name if phase.quantity == 1 else f"{phase.name} × {phase.quantity}"


def every(phase: Phase) -> str:
    """``a month``, or ``every 3 months``."""
    if phase.interval_count == 1:
        return f"a {phase.interval}"
    return f"every {phase.interval_count} {_EVERY[phase.interval]}"


def _plain(
    session: Session, row: Subscription, account: Account, link: str, what: str, on: date
) -> ServiceLetter:
    timeline = reading.timeline(session, row.id)
    phase = timeline.phase_on(on) or timeline.phase_on(on - DAY) or timeline.phases[-1]
    return _letter(session, row, timeline, account, link, what, phase, on)


def _letter(
    session: Session,
    row: Subscription,
    timeline: Timeline,
    account: Account,
    link: str,
    what: str,
    phase: Phase,
    on: date,
) -> ServiceLetter:
    amount = extend(phase.unit_price_micros, phase.quantity, timeline.currency)
    return ServiceLetter(
        head=addressing.of_account(session, account),
        name=greeting(account),
        link=link,
        what=what,
        service=named(phase),
        place=place_of(timeline),
        account_number=account.number,
        on=on,
        rows=(Row(named(phase), amount, every(phase)),),
    )


def place_of(timeline: Timeline) -> str:
    """What its owner calls it, else where it is."""
    where = timeline.service_location or {}
    return timeline.label or ", ".join(str(where[k]) for k in ("line1", "city") if where.get(k))
