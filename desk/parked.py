"""Parked accounts: why they are not billed, letting them go, and billing them again."""

from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel.errors import ShopError
from core.parties.models import Account
from core.parties.roles import Role
from desk import lists, shown
from desk.bill_run_forms import ReleaseForm
from desk.bill_runs import reason
from desk.money import actor
from flows import release_parked
from invoices.billing import parking
from invoices.billing.models import BillParking
from web import paging
from web.access import Who, allow
from web.context import house
from web.documents import State
from web.filters import date_full
from web.flashes import say
from web.pages import page

parked = Blueprint("desk_parked", __name__, url_prefix="/desk", template_folder="templates")
BASE = "/desk/parked"
TABS = [("Parked", BASE, None), ("Let go", f"{BASE}?state=released", None)]


@parked.get("/parked")
@allow(Who.STAFF, roles=(Role.BILLING,))
def listed() -> str:
    """Parked accounts, the last first; or those that were let go."""
    state = lists.chosen("state", ("released",))
    before = paging.read_moment(request.args.get("before"))
    with house().db.snapshot() as session:
        found = parking.listing(
            session, is_open=not state, before=before, limit=lists.PAGE_SIZE + 1
        )
    rows = found[: lists.PAGE_SIZE]
    last = rows[-1][0] if len(found) > lists.PAGE_SIZE else None
    following = paging.write(last.parked_at, last.id) if last is not None else None
    return page(
        "desk/parked.html",
        rows=[_row(row, account) for row, account in rows],
        tabs_=TABS,
        current_tab=lists.address(BASE, state=state),
        **lists.shown(BASE, following, len(rows), "account", state=state),
    )


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
