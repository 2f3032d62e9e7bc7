"""A dispute in the words of a page, for its customer and for the desk: states, time line, talk, pictures."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import Response, request
from wtforms import Form, HiddenField, MultipleFileField, TextAreaField

from core.kernel.ids import new_public_id
from core.kernel.money import Money
from invoices.disputes.models import STANDING, Dispute, DisputeFile
from invoices.disputes.reading import Told
from web import strangers
from web.documents import State
from web.filters import date_full

#: The largest request of a form with pictures: so many bytes, beside the form itself.
LARGEST = 42_000_000
STATES = {
    "open": State("wait", "We look at it"),
    "waiting": State("wait", "We look at it"),
    "resolved": State("go", "Answered"),
    "withdrawn": State("", "Taken back"),
}
REASONS = {
    "overcharge": "It is too much",
    "duplicate": "It is billed twice",
    "late_fee": "It is a late fee I should not pay",
    "not_received": "I did not get it",
    "courtesy": "I ask for a courtesy",
}
OUTCOMES = {
    "full": "credited in full",
    "part": "credited in part",
    "none": "not credited",
}


class MessageForm(Form):
    """More words, with pictures."""

    text = TextAreaField("Your message")
    files = MultipleFileField("Pictures")
    once = HiddenField()


def sent_files() -> list[bytes]:
    """The bytes of the files that came with the form; a field left empty is none."""
    return [file.read() for file in request.files.getlist("files") if file.filename]


def money(dispute: Dispute) -> Money:
    """What is disputed."""
    return Money(dispute.amount_minor, dispute.currency)


def facts(found: Told, bills: str, form: MessageForm | None) -> dict[str, Any]:
    """What a page of it tells whoever disputes; below ``bills`` stand the bills that they may see."""
    row, item, memo = found.dispute, found.bill_item, found.memo
    return {
        "dispute": row,
        "state": STATES[row.state],
        "amount": money(row),
        "reason": REASONS[row.reason],
        "line": found.line.name,
        "bill": (found.invoice.number, f"{bills}/{found.invoice.public_id}"),
        "memo": (memo.number, f"{bills}/{memo.public_id}") if memo is not None else None,
        "credited": Money(row.credited_minor, row.currency),
        "contested": item.contested if item is not None else None,
        "still_due": item.uncontested if item is not None else None,
        "due": found.invoice.due_date,
        "is_open": row.state in STANDING,
        "answer": row.answer.splitlines(),
        "events": timeline(found),
        "form": form or MessageForm(data={"once": new_public_id()}),
    }


def talk(found: Told, base: str, *, with_pictures: bool = True) -> list[dict[str, Any]]:
    """What both sides said, the oldest first, with where its pictures are, if they are shown here."""
    return [
        {
            "author": row.author,
            "ours": row.side == "staff",
            "at": row.at,
            "lines": row.text.splitlines(),
            "pictures": [
                (f"{base}/files/{one.public_id}", one.width, one.height)
                for one in (found.files.get(row.id, []) if with_pictures else [])
            ],
        }
        for row in found.messages
        if row.text or row.id in found.files
    ]


def timeline(found: Told) -> list[dict[str, Any]]:
    """Where it stands: what has happened, what is now, what comes."""
    dispute = found.dispute
    events = [{"title": "You disputed it", "at": dispute.opened_at, "text": "", "state": "done"}]
    if dispute.state == "withdrawn":
        events.append(
            {"title": "You took it back", "at": dispute.closed_at, "text": "", "state": "done"}
        )
        return events
    if dispute.state != "resolved":
        until = f"We answer by {date_full(dispute.answer_by)}"
        return [
            *events,
            {"title": "We look at it", "at": None, "text": until, "state": "now"},
            {"title": "Our answer", "at": None, "text": "", "state": ""},
        ]
    events.append(
        {
            "title": f"We answered: {OUTCOMES[dispute.outcome or 'none']}",
            "at": dispute.closed_at,
            "text": "",
            "state": "done",
        }
    )
    if found.credit_item is not None:
        kept = dispute.wish == "keep"
        back = "It is yours for later bills" if kept else "It goes back the way you paid"
        events.append({"title": back, "at": None, "text": "", "state": "done"})
    return events


def lines_of_bill(
    disputable: Sequence[int],
    known: Sequence[tuple[int, Dispute]],
    bill_href: str,
    disputes_href: str = "/account/disputes",
    *,
    at_the_desk: bool = False,
) -> dict[int, dict[str, Any]]:
    """What leads from each line of a bill: to dispute it, or to its dispute."""
    now, before = (
        ("Disputed now", "Disputed") if at_the_desk else ("You dispute it", "You disputed it")
    )
    links: dict[int, dict[str, Any]] = {
        number: {
            "href": f"{bill_href}/lines/{number}/dispute",
            "text": "They dispute this" if at_the_desk else "Something is wrong with this",
            "fresh": True,
        }
        for number in disputable
    }
    for number, dispute in known:
        if dispute.state != "withdrawn":
            links[number] = {
                "href": f"{disputes_href}/{dispute.public_id}",
                "text": f"{now if dispute.closed_at is None else before}: {dispute.number}",
                "fresh": False,
            }
    return links


def picture(row: DisputeFile, dispute: Dispute) -> Response:
    """A picture as we wrote it anew, under a name of ours."""
    return strangers.picture(row.sha256, row.media_type, f"{dispute.number}-{row.public_id[:8]}")


def is_late(dispute: Dispute, today: date) -> bool:
    """Is the promised day over without an answer?"""
    return dispute.closed_at is None and dispute.answer_by < today
