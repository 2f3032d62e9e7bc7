"""Chargebacks at the desk: what card networks take back, until when we may answer, and how it ended."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from core.kernel import sheet
from core.kernel.money import Money
from core.kernel.sorting import Place
from core.parties.models import Account
from core.parties.roles import Role
from desk.lists import Asked, Choice, Listing
from payments import chargebacks as room
from payments.chargebacks import ChargebackRow
from payments.models import Payment
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


LISTED = Listing(
    "/desk/chargebacks",
    "chargeback",
    room.SORTS,
    "-opened",
    (Choice("state", "State", list(TABS.items()), is_tabs=True),),
    head=(
        "payment",
        "customer",
        "account",
        "card",
        "reason",
        "state",
        "evidence_until",
        "opened",
        "currency",
        "amount",
        "fee",
    ),
    file="/desk/chargebacks/export.csv",
)
Found = tuple[ChargebackRow, Payment, Account]


@chargebacks.get("")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def listed() -> str:
    """Chargebacks, the last opened first."""
    asked = LISTED.asked()
    with house().db.reading() as session:
        rows, context = LISTED.page(session, asked, _found)
    return page(
        "desk/chargebacks.html",
        chargebacks=[_row(*row) for row in rows],
        **LISTED.tabs("state", asked, None),
        **context,
    )


@chargebacks.get("/export.csv")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def export() -> Response:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: (_cells(*row) for row in rows))


def _found(session: Session, asked: Asked, place: Place, limit: int) -> Sequence[Found]:
    return room.listing(session, state=asked["state"], words=asked.words, place=place, limit=limit)


def _cells(row: ChargebackRow, payment: Payment, account: Account) -> list[sheet.Cell]:
    drawn = _row(row, payment, account)
    due = drawn["evidence_due"]
    return [
        sheet.code(payment.number),
        sheet.words(account.name),
        sheet.code(account.number),
        sheet.words(payment.instrument),
        sheet.words(drawn["reason"]),
        sheet.words(drawn["state"].text),
        sheet.moment(due) if due is not None else sheet.EMPTY,
        sheet.moment(row.opened_at),
        sheet.code(row.currency),
        sheet.amount(drawn["amount"]),
        sheet.amount(drawn["fee"]),
    ]


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
