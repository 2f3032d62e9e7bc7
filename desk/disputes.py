"""Disputes at the desk: the list with what is late in front, and its CSV."""

from datetime import date
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from core.kernel import sheet
from core.kernel.money import Money
from core.kernel.sorting import Place
from core.parties.roles import Role
from desk.lists import Asked, Choice, Listing
from invoices.disputes import reading
from invoices.disputes.reading import Filter, Row
from web import disputes as words
from web.access import Who, allow
from web.context import house, today
from web.documents import State
from web.pages import page

disputes = Blueprint(
    "desk_disputes", __name__, url_prefix="/desk/disputes", template_folder="templates"
)
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
LISTED = Listing(
    "/desk/disputes",
    "dispute",
    reading.SORTS,
    "-opened",
    (
        Choice("tab", "State", list(TABS.items()), is_tabs=True),
        Choice("reason", "Reason", list(NAMES.items()), "any"),
    ),
    head=(
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
    ),
    file="/desk/disputes/export.csv",
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
    day, asked = today(), _asked()
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
        counts = reading.counts(session, day)
    return page(
        "desk/disputes.html",
        disputes=[_row(row, day) for row in rows],
        **LISTED.tabs("tab", asked, counts, overlap=True),
        **context,
    )


def _asked() -> Asked:
    """Of what is to be answered, the one promised first is in front; else the last opened."""
    waits = request.args.get("tab") in ("open", "late", "waiting")
    return LISTED.asked(by="answer" if waits else "")


def _found(session: Session, asked: Asked, place: Place, limit: int) -> list[Row]:
    wanted = Filter(tab=asked["tab"], reason=asked["reason"], words=asked.words)
    return reading.listing(session, wanted, today(), place=place, limit=limit)


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


@disputes.get("/export.csv")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def export() -> Response:
    """The list as it is chosen, all of it."""
    return LISTED.csv(_asked(), _found, lambda _, rows: map(_cells, rows))


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
