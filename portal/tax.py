"""An account's tax details: a VAT id with what its register says, and certificates of exemption."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.kernel.errors import Invalid, NotFound
from core.parties.models import Account
from core.tax import entering, exemptions, register
from core.tax.exemptions import Listed
from core.tax.models import VatCheck
from core.tax.vat_ids import WrongVatId
from flows import taxing
from portal.forms import VatIdForm
from web import limits
from web.access import Who, allow
from web.context import channel, house, today
from web.documents import State
from web.flashes import say
from web.login import person
from web.pages import page, show_errors

tax = Blueprint("portal_tax", __name__, url_prefix="/account", template_folder="templates")
_ANSWERS = {
    "valid": State("go", "Confirmed"),
    "invalid": State("bad", "Not known to the register"),
    "no_answer": State("wait", "The register did not answer"),
}
_STATES = {
    "holding": State("go", "Holds"),
    "ending": State("wait", "Ends soon"),
    "later": State("wait", "Not yet"),
    "ended": State("", "Ended"),
    "revoked": State("bad", "Revoked"),
}


@tax.get("/tax")
@allow(Who.CUSTOMER)
def show() -> str:
    """The details of each account that whoever is logged in owns."""
    return _page()


@tax.post("/tax")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def enter() -> str | Response | tuple[str, int]:
    """Write a VAT id down, or take it away; then ask the register."""
    who, form = person(), VatIdForm(request.form)
    assert who is not None

    def write(session: Session) -> None:
        mine = entering.owned_by(session, who.key)
        account = next((row for row in mine if row.public_id == form.account.data), None)
        if account is None:
            raise NotFound("account")
        typed = form.vat_id.data or ""
        entering.put(session, account, typed, f"user:{who.key}", house().clock.now())

    try:
        house().db.run_tx(write)
    except WrongVatId as error:
        show_errors(form, Invalid({"vat_id": str(error)}))
        return _page(form), 422
    verdict = taxing.ask_register(house(), form.vat_id.data or "")
    if not (form.vat_id.data or "").strip():
        say("Your VAT id is taken away.")
    elif verdict is not None and verdict.outcome != "valid":
        say("Kept. The register does not confirm it now; until it does, VAT is charged.", "warn")
    else:
        say("Your VAT id is kept.")
    return redirect("/account/tax", 303)


def _page(typed: VatIdForm | None = None) -> str:
    who = person()
    assert who is not None
    with house().db.snapshot() as session:
        mine = entering.owned_by(session, who.key)
        checks = {row.id: register.last(session, row.vat_id) for row in mine if row.vat_id}
        held = exemptions.of_accounts(session, [row.id for row in mine])
    return page(
        "portal/tax.html",
        asks=taxing.asks_vat_id(channel()[1].country),
        accounts=[_account(row, checks.get(row.id), held, typed) for row in mine],
    )


def _account(
    row: Account, check: VatCheck | None, held: Sequence[Listed], typed: VatIdForm | None
) -> dict[str, Any]:
    is_typed = typed is not None and typed.account.data == row.public_id
    form = typed if is_typed else VatIdForm(data={"vat_id": row.vat_id, "account": row.public_id})
    assert form is not None
    form.vat_id.id = f"vat_id-{row.number}"  # there may be several on the page
    return {
        "name": row.name,
        "number": row.number,
        "form": form,
        "answer": _ANSWERS[check.outcome] if check is not None else None,
        "asked_at": check.asked_at if check is not None else None,
        "known_as": check.name if check is not None else "",
        "certificates": [
            {
                "number": one.exemption.certificate_number,
                "places": ", ".join(one.exemption.jurisdictions) or "everywhere",
                "categories": ", ".join(one.exemption.categories) or "everything",
                "ends_on": one.exemption.ends_on,
                "state": _STATES[one.state(today())],
            }
            for one in held
            if one.account.id == row.id
        ],
    }
