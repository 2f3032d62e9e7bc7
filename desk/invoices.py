"""Invoices and memos: the list, one with its journal, and the stored PDF."""

from typing import Any

from flask import Blueprint, Response, request

from core.kernel.money import Money, total
from core.ledger import items
from core.ledger import reading as ledger
from core.parties.models import Account
from desk import lists, shown
from invoices import reading
from invoices.document import InvoiceDocument
from invoices.models import Invoice
from web import paging
from web.access import Who, allow
from web.context import house, today
from web.documents import bill_of, pdf_response, qr_of
from web.pages import page

invoices = Blueprint("desk_invoices", __name__, url_prefix="/desk", template_folder="templates")
KINDS = {"invoice": "Invoices", "credit_memo": "Credit memos", "note": "Notes"}
_WORDS = {
    "invoice": "Invoice",
    "credit_memo": "Credit memo",
    "debit_memo": "Debit memo",
    "note": "Note",
}


@invoices.get("/invoices")
@allow(Who.STAFF)
def listed() -> str:
    """Documents, the newest first."""
    words, kind = lists.words(), lists.chosen("kind", list(KINDS))
    before = paging.read_day(request.args.get("before"))
    with house().db.snapshot() as session:
        found = reading.listing(
            session, kind=kind, words=words, before=before, limit=lists.PAGE_SIZE + 1
        )
        rows = found[: lists.PAGE_SIZE]
        open_items = items.of_sources(session, [invoice.id for invoice, _ in rows])
    more = len(found) > lists.PAGE_SIZE
    following = paging.write(rows[-1][0].issue_date, rows[-1][0].id) if more else None
    drawn = [_row(invoice, account, open_items.get(invoice.id)) for invoice, account in rows]
    return page(
        "desk/invoices.html",
        invoices=drawn,
        tabs_=[
            ("All", "/desk/invoices", None),
            *((name, f"/desk/invoices?kind={key}", None) for key, name in KINDS.items()),
        ],
        current_tab=lists.address("/desk/invoices", kind=kind),
        sums=_sums(drawn),
        **lists.shown("/desk/invoices", following, len(rows), "document", q=words, kind=kind),
    )


def _row(invoice: Invoice, account: Account, item: items.Open | None) -> dict[str, Any]:
    words = bill_of(invoice, item, today())
    return {
        "number": invoice.number,
        "href": f"/desk/invoices/{invoice.public_id}",
        "issued": invoice.issue_date,
        "due": invoice.due_date,
        "customer": account.name,
        "account_number": account.number,
        "kind_word": _WORDS[invoice.kind],
        "state": words.state,
        "total": Money(invoice.total_minor, invoice.currency),
        "open": words.open,
    }


def _sums(rows: list[dict[str, Any]]) -> tuple[Money, Money] | None:
    currencies = {row["total"].currency for row in rows}
    if len(currencies) != 1:
        return None
    currency = currencies.pop()
    return (
        total((row["total"] for row in rows), currency),
        total((row["open"] for row in rows), currency),
    )


@invoices.get("/invoices/<public_id>")
@allow(Who.STAFF)
def one(public_id: str) -> str:
    """One document as it was issued, and what the ledger says of it."""
    with house().db.snapshot() as session:
        invoice = reading.one(session, public_id)
        account = session.get_one(Account, invoice.payer_account_id)
        item = items.of_sources(session, [invoice.id]).get(invoice.id)
        applied = ledger.applied_to(session, item.id) if item is not None else []
        entries = ledger.entries_about(session, [invoice.id])
        printed = reading.stored_ids(session, [invoice.id])
    document = InvoiceDocument.from_dict(invoice.document)
    return page(
        "desk/invoice.html",
        document=document,
        bill=bill_of(invoice, item, today()),
        pdf_href=f"/desk/invoices/{public_id}.pdf" if printed else "",
        qr=qr_of(document),
        facts=[
            ("Account", account.number),
            ("Series", invoice.series),
            ("Numbered by", "another system" if invoice.is_external else "us"),
        ],
        entries=shown.entries(entries),
        applications=[(kind.replace("_", " "), "#", on, amount) for kind, on, amount in applied],
        events=shown.moments(("Issued", invoice.issued_at)),
    )


@invoices.get("/invoices/<public_id>.pdf")
@allow(Who.STAFF)
def pdf(public_id: str) -> Response:
    """The stored bytes."""
    with house().db.reading() as session:
        return pdf_response(session, house().blobs, reading.one(session, public_id))
