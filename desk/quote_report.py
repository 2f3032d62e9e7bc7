"""The report on quotes: won and lost by month and by owner, reasons, and how quickly we answered."""

from datetime import date, timedelta
from typing import Any

from flask import Blueprint

from cart.quotes import report
from core.parties.roles import Role
from desk import lists, quote_shown
from desk.quotes import PARTS
from web.access import Who, allow
from web.context import channel, house, today
from web.pages import page

quote_report = Blueprint(
    "desk_quote_report", __name__, url_prefix="/desk/quotes", template_folder="templates"
)


@quote_report.get("/report")
@allow(Who.STAFF, roles=(Role.SALES,))
def show() -> str:
    """How quotes ended, over the last months."""
    months = lists.chosen("months", ("3", "6", "12", "24")) or "12"
    since = _months_ago(int(months))
    currency, zone = channel()[0].currency, channel()[0].time_zone
    with house().db.snapshot() as session:
        found = report.read(session, currency, since, zone, house().clock.now())
    return page(
        "desk/quote_report.html",
        parts=PARTS,
        months_=months,
        months=[_tally(one, _month_words(one.label)) for one in found.months],
        owners=[_tally(one, one.label or "Nobody") for one in found.owners],
        whole=_tally(found.whole, "Together"),
        reasons=[
            (quote_shown.reason(code).capitalize(), count, worth)
            for code, count, worth in found.reasons
        ],
    )


def _months_ago(count: int) -> date:
    first = today().replace(day=1)
    for _ in range(count - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    return first


def _month_words(label: str) -> str:
    return f"{date.fromisoformat(f'{label}-01'):%B %Y}"


def _tally(one: report.Tally, words: str) -> dict[str, Any]:
    wait = one.usual_wait
    return {
        "label": words,
        "asked": one.asked,
        "won": one.won,
        "lost": one.lost,
        "expired": one.expired,
        "open": one.open,
        "rate": quote_shown.percent(one.win_ppm),
        "won_value": one.won_value,
        "lost_value": one.lost_value,
        "wait": quote_shown.age(wait) if wait is not None else "",
    }
