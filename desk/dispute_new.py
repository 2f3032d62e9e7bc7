"""Somebody on the phone says that a line of their bill is wrong: staff open the dispute for them.

They get the same mails as if they had opened it themselves; whoever opened it does not answer it.
"""

from collections.abc import Sequence

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel.errors import Invalid
from core.ledger import items
from core.parties.models import Account
from core.parties.roles import Role
from flows import open_dispute
from flows.open_dispute import Author
from invoices import reading
from invoices.disputes import opening
from invoices.disputes.refusals import DisputedAlready, DisputeRefused
from web import dispute_form
from web.access import Who, allow, takes
from web.context import house
from web.dispute_form import DisputeForm, Found
from web.disputes import LARGEST
from web.flashes import say
from web.login import person

dispute_new = Blueprint(
    "desk_dispute_new", __name__, url_prefix="/desk/invoices", template_folder="templates"
)
_ROLES = (Role.BILLING, Role.SUPPORT)


def _author() -> Author:
    who = person()
    assert who is not None
    return Author("staff", who.name or who.email, f"user:{who.key}", who.key)


def _line(public_id: str, number: int) -> tuple[Found, Account]:
    with house().db.snapshot() as session:
        invoice = reading.one(session, public_id)
        line = dispute_form.one_of(opening.disputable(session, invoice), number)
        item = items.of_sources(session, [invoice.id]).get(invoice.id)
        return (invoice, line, item), session.get_one(Account, invoice.payer_account_id)


def _asking(found: tuple[Found, Account], form: DisputeForm, problems: Sequence[str] = ()) -> str:
    (invoice, _, _), account = found
    form.text.label.text, form.wish.label.text = (
        "In their words",
        "If we credit what they have paid",
    )
    form.wish.choices = [("keep", "Keep it for their next bill"), ("refund", "Send it back")]
    href = f"/desk/invoices/{invoice.public_id}"
    return dispute_form.shown(
        "desk/dispute_new.html", found[0], form, href, problems, account=account
    )


@dispute_new.get("/<public_id>/lines/<int:number>/dispute")
@allow(Who.STAFF, roles=_ROLES)
def asking(public_id: str, number: int) -> str:
    """What do they say is wrong?"""
    found = _line(public_id, number)
    return _asking(found, dispute_form.fresh(found[0]))


@dispute_new.post("/<public_id>/lines/<int:number>/dispute")
@allow(Who.STAFF, roles=_ROLES)
@takes(LARGEST)
def dispute(public_id: str, number: int) -> str | Response | tuple[str, int]:
    """Open it for them."""
    form = DisputeForm(request.form)
    found = _line(public_id, number)
    try:
        opened = open_dispute.open_one(house(), form.asked(found[0]), _author(), None)
    except DisputedAlready as error:
        say(str(error), "warn")
        return redirect(f"/desk/disputes/{error.public_id}", 303)
    except (Invalid, DisputeRefused) as error:
        return _asking(found, form, form.explain(error)), 422
    say("It is open, and they are told by mail. Somebody else answers it.")
    return redirect(f"/desk/disputes/{opened}", 303)
