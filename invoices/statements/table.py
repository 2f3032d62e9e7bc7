"""A statement as CSV: its roll-forward and every movement, the very figures of page and PDF.

The amounts of all rows but the last two, ``closing_balance`` and ``to_pay``, sum to the closing balance.
"""

from collections.abc import Iterator
from decimal import Decimal

from core.kernel import sheet
from core.kernel.sheet import EMPTY, Cell
from invoices.statements.document import StatementDocument

HEAD = (
    "statement",
    "account",
    "line",
    "date",
    "service_account",
    "service_name",
    "what",
    "number",
    "detail",
    "due",
    "posting",
    "amount",
    "currency",
)


def pieces(document: StatementDocument) -> Iterator[bytes]:
    """The file, piece by piece; the same bytes from the same statement."""
    return sheet.pieces(HEAD, rows(document))


def rows(document: StatementDocument) -> Iterator[tuple[Cell, ...]]:
    """The file's rows below its head."""
    yield _row(document, "previous_balance", document.opening)
    for moved in document.moves:
        yield _row(
            document,
            "moved",
            moved.amount,
            service=(sheet.code(moved.account_number), sheet.words(moved.name)),
        )
    for section in document.sections:
        service = (sheet.code(section.account_number), sheet.words(section.name))
        for each in section.movements:
            yield _row(
                document,
                each.kind.value,
                each.amount,
                on=sheet.day(each.on),
                service=service,
                said=(
                    sheet.words(each.what),
                    sheet.words(each.number),
                    sheet.words(each.detail),
                    sheet.day(each.due),
                    sheet.code(each.posting),
                ),
            )
    yield _row(document, "closing_balance", document.closing)
    yield _row(document, "to_pay", document.amount_due)


def _row(
    document: StatementDocument,
    line: str,
    amount: Decimal,
    *,
    on: Cell = EMPTY,
    service: tuple[Cell, Cell] = (EMPTY, EMPTY),
    said: tuple[Cell, ...] = (EMPTY,) * 5,
) -> tuple[Cell, ...]:
    return (
        sheet.code(document.number),
        sheet.code(document.buyer.account_number),
        sheet.code(line),
        on
        or sheet.day(document.period_start if line == "previous_balance" else document.period_end),
        *service,
        *said,
        sheet.code(f"{amount:f}"),
        sheet.code(document.currency),
    )
