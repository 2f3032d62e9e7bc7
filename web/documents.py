"""Documents for pages: the stored bytes as an answer, and what the ledger says of a bill in words."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, NamedTuple

import segno
from flask import Response
from markupsafe import Markup
from sqlalchemy.orm import Session

from core.kernel.blobs import Blobs
from core.kernel.errors import ShopError
from core.kernel.money import Money
from core.ledger.items import Open
from invoices import reading
from invoices.document import InvoiceDocument
from invoices.models import Invoice


@dataclass(eq=False)
class NotPrinted(ShopError):
    """The document is issued, its PDF is still being made."""

    code: ClassVar[str] = "not_printed_yet"
    text: ClassVar[str] = "Bill {number} is just being printed. Try again in a minute."
    number: str


class State(NamedTuple):
    """A tag: its shape and its words."""

    kind: str
    text: str


class Bill(NamedTuple):
    """What the ledger says of a document now."""

    open: Money
    paid: Money
    state: State
    stamp: str
    late: bool
    payable: bool
    #: What paying it now takes, where that is less: the discount for early payment is off.
    now: Money | None = None


def bill_of(invoice: Invoice, item: Open | None, today: date) -> Bill:
    """Open, paid, late or settled, in words; of a credit memo what is left. ``item`` None: it never
    asked for money, and left none."""
    zero = Money.zero(invoice.currency)
    if invoice.kind == "note":
        return Bill(zero, zero, State("go", "For your records"), "", False, False)
    if invoice.kind == "credit_memo":
        return _credit(item, zero)
    if not invoice.total_minor:
        return Bill(zero, zero, State("go", "Nothing to pay"), "", False, False)
    if item is None or not item.open:
        paid = item.amount if item is not None else zero
        return Bill(zero, paid, State("go", "Paid"), "Paid", False, False)
    late = invoice.due_date is not None and invoice.due_date < today
    paid = item.amount - item.open
    if late:
        state = State("bad", "Overdue")
    else:
        state = State("wait", "Partly paid" if paid else "Open")
    return Bill(item.open, paid, state, "", late, not item.is_history)


def _credit(item: Open | None, zero: Money) -> Bill:
    """``open`` is what is still to be used of it. Without an item all of it lowered its bill."""
    if item is None or not item.open:
        words = "Used" if item is not None else "Taken off a bill"
        return Bill(zero, zero, State("", words), "", False, False)
    return Bill(item.open, item.amount - item.open, State("go", "Ready to use"), "", False, False)


def qr_of(document: InvoiceDocument) -> Markup | None:
    """The address where the bill is paid, as a picture for a phone; None when nothing is asked."""
    if document.pay_url is None:
        return None
    drawn = segno.make(document.pay_url, error="m")
    # Black on white in every theme, with the margin that cameras look for.
    drawing = drawn.svg_inline(svgclass="qr", lineclass=None, omitsize=True, border=4, light="#fff")
    return Markup(drawing)  # noqa: S704  # drawn by us


def pdf_response(session: Session, blobs: Blobs, invoice: Invoice) -> Response:
    """The PDF of a document. Raises NotPrinted while it is not rendered."""
    data = reading.pdf_bytes(session, blobs, invoice.id)
    if data is None:
        raise NotPrinted(invoice.number)
    name = f"{invoice.kind.replace('_', '-')}-{invoice.number}.pdf"
    return Response(
        data,
        mimetype="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )
