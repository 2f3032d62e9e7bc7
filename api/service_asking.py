"""What the customers' and the staff's services in the API have in common: reading one, and acting on it."""

import uuid
from collections.abc import Callable, Mapping, Sequence

from flask import Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from api import answers, callers, cursors, reading, service_answers
from api.answers import Json
from api.once import once
from api.service_shapes import EndWish, PauseWish, ServiceChange, ServiceChangeWish, ServiceQuery
from core.kernel.clock import local_date
from core.kernel.money import Money
from core.parties.models import Account
from core.prices import plans
from core.subscriptions import pages, usage
from core.subscriptions import reading as subscriptions
from core.subscriptions.models import Subscription
from core.subscriptions.timeline import Timeline
from flows import change_service, hold_service
from flows.change_service import Done, Foreseen
from flows.hold_service import Asked
from flows.wish_service import Wanted
from web.context import house, web_settings


def asked(
    public_id: str, accounts: Mapping[uuid.UUID, bool] | None, revision: int | None = None
) -> Asked:
    """Which service, for whom: the caller's accounts, or None for staff."""
    wanted = reading.public_id(public_id, "service")
    return Asked(wanted, callers.caller().actor, accounts, revision)


def listed(accounts: Sequence[uuid.UUID] | None) -> Json:
    """A page of services of accounts, or of everybody."""
    query = reading.query(ServiceQuery)
    before = cursors.read_moment(web_settings().secret_key, query.cursor)
    with house().db.snapshot() as session:
        found = pages.page(
            session, accounts, state=query.state, before=before, limit=query.page_size + 1
        )
        rows = found[: query.page_size]
        content = _services(session, rows)
    following = None
    if len(found) > query.page_size:
        last = rows[-1][0]
        secret = web_settings().secret_key
        following = cursors.write_moment(secret, last.ordered_at, last.id)
    return {"services": content, "next_cursor": following}


def _services(session: Session, rows: Sequence[tuple[Subscription, Timeline]]) -> list[Json]:
    keys = service_answers.account_ids([row for row, _ in rows])
    known = session.scalars(select(Account).where(Account.id.in_(keys))).all()
    numbers = {account.id: account.number for account in known}
    zones = {account.id: account.time_zone for account in known}
    now = house().clock.now()
    return [
        service_answers.service(
            row, timeline, numbers, local_date(now, zones[row.service_account_id])
        )
        for row, timeline in rows
    ]


def told(session: Session, row: Subscription, timeline: Timeline) -> Json:
    """One service."""
    (content,) = _services(session, [(row, timeline)])
    return content


def shown(which: Asked) -> Json:
    """One service, for whoever may see it. Raises NotFound."""
    with house().db.snapshot() as session:
        row = hold_service.find(session, which)
        return told(session, row, subscriptions.timeline(session, row.id))


def used(which: Asked) -> Json:
    """What it used, by period. Raises NotFound."""
    with house().db.snapshot() as session:
        row = hold_service.find(session, which)
        timeline = subscriptions.timeline(session, row.id)
        cells = usage.totals(session, [timeline])
        counted = plans.meters(session, [one.variant_id for one in timeline.phases], row.currency)
        meters = {meter.id: meter for rows in counted.values() for meter, _ in rows}
        return service_answers.usage(timeline, cells, meters)


def wanted(change: ServiceChange) -> Wanted:
    """As the flow takes it."""
    return Wanted(change.plan, change.quantity, change.when == "period_end")


def foreseen(which: Asked, change: ServiceChange) -> Json:
    """What a change would bring."""
    return _foreseen(change_service.preview_change(house(), which, wanted(change)))


def _foreseen(found: Foreseen) -> Json:
    with house().db.reading() as session:
        service = told(session, found.row, found.after)
    return {
        "on": found.on.isoformat(),
        "service": service,
        "bill": service_answers.bill(found.bill),
    }


def changed(which: Asked, wish: ServiceChangeWish) -> Done:
    """Agree to a change."""
    total = wish.expected_total
    expected = Money(total.amount, total.currency) if total is not None else None
    return change_service.change(house(), which, wanted(wish), expected)


def paused(which: Asked, wish: PauseWish) -> Done:
    """Pause from today on."""
    return change_service.pause(house(), which, wish.reason, wish.note, wish.until)


def ended(which: Asked, wish: EndWish) -> Done:
    """End it."""
    at_end = wish.when == "period_end"
    return change_service.end(house(), which, wish.reason, wish.note, at_period_end=at_end)


def done(verb: str, which: Asked, wish: BaseModel, work: Callable[[], Done]) -> Response:
    """Do it once for its Idempotency-Key; answers the service as it is then, and what was billed."""

    def run() -> tuple[int, Json]:
        made = work()
        with house().db.reading() as session:
            service = told(session, made.row, made.timeline)
        found = [*made.billed.memos, *made.billed.invoices]
        return 200, {"service": service, "documents": service_answers.documents(found)}

    scope = f"{verb}:{which.public_id}:{callers.caller().token_id.hex}"
    status, body = once(scope, wish, run)
    return answers.respond(body, status)
