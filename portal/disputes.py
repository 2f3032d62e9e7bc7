"""Disputing a line of a bill, and following where it stands. Only ever those of one's own accounts."""

import uuid
from collections.abc import Sequence

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from core.kernel.errors import Forbidden, Invalid
from core.ledger import items
from flows import open_dispute, refund_memo, talk_about_dispute
from flows.open_dispute import Author
from invoices import reading
from invoices.disputes import opening, talking
from invoices.disputes import reading as disputes_
from invoices.disputes.models import STANDING
from invoices.disputes.reading import Told
from invoices.disputes.refusals import (
    AnsweredBefore,
    DisputeOver,
    DisputeRefused,
    NothingToChoose,
)
from web import dispute_form, limits, paging
from web import disputes as words
from web.access import Who, allow, takes
from web.context import house
from web.dispute_form import DisputeForm, Found
from web.disputes import LARGEST, STATES, MessageForm, sent_files
from web.flashes import say
from web.login import own_accounts, payable_accounts, person
from web.pages import page, show_errors

disputes = Blueprint(
    "portal_disputes", __name__, url_prefix="/account", template_folder="templates"
)
PAGE_SIZE = 25


def _mine() -> Sequence[uuid.UUID]:
    return [row.id for row in own_accounts()]


def _author() -> Author:
    who = person()
    assert who is not None
    return Author("customer", who.name or who.email, f"user:{who.key}", who.key)


@disputes.get("/disputes")
@allow(Who.CUSTOMER)
def listed() -> str:
    """All disputes of theirs, the newest first."""
    before = paging.read_moment(request.args.get("before"))
    with house().db.reading() as session:
        found = disputes_.of_accounts(session, _mine(), before=before, limit=PAGE_SIZE + 1)
    rows = found[:PAGE_SIZE]
    more = len(found) > PAGE_SIZE
    last = rows[-1].dispute if rows else None
    following = paging.write(last.opened_at, last.id) if more and last is not None else None
    return page(
        "portal/disputes.html",
        disputes=[
            {
                "number": row.dispute.number,
                "href": f"/account/disputes/{row.dispute.public_id}",
                "line": row.line.name,
                "bill": row.invoice.number,
                "opened": row.dispute.opened_at,
                "amount": words.money(row.dispute),
                "state": STATES[row.dispute.state],
                "answer_by": row.dispute.answer_by if row.dispute.state in STANDING else None,
                "news": row.dispute.last_side == "staff" and row.dispute.state in STANDING,
            }
            for row in rows
        ],
        page=paging.links("/account/disputes", "before", following, before is None),
    )


# --- opening --------------------------------------------------------------------------------------


def _line(public_id: str, number: int) -> Found:
    """A line that they may dispute. NotFound for any other, Forbidden for who may only look."""
    with house().db.snapshot() as session:
        invoice = reading.one(session, public_id, _mine())
        lines = opening.disputable(session, invoice)
        item = items.of_sources(session, [invoice.id]).get(invoice.id)
    if invoice.payer_account_id not in payable_accounts():
        raise Forbidden
    return invoice, dispute_form.one_of(lines, number), item


def _asking(found: Found, form: DisputeForm, problems: Sequence[str] = ()) -> str:
    href = f"/account/bills/{found[0].public_id}"
    return dispute_form.shown("portal/dispute_new.html", found, form, href, problems)


@disputes.get("/bills/<public_id>/lines/<int:number>/dispute")
@allow(Who.CUSTOMER)
def asking(public_id: str, number: int) -> str:
    """What is wrong with this line? All of it is filled in but the reason why."""
    found = _line(public_id, number)
    return _asking(found, dispute_form.fresh(found))


@disputes.post("/bills/<public_id>/lines/<int:number>/dispute")
@allow(Who.CUSTOMER)
@takes(LARGEST)
@limits.limit("checkout")
def dispute(public_id: str, number: int) -> str | AnyResponse | tuple[str, int]:
    """Open it, and show where it stands."""
    form = DisputeForm(request.form)
    found = _line(public_id, number)
    try:
        opened = open_dispute.open_one(house(), form.asked(found), _author(), _mine())
    except AnsweredBefore as error:
        say(str(error), "warn")
        return redirect(f"/account/disputes/{error.public_id}", 303)
    except (Invalid, DisputeRefused) as error:
        return _asking(found, form, form.explain(error)), 422
    say("We have it, and look at it. A mail is on its way to you.")
    return redirect(f"/account/disputes/{opened}", 303)


