"""Disputes at the desk: the list with what is late in front, and its CSV."""

import uuid
from datetime import date
from typing import Any

from flask import Blueprint, Response, request

from core.kernel import sheet
from core.kernel.errors import NotFound
from core.kernel.money import Money
from core.parties.roles import Role
from desk import lists
from invoices.disputes import reading
from invoices.disputes.models import REASONS
from invoices.disputes.reading import Cursor, Filter, Row
from web import disputes as words
from web import paging
from web.access import Who, allow
from web.context import house, today
from web.documents import State
from web.pages import page

disputes = Blueprint(
    "desk_disputes", __name__, url_prefix="/desk/disputes", template_folder="templates"
)
SORTS = ("answer", "-answer", "-opened", "opened", "-amount", "amount")
#: More than this is not put into one file: choose fewer by filters.
MOST_ROWS = 5000
TABS = {
    "open": "To answer",
    "late": "Late",
    "waiting": "For a second person",
    "resolved": "Answered",
    "withdrawn": "Taken back",
}
NAMES = {
    "overcharge": "Overcharge",
    "duplicate": "Billed twice",
    "late_fee": "Late fee",
    "not_received": "Not received",
    "courtesy": "Courtesy",
}
_COLUMNS = (
    "number",
    "state",
    "outcome",
    "reason",
    "customer",
    "account",
    "bill",
    "line",
    "currency",
    "disputed",
    "credited",
    "opened",
    "answer_by",
    "closed",
)


def state_of(row: Row, day: date) -> State:
    """In the desk's words: what somebody has to do, or how it ended."""
    dispute = row.dispute
    if reading.is_late(dispute, day):
        return State("bad", "Late")
    if dispute.state == "waiting":
        return State("wait", "For a second person")
    if dispute.state == "open":
        return State("wait", "To answer")
    if dispute.state == "withdrawn":
        return State("", "Taken back")
    return State("go", f"{words.OUTCOMES[dispute.outcome or 'none'].capitalize()}")


@disputes.get("")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def listed() -> str:
    """Disputes by tab, reason and words, sorted as chosen."""
    day, wanted, sort = today(), _filter(), _sort()
    with house().db.snapshot() as session:
        found = reading.listing(
            session, wanted, day, sort=sort, after=_after(sort), limit=lists.PAGE_SIZE + 1
        )
        counts = reading.counts(session, day)
    rows = found[: lists.PAGE_SIZE]
    more = len(found) > lists.PAGE_SIZE
    following = _cursor(reading.cursor_of(rows[-1].dispute, sort)) if more else None
    kept = {
        "q": wanted.words,
        "tab": wanted.tab,
        "reason": wanted.reason,
        "sort": lists.chosen("sort", SORTS),
    }
    about = lists.shown("/desk/disputes", following, len(rows), "dispute", **kept)
    about["choices"] = [
        {
            "name": "reason",
            "label": "Reason",
            "value": wanted.reason,
            "options": [("", "any"), *NAMES.items()],
        }
    ]
    about["keep"] = {name: kept[name] for name in ("tab", "sort") if kept.get(name)}
    tabs: list[tuple[str, str, int | None]] = [("All", "/desk/disputes", None)]
    return page(
        "desk/disputes.html",
        disputes=[_row(row, day) for row in rows],
        tabs_=tabs + [(text, f"/desk/disputes?tab={t}", counts[t]) for t, text in TABS.items()],
        current_tab=lists.address("/desk/disputes", tab=wanted.tab),
        sort=sort,
        sort_href=lists.address("/desk/disputes", **{**kept, "sort": ""}),
        export=lists.address("/desk/disputes/export.csv", **kept),
        **about,
    )


def _sort() -> str:
    """Of what is to be answered, the one promised first is in front; else the last opened."""
    waits = request.args.get("tab") in ("open", "late", "waiting")
    return lists.chosen("sort", SORTS) or ("answer" if waits else "-opened")


def _filter() -> Filter:
    return Filter(
        tab=lists.chosen("tab", reading.TABS),
        reason=lists.chosen("reason", REASONS),
        words=lists.words(),
    )


def _row(row: Row, day: date) -> dict[str, Any]:
    dispute = row.dispute
    return {
        "number": dispute.number,
        "href": f"/desk/disputes/{dispute.public_id}",
        "customer": row.account.name,
        "bill": row.invoice.number,
        "line": row.line.name,
        "reason": NAMES[dispute.reason],
        "state": state_of(row, day),
        "news": dispute.last_side == "customer" and dispute.last_at > dispute.opened_at,
        "opened": dispute.opened_at,
        "answer_by": dispute.answer_by,
        "late": reading.is_late(dispute, day),
        "amount": words.money(dispute),
    }


def _cursor(after: Cursor) -> str:
    value, key = after
    return f"{value}_{key.hex}" if isinstance(value, int) else paging.write(value, key)


def _after(sort: str) -> Cursor | None:
    text = request.args.get("before")
    if sort.endswith("answer"):
        return paging.read_day(text)
    if not sort.endswith("amount"):
        return paging.read_moment(text)
    if not text:
        return None
    value, _, key = text.rpartition("_")
    try:
        if len(value) < 19:
            return int(value), uuid.UUID(key)
    except ValueError:
        pass
    raise NotFound("page")


@disputes.get("/export.csv")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def export() -> Response:
    """The list with its filters as CSV."""
    sort = _sort()
    with house().db.snapshot() as session:
        found = reading.listing(session, _filter(), today(), sort=sort, limit=MOST_ROWS)
    data = b"".join(sheet.pieces(_COLUMNS, (_cells(row) for row in found)))
    headers = {"Content-Disposition": 'attachment; filename="disputes.csv"'}
    return Response(data, mimetype="text/csv", headers=headers)


def _cells(row: Row) -> list[sheet.Cell]:
    dispute = row.dispute
    return [
        sheet.code(dispute.number),
        sheet.code(dispute.state),
        sheet.code(dispute.outcome or ""),
        sheet.code(dispute.reason),
        sheet.words(row.account.name),
        sheet.code(row.account.number),
        sheet.code(row.invoice.number),
        sheet.words(row.line.name),
        sheet.code(dispute.currency),
        sheet.amount(words.money(dispute)),
        sheet.amount(Money(dispute.credited_minor, dispute.currency)),
        sheet.moment(dispute.opened_at),
        sheet.day(dispute.answer_by),
        sheet.moment(dispute.closed_at) if dispute.closed_at is not None else sheet.EMPTY,
    ]
