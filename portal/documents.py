"""Bills and receipts, as lists, as pages and as the stored PDF. Only ever those of one's own accounts."""

import uuid
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger import items
from flows import account, early_payment
from flows.account import Settled
from invoices import reading
from invoices.disputes import reading as disputes_
from invoices.document import InvoiceDocument
from invoices.models import Invoice
from payments import reading as payments
from payments.models import Payment
from portal import shown
from web import disputes, paging, tenders
from web.access import Who, allow
from web.context import house
from web.documents import State, pdf_response, qr_of
from web.login import own_accounts, payable_accounts
from web.pages import page

documents = Blueprint("documents", __name__, url_prefix="/account", template_folder="templates")
PAGE_SIZE = 25


def _mine() -> Sequence[uuid.UUID]:
    return [row.id for row in own_accounts()]


@documents.get("/bills")
@allow(Who.CUSTOMER)
def bills() -> str:
    """All bills, the newest first."""
    before = paging.read_day(request.args.get("before"))
    with house().db.snapshot() as session:
        found = reading.of_accounts(session, _mine(), before=before, limit=PAGE_SIZE + 1)
        rows = found[:PAGE_SIZE]
        open_items = items.of_sources(session, [row.id for row in rows])
        printed = reading.stored_ids(session, [row.id for row in rows])
        corrected = reading.names(session, [row.corrects_id for row in rows if row.corrects_id])
    following = paging.write(rows[-1].issue_date, rows[-1].id) if len(found) > PAGE_SIZE else None
    return page(
        "portal/invoices.html",
        bills=[
            shown.bill(row, open_items.get(row.id), printed=row.id in printed, known=corrected)
            for row in rows
        ],
        page=paging.links("/account/bills", "before", following, before is None),
        tabs_=[],
        current_tab="",
        pay_href="/account/pay",
    )


@documents.get("/bills/<public_id>")
@allow(Who.CUSTOMER)
def bill(public_id: str) -> str:
    """One bill, from the same document as its PDF."""
    with house().db.snapshot() as session:
        invoice = reading.one(session, public_id, _mine())
        item = items.of_sources(session, [invoice.id]).get(invoice.id)
        printed = reading.stored_ids(session, [invoice.id])
        events = tenders.bill_events(session, item)
        related = reading.related(session, invoice)
        now = early_payment.asked_for(session, house(), invoice, item)
        leads = _disputes(session, invoice)
    document = InvoiceDocument.from_dict(invoice.document)
    return page(
        "portal/invoice.html",
        document=document,
        bill=shown.words(invoice, item)._replace(now=now),
        pdf_href=f"/account/bills/{public_id}.pdf" if printed else "",
        pay_action=f"/account/pay?bill={public_id}",
        guest=False,
        events=events,
        related=shown.related(related),
        disputes=leads,
        contested=item.contested if item is not None and item.contested else None,
        qr=qr_of(document),
    )


def _disputes(session: Session, invoice: Invoice) -> dict[int, dict[str, Any]]:
    """What leads from the bill's lines: to say that one is wrong, or to what was said."""
    numbers, known = disputes_.on_lines(session, invoice)
    if invoice.payer_account_id not in payable_accounts():
        numbers = []
    return disputes.lines_of_bill(numbers, known, f"/account/bills/{invoice.public_id}")


@documents.get("/bills/<public_id>.pdf")
@allow(Who.CUSTOMER)
def bill_pdf(public_id: str) -> Response:
    """The very bytes that were stored."""
    with house().db.reading() as session:
        invoice = reading.one(session, public_id, _mine())
        return pdf_response(session, house().blobs, invoice)


@documents.get("/payments")
@allow(Who.CUSTOMER)
def receipts() -> str:
    """All payments, the newest first."""
    before = paging.read_moment(request.args.get("before"))
    with house().db.snapshot() as session:
        found = payments.of_accounts(session, _mine(), before=before, limit=PAGE_SIZE + 1)
        rows = found[:PAGE_SIZE]
        settled = account.settled_by(session, [row.id for row in rows])
    following = paging.write(rows[-1].captured_at, rows[-1].id) if len(found) > PAGE_SIZE else None
    return page(
        "portal/receipts.html",
        payments=[_receipt_row(row, settled.get(row.id, [])) for row in rows],
        page=paging.links("/account/payments", "before", following, before is None),
    )


def _receipt_row(row: Payment, settled: Sequence[Settled]) -> dict[str, Any]:
    what = ", ".join(f"Bill {part.number}" for part in settled)
    return {
        "number": row.number,
        "href": f"/account/payments/{row.public_id}",
        "paid_at": row.captured_at,
        "method": row.instrument,
        "state": State("go", "Received"),
        "amount": Money(row.amount_minor, row.currency),
        "what": what or ("An order" if row.order_id else ""),
    }


@documents.get("/payments/<public_id>")
@allow(Who.CUSTOMER)
def receipt(public_id: str) -> str:
    """One payment: what came and what it paid."""
    with house().db.snapshot() as session:
        paid = account.payment(session, public_id, _mine())
    row = paid.payment
    return page(
        "portal/receipt.html",
        receipt={
            "number": row.number,
            "href": f"/account/payments/{public_id}",
            "paid_at": row.captured_at,
            "amount": Money(row.amount_minor, row.currency),
            "method": row.instrument,
            "state": State("go", "Received"),
            "pdf_href": "",
            "applied": [
                (part.number, f"/account/bills/{part.public_id}", part.amount, part.open)
                for part in paid.settled
            ],
            "unapplied": paid.kept or None,
        },
        fresh=(house().clock.now() - row.captured_at).total_seconds() < 600,
        guest=False,
    )
