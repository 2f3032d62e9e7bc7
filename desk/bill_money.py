"""The money on one bill: taken back, moved, contested or given up; and the list of what shall be given up."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, redirect, request
from flask import Response as FileResponse
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import Form

from core.kernel import sheet
from core.kernel.errors import NotFound, ShopError
from core.kernel.money import Money
from core.kernel.sorting import Place
from core.ledger import contested, items, reversals, writeoffs
from core.ledger.items import Open
from core.ledger.writeoffs import WriteOff
from core.parties import users
from core.parties.models import Account
from core.parties.roles import Role
from desk import lists
from desk.lists import Choice, Listing
from desk.money import TABS, actor
from desk.money_forms import AmountForm, MoveForm, WriteOffForm
from flows import correct_payment, keep_books
from invoices import reading
from web.access import Who, after_a_code, allow
from web.context import channel, house
from web.documents import State
from web.filters import sign
from web.flashes import say
from web.pages import page

bill_money = Blueprint("desk_bill_money", __name__, url_prefix="/desk", template_folder="templates")
STATES = {
    "requested": State("wait", "Waits"),
    "approved": State("go", "Approved"),
    "declined": State("bad", "Declined"),
}
LISTED = Listing(
    "/desk/write-offs",
    "write-off",
    writeoffs.SORTS,
    "-asked",
    (Choice("state", "State", [(key, one.text) for key, one in STATES.items()], is_tabs=True),),
    head=("bill", "currency", "amount", "why", "asked_by", "asked", "decided_by", "state"),
)
#: Two forms of the page ask for an amount.
_OFF = "off-"
_WAYS = {
    "payment": "Payment",
    "transfer": "Bank transfer",
    "credit_memo": "Credit memo",
    "settlement": "Settled elsewhere",
    "write_off": "Written off",
    "chargeback": "Charged back",
    "exchange": "Exchanged credit",
}


@bill_money.get("/invoices/<public_id>/money")
@allow(Who.STAFF, roles=(Role.BILLING,))
def show(public_id: str) -> str:
    """What is open and contested of it, and what was applied."""
    return _show(public_id, AmountForm(), WriteOffForm(prefix=_OFF), MoveForm())


@bill_money.post("/invoices/<public_id>/contest")
@allow(Who.STAFF, roles=(Role.BILLING,))
def contest(public_id: str) -> str | Response | tuple[str, int]:
    """So much of it is disputed."""
    form, currency = AmountForm(request.form), _currency(public_id)
    amount = form.money(currency) if form.validate() else None
    if amount is not None:
        try:
            correct_payment.contest(house(), public_id, amount, actor())
            say(f"{sign(amount)} of it rests until the dispute is over.")
            return _back(public_id)
        except ShopError as error:
            form.amount.errors = [str(error)]
    return _show(public_id, form, WriteOffForm(prefix=_OFF), MoveForm()), 422


@bill_money.post("/invoices/<public_id>/contest/end")
@allow(Who.STAFF, roles=(Role.BILLING,))
def end_contest(public_id: str) -> Response:
    """It is disputed no more."""
    correct_payment.settle_contest(house(), public_id, actor())
    say("Nothing of it is contested by the desk any more.")
    return _back(public_id)


@bill_money.post("/invoices/<public_id>/applied/<uuid:key>/undo")
@allow(Who.STAFF, roles=(Role.BILLING,))
def undo(public_id: str, key: uuid.UUID) -> Response:
    """Take back what was applied, or given up."""
    correct_payment.undo(house(), public_id, key, actor())
    say("It is taken back; this bill is owed again.", "warn")
    return _back(public_id)


@bill_money.post("/invoices/<public_id>/applied/<uuid:key>/move")
@allow(Who.STAFF, roles=(Role.BILLING,))
def move(public_id: str, key: uuid.UUID) -> str | Response | tuple[str, int]:
    """Apply it to another bill instead."""
    form = MoveForm(request.form)
    if form.validate():
        try:
            number = str(form.number.data).strip()
            correct_payment.move(house(), public_id, key, number, actor())
            say(f"It went to bill {number}.")
            return _back(public_id)
        except ShopError as error:
            form.number.errors = [str(error)]
    return _show(public_id, AmountForm(), WriteOffForm(prefix=_OFF), form, str(key)), 422


@bill_money.post("/invoices/<public_id>/write-off")
@allow(Who.STAFF, roles=(Role.BILLING,))
@after_a_code
def ask(public_id: str) -> str | Response | tuple[str, int]:
    """Ask somebody else to give it up."""
    form, currency = WriteOffForm(request.form, prefix=_OFF), _currency(public_id)
    amount = form.money(currency) if form.validate() else None
    if amount is not None:
        try:
            reason = str(form.reason.data)
            correct_payment.ask_write_off(house(), public_id, amount, reason, actor())
            say("Somebody else has to agree now.")
            return redirect("/desk/write-offs", 303)
        except ShopError as error:
            form.amount.errors = [str(error)]
    return _show(public_id, AmountForm(), form, MoveForm()), 422


def _back(public_id: str) -> Response:
    return redirect(f"/desk/invoices/{public_id}/money", 303)


def _currency(public_id: str) -> str:
    with house().db.reading() as session:
        return reading.one(session, public_id).currency


def _show(public_id: str, contest_: Form, write_off: Form, move_: Form, moving: str = "") -> str:
    with house().db.snapshot() as session:
        invoice = reading.one(session, public_id)
        account = session.get_one(Account, invoice.payer_account_id)
        item = items.of_sources(session, [invoice.id]).get(invoice.id)
        if item is None:
            raise NotFound("open amount")
        applied = reversals.of_bill(session, item)
        notes = [row for row in contested.of_item(session, item.id) if row.source_kind == "note"]
    return page(
        "desk/bill_money.html",
        number=invoice.number,
        public_id=public_id,
        customer=account.name,
        account_href=f"/desk/money/accounts/{account.public_id}",
        item=item,
        is_bill=item.side == "debit",
        applied=[
            {
                "id": str(one.row.id),
                "what": _WAYS.get(one.row.source_kind, one.row.source_kind),
                "on": one.row.effective_date,
                "left": one.left,
                "undo": f"/desk/invoices/{public_id}/applied/{one.row.id}/undo"
                if reversals.can_undo(one) or writeoffs.can_undo(one)
                else "",
                "move": f"/desk/invoices/{public_id}/applied/{one.row.id}/move"
                if reversals.can_undo(one)
                else "",
            }
            for one in applied
        ],
        contested_here=bool(notes),
        contest=contest_,
        write_off=write_off,
        move=move_,
        moving=moving,
    )


# --- what shall be given up -----------------------------------------------------------------------


@bill_money.get("/write-offs")
@allow(Who.STAFF, roles=(Role.BILLING,))
def listed() -> str:
    """What waits for a second person, and what was decided."""
    return _list(AmountForm())


@bill_money.post("/write-offs/allowance")
@allow(Who.STAFF, roles=(Role.BILLING,))
def allow_more() -> str | Response | tuple[str, int]:
    """Expect so much bad debt."""
    form, entity = AmountForm(request.form), channel()[1]
    amount = form.money(entity.functional_currency) if form.validate() else None
    if amount is None:
        return _list(form), 422
    keep_books.make_allowance(house(), entity.id, amount, actor(), form.once.data or "")
    say(f"{sign(amount)} more is allowed for bad debt.")
    return redirect("/desk/write-offs", 303)


@bill_money.post("/write-offs/<uuid:write_off_id>/approve")
@allow(Who.STAFF, roles=(Role.BILLING,))
@after_a_code
def approve(write_off_id: uuid.UUID) -> Response:
    """Agree."""
    return _decided(write_off_id, True, "It is written off.")


@bill_money.post("/write-offs/<uuid:write_off_id>/decline")
@allow(Who.STAFF, roles=(Role.BILLING,))
def decline(write_off_id: uuid.UUID) -> Response:
    """Disagree."""
    return _decided(write_off_id, False, "It stays owed.")


def _decided(write_off_id: uuid.UUID, approved: bool, words: str) -> Response:
    correct_payment.decide_write_off(house(), write_off_id, approved, actor())
    say(words)
    return redirect("/desk/write-offs", 303)


def _list(form: AmountForm) -> str:
    asked, entity = LISTED.asked(), channel()[1]
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
        drawn = _drawn(session, rows)
        left = writeoffs.allowance(session, entity.id, entity.functional_currency)
    states = LISTED.tabs("state", asked, None)
    return page(
        "desk/write_offs.html",
        tabs_=TABS,
        current_tab="/desk/write-offs",
        states=states["tabs_"],
        current_state=states["current_tab"],
        rows=drawn,
        allowance=left,
        form=form,
        **context,
    )


@bill_money.get("/write-offs.csv")
@allow(Who.STAFF, roles=(Role.BILLING,))
def export() -> FileResponse:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, _cells)


def _found(session: Session, asked: lists.Asked, place: Place, limit: int) -> list[WriteOff]:
    return writeoffs.listing(session, state=asked["state"], place=place, limit=limit)


def _cells(session: Session, rows: Sequence[WriteOff]) -> Iterator[list[sheet.Cell]]:
    for one in _drawn(session, rows):
        yield [
            sheet.code(one["number"]),
            sheet.code(one["amount"].currency),
            sheet.amount(one["amount"]),
            sheet.words(one["reason"]),
            sheet.words(one["asked_by"]),
            sheet.moment(one["asked_at"]),
            sheet.words(one["decided_by"]),
            sheet.words(one["state"].text),
        ]


def _drawn(session: Session, rows: Sequence[WriteOff]) -> list[dict[str, Any]]:
    found: dict[uuid.UUID, Open] = {
        one.id: one for one in items.some(session, [row.item_id for row in rows])
    }
    bills = {
        row.id: row for row in reading.some(session, [one.source_id for one in found.values()])
    }
    acted = [who for row in rows for who in (row.requested_by, row.decided_by) if who]
    names, me = users.names(session, acted), actor()

    def drawn(row: WriteOff) -> dict[str, Any]:
        item = found[row.item_id]
        bill = bills.get(item.source_id)
        waits = row.state == "requested"
        return {
            "number": item.number,
            "href": f"/desk/invoices/{bill.public_id}/money" if bill else "",
            "amount": Money(row.amount_minor, row.currency),
            "reason": row.reason,
            "asked_by": names.get(row.requested_by, row.requested_by),
            "asked_at": row.requested_at,
            "decided_by": names.get(row.decided_by or "", row.decided_by or ""),
            "state": STATES[row.state],
            "mine": waits and row.requested_by == me,
            "approve": f"/desk/write-offs/{row.id}/approve" if waits else "",
            "decline": f"/desk/write-offs/{row.id}/decline" if waits else "",
        }

    return [drawn(row) for row in rows]
