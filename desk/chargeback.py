"""One chargeback at the desk: what was taken and why, what it does to the books, and what we answer.

A draft is kept as often as one likes; it goes to the network once, by a button of its own.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse
from wtforms import FileField, Form, TextAreaField
from wtforms.fields import Field
from wtforms.validators import Length

from core.kernel.errors import Invalid
from core.kernel.money import Money
from core.ledger import chargebacks as ledger
from core.ledger import reading as journal
from core.parties import users
from core.parties.roles import Role
from desk import chargebacks as listed
from desk import shown
from flows import account as accounts
from flows import answer_chargeback
from flows.answer_chargeback import Wish
from invoices import reading as invoices
from payments import chargebacks as room
from payments import evidence
from payments.chargebacks import REASONS, ChargebackRow
from payments.evidence import (
    ChargebackEvidence,
    ChargebackFile,
    EvidenceOver,
    NothingToSend,
)
from web import strangers
from web.access import Who, allow, takes
from web.context import house
from web.flashes import say
from web.login import person
from web.pages import page, show_errors

chargeback = Blueprint(
    "desk_chargeback", __name__, url_prefix="/desk/chargebacks", template_folder="templates"
)
#: Several pictures, beside the form itself.
LARGEST = 42_000_000
KINDS = {
    "receipt": "Receipt or bill",
    "correspondence": "What they wrote to us",
    "delivery": "Proof that it arrived",
    "service": "Proof that the service was used",
    "other": "Something else",
}


class EvidenceForm(Form):
    """What we say, and a picture of each kind."""

    text = TextAreaField(
        "What we say",
        [Length(max=evidence.LONGEST, message=f"At most {evidence.LONGEST} characters.")],
    )
    receipt = FileField(KINDS["receipt"])
    correspondence = FileField(KINDS["correspondence"])
    delivery = FileField(KINDS["delivery"])
    service = FileField(KINDS["service"])
    other = FileField(KINDS["other"])

    def pictures(self) -> list[Field]:
        """The fields of pictures, in their order."""
        return [self[kind] for kind in KINDS]


def _actor() -> str:
    who = person()
    assert who is not None
    return f"user:{who.key}"


def _page(public_id: str, form: EvidenceForm | None = None, problems: Sequence[str] = ()) -> str:
    now = house().clock.now()
    with house().db.snapshot() as session:
        row, payment, account = room.one(session, public_id)
        ours, files = evidence.of(session, row.id), evidence.files_of(session, row.id)
        bills = ledger.bills_of(session, row.id)
        documents = invoices.names(session, [bill.source_id for bill, _ in bills])
        settled = [] if bills else accounts.settled_by(session, [payment.id]).get(payment.id, [])
        entries = journal.entries_about(session, [row.id])
        is_won = row.state == "won"
        lost = ledger.entry_of(session, row.id, ledger.LOST) if is_won else None
        actors = [ours.changed_by, ours.asked_by or ""] if ours is not None else []
        names = users.names(session, [actor for actor in actors if actor])
    return page(
        "desk/chargeback.html",
        here=f"/desk/chargebacks/{public_id}",
        chargeback=row,
        state=listed.state_of(row),
        reason=REASONS.get(row.reason, REASONS["general"]),
        amount=room.amount_of(row),
        fee=Money(row.fee_minor - row.fee_back_minor, row.currency),
        payment=payment,
        account=account,
        bills=[
            (bill.number, f"/desk/invoices/{documents[bill.source_id][1]}", part)
            for bill, part in bills
        ]
        or [(one.number, f"/desk/invoices/{one.public_id}", one.amount) for one in settled],
        entries=shown.entries(entries),
        evidence=ours,
        files=[
            (KINDS[one.kind], f"/desk/chargebacks/{public_id}/files/{one.public_id}", one)
            for one in files
        ],
        may_answer=evidence.may_answer(row, ours, now),
        names=names,
        form=form or EvidenceForm(data={"text": ours.text if ours is not None else ""}),
        problems=problems,
        most_mb=house().rules.disputes.file_bytes // 1_000_000,
        events=_history(row, ours, names, lost.posted_at if lost is not None else None),
    )


def _history(
    row: ChargebackRow,
    ours: ChargebackEvidence | None,
    names: dict[str, str],
    lost: datetime | None,
) -> list[dict[str, Any]]:
    """What has happened, the newest first."""
    told: list[tuple[str, Any]] = [("The bank took it back", row.opened_at)]
    if row.state in ("warned", "ended"):
        told = [("The bank asked about it", row.opened_at)]
    if ours is not None and ours.state == "draft":
        told.append((f"Draft kept by {names.get(ours.changed_by, 'somebody')}", ours.changed_at))
    elif ours is not None:
        told.append((f"Let go by {names.get(ours.asked_by or '', 'somebody')}", ours.sent_at))
    told.append(("The network has our evidence", row.answered_at))
    if row.state == "won" and lost is not None:
        told += [("Lost at first", lost), ("Won on appeal", row.closed_at)]
    else:
        told.append((listed.STATES[row.state].text, row.closed_at))
    return shown.moments(*told)


@chargeback.get("/<public_id>")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def show(public_id: str) -> str:
    """The chargeback, and what can be said about it."""
    return _page(public_id)


@chargeback.get("/<public_id>/files/<file_id>")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def file(public_id: str, file_id: str) -> Response:
    """A picture of our answer."""
    with house().db.reading() as session:
        row, payment, _ = room.one(session, public_id)
        found: ChargebackFile = evidence.file_of(session, row.id, file_id)
    return strangers.picture(found.sha256, found.media_type, f"{payment.number}-{found.kind}")


@chargeback.post("/<public_id>/evidence")
@allow(Who.STAFF, roles=(Role.BILLING,))
@takes(LARGEST)
def keep(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Keep a draft."""
    form = EvidenceForm(request.form)
    sent = {kind: request.files[kind] for kind in KINDS if kind in request.files}
    files = {kind: one.read() for kind, one in sent.items() if one.filename}
    without = [kind for kind in request.form.getlist("without") if kind in KINDS]
    if not form.validate():
        return _page(public_id, form), 422
    try:
        wish = Wish(form.text.data or "", files, without)
        answer_chargeback.keep(house(), public_id, wish, _actor())
    except Invalid as error:
        together = error.fields_.pop("files", "")
        show_errors(form, error)
        return _page(public_id, form, [together] if together else []), 422
    except EvidenceOver as error:
        say(str(error), "warn")
        return redirect(f"/desk/chargebacks/{public_id}#evidence", 303)
    say("The draft is kept. Nothing has been sent.")
    return redirect(f"/desk/chargebacks/{public_id}#evidence", 303)


@chargeback.post("/<public_id>/evidence/send")
@allow(Who.STAFF, roles=(Role.BILLING,))
def send(public_id: str) -> AnyResponse:
    """Let the draft go, for good."""
    try:
        answer_chargeback.send(house(), public_id, _actor())
        say("It is on its way to the network.")
    except (EvidenceOver, NothingToSend) as error:
        say(str(error), "warn")
    return redirect(f"/desk/chargebacks/{public_id}#evidence", 303)
