"""Certificates of exemption: the list, those about to end, entering one and revoking it."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, redirect, request
from flask import Response as FileResponse
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.kernel import sheet
from core.kernel.errors import Invalid, NotFound, ShopError
from core.kernel.sorting import Place
from core.parties import accounts
from core.parties.models import Account
from core.parties.roles import Role
from core.tax import exemptions, rates
from core.tax.exemptions import Listed
from desk import lists, shown
from desk.lists import Choice, Listing
from desk.tax_forms import ExemptionForm, RevokeForm
from desk.taxes import TABS, actor
from web.access import Who, allow
from web.context import house, today
from web.documents import State
from web.flashes import say
from web.pages import page, show_errors

certificates = Blueprint(
    "desk_certificates", __name__, url_prefix="/desk/tax", template_folder="templates"
)
_STATES = {
    "holding": State("go", "Holds"),
    "ending": State("wait", "Ends soon"),
    "later": State("wait", "Later"),
    "ended": State("", "Ended"),
    "revoked": State("bad", "Revoked"),
}
LISTED = Listing(
    "/desk/tax/certificates",
    "certificate",
    exemptions.SORTS,
    "-from",
    (
        Choice(
            "state",
            "State",
            [
                ("ending", "ending soon"),
                ("holding", "holding"),
                ("ended", "ended"),
                ("revoked", "revoked"),
            ],
        ),
    ),
    head=(
        "certificate",
        "customer",
        "account",
        "places",
        "on",
        "from",
        "taxed_again_from",
        "state",
    ),
)


@certificates.get("/certificates")
@allow(Who.STAFF, roles=(Role.BILLING,))
def listed() -> str:
    """Certificates, the newest first."""
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
        ending = exemptions.listing(session, today(), state="ending", limit=lists.PAGE_SIZE)
    return page(
        "desk/certificates.html",
        tabs_=TABS,
        current_tab="/desk/tax/certificates",
        certificates=[_row(one) for one in rows],
        ending=len(ending),
        ending_shown=asked["state"] == "ending",
        **context,
    )


@certificates.get("/certificates.csv")
@allow(Who.STAFF, roles=(Role.BILLING,))
def export() -> FileResponse:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: map(_cells, rows))


def _found(session: Session, asked: lists.Asked, place: Place, limit: int) -> Sequence[Listed]:
    return exemptions.listing(
        session, today(), state=asked["state"], words=asked.words, place=place, limit=limit
    )


def _cells(one: Listed) -> list[sheet.Cell]:
    drawn = _row(one)
    return [
        sheet.words(drawn["number"]),
        sheet.words(drawn["customer"]),
        sheet.code(drawn["account_number"]),
        sheet.words(drawn["places"]),
        sheet.words(drawn["categories"]),
        sheet.day(drawn["first"]),
        sheet.day(drawn["ends_on"]),
        sheet.words(drawn["state"].text),
    ]


def _row(one: Listed) -> dict[str, Any]:
    row = one.exemption
    return {
        "number": row.certificate_number,
        "href": f"/desk/tax/certificates/{row.public_id}",
        "customer": one.account.name,
        "account_number": one.account.number,
        "places": ", ".join(row.jurisdictions) or "everywhere",
        "categories": ", ".join(row.categories) or "everything",
        "first": row.valid_from,
        "ends_on": row.ends_on,
        "state": _STATES[one.state(today())],
    }


@certificates.get("/new-certificate")
@allow(Who.STAFF, roles=(Role.BILLING,))
def new() -> str:
    """The form for another one."""
    data = {"valid_from": today(), "account": request.args.get("account", "")[:20]}
    return _form(ExemptionForm(data=data))


@certificates.post("/certificates")
@allow(Who.STAFF, roles=(Role.BILLING,))
def enter() -> str | Response | tuple[str, int]:
    """Write it down."""
    form = ExemptionForm(request.form)
    account = _offered(form)
    if not form.validate() or account is None:
        if account is None and form.account.data:
            show_errors(form, Invalid({"account": "There is no account with this number."}))
        return _form(form), 422
    wanted = form.wanted(account.id)

    def write(session: Session) -> str:
        row = exemptions.enter(session, wanted, actor(), house().clock.now())
        return row.public_id

    try:
        public_id = house().db.run_tx(write)
    except Invalid as error:
        show_errors(form, error)
        return _form(form), 422
    say(f"The certificate of {account.name} holds from {wanted.valid_from:%B %-d, %Y}.")
    return redirect(f"/desk/tax/certificates/{public_id}", 303)


def _offered(form: ExemptionForm) -> Account | None:
    """Give the form its choices; whose certificate it is."""
    with house().db.reading() as session:
        form.offer(rates.jurisdictions(session), rates.categories(session))
        try:
            return accounts.by_number(session, form.account.data or "")
        except NotFound:
            return None


def _form(form: ExemptionForm) -> str:
    _offered(form)
    return page("desk/certificate_new.html", form=form)


@certificates.get("/certificates/<public_id>")
@allow(Who.STAFF, roles=(Role.BILLING,))
def one(public_id: str) -> str:
    """One certificate, and a way to revoke it."""
    return _one(public_id, RevokeForm())


@certificates.post("/certificates/<public_id>/revoke")
@allow(Who.STAFF, roles=(Role.BILLING,))
def revoke(public_id: str) -> str | Response | tuple[str, int]:
    """From now on tax is charged again."""
    form = RevokeForm(request.form)

    def write(session: Session) -> None:
        row = exemptions.one(session, public_id).exemption
        exemptions.revoke(session, row, form.reason.data or "", actor(), house().clock.now())

    try:
        house().db.run_tx(write)
    except Invalid as error:
        show_errors(form, error)
        return _one(public_id, form), 422
    except NotFound:
        raise
    except ShopError as error:
        say(str(error), "warn")
    else:
        say("Revoked: tax is charged again from now on.")
    return redirect(f"/desk/tax/certificates/{public_id}", 303)


def _one(public_id: str, form: RevokeForm) -> str:
    with house().db.snapshot() as session:
        found = exemptions.one(session, public_id)
    row, end = found.exemption, found.end
    return page(
        "desk/certificate.html",
        certificate=_row(found),
        facts=[
            ("Account", f"{found.account.name}, {found.account.number}"),
            ("Places", ", ".join(row.jurisdictions) or "everywhere"),
            ("Categories", ", ".join(row.categories) or "everything"),
            ("Paper", row.file_reference or "not told"),
            *([("Why revoked", end.reason)] if end is not None else []),
        ],
        events=shown.moments(
            ("Revoked", end.revoked_at if end is not None else None),
            ("Entered", row.entered_at),
        ),
        form=form,
        action=f"/desk/tax/certificates/{public_id}/revoke",
        may_revoke=end is None,
    )
