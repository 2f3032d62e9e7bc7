"""One quote at the desk: where it stands, what it is worth, and everything that can be done with it."""

import uuid
from typing import Any

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from cart.quotes import drafting, reading, sending
from cart.quotes.models import QuoteVersion
from cart.quotes.reading import Desk
from cart.quotes.refusals import QuoteIncomplete, QuoteRefused
from core.kernel.errors import Invalid, NotFound, StaleState
from core.kernel.ids import new_public_id
from core.parties.models import Channel
from core.parties.roles import Role
from core.stock.holds import OutOfStock
from core.stock.picks import NoSuchNumber
from core.tax.service import NoTaxAnswer
from desk import quote_shown
from desk.quote_forms import AskForm, DecideForm, WithdrawForm, revision_of
from desk.taxes import actor
from flows import draft_quote, send_quote, talk_about_quote
from flows.quote_paper import Paper
from invoices.document import InvoiceDocument
from web import limits
from web import quotes as pages
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.login import person
from web.pages import page, show_errors
from web.quotes import MessageForm

quote = Blueprint("desk_quote", __name__, url_prefix="/desk/quotes", template_folder="templates")


@quote.get("/<public_id>")
@allow(Who.STAFF, roles=(Role.SALES,))
def show(public_id: str) -> str:
    """Where it stands; the version in the making, or one that was sent."""
    return _show(public_id)


def _show(public_id: str, form: MessageForm | None = None, ask: AskForm | None = None) -> str:
    now = house().clock.now()
    with house().db.snapshot() as session:
        row = drafting.by_public_id(session, public_id)
        found = reading.for_desk(session, row)
        made = draft_quote.preview(session, house(), row)
        owners = reading.owners(session)
        unmet = _unmet(session, made)
    version, document, paper = _chosen(found, made)
    state = reading.state_of(row, now)
    who = person()
    assert who is not None
    return page(
        "desk/quote.html",
        quote=quote_shown.row(row, found.owner, now),
        contact=(row.name, row.company, row.email, row.phone, row.vat_id or ""),
        here=f"/desk/quotes/{public_id}",
        state=quote_shown.STATES[state],
        version=quote_shown.version(row, version) if version is not None else None,
        revision=found.making.revision if found.making is not None else 0,
        making=found.making.state if found.making is not None else "",
        shows_making=made is not None and version is found.making,
        document=document,
        bill=pages.unowed(row.currency, quote_shown.STATES[state]),
        figures=quote_shown.figures(paper.priced) if paper is not None else None,
        limits=[quote_shown.LIMITS[code] for code in _over(paper)],
        unmet=[one.text for one in unmet],
        mine=_is_mine(found, f"user:{who.key}"),
        versions=[quote_shown.version(row, one) for one in _versions(found)],
        approvals=_approvals(found, owners),
        messages=pages.message_rows(found.told),
        form=form or MessageForm(data={"once": new_public_id()}),
        ask=ask or AskForm(),
        decide=DecideForm(),
        owners=[(str(key), name) for key, name in owners],
        owner_id=str(row.owner_id or ""),
        closed=_closed(found, state),
        customer_href=house().links.quote(public_id),
    )


def _unmet(session: Session, made: tuple[Paper, InvoiceDocument] | None) -> list[Any]:
    if made is None:
        return []
    paper = made[0]
    channel = session.get_one(Channel, paper.quote.channel_id)
    return sending.requirements(paper.quote, paper.priced, channel, house().clock.now())


def _chosen(
    found: Desk, made: tuple[Paper, InvoiceDocument] | None
) -> tuple[QuoteVersion | None, InvoiceDocument | None, Paper | None]:
    """What is looked at: the version that the address names, else what is made, else what was sent last."""
    asked = pages.number(request.args.get("version"))
    if made is not None and asked in (None, made[0].version.number):
        return made[0].version, made[1], made[0]
    version = found.told.version(asked)
    if version is None:
        return None, None, None
    return version, pages.document_of(version), None


def _over(paper: Paper | None) -> list[str]:
    return send_quote.reasons(house(), paper) if paper is not None else []


def _is_mine(found: Desk, me: str) -> bool:
    """Is the version that waits made or asked for by whoever looks?"""
    waits = next((row for row in found.approvals if row.state == "asked"), None)
    return waits is not None and me in (waits.asked_by, waits.drafted_by)


def _versions(found: Desk) -> list[QuoteVersion]:
    making = [found.making] if found.making is not None else []
    return [*making, *reversed(found.told.versions)]


def _approvals(found: Desk, owners: list[tuple[uuid.UUID, str]]) -> list[dict[str, Any]]:
    names = {f"user:{key}": name for key, name in owners}
    return [quote_shown.approval(row, names) for row in found.approvals]


