"""Statements for pages: a page's part of the movements, and the stored bytes and the CSV as answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import segno
from flask import Response
from markupsafe import Markup
from sqlalchemy.orm import Session

from core.kernel.blobs import Blobs
from core.kernel.errors import NotFound
from core.kernel.money import Money
from invoices.statements import reading, table
from invoices.statements.arrangement import Arrangement
from invoices.statements.document import Block, Movement, Section, StatementDocument
from invoices.statements.models import Statement
from web.documents import NotPrinted

#: So many movements stand on one page of a long statement.
PAGE_SIZE = 200


@dataclass(eq=False)
class StatementNotPrinted(NotPrinted):
    """The statement is made, its PDF is still being printed."""

    code: ClassVar[str] = "statement_not_printed_yet"
    text: ClassVar[str] = "Statement {number} is just being printed. Try again in a minute."


@dataclass(frozen=True)
class Part:
    """The movements of a block that stand on this page. ``ends``: the block's last one is among them,
    ``begins_section`` and ``ends_section`` the same of its section."""

    section: Section
    block: Block
    movements: Sequence[Movement]
    ends: bool
    begins_section: bool
    ends_section: bool


@dataclass(frozen=True)
class Sheet:
    """A statement as its page shows it. The roll-forward is on every page, the movements in parts."""

    document: StatementDocument
    plan: Arrangement
    parts: Sequence[Part]
    pager: dict[str, Any]
    qr: Markup | None


def sheet(statement: Statement, path: str, number: str) -> Sheet:
    """Page ``number`` (from 1) of a statement whose page is at ``path``. NotFound where there is none."""
    document = StatementDocument.from_dict(statement.document)
    count = document.movement_count
    at = _number(number, max(1, -(-count // PAGE_SIZE)))
    first, last = (at - 1) * PAGE_SIZE, min(at * PAGE_SIZE, count)
    before = path if at == 2 else f"{path}?page={at - 1}"
    pager = {
        "next_href": f"{path}?page={at + 1}" if last < count else None,
        "prev_href": before if at > 1 else None,
        "said": f"Lines {first + 1:,} to {last:,} of {count:,}" if count > PAGE_SIZE else "",
    }
    return Sheet(
        document, Arrangement(document), _parts(document, first, last), pager, _qr(document)
    )


def _number(text: str, pages: int) -> int:
    if not text:
        return 1
    if not text.isascii() or not text.isdigit() or len(text) > 6 or not 1 <= int(text) <= pages:
        raise NotFound("page")
    return int(text)


def _parts(document: StatementDocument, first: int, last: int) -> list[Part]:
    found: list[Part] = []
    at = 0
    for section, blocks in document.blocks:
        for block in blocks:
            start, end = max(first - at, 0), min(last - at, len(block.movements))
            if start < end:
                ends = end == len(block.movements)
                found.append(
                    Part(
                        section,
                        block,
                        block.movements[start:end],
                        ends,
                        not found or found[-1].section is not section,
                        ends and block is blocks[-1],
                    )
                )
            at += len(block.movements)
    return found


def _qr(document: StatementDocument) -> Markup | None:
    if document.pay_url is None:
        return None
    drawn = segno.make(document.pay_url, error="m")
    # Black on white in every theme, with the margin that cameras look for.
    drawing = drawn.svg_inline(svgclass="qr", lineclass=None, omitsize=True, border=4, light="#fff")
    return Markup(drawing)  # noqa: S704  # drawn by us


def row(statement: Statement, base: str, *, printed: bool) -> dict[str, Any]:
    """A row of a list of statements, whose pages are below ``base``."""
    currency = statement.currency
    return {
        "number": statement.number,
        "href": f"{base}/{statement.public_id}",
        "pdf_href": f"{base}/{statement.public_id}.pdf" if printed else "",
        "csv_href": f"{base}/{statement.public_id}.csv",
        "dated": statement.issue_date,
        "start": statement.period_start,
        "end": statement.period_end,
        "opening": Money(statement.opening_minor, currency),
        "payments": Money(statement.payments_minor + statement.adjustments_minor, currency),
        "charges": Money(statement.charges_minor, currency),
        "closing": Money(statement.closing_minor, currency),
    }


def pdf_response(session: Session, blobs: Blobs, statement: Statement) -> Response:
    """The very bytes that were stored. Raises StatementNotPrinted while it is not rendered."""
    data = reading.pdf_bytes(session, blobs, statement.id)
    if data is None:
        raise StatementNotPrinted(statement.number)
    return _file(data, "application/pdf", f'inline; filename="statement-{statement.number}.pdf"')


def csv_response(statement: Statement) -> Response:
    """Every movement as CSV."""
    document = StatementDocument.from_dict(statement.document)
    name = f'attachment; filename="statement-{statement.number}.csv"'
    return _file(b"".join(table.pieces(document)), "text/csv; charset=utf-8", name)


def _file(data: bytes, media_type: str, disposition: str) -> Response:
    return Response(
        data,
        content_type=media_type,
        headers={"Content-Disposition": disposition, "Cache-Control": "private, no-store"},
    )
