"""Money that is not at the processor: bank transfers, unknown money, and what is held for an account."""

import uuid
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel.errors import NotFound
from core.kernel.ids import new_public_id
from core.ledger import credits, unidentified
from core.ledger.items import Open
from core.ledger.rates import NoRate
from core.parties import accounts
from core.parties.roles import Role
from desk import lists
from desk.money_forms import AmountForm, IdentifyForm, TransferForm, is_currency
from flows import take_transfer
from flows.take_transfer import Transfer
from web.access import Who, allow
from web.context import channel, house, today
from web.filters import sign
from web.flashes import say
from web.login import person
from web.pages import page

money = Blueprint("desk_money", __name__, url_prefix="/desk", template_folder="templates")
TABS = [
    ("Bank", "/desk/money", None),
    ("Write-offs", "/desk/write-offs", None),
    ("Periods", "/desk/periods", None),
    ("Rates", "/desk/rates", None),
]
_PLACES = {"customer_credit": "Customer credit", "unapplied": "Unapplied"}


def actor() -> str:
    """Who does it, for the audit log."""
    who = person()
    assert who is not None
    return f"user:{who.key}"


@money.get("/money")
@allow(Who.STAFF, roles=(Role.BILLING,))
def bank() -> str:
    """Money that nobody knows, and a form for what came."""
    return _bank(TransferForm(data={"received_on": today(), "currency": channel()[0].currency}))


@money.post("/money")
@allow(Who.STAFF, roles=(Role.BILLING,))
def record() -> str | Response | tuple[str, int]:
    """A transfer came."""
    form, entity = TransferForm(request.form), channel()[1]
    code = (form.currency.data or "").upper()
    if not form.validate() or not is_currency(code):
        return _bank(form), 422
    amount = form.money(code)
    if amount is None or form.received_on.data is None:
        return _bank(form), 422
    if form.received_on.data > today():
        form.received_on.errors = ["This day is yet to come."]
        return _bank(form), 422
    transfer = Transfer(
        form.reference.data or "",
        amount,
        form.received_on.data,
        (form.account.data or "").strip(),
        form.once.data or "",
    )
    try:
        left = take_transfer.record(house(), entity.id, transfer, actor())
    except NotFound:
        form.account.errors = ["There is no account of this number."]
        return _bank(form), 422
    except NoRate as error:
        form.currency.errors = [str(error)]
        return _bank(form), 422
    if left is None:
        say(f"{sign(amount)} is kept until somebody knows whose it is.", "warn")
    else:
        say(f"{sign(amount)} is written down; {sign(left)} of it is unapplied.")
    return redirect("/desk/money", 303)


def _bank(form: TransferForm, problem: str = "", asked: str = "") -> str:
    with house().db.snapshot() as session:
        found = unidentified.still_unknown(session, channel()[1].id, lists.PAGE_SIZE + 1)
    return page(
        "desk/money.html",
        tabs_=TABS,
        current_tab="/desk/money",
        form=form,
        unknown=[_unknown(item) for item in found[: lists.PAGE_SIZE]],
        more=len(found) > lists.PAGE_SIZE,
        problem=problem,
        asked=asked,
    )


def _unknown(item: Open) -> dict[str, Any]:
    return {
        "id": str(item.id),
        "reference": item.number,
        "on": item.effective_date,
        "amount": item.open,
        "action": f"/desk/money/{item.id}/identify",
    }


@money.post("/money/<uuid:item_id>/identify")
@allow(Who.STAFF, roles=(Role.BILLING,))
def identify(item_id: uuid.UUID) -> str | Response | tuple[str, int]:
    """Say whose it is."""
    form = IdentifyForm(request.form)
    number = (form.account.data or "").strip() if form.validate() else ""
    try:
        left = take_transfer.identify(house(), item_id, number, actor())
    except NotFound:
        problem = "There is no account of this number." if number else "Say whose money it is."
        return _bank(TransferForm(), problem, str(item_id)), 422
    say(f"It is account {number}'s; {sign(left)} of it is unapplied.")
    return redirect("/desk/money", 303)


# --- what is held for an account ------------------------------------------------------------------


@money.get("/money/accounts/<public_id>")
@allow(Who.STAFF, roles=(Role.BILLING,))
def held(public_id: str) -> str:
    """Credit and unapplied money of one account, and what it could pay."""
    return _held(public_id)


@money.post("/money/accounts/<public_id>/use")
@allow(Who.STAFF, roles=(Role.BILLING,))
def use(public_id: str) -> Response:
    """Let it pay the oldest bills."""
    with house().db.reading() as session:
        account = accounts.by_public_id(session, public_id)
    count = take_transfer.use_credit(house(), account.id, actor())
    say(f"{count} bill{'s' if count != 1 else ''} paid from what was held.", "good")
    return redirect(f"/desk/money/accounts/{public_id}", 303)


@money.post("/money/accounts/<public_id>/pay-out/<uuid:item_id>")
@allow(Who.STAFF, roles=(Role.BILLING,))
def pay_out(public_id: str, item_id: uuid.UUID) -> str | Response | tuple[str, int]:
    """Send some of it back from the bank."""
    form = AmountForm(request.form)
    with house().db.reading() as session:
        account = accounts.by_public_id(session, public_id)
        item = next((one for one in credits.free(session, account.id) if one.id == item_id), None)
    if item is None:
        raise NotFound("credit")
    amount = form.money(item.open.currency) if form.validate() else None
    if amount is None or amount > item.open:
        problem = f"At most {sign(item.open)} can go back." if amount else "Say how much."
        return _held(public_id, problem, str(item_id)), 422
    named = form.once.data or ""
    take_transfer.pay_out(house(), account.id, item_id, amount, actor(), named)
    say(f"{sign(amount)} is written down as paid back from the bank.")
    return redirect(f"/desk/money/accounts/{public_id}", 303)


def _held(public_id: str, problem: str = "", asked: str = "") -> str:
    with house().db.snapshot() as session:
        account = accounts.by_public_id(session, public_id)
        found = credits.free(session, account.id)
        bills = credits.payable(session, account.id)
    return page(
        "desk/money_account.html",
        account=account,
        once=new_public_id(),
        held=[
            {
                "id": str(item.id),
                "number": item.number,
                "what": _PLACES.get(item.ledger_code, item.ledger_code),
                "on": item.effective_date,
                "open": item.open,
                "action": f"/desk/money/accounts/{public_id}/pay-out/{item.id}",
            }
            for item in found[: lists.PAGE_SIZE]
        ],
        bills=[
            {"number": item.number, "due": item.due_date, "open": item.uncontested}
            for item in bills[: lists.PAGE_SIZE]
        ],
        use_action=f"/desk/money/accounts/{public_id}/use" if found and bills else "",
        problem=problem,
        asked=asked,
    )
