"""A quote as its customer meets it: by the link of its mail, or in their account. One page, one form each.

Both faces open a ``Door`` and hand it on; which templates stand around it is all that differs.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from flask import Response, request
from wtforms import Form, HiddenField, TextAreaField

from cart.quotes import answering, comparing, reading
from cart.quotes.comparing import Cell, Row
from cart.quotes.models import Quote, QuoteVersion
from cart.quotes.reading import Told
from cart.quotes.refusals import NotAcceptable, QuoteAccepted
from core.kernel.errors import NotFound
from core.kernel.ids import new_public_id
from core.kernel.money import Money
from flows.quote_paper import name_of
from invoices.document import InvoiceDocument
from invoices.figures import figures
from web.context import house
from web.documents import Bill, NotPrinted, State
from web.pages import page

STATES = {
    "requested": State("wait", "We are working on it"),
    "drafting": State("wait", "We are working on it"),
    "sent": State("wait", "Waiting for you"),
    "expired": State("bad", "Expired"),
    "accepted": State("go", "Accepted"),
    "declined": State("", "Declined"),
    "withdrawn": State("", "Taken back"),
}


@dataclass(frozen=True)
class Door:
    """Who came in, and where the quote's pages stand. ``may_answer`` False: they may only look."""

    base: str
    is_guest: bool
    user_id: uuid.UUID | None = None
    name: str = ""
    may_answer: bool = True


@dataclass(eq=False)
class QuoteNotPrinted(NotPrinted):
    """The quote is sent, its PDF is still being made."""

    code: ClassVar[str] = "quote_not_printed_yet"
    text: ClassVar[str] = "Quote {number} is just being printed. Try again in a minute."


class MessageForm(Form):
    """A question, or more words."""

    text = TextAreaField("Your message")
    once = HiddenField()


# --- reading --------------------------------------------------------------------------------------


def show(door: Door, found: Told, form: MessageForm | None = None) -> str:
    """The quote: one version as a sheet, what can be done, what was said."""
    now = house().clock.now()
    quote = found.quote
    version = found.version(number(request.args.get("version")))
    state = reading.state_of(quote, now)
    return page(
        "shared/quote.html",
        guest=door.is_guest,
        door=door,
        quote=quote_words(found, state),
        document=document_of(version) if version is not None else None,
        bill=unowed(quote.currency, STATES[state]),
        version=version_words(door, found, version) if version is not None else None,
        versions=[version_words(door, found, one) for one in reversed(found.versions)],
        refusal=why_not(found, version),
        messages=message_rows(found),
        form=form or MessageForm(data={"once": new_public_id()}),
    )


def number(text: str | None) -> int | None:
    """The number of a version, as an address has it; NotFound for what is none."""
    if not text:
        return None
    if not text.isdecimal() or len(text) > 4:
        raise NotFound("version of this quote")
    return int(text)


def document_of(version: QuoteVersion) -> InvoiceDocument:
    """What page and PDF say of a version that was sent."""
    assert version.document is not None
    return InvoiceDocument.from_dict(version.document)


def unowed(currency: str, state: State) -> Bill:
    """What the sheet of a bill is told of a paper that asks for nothing."""
    zero = Money.zero(currency)
    return Bill(zero, zero, state, "", False, False)


def quote_words(found: Told, state: str) -> dict[str, Any]:
    """The quote as its pages show it; ``state`` is that of ``reading.state_of``."""
    quote, order = found.quote, found.order
    accepted = order is not None and order.lifecycle not in ("pending", "cancelled")
    return {
        "number": quote.number,
        "state": STATES[state],
        "is_open": state == "sent",
        "asked_at": quote.requested_at,
        "order_number": order.number if accepted and order is not None else "",
        "order_href": house().links.order(order.public_id)
        if accepted and order is not None
        else "",
        "paying": order is not None and order.lifecycle == "pending",
        "signed": found.acceptance if accepted else None,
    }


