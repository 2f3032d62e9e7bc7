"""Today's page: what came in, and what wants a hand."""

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint
from sqlalchemy.orm import Session

from cart.quotes import reading as quotes
from core.kernel import jobs
from core.kernel.money import total
from core.orders import reading as orders
from core.subscriptions import states, trial_reading
from desk import shown
from invoices.billing import parking
from payments import reading as payments
from web.access import Who, allow
from web.context import channel, house, today
from web.documents import State
from web.filters import date_words, sign
from web.pages import page

today_ = Blueprint("desk_today", __name__, url_prefix="/desk", template_folder="templates")
_SHOWN = 10
#: Lists are counted up to here.
_MOST = 100
_ORDERED = "/desk/services?state=ordered"


@today_.get("")
@allow(Who.STAFF)
def show() -> str:
    """Today's orders and what did not go through by itself."""
    morning = datetime.combine(today(), time(), ZoneInfo(channel()[0].time_zone))
    with house().db.snapshot() as session:
        rows = orders.listing(session, state="confirmed", since=morning, limit=500)
        lines = orders.lines_by_order(session, [order.id for order, _ in rows[:_SHOWN]])
        waiting = _waiting(session)
        counts = jobs.counts(session)
        asked = quotes.counts(session, house().clock.now())["waiting"]
    drawn = [shown.order_row(order, who, lines.get(order.id, [])) for order, who in rows]
    currency = channel()[0].currency
    sums = total((row["due_now"] for row in drawn if row["due_now"].currency == currency), currency)
    return page(
        "desk/today.html",
        day_words=date_words(today()),
        figures=[
            {
                "label": "Orders today",
                "value": str(len(rows)),
                "note": sign(sums),
                "href": "/desk/orders",
            },
            {
                "label": "Quotes waiting",
                "value": str(asked),
                "note": "for our answer",
                "href": "/desk/quotes?tab=waiting",
            },
            {
                "label": "Failed jobs",
                "value": str(counts.get("dead", 0)),
                "note": "want a person",
                "href": "/desk/jobs?state=dead",
            },
            {
                "label": "Waiting jobs",
                "value": str(counts.get("ready", 0)),
                "note": "run by themselves",
                "href": "/desk/jobs?state=ready",
            },
        ],
        orders=drawn[:_SHOWN],
        waiting=waiting,
    )


def _waiting(session: Session) -> list[dict[str, Any]]:
    found = [
        {
            "text": f"{row.kind.capitalize()} {row.public_id[:8]}: {row.last_error or 'no answer'}"[
                :120
            ],
            "href": "/desk/payments",
            "state": shown.OPERATION[row.state],
        }
        for row in payments.in_trouble(session)
    ]
    dead = session.scalars(jobs.listing(state="dead").limit(_SHOWN)).all()
    found += [
        {
            "text": f"{row.handler or row.name} failed {row.attempts} times",
            "href": f"/desk/jobs/{row.id}",
            "state": State("bad", "Failed"),
        }
        for row in dead
    ]
    return [*found, *_in_the_rooms(session)]


def _in_the_rooms(session: Session) -> list[dict[str, Any]]:
    """What waits for a person elsewhere, a line for each place where something does."""
    approvals = len(quotes.approvals_waiting(session, limit=_MOST))
    calls = len(trial_reading.follow_ups_due(session, today(), limit=_MOST))
    places = (
        (approvals, "quote waits", "quotes wait", "for approval", "/desk/quotes/approvals"),
        (parking.count(session), "account is", "accounts are", "parked", "/desk/parked"),
        (states.waiting(session), "service waits", "services wait", "to be connected", _ORDERED),
        (calls, "person to call", "people to call", "about their trial", "/desk/trials/follow-ups"),
    )
    return [
        {
            "text": f"{_many(count)} {one if count == 1 else many} {what}",
            "href": href,
            "state": State("wait", "Waiting"),
        }
        for count, one, many, what, href in places
        if count
    ]


def _many(count: int) -> str:
    return str(count) if count < _MOST else f"{_MOST} or more"
