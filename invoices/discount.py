"""The discount for paying early: what it comes to when a bill is issued, tax included. Pure.

``memos`` takes it later by the same arithmetic, from what is then left of the lines.
"""

from core.ledger.chart import GIFT_CARDS
from invoices import correcting
from invoices.content import Content
from invoices.correcting import Creditable
from invoices.document import Kind


def of_content(content: Content) -> int:
    """In minor units; 0 when there is none, or nothing to take it from."""
    terms = content.terms
    if terms is None or not terms.discount_ppm or content.kind is Kind.CREDIT_MEMO:
        return 0
    lines = [
        Creditable(item.line_number, item.net_minor, item.taxes)
        for item in content.counted
        if item.ledger_code != GIFT_CARDS
    ]
    return max(correcting.percent_total(lines, terms.discount_ppm, content.currency), 0)
