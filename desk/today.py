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
from core.subscriptions import reading as services
from core.subscriptions import trial_reading as trials
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
    found = _people_wait(session)
    found += [
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
    return found


def _people_wait(session: Session) -> list[dict[str, Any]]:
    """What somebody at the desk is to do today; the most urgent first."""
    limit = _SHOWN + 1
    lists = (
        (
            "account",
            "parked: not billed",
            "/desk/parked",
            len(parking.listing(session, limit=limit)),
        ),
        (
            "quote",
            "to be approved by a second person",
            "/desk/quotes/approvals",
            len(quotes.approvals_waiting(session, limit=limit)),
        ),
        (
            "call",
            "to make to who tries something",
            "/desk/trials/follow-ups",
            len(trials.follow_ups_due(session, today(), limit=limit)),
        ),
        (
            "service",
            "to be connected",
            "/desk/services?state=ordered",
            services.counts(session).get("ordered", 0),
        ),
    )
    return [
        {
            "text": f"{_counted(count, what)} {wanted}",
            "href": href,
            "state": State("wait", "Waits for somebody"),
        }
        for what, wanted, href, count in lists
        if count
    ]


def _counted(count: int, what: str) -> str:
    if count > _SHOWN:
        return f"More than {_SHOWN} {what}s"
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
