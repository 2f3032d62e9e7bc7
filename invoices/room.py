"""How much room page one has and what stands on it takes, in points: counted, not laid out.

The figures are those of ``templates/document.css``; a test holds them against printed pages. They
err towards too little room: then the lines begin on page two, with their sums on page one.
"""

from math import ceil

from invoices.document import InvoiceDocument, Reason

PAGE_HEIGHT = {"Letter": 792.0, "A4": 841.9}
PAGE_WIDTH = {"Letter": 612.0, "A4": 595.3}
MARGINS = 42.0 + 54.0
MARGINS_WITH_STUB = 42.0 + 238.0
SIDES = 124.0
MIDDLE_AND_AMOUNT = 192.0
OWE = 88.0
ROW, TOTAL_ROW, GROUP_HEAD, TEXT, QUIET, REASON = 20.0, 28.0, 33.0, 13.3, 11.2, 12.5
CLOSING = 20.5
WIDE, NARROW = 0.66, 0.49  # of the type size: capitals and figures, other letters


def on_page_one(document: InvoiceDocument, paper: str, facts: int, letterhead: int) -> float:
    """Points under the amount, above stub or foot."""
    margins = MARGINS_WITH_STUB if document.asks_for_money else MARGINS
    letter = max(28.0, 12.0 * letterhead) + 10.6
    address = 18.0 + max(66.0, 12.9 * (1 + len(document.buyer.address)))
    top = 20.0 + max(address, 13.9 * facts)
    return PAGE_HEIGHT[paper] - margins - letter - top - OWE


def of_details(document: InvoiceDocument, enough: float) -> float:
    """Points that every line with its reasons, the totals and the closing take; stops counting
    past ``enough``."""
    height = _totals(document) + _closing(document)
    name = PAGE_WIDTH["A4"] - SIDES - MIDDLE_AND_AMOUNT
    for group in document.groups:
        height += GROUP_HEAD + (ROW if len(document.groups) > 1 else 0)
        for row in group.rows:
            line = row.line
            height += ROW - TEXT
            height += max(
                _text(f"{line.name} {line.sku}", name)
                + _quiet(line.description, name)
                + _reasons(line.why, name),
                2 * QUIET if line.unit_price is not None and line.period_end else 0,
            )
            if height > enough:
                return height
    return height


def of_summary(document: InvoiceDocument, groups: int) -> float:
    """Points that a sum for each group, the totals and the closing take."""
    return GROUP_HEAD + ROW * groups + _totals(document) + _closing(document) + CLOSING


def _totals(document: InvoiceDocument) -> float:
    rows = 2 + len(document.tax_breakdown) + len(document.later)
    rows += 1 + len(document.applied) if document.applied else 0
    return TOTAL_ROW + ROW * (rows if document.totals.delivery else rows - 1)


def _closing(document: InvoiceDocument) -> float:
    width = PAGE_WIDTH["A4"] - SIDES
    texts = (*document.notes, "questions" * 12)
    height = sum(CLOSING - QUIET + _quiet(text, width) for text in texts)
    return height + (23.0 + _text(document.message, width - 24) if document.message else 0.0)


def _reasons(reasons: tuple[Reason, ...], width: float) -> float:
    if not reasons:
        return 0.0
    return 8.0 + sum(
        REASON if reason.value else _quiet(reason.label, width - 12) for reason in reasons
    )


def _text(text: str, width: float, size: float = 9.5, height: float = TEXT) -> float:
    ems = sum(WIDE if letter.isupper() or letter.isdigit() else NARROW for letter in text)
    return height * max(1, ceil(1.04 * ems * size / width))


def _quiet(text: str, width: float) -> float:
    return _text(text, width, 8.0, QUIET) if text else 0.0
