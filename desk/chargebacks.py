"""Chargebacks at the desk: what card networks take back, until when we may answer, and how it ended."""

from typing import Any

from flask import Blueprint, request

from core.kernel.money import Money
from core.parties.models import Account
from core.parties.roles import Role
from desk import lists
from payments import chargebacks as room
from payments.chargebacks import ChargebackRow
from payments.models import Payment
from web import paging
from web.access import Who, allow
from web.context import house
from web.documents import State
from web.pages import page

chargebacks = Blueprint(
    "desk_chargebacks", __name__, url_prefix="/desk/chargebacks", template_folder="templates"
)
TABS = {
    "open": "With the network",
    "warned": "Warned of",
    "won": "Won",
    "lost": "Lost",
    "ended": "Ended",
}
STATES = {
    "open": State("wait", "With the network"),
    "warned": State("wait", "Warned of"),
    "won": State("go", "Won"),
    "lost": State("bad", "Lost"),
    "ended": State("", "Ended"),
}


def state_of(row: ChargebackRow) -> State:
    """In the desk's words: does it wait for us, or for the network?"""
    if row.state == "open" and row.answered_at is None:
        return State("wait", "To answer")
    return STATES[row.state]


@chargebacks.get("")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def listed() -> str:
    """Chargebacks, the last opened first."""
    state = lists.chosen("state", room.TABS)
    before = paging.read_moment(request.args.get("before"))
    with house().db.reading() as session:
        found = room.listing(session, state=state, before=before, limit=lists.PAGE_SIZE + 1)
    rows = found[: lists.PAGE_SIZE]
    more = len(found) > lists.PAGE_SIZE
    following = paging.write(rows[-1][0].opened_at, rows[-1][0].id) if more else None
    tabs = [("All", "/desk/chargebacks", None)]
    return page(
        "desk/chargebacks.html",
        chargebacks=[_row(*row) for row in rows],
        tabs_=tabs + [(text, f"/desk/chargebacks?state={one}", None) for one, text in TABS.items()],
        current_tab=lists.address("/desk/chargebacks", state=state),
        **lists.shown("/desk/chargebacks", following, len(rows), "chargeback", state=state),
    )


def _row(row: ChargebackRow, payment: Payment, account: Account) -> dict[str, Any]:
    return {
        "payment": payment.number,
        "href": f"/desk/chargebacks/{row.public_id}",
        "instrument": payment.instrument,
        "customer": account.name,
        "account_href": f"/desk/ledger/accounts/{account.public_id}",
        "reason": row.reason.replace("_", " "),
        "state": state_of(row),
        "trouble": row.trouble,
        "evidence_due": row.evidence_due if row.state in ("open", "warned") else None,
        "opened": row.opened_at,
        "amount": room.amount_of(row),
        "fee": Money(row.fee_minor - row.fee_back_minor, row.currency),
    }
