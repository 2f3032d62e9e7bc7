"""Disputes as the API tells them, in the forms of ``api.dispute_shapes``."""

import base64
from collections.abc import Sequence

from api import cursors
from api.answers import Json, moment, money
from core.kernel.money import Money
from invoices.disputes.models import DisputeFile, DisputeProposal
from invoices.disputes.reading import Row, Told
from web.context import house, web_settings


def summary(row: Row) -> Json:
    """A dispute in a list."""
    one = row.dispute
    return {
        "id": one.public_id,
        "number": one.number,
        "state": one.state,
        "reason": one.reason,
        "bill_id": row.invoice.public_id,
        "bill_number": row.invoice.number,
        "line_number": row.line.line_number,
        "line": row.line.name,
        "amount": money(Money(one.amount_minor, one.currency)),
        "opened_at": moment(one.opened_at),
        "answer_by": one.answer_by.isoformat(),
        "outcome": one.outcome,
        "credited": money(Money(one.credited_minor, one.currency)),
    }


def page(found: Sequence[Row], size: int) -> Json:
    """A page of disputes, the last opened first, out of one more than it holds."""
    rows, following = found[:size], None
    if len(found) > size:
        last = rows[-1].dispute
        secret = web_settings().secret_key
        following = cursors.write_moment(secret, last.opened_at, last.id)
    return {"disputes": [summary(row) for row in rows], "next_cursor": following}


def dispute(found: Told, *, is_desk: bool = False) -> Json:
    """A dispute with everything that was said."""
    one, credit = found.dispute, found.credit_item
    proposals = [_proposal(row, one.currency) for row in found.proposals]
    return {
        **summary(Row(one, found.account, found.invoice, found.line)),
        "wish": one.wish,
        "answer": one.answer,
        "memo_id": found.memo.public_id if found.memo is not None else None,
        "memo_number": found.memo.number if found.memo is not None else None,
        "kept": money(credit.amount) if credit is not None else None,
        "left": money(credit.open) if credit is not None else None,
        "messages": [
            {
                "side": row.side,
                "author": row.author,
                "text": row.text,
                "at": moment(row.at),
                "pictures": [_picture(file) for file in found.files.get(row.id, [])],
            }
            for row in found.messages
        ],
        "proposals": proposals if is_desk else None,
    }


def picture(row: DisputeFile) -> Json:
    """A picture with its bytes."""
    data = house().blobs.get(row.sha256)
    return {**_picture(row), "data": base64.b64encode(data).decode()}


def _picture(row: DisputeFile) -> Json:
    return {
        "id": row.public_id,
        "media_type": row.media_type,
        "width": row.width,
        "height": row.height,
    }


def _proposal(row: DisputeProposal, currency: str) -> Json:
    return {
        "id": row.public_id,
        "state": row.state,
        "credit": money(Money(row.amount_minor, currency)),
        "answer": row.answer,
        "note": row.note,
    }