def version_words(door: Door, found: Told, version: QuoteVersion) -> dict[str, Any]:
    """A version that was sent, with the addresses of what can be done with it."""
    newest = found.newest
    before = [one.number for one in found.versions if one.number < version.number]
    return {
        "number": version.number,
        "name": name_of(found.quote, version),
        "href": f"{door.base}?version={version.number}",
        "pdf_href": f"{door.base}/{version.number}.pdf" if version.id in found.stored else "",
        "accept_href": f"{door.base}/accept?version={version.number}",
        "decline_href": f"{door.base}/decline?version={version.number}",
        "compare_href": f"{door.base}/compare?before={before[-1]}&after={version.number}"
        if before
        else "",
        "sent_at": version.frozen_at,
        "total": Money((version.net_minor or 0) + (version.tax_minor or 0), found.quote.currency),
        "is_newest": newest is not None and newest.id == version.id,
        "state": version.state,
    }


def why_not(found: Told, version: QuoteVersion | None) -> str:
    """Why this version cannot be accepted, in words; empty when it can, or when it was."""
    if version is None:
        return ""
    quote = found.quote
    if quote.state == "accepted":
        return "" if version.state == "accepted" else str(QuoteAccepted(_order_number(found)))
    newest = found.newest
    assert newest is not None
    try:
        answering.refuse_version(version, newest.number, house().clock.now())
    except NotAcceptable as error:
        return str(error)
    return ""


def _order_number(found: Told) -> str:
    return found.order.number or "" if found.order is not None else ""


def message_rows(found: Told) -> list[dict[str, Any]]:
    """What both sides wrote, the oldest first."""
    return [
        {
            "author": row.author,
            "ours": row.side == "staff",
            "at": row.at,
            "lines": row.text.splitlines(),
        }
        for row in found.messages
    ]


def pdf(found: Told, version_number: int) -> Response:
    """The very bytes that were stored. Raises QuoteNotPrinted while they are made."""
    version = found.version(version_number)
    assert version is not None
    name = name_of(found.quote, version)
    if version.id not in found.stored:
        raise QuoteNotPrinted(name)
    data = house().blobs.get(found.stored[version.id])
    file_name = f"quote-{name.replace('/', '-')}.pdf"
    return Response(
        data,
        mimetype="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{file_name}"',
            "Cache-Control": "private, no-store",
        },
    )


# --- side by side ---------------------------------------------------------------------------------


def compare(door: Door, found: Told) -> str:
    """Two versions beside each other, what changed marked."""
    if len(found.versions) < 2:
        raise NotFound("second version of this quote")
    after = found.version(number(request.args.get("after"))) or found.versions[-1]
    earlier = number(request.args.get("before"))
    before = found.version(earlier) if earlier is not None else found.versions[0]
    assert before is not None
    one, other = document_of(before), document_of(after)
    say_ = figures(other.currency, other.locale)
    return page(
        "shared/quote_compare.html",
        guest=door.is_guest,
        door=door,
        quote=quote_words(found, reading.state_of(found.quote, house().clock.now())),
        before=version_words(door, found, before),
        after=version_words(door, found, after),
        versions=[version.number for version in found.versions],
        say=say_,
        lines=comparing.lines(_rows(one), _rows(other)),
        sums=comparing.sums(_sums(one), _sums(other)),
        valid=(one.valid_until, other.valid_until),
    )


def _rows(document: InvoiceDocument) -> list[Row]:
    return [
        (
            line.group,
            line.name,
            line.sku or line.name,
            Cell(line.quantity, line.unit_price, line.net, line.description),
        )
        for line in document.lines
    ]


def _sums(document: InvoiceDocument) -> list[tuple[str, Decimal]]:
    said = figures(document.currency, document.locale).words
    rows = [(said.before_tax, document.totals.line_total)]
    rows += [(f"{tax.name}, {tax.jurisdiction}", tax.amount) for tax in document.tax_on_top]
    rows.append((said.due_at_acceptance, document.totals.gross))
    for part in document.later:
        label = said.then_each_year if part.every == "year" else said.then_each_month
        rows.append((label, part.total))
    return rows


def rows(found: Sequence[Quote], base: str) -> list[dict[str, Any]]:
    """Quotes as the account's list shows them."""
    now = house().clock.now()
    return [
        {
            "number": quote.number,
            "href": f"{base}/{quote.public_id}",
            "asked_at": quote.requested_at,
            "expires_at": quote.expires_at,
            "state": STATES[reading.state_of(quote, now)],
            "news": quote.last_side == "staff",
        }
        for quote in found
    ]