# --- one ------------------------------------------------------------------------------------------


def _told(public_id: str) -> Told:
    with house().db.snapshot() as session:
        return disputes_.told(session, disputes_.one(session, public_id, _mine()))


def _may_act(found: Told) -> bool:
    return found.dispute.account_id in payable_accounts()


def _page(found: Told, form: MessageForm | None = None) -> str:
    dispute, base = found.dispute, f"/account/disputes/{found.dispute.public_id}"
    with house().db.snapshot() as session:
        back = refund_memo.possible(session, found.memo) if found.memo is not None else None
    kept = found.credit_item
    return page(
        "portal/dispute.html",
        base=base,
        kept=kept.amount if kept is not None else None,
        left=kept.open if kept is not None else None,
        back=back if dispute.wish == "keep" and back else None,
        may_act=_may_act(found),
        messages=words.talk(found, base),
        **words.facts(found, "/account/bills", form),
        most_mb=house().rules.disputes.file_bytes // 1_000_000,
        most_files=talking.MOST_FILES,
    )


@disputes.get("/disputes/<public_id>")
@allow(Who.CUSTOMER)
def show(public_id: str) -> str:
    """Where it stands, what was said, and what can be done."""
    return _page(_told(public_id))


@disputes.get("/disputes/<public_id>/files/<file_id>")
@allow(Who.CUSTOMER)
def file(public_id: str, file_id: str) -> Response:
    """A picture of it."""
    with house().db.reading() as session:
        found = disputes_.one(session, public_id, _mine())
        return words.picture(talking.file_of(session, found, file_id), found)


@disputes.post("/disputes/<public_id>/messages")
@allow(Who.CUSTOMER)
@takes(LARGEST)
@limits.limit("checkout")
def write(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Add something."""
    found, form = _told(public_id), MessageForm(request.form)
    if not _may_act(found):
        raise Forbidden
    try:
        talk_about_dispute.write(
            house(),
            public_id,
            _author(),
            form.text.data or "",
            _mine(),
            files=sent_files(),
            named=form.once.data or "",
        )
    except Invalid as error:
        show_errors(form, error)
        return _page(found, form), 422
    say("Your message is with us. We answer by mail.")
    return redirect(f"/account/disputes/{public_id}#messages", 303)


@disputes.get("/disputes/<public_id>/withdraw")
@allow(Who.CUSTOMER)
def asking_withdraw(public_id: str) -> str | AnyResponse:
    """Ask before it is taken back."""
    found = _told(public_id)
    if found.dispute.state not in STANDING or not _may_act(found):
        return redirect(f"/account/disputes/{public_id}")
    return page(
        "portal/dispute_withdraw.html",
        dispute=found.dispute,
        amount=words.money(found.dispute),
        line=found.line.name,
        bill=found.invoice.number,
        base=f"/account/disputes/{public_id}",
    )


@disputes.post("/disputes/<public_id>/withdraw")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def withdraw(public_id: str) -> AnyResponse:
    """Take it back."""
    if not _may_act(_told(public_id)):
        raise Forbidden
    try:
        talk_about_dispute.withdraw(house(), public_id, _author().actor, _mine())
        say("You took it back. The bill is as it was.")
    except DisputeOver as error:
        say(str(error), "warn")
    return redirect(f"/account/disputes/{public_id}", 303)


@disputes.post("/disputes/<public_id>/refund")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def refund(public_id: str) -> AnyResponse:
    """Have the credit back instead of keeping it."""
    if not _may_act(_told(public_id)):
        raise Forbidden
    try:
        talk_about_dispute.have_back(house(), public_id, _author().actor, _mine())
        say("It goes back the way you paid. You get a mail when it is on its way.")
    except NothingToChoose as error:
        say(str(error), "warn")
    return redirect(f"/account/disputes/{public_id}", 303)
