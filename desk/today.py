"""Today's page: what came in, and what wants a hand."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint
from sqlalchemy.orm import Session

from cart.quotes import reading as quotes
from core.kernel import db, job_reading
from core.kernel.money import total
from core.orders import following, held, provisioning
from core.orders import reading as orders
from core.parties.roles import ANY_ROLE
from core.subscriptions import reading as services
from core.subscriptions import trial_reading as trials
from desk import shown
from invoices.billing import parking
from invoices.disputes import reading as disputes
from payments import chargebacks
from payments import reading as payments
from payments.dunning import reading as past_due
from web.access import Who, allow
from web.context import channel, house, today
from web.documents import State
from web.filters import date_words, sign
from web.login import Person, person
from web.pages import page

today_ = Blueprint("desk_today", __name__, url_prefix="/desk", template_folder="templates")
_SHOWN = 10
#: What waits for people, in the order of ``_todo``: one, many, and where it stands.
_TODO = (
    ("account is parked, and not billed", "accounts are parked, and not billed", "/desk/parked"),
    (
        "quote is to be approved",
        "quotes are to be approved",
        "/desk/quotes/approvals",
    ),
    (
        "dispute is past its promised day",
        "disputes are past their promised day",
        "/desk/disputes?tab=late",
    ),
    (
        "payment is charged back, and may be answered",
        "payments are charged back, and may be answered",
        "/desk/chargebacks?state=open",
    ),
    (
        "payment may be charged back: its card network warns",
        "payments may be charged back: their card networks warn",
        "/desk/chargebacks?state=warned",
    ),
    (
        "order is held, to be checked",
        "orders are held, to be checked",
        "/desk/to-check?state=waiting",
    ),
    ("account is past due", "accounts are past due", "/desk/past-due"),
    ("dispute is open", "disputes are open", "/desk/disputes?tab=open"),
    (
        "dispute waits for a second person",
        "disputes wait for a second person",
        "/desk/disputes?tab=waiting",
    ),
    (
        "customer asks to return something",
        "customers ask to return something",
        "/desk/returns?state=asked",
    ),
    ("call about a trial", "calls about trials", "/desk/trials/follow-ups"),
    ("service is to be connected", "services are to be connected", "/desk/services?state=ordered"),
    (
        "service was not begun by the system",
        "services were not begun by the system",
        "/desk/provisioning?state=failed",
    ),
)


@today_.get("")
@allow(Who.STAFF, roles=ANY_ROLE)
def show() -> str:
    """Today's orders and what did not go through by itself."""
    morning = datetime.combine(today(), time(), ZoneInfo(channel()[0].time_zone))
    with house().db.snapshot() as session:
        rows = orders.listing(session, state="confirmed", since=morning, limit=500)
        lines = orders.lines_by_order(session, [order.id for order, _ in rows[:_SHOWN]])
        asked, *todo = _todo(session)
        waiting = _people_wait(todo) + _troubles(session)
        counts = job_reading.counts(session)
    me = person()
    assert me is not None
    drawn = [shown.order_row(order, who, lines.get(order.id, [])) for order, who in rows]
    currency = channel()[0].currency
    sums = total((row["worth"] for row in drawn if row["worth"].currency == currency), currency)
    return page(
        "desk/today.html",
        day_words=date_words(today()),
        figures=_theirs(me, _figures(rows, sign(sums), asked, counts)),
        sees_orders=me.may_open("/desk/orders"),
        orders=drawn[:_SHOWN],
        waiting=_theirs(me, waiting),
    )


def _theirs(me: Person, links: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What somebody's roles are for."""
    return [link for link in links if me.may_open(link["href"])]


def _figures(
    rows: Sequence[Any], sums: str, asked: int, counts: dict[str, int]
) -> list[dict[str, Any]]:
    return [
        {
            "label": "Orders today",
            "value": str(len(rows)),
            "note": sums,
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
    ]


def _todo(session: Session) -> list[int]:
    """How many quotes wait for an answer, and how much there is of what ``_TODO`` names."""
    return db.counts(
        session,
        quotes.waiting(house().clock.now()),
        parking.open_ones(),
        quotes.to_approve(),
        disputes.late(today()),
        chargebacks.to_answer(),
        chargebacks.warned_of(),
        held.to_check(),
        past_due.open_ones(),
        disputes.standing(),
        disputes.to_second(),
        following.asked_for(),
        trials.calls_due(today()),
        services.to_connect(),
        provisioning.to_see_to(),
    )


def _troubles(session: Session) -> list[dict[str, Any]]:
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
    dead = session.scalars(job_reading.listing(state="dead").limit(_SHOWN)).all()
    found += [
        {
            "text": f"{row.handler or row.name} failed {row.attempts} times",
            "href": f"/desk/jobs/{row.id}",
            "state": State("bad", "Failed"),
        }
        for row in dead
    ]
    return found


def _people_wait(todo: Sequence[int]) -> list[dict[str, Any]]:
    """What somebody at the desk is to do; the most urgent first."""
    return [
        {
            "text": f"{count} {one if count == 1 else many}",
            "href": href,
            "state": State("wait", "Waits for somebody"),
        }
        for count, (one, many, href) in zip(todo, _TODO, strict=True)
        if count
    ]