def _closed(found: Desk, state: str) -> dict[str, Any] | None:
    """How it ended, and what it became."""
    row, order, signed = found.told.quote, found.told.order, found.told.acceptance
    if order is not None:
        return {
            "order": order.number or "being paid",
            "order_href": f"/desk/orders/{order.public_id}",
            "signed": signed,
            "reason": "",
            "note": "",
        }
    if state not in ("declined", "withdrawn"):
        return None
    reason = quote_shown.reason(row.close_reason)
    return {"order": "", "signed": None, "reason": reason, "note": row.close_note or ""}


# --- acts -----------------------------------------------------------------------------------------


def _home(public_id: str) -> AnyResponse:
    return redirect(f"/desk/quotes/{public_id}", 303)


@quote.post("/<public_id>/send")
@allow(Who.STAFF, roles=(Role.SALES,))
def send(public_id: str) -> AnyResponse:
    """Freeze it and put it on its way."""
    try:
        send_quote.send(house(), public_id, revision_of(request.form.get("revision")), actor())
    except QuoteIncomplete as error:
        say(" ".join(one.text for one in error.requirements), "bad")
    except (QuoteRefused, OutOfStock, NoSuchNumber, NoTaxAnswer) as error:
        say(str(error), "bad")
    else:
        say("It is on its way: the mail with its PDF goes out in a moment.")
    return _home(public_id)


@quote.post("/<public_id>/approval")
@allow(Who.STAFF, roles=(Role.SALES,))
def ask_approval(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Ask a second person."""
    form = AskForm(request.form)
    if not form.validate():
        return _show(public_id, ask=form), 422
    revision = revision_of(form.revision.data)
    try:
        send_quote.ask_approval(house(), public_id, revision, form.note.data or "", actor())
    except (QuoteRefused, NoTaxAnswer) as error:
        say(str(error), "bad")
    else:
        say("It waits for a second person’s word.")
    return _home(public_id)


@quote.post("/<public_id>/decision")
@allow(Who.STAFF, roles=(Role.SALES,))
def decide(public_id: str) -> AnyResponse:
    """A second person’s word: approve it, or give it back."""
    form = DecideForm(request.form)
    approved = "approve" in request.form
    answer = (form.answer.data or "").strip()[:600]
    revision = revision_of(form.revision.data)
    try:
        send_quote.decide(
            house(), public_id, revision, approved=approved, answer=answer, actor=actor()
        )
    except QuoteRefused as error:
        say(str(error), "bad")
    else:
        say("Approved: it can be sent." if approved else "Given back, to be changed.")
    return _home(public_id)


@quote.post("/<public_id>/versions")
@allow(Who.STAFF, roles=(Role.SALES,))
def another(public_id: str) -> AnyResponse:
    """Begin the next version."""
    try:
        draft_quote.another(house(), public_id, actor())
    except QuoteRefused as error:
        say(str(error), "bad")
        return _home(public_id)
    return redirect(f"/desk/quotes/{public_id}/edit", 303)


@quote.post("/<public_id>/owner")
@allow(Who.STAFF, roles=(Role.SALES,))
def take_over(public_id: str) -> AnyResponse:
    """Say who sees to it."""
    chosen = request.form.get("owner", "")
    with house().db.reading() as session:
        known = {str(key): key for key, _ in reading.owners(session)}
    if chosen and chosen not in known:
        raise NotFound("person")
    draft_quote.take_over(house(), public_id, known.get(chosen), actor())
    return _home(public_id)


@quote.post("/<public_id>/messages")
@allow(Who.STAFF, roles=(Role.SALES,))
@limits.limit("checkout")
def write(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Write to the customer."""
    form, who = MessageForm(request.form), person()
    assert who is not None
    try:
        talk_about_quote.write(
            house(),
            public_id,
            "staff",
            form.text.data or "",
            author=who.name,
            user_id=who.key,
            named=form.once.data or "",
        )
    except Invalid as error:
        show_errors(form, error)
        return _show(public_id, form=form), 422
    say("Your message is on its way.")
    return redirect(f"/desk/quotes/{public_id}#messages", 303)


@quote.get("/<public_id>/withdraw")
@allow(Who.STAFF, roles=(Role.SALES,))
def ask_withdraw(public_id: str) -> str:
    """Ask why it is taken back."""
    return _withdraw(public_id, WithdrawForm())


def _withdraw(public_id: str, form: WithdrawForm) -> str:
    with house().db.reading() as session:
        row = drafting.by_public_id(session, public_id)
    shown = quote_shown.row(row, None, house().clock.now())
    return page(
        "desk/quote_withdraw.html", form=form, quote=shown, here=f"/desk/quotes/{public_id}"
    )


@quote.post("/<public_id>/withdraw")
@allow(Who.STAFF, roles=(Role.SALES,))
def withdraw(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Take it back."""
    form = WithdrawForm(request.form)
    if not form.validate():
        return _withdraw(public_id, form), 422
    try:
        note = (form.note.data or "").strip()
        send_quote.withdraw(house(), public_id, form.reason.data or "", note, actor())
    except (QuoteRefused, StaleState) as error:
        say(str(error), "bad")
    else:
        say("It is taken back: nobody can accept it, and its stock is free.")
    return _home(public_id)
