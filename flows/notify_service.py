"""What people are told about their services by mail: each once, to whoever has it and whoever pays for it.

Called by the handlers of events, which may run twice. A trial is told of by mails of its own.
"""

import uuid
from collections.abc import Callable
from datetime import date, datetime

from sqlalchemy.orm import Session

from core.events import SubscriptionChanged
from core.notices import addressing
from core.notices.letters import ServiceLetter
from core.parties.models import Account
from core.subscriptions import reading, states
from core.subscriptions.models import Subscription
from flows import notify, service_letter
from flows.links import Links
from invoices.billing import given_back

_Write = Callable[[Account, str], ServiceLetter | None]


def started(session: Session, service_id: uuid.UUID, links: Links, now: datetime) -> None:
    """It runs, since when, and what it costs."""
    row = session.get_one(Subscription, service_id)
    if not _is_on_trial(session, row, states.today(session, row, now)):
        _tell(
            session,
            row,
            f"service-started:{row.id}",
            links,
            now,
            lambda account, link: service_letter.of_start(session, row, account, link),
        )


def changed(session: Session, event: SubscriptionChanged, links: Links, now: datetime) -> None:
    """What was agreed or done, as it stands now."""
    row = session.get_one(Subscription, uuid.UUID(event.subscription_id))
    today = states.today(session, row, now)
    if _is_on_trial(session, row, today):
        return
    if event.what == "cancelled" and row.state == "ended":
        return  # its end is told
    key = f"service-changed:{row.id}:{event.revision}"
    _tell(session, row, key, links, now, _written(session, row, event, today))


def ended(session: Session, service_id: uuid.UUID, links: Links, now: datetime) -> None:
    """It is over, and what that gave back."""
    row = session.get_one(Subscription, service_id)
    if row.ended_on is None or _is_on_trial(session, row, row.ended_on - service_letter.DAY):
        return
    back = given_back.since(session, row.id, row.ended_on, row.currency)
    _tell(
        session,
        row,
        f"service-ended:{row.id}",
        links,
        now,
        lambda account, link: service_letter.of_end(session, row, account, link, "ended", back),
    )


def _written(
    session: Session, row: Subscription, event: SubscriptionChanged, today: date
) -> _Write:
    if event.what in ("plan", "quantity"):
        phase = reading.agreed_with(session, row.id, event.revision)
        if phase is None:
            return lambda account, link: None
        return lambda account, link: service_letter.of_change(session, row, account, link, phase)
    if event.what == "paused":
        return lambda account, link: service_letter.of_pause(session, row, account, link)
    if event.what == "resumed":
        return lambda account, link: service_letter.of_return(session, row, account, link)
    if event.what == "cancelled":
        return lambda account, link: service_letter.of_end(session, row, account, link, "cancelled")
    if event.what == "payer":
        return lambda account, link: service_letter.of_payer(session, row, account, link, today)
    return lambda account, link: service_letter.of_keep(session, row, account, link, today)


def _is_on_trial(session: Session, row: Subscription, day: date) -> bool:
    timeline = reading.timeline(session, row.id)
    phase = timeline.phase_on(day) or (timeline.phases[0] if timeline.phases else None)
    return phase is not None and phase.kind == "trial"


def _tell(
    session: Session, row: Subscription, key: str, links: Links, now: datetime, write: _Write
) -> None:
    """Write to the account that has it, and to the payer where that is somebody else."""
    told = set()
    for account_id in dict.fromkeys((row.service_account_id, row.payer_account_id)):
        account = session.get_one(Account, account_id)
        may_log_in = addressing.has_members(session, account.id)
        letter = write(account, links.service(row.public_id) if may_log_in else "")
        if letter is None:
            return
        for reader in addressing.readers(session, account):
            if reader.address in told:
                continue
            told.add(reader.address)
            mine = f"{key}:{account.number}"
            notify.queue(session, letter, mine, reader, links, now, account_id=account.id)
