"""What a statement calls the journal's entries, in words for people. Pure."""

from invoices.statements.taking import Taken, Told

_WORDS = {
    "invoice_issued": "Bill",
    "debit_memo_issued": "Debit memo",
    "credit_memo_issued": "Credit memo",
    "payment_captured": "Payment",
    "transfer_received": "Payment",
    "identified": "Payment",
    "credit_applied": "Paid with the order",
    "credit_moved": "Credit moved",
    "gift_card_applied": "Gift card",
    "gift_card_used": "Gift card",
    "history_settled": "Settled before",
    "application_reversed": "Payment taken off a bill again",
    "refunded": "Refund to you",
    "refund_failed": "Refund that came back",
    "written_off": "Written off",
    "write_off_recovered": "Written off before, now owed again",
    "currency_exchanged": "Exchanged into another currency",
}
_DOCUMENTS = {
    "invoice": "Bill",
    "credit_memo": "Credit memo",
    "debit_memo": "Debit memo",
    "note": "Note",
}


def what_of(taken: Taken, document: Told | None) -> str:
    """``Bill``, ``Payment``; for a kind without a word of its own, the kind."""
    if taken.kind.startswith(("chargeback", "charged_back")):
        return "Payment charged back" if taken.minor > 0 else "Charge-back settled"
    if taken.kind in _WORDS:
        return _WORDS[taken.kind]
    words = taken.kind.replace("_", " ").capitalize()
    return f"{words}, {_DOCUMENTS[document.kind].lower()}" if document else words


def detail_of(taken: Taken, document: Told | None, instrument: str) -> str:
    """What a document has on it, or by what means was paid."""
    if document is None:
        return instrument
    if not document.first_line or taken.minor < 0:
        return ""
    more = document.line_count - 1
    return f"{document.first_line} and {more} more" if more > 0 else document.first_line
