"""Parked accounts: why they are not billed, letting them go, and billing them again."""

from typing import Any

from flask import Blueprint, redirect, request
from flask import Response as FileResponse
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.kernel import sheet
from core.kernel.errors import ShopError
from core.kernel.sorting import Place
from core.parties.models import Account
from core.parties.roles import Role
from desk import lists, shown
from desk.bill_run_forms import ReleaseForm
from desk.bill_runs import reason
from desk.lists import Choice, Listing
from desk.money import actor
from flows import release_parked
from invoices.billing import parking
from invoices.billing.models import BillParking
from web.access import Who, allow
from web.context import house
from web.documents import State
from web.filters import date_full
from web.flashes import say
from web.pages import page

parked = Blueprint("desk_parked", __name__, url_prefix="/desk", template_folder="templates")
BASE = "/desk/parked"
LISTED = Listing(
    BASE,
    "account",
    parking.SORTS,
    "-parked",
    (Choice("state", "State", [("released", "Let go")], "parked", is_tabs=True),),
    head=("account", "customer", "why", "said", "state", "up_to", "parked"),
    file_name="parked-accounts",
)


@parked.get("/parked")
@allow(Who.STAFF, roles=(Role.BILLING,))
def listed() -> str:
    """Parked accounts, the last first; or those that were let go."""
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
    return page(
        "desk/parked.html",
        rows=[_row(*row) for row in rows],
        **LISTED.tabs("state", asked, None),
        **context,
    )


@parked.get("/parked.csv")
@allow(Who.STAFF, roles=(Role.BILLING,))
def export() -> FileResponse:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: (_cells(*row) for row in rows))


def _found(
    session: Session, asked: lists.Asked, place: Place, limit: int
) -> list[tuple[BillParking, Account]]:
    return parking.listing(
        session, is_open=not asked["state"], words=asked.words, place=place, limit=limit
    )


def _cells(row: BillParking, account: Account) -> list[sheet.Cell]:
    drawn = _row(row, account)
    return [
        sheet.code(account.number),
        sheet.words(account.name),
        sheet.words(drawn["why"]),
        sheet.words(row.detail),
        sheet.words(drawn["state"].text),
        sheet.day(row.as_of),
        sheet.moment(row.parked_at),
    ]


def _row(row: BillParking, account: Account) -> dict[str, Any]:
    return {
        "href": f"{BASE}/{row.public_id}",
        "number": account.number,
        "customer": account.name,
        "why": reason(row.reason),
        "detail": row.detail,
        "as_of": row.as_of,
        "parked_at": row.parked_at,
        "state": State("go", "Let go") if row.released_at else State("bad", "Parked"),
    }


@parked.get("/parked/<public_id>")
@allow(Who.STAFF, roles=(Role.BILLING,))
def one(public_id: str) -> str:
    """Why an account is parked, and a form to let it go."""
    return _show(public_id, ReleaseForm())


@parked.post("/parked/<public_id>/release")
@allow(Who.STAFF, roles=(Role.BILLING,))
def release(public_id: str) -> str | Response | tuple[str, int]:
    """Let it go, with a note, and bill it again."""
    form = ReleaseForm(request.form)
    if not form.validate():
        return _show(public_id, form), 422
    try:
        billed = release_parked.release(house(), public_id, form.note.data or "", actor())
    except ShopError as error:
        say(str(error), "warn")
    else:
        if billed.parked:
            say(f"It cannot be billed yet: {reason(billed.parked).lower()}.", "warn")
        else:
            say("Let go and billed. It is in the next run again.")
    return redirect(BASE, 303)


def _show(public_id: str, form: ReleaseForm) -> str:
    with house().db.snapshot() as session:
        row, account = parking.one(session, public_id)
    return page(
        "desk/parked_account.html",
        parked=_row(row, account),
        facts=[
            ("Account", f"{account.name}, {account.number}"),
            ("Why", reason(row.reason)),
            ("It said", row.detail),
            ("To be billed up to", date_full(row.as_of)),
            *([("Let go because", row.note)] if row.released_at else []),
        ],
        account_href=f"/desk/ledger/accounts/{account.public_id}",
        services_href=lists.address("/desk/services", q=account.number),
        form=form,
        action=f"{BASE}/{public_id}/release",
        is_open=row.released_at is None,
        events=shown.moments(("Parked", row.parked_at), ("Let go", row.released_at)),
    )
