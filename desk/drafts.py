"""Invoices that staff write: the list of drafts, one as a form, its preview, discarding and issuing it."""

from typing import Any

from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from core.kernel import sheet
from core.kernel.errors import NotFound, ShopError, StaleState
from core.kernel.money import Money
from core.kernel.sorting import Place
from core.parties.models import Account
from core.parties.roles import Role
from core.tax import rates
from desk.draft_forms import LEDGER_NAMES, DraftForm, StartForm
from desk.lists import Asked, Choice, Listing
from desk.taxes import actor
from flows import draft_invoice
from invoices import drafts as room
from invoices.drafts import Draft, DraftLine
from invoices.models import InvoiceDraft
from web.access import Who, allow
from web.context import house
from web.documents import Bill, State
from web.flashes import say
from web.pages import page

drafts = Blueprint("desk_drafts", __name__, url_prefix="/desk", template_folder="templates")
STATES = {"open": "In the making", "issued": "Issued", "discarded": "Discarded"}
LISTED = Listing(
    "/desk/drafts",
    "draft",
    room.SORTS,
    "-changed",
    (
        Choice(
            "state",
            "State",
            [("issued", STATES["issued"]), ("discarded", STATES["discarded"])],
            STATES["open"],
            is_tabs=True,
        ),
    ),
    head=("customer", "account", "first_line", "lines", "state", "changed"),
)
_SHAPES = {"open": "wait", "issued": "go", "discarded": ""}


@drafts.get("/drafts")
@allow(Who.STAFF, roles=(Role.BILLING,))
def listed() -> str:
    """Drafts, the last changed first, and where another one begins."""
    return _listed(StartForm(request.args))


def _listed(form: StartForm) -> str:
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
    return page(
        "desk/drafts.html",
        drafts=[_row(*row) for row in rows],
        form=form,
        **LISTED.tabs("state", asked, None),
        **context,
    )


@drafts.get("/drafts.csv")
@allow(Who.STAFF, roles=(Role.BILLING,))
def export() -> Response:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: (_cells(*row) for row in rows))


def _found(
    session: Session, asked: Asked, place: Place, limit: int
) -> list[tuple[InvoiceDraft, Account]]:
    state = asked["state"] or "open"
    return room.listing(session, state=state, words=asked.words, place=place, limit=limit)


def _cells(draft: InvoiceDraft, account: Account) -> list[sheet.Cell]:
    drawn = _row(draft, account)
    return [
        sheet.words(account.name),
        sheet.code(account.number),
        sheet.words(drawn["what"]),
        sheet.code(drawn["count"]),
        sheet.words(drawn["state"].text),
        sheet.moment(draft.updated_at),
    ]


def _row(draft: InvoiceDraft, account: Account) -> dict[str, Any]:
    lines = Draft.from_dict(draft.content).lines
    return {
        "href": f"/desk/drafts/{draft.public_id}",
        "customer": account.name,
        "account_number": account.number,
        "changed": draft.updated_at,
        "what": lines[0].name if lines else "Nothing yet",
        "count": len(lines),
        "state": State(_SHAPES[draft.state], STATES[draft.state]),
    }


@drafts.post("/drafts")
@allow(Who.STAFF, roles=(Role.BILLING,))
def start() -> str | AnyResponse | tuple[str, int]:
    """Begin a draft for an account."""
    form = StartForm(request.form)
    if not form.validate():
        return _listed(form), 422
    try:
        row = draft_invoice.start(house(), form.account.data or "", actor())
    except NotFound:
        form.account.errors = ["There is no account with this number that we bill."]
        return _listed(form), 422
    return redirect(f"/desk/drafts/{row.public_id}", 303)


@drafts.get("/drafts/<public_id>")
@allow(Who.STAFF, roles=(Role.BILLING,))
def one(public_id: str) -> str | AnyResponse:
    """A draft as a form; one that was issued or discarded is only looked at."""
    with house().db.reading() as session:
        row, account = _find(session, public_id)
        if row.state != "open":
            return redirect(f"/desk/drafts/{public_id}/preview")
        form = DraftForm.of(Draft.from_dict(row.content), row.revision, account.currency)
        return _form(session, row, account, form)


