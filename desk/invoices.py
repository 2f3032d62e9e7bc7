"""Invoices and memos: the list, one with its journal, and the stored PDF."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from core.kernel import sheet
from core.kernel.money import Money
from core.kernel.sorting import Place
from core.ledger import items
from core.ledger import reading as ledger
from core.ledger.chart import CHART
from core.parties.models import Account
from core.parties.roles import Role
from desk import lists, shown
from desk.lists import Asked, Choice, Listing
from invoices import reading
from invoices.correctable import is_correctable
from invoices.disputes import reading as disputes_
from invoices.document import InvoiceDocument
from invoices.earned import reading as earned
from invoices.earned.reading import Earned
from invoices.models import Invoice, InvoiceLine
from web import disputes as words
from web.access import Who, allow
from web.context import house, today
from web.documents import bill_of, pdf_response, qr_of
from web.login import person
from web.pages import page

invoices = Blueprint("desk_invoices", __name__, url_prefix="/desk", template_folder="templates")
KINDS = {
    "invoice": "Invoices",
    "credit_memo": "Credit memos",
    "debit_memo": "Debit memos",
    "note": "Notes",
}
NAMES = {code: name for code, name, _ in CHART}
_WORDS = {
    "invoice": "Invoice",
    "credit_memo": "Credit memo",
    "debit_memo": "Debit memo",
    "note": "Note",
}


LISTED = Listing(
    "/desk/invoices",
    "document",
    reading.SORTS,
    "-issued",
    (Choice("kind", "Kind", list(KINDS.items()), is_tabs=True),),
    head=(
        "number",
        "kind",
        "issued",
        "due",
        "state",
        "customer",
        "account",
        "currency",
        "total",
        "open",
    ),
)
Found = tuple[Invoice, Account]


@invoices.get("/invoices")
@allow(Who.STAFF, roles=(Role.SALES, Role.BILLING, Role.SUPPORT))
def listed() -> str:
    """Documents, the newest first."""
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
        drawn = _drawn(session, rows)
    return page(
        "desk/invoices.html",
        invoices=drawn,
        sums=lists.sums(drawn, "total", "open"),
        **LISTED.tabs("kind", asked, None),
        **context,
    )


def _found(session: Session, asked: Asked, place: Place, limit: int) -> list[Found]:
    return reading.listing(session, kind=asked["kind"], words=asked.words, place=place, limit=limit)


def _drawn(session: Session, rows: Sequence[Found]) -> list[dict[str, Any]]:
    open_items = items.of_sources(session, [invoice.id for invoice, _ in rows])
    corrected = reading.names(session, [one.corrects_id for one, _ in rows if one.corrects_id])
    return [
        _row(invoice, account, open_items.get(invoice.id), _original(invoice, corrected))
        for invoice, account in rows
    ]


@invoices.get("/invoices.csv")
@allow(Who.STAFF, roles=(Role.SALES, Role.BILLING, Role.SUPPORT))
def export() -> Response:
    """The list as it is chosen, all of it; what a credit memo gives stands below zero."""
    return LISTED.csv(LISTED.asked(), _found, _cells)


def _cells(session: Session, rows: Sequence[Found]) -> Iterator[list[sheet.Cell]]:
    for (invoice, account), row in zip(rows, _drawn(session, rows), strict=True):
        yield [
            sheet.code(invoice.number),
            sheet.code(invoice.kind),
            sheet.day(invoice.issue_date),
            sheet.day(invoice.due_date),
            sheet.words(row["state"].text),
            sheet.words(account.name),
            sheet.code(account.number),
            sheet.code(invoice.currency),
            sheet.amount(row["total"]),
            sheet.amount(row["open"]),
        ]


def _original(invoice: Invoice, known: dict[uuid.UUID, tuple[str, str]]) -> tuple[str, str] | None:
    return known.get(invoice.corrects_id) if invoice.corrects_id is not None else None


def _row(
    invoice: Invoice,
    account: Account,
    item: items.Open | None,
    corrected: tuple[str, str] | None,
) -> dict[str, Any]:
    """What a credit memo gives stands below zero, so that sums are what is owed."""
    words = bill_of(invoice, item, today())
    turn = -1 if invoice.kind == "credit_memo" else 1
    return {
        "number": invoice.number,
        "href": f"/desk/invoices/{invoice.public_id}",
        "issued": invoice.issue_date,
        "due": invoice.due_date,
        "customer": account.name,
        "account_number": account.number,
        "kind_word": _WORDS[invoice.kind],
        "of": corrected[0] if corrected is not None else "",
        "of_href": f"/desk/invoices/{corrected[1]}" if corrected is not None else "",
        "state": words.state,
        "total": Money(invoice.total_minor, invoice.currency) * turn,
        "open": words.open * turn,
    }


def _disputes(session: Session, invoice: Invoice) -> dict[int, dict[str, Any]]:
    """What leads from its lines to their disputes, and to disputing them for somebody on the phone."""
    who = person()
    if who is None or not who.may_open("/desk/disputes"):
        return {}
    return words.lines_of_bill(
        *disputes_.on_lines(session, invoice),
        f"/desk/invoices/{invoice.public_id}",
        "/desk/disputes",
        at_the_desk=True,
    )


@invoices.get("/invoices/<public_id>")
@allow(Who.STAFF, roles=(Role.SALES, Role.BILLING, Role.SUPPORT))
def one(public_id: str) -> str:
    """One document as it was issued, and what the ledger says of it."""
    with house().db.snapshot() as session:
        invoice = reading.one(session, public_id)
        account = session.get_one(Account, invoice.payer_account_id)
        item = items.of_sources(session, [invoice.id]).get(invoice.id)
        applied = ledger.applied_to(session, item.id) if item is not None else []
        about = [key for key in (invoice.id, invoice.order_id) if key is not None]
        entries = ledger.entries_about(session, about)
        printed = reading.stored_ids(session, [invoice.id])
        related = reading.related(session, invoice)
        lines = reading.lines_of(session, invoice.id)
        standing = earned.of_lines(session, lines, invoice.currency)
        leads = _disputes(session, invoice)
    document = InvoiceDocument.from_dict(invoice.document)
    return page(
        "desk/invoice.html",
        document=document,
        bill=bill_of(invoice, item, today()),
        pdf_href=f"/desk/invoices/{public_id}.pdf" if printed else "",
        qr=qr_of(document),
        disputes=leads,
        actions=[*_actions(invoice), *_money_on(public_id, item)],
        related=[
            (_WORDS[one.kind], one.number, f"/desk/invoices/{one.public_id}", _money(one))
            for one in related
        ],
        lines=[_line(line, standing.get(line.id), invoice.currency) for line in lines],
        facts=[
            ("Account", account.number),
            ("Series", invoice.series.replace("_", " ").capitalize()),
            ("Numbered by", "another system" if invoice.is_external else "us"),
        ],
        entries=shown.entries(entries),
        applications=[
            (kind.replace("_", " ").capitalize(), on, amount) for kind, on, amount in applied
        ],
        events=shown.moments(("Issued", invoice.issued_at)),
    )


def _actions(invoice: Invoice) -> list[tuple[str, str]]:
    here = f"/desk/invoices/{invoice.public_id}"
    if not is_correctable(invoice):
        return []
    return [
        ("Give back", f"{here}/credit"),
        ("Charge more", f"{here}/debit"),
        ("Take it back", f"{here}/void"),
    ]


def _money_on(public_id: str, item: items.Open | None) -> list[tuple[str, str]]:
    return [("Money on it", f"/desk/invoices/{public_id}/money")] if item is not None else []


def _money(invoice: Invoice) -> Money:
    return Money(invoice.total_minor, invoice.currency)


def _line(line: InvoiceLine, standing: Earned | None, currency: str) -> dict[str, Any]:
    """What staff alone see of a line."""

    def amount(minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, currency)

    return {
        "name": line.name,
        "ledger": NAMES.get(line.ledger_code, line.ledger_code),
        "net": amount(line.net_minor),
        "earned": standing.earned if standing is not None else None,
        "left": standing.left if standing is not None else None,
        "cost": amount(line.cost_minor),
        "sale_price": amount(line.sale_price_minor),
        "is_piece": line.parent_id is not None,
    }


@invoices.get("/invoices/<public_id>.pdf")
@allow(Who.STAFF, roles=(Role.SALES, Role.BILLING, Role.SUPPORT))
def pdf(public_id: str) -> Response:
    """The stored bytes."""
    with house().db.reading() as session:
        return pdf_response(session, house().blobs, reading.one(session, public_id))