def _find(session: Session, public_id: str) -> tuple[InvoiceDraft, Account]:
    row = room.one(session, public_id)
    return row, session.get_one(Account, row.payer_account_id)


def _form(session: Session, row: InvoiceDraft, account: Account, form: DraftForm) -> str:
    form.grow()
    form.offer(rates.categories(session))
    return page(
        "desk/draft.html",
        form=form,
        customer=account.name,
        account_number=account.number,
        currency=account.currency,
        here=f"/desk/drafts/{row.public_id}",
    )


@drafts.post("/drafts/<public_id>")
@allow(Who.STAFF, roles=(Role.BILLING,))
def change(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Keep what was written, then go on writing or look at it."""
    form = DraftForm(request.form)
    with house().db.reading() as session:
        row, account = _find(session, public_id)
        form.offer(rates.categories(session))
        valid = form.validate()
        draft = form.wanted(account.currency)
        if not valid or draft is None:
            return _form(session, row, account, form), 422
    draft_invoice.change(house(), public_id, draft, _revision(form.revision.data))
    look = "/preview" if "look" in request.form else ""
    return redirect(f"/desk/drafts/{public_id}{look}", 303)


def _revision(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 9 else 0


@drafts.get("/drafts/<public_id>/preview")
@allow(Who.STAFF, roles=(Role.BILLING,))
def preview(public_id: str) -> str:
    """What the invoice would say if it were issued now."""
    return _preview(public_id)


def _preview(public_id: str, problems: tuple[str, ...] = ()) -> str:
    with house().db.snapshot() as session:
        row, account = _find(session, public_id)
        document = draft_invoice.preview(session, house(), row)
        issued = draft_invoice.issued_as(session, row)
    zero = Money.zero(account.currency)
    return page(
        "desk/draft_preview.html",
        document=document,
        bill=Bill(zero, zero, State("wait", "Draft"), "", False, False),
        lines=[_for_us(line, account.currency) for line in Draft.from_dict(row.content).lines],
        customer=account.name,
        here=f"/desk/drafts/{public_id}",
        revision=row.revision,
        is_open=row.state == "open",
        state=State(_SHAPES[row.state], STATES[row.state]),
        issued_href=f"/desk/invoices/{issued.public_id}" if issued is not None else "",
        issued_number=issued.number if issued is not None else "",
        problems=problems,
    )


def _for_us(line: DraftLine, currency: str) -> tuple[str, str, Money | None]:
    cost = Money(line.cost_minor, currency) if line.cost_minor is not None else None
    return line.name, LEDGER_NAMES[line.ledger_code], cost


@drafts.get("/drafts/<public_id>.pdf")
@allow(Who.STAFF, roles=(Role.BILLING,))
def pdf(public_id: str) -> Response:
    """The same in print, marked as a draft; made now and not kept."""
    with house().db.snapshot() as session:
        row, _ = _find(session, public_id)
        data = draft_invoice.preview_pdf(session, house(), row)
    headers = {"Content-Disposition": 'inline; filename="draft.pdf"'}
    headers["Cache-Control"] = "private, no-store"
    return Response(data, mimetype="application/pdf", headers=headers)


@drafts.post("/drafts/<public_id>/discard")
@allow(Who.STAFF, roles=(Role.BILLING,))
def discard(public_id: str) -> AnyResponse:
    """Give it up."""
    revision = _revision(request.form.get("revision"))
    draft_invoice.discard(house(), public_id, revision, actor())
    say("The draft is discarded. It took no number.")
    return redirect("/desk/drafts", 303)


@drafts.post("/drafts/<public_id>/issue")
@allow(Who.STAFF, roles=(Role.BILLING,))
def issue(public_id: str) -> AnyResponse | tuple[str, int]:
    """Give it its number."""
    revision = _revision(request.form.get("revision"))
    try:
        invoice = draft_invoice.issue(house(), public_id, revision, actor())
    except (NotFound, StaleState):
        raise
    except ShopError as error:
        return _preview(public_id, (str(error),)), 422
    say(f"Invoice {invoice.number} is issued.")
    return redirect(f"/desk/invoices/{invoice.public_id}", 303)
