"""Chargebacks by a key of the desk: reading, keeping evidence as a draft, sending it once."""

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from api import answers, callers, cursors, reading
from api.answers import Json, moment, money
from api.callers import staff
from api.chargeback_shapes import ChargebackQuery, EvidenceKeep
from api.disputes import LARGEST_BODY
from api.once import once
from api.pace import limit
from api.problems import add_headers
from api.shapes import Nothing
from core.kernel.errors import Invalid
from core.kernel.money import Money
from core.kernel.sorting import Place
from core.ledger import chargebacks as ledger
from core.parties.models import Account
from flows import answer_chargeback
from flows.answer_chargeback import Wish
from payments import chargebacks as room
from payments import evidence
from payments.chargebacks import ChargebackRow
from payments.models import Payment
from web.access import Guard, Who, allow
from web.context import house, web_settings

desk_chargebacks = Blueprint(
    "api_desk_chargebacks", __name__, url_prefix="/api/v1/desk/chargebacks"
)
desk_chargebacks.after_request(add_headers)


@desk_chargebacks.get("")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("chargebacks:read")
def listed() -> Response:
    """Chargebacks, the last opened first."""
    query, secret = reading.query(ChargebackQuery), web_settings().secret_key
    after = cursors.read_moment(secret, query.cursor)
    with house().db.reading() as session:
        found = room.listing(
            session,
            state=query.state or "",
            place=Place("-opened", after),
            limit=query.page_size + 1,
        )
    rows, following = found[: query.page_size], None
    if len(found) > len(rows):
        following = cursors.write_moment(secret, rows[-1][0].opened_at, rows[-1][0].id)
    content = [_summary(*row) for row in rows]
    return answers.respond({"chargebacks": content, "next_cursor": following})


@desk_chargebacks.get("/<chargeback_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("chargebacks:read")
def show(chargeback_id: str) -> Response:
    """One, with its bills and our evidence."""
    return answers.respond(_told(reading.public_id(chargeback_id, "chargeback")))


@desk_chargebacks.post("/<chargeback_id>/evidence")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("chargebacks:write")
def keep(chargeback_id: str) -> Response:
    """Keep a draft."""
    request.max_content_length = LARGEST_BODY
    wish, public_id = reading.body(EvidenceKeep), reading.public_id(chargeback_id, "chargeback")
    files = {one.shows: one.data for one in wish.pictures}

    def run() -> tuple[int, Json]:
        try:
            told = Wish(wish.text, files, wish.without)
            answer_chargeback.keep(house(), public_id, told, callers.caller().actor)
        except Invalid as error:
            raise reading.refused(error) from None
        return 200, _told(public_id)

    status, body = once(f"evidence:{public_id}:{callers.caller().token_id.hex}", wish, run)
    return answers.respond(body, status)


@desk_chargebacks.post("/<chargeback_id>/evidence/send")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("chargebacks:write")
def send(chargeback_id: str) -> Response:
    """Send the draft, for good."""
    wish, public_id = reading.body(Nothing), reading.public_id(chargeback_id, "chargeback")

    def run() -> tuple[int, Json]:
        answer_chargeback.send(house(), public_id, callers.caller().actor)
        return 200, _told(public_id)

    status, body = once(f"send-evidence:{public_id}:{callers.caller().token_id.hex}", wish, run)
    return answers.respond(body, status)


def _told(public_id: str) -> Json:
    with house().db.snapshot() as session:
        row, payment, account = room.one(session, public_id)
        ours = evidence.of(session, row.id)
        return {
            **_summary(row, payment, account),
            "bills": [
                {"number": bill.number, "amount": money(part)}
                for bill, part in ledger.bills_of(session, row.id)
            ],
            "may_answer": evidence.may_answer(row, ours, house().clock.now()),
            "evidence": _evidence(session, row) if ours is not None else None,
        }


def _evidence(session: Session, row: ChargebackRow) -> Json:
    ours = session.get_one(evidence.ChargebackEvidence, row.id)
    return {
        "state": ours.state,
        "text": ours.text,
        "pictures": [
            {
                "id": one.public_id,
                "shows": one.kind,
                "media_type": one.media_type,
                "width": one.width,
                "height": one.height,
            }
            for one in evidence.files_of(session, row.id)
        ],
        "sent_at": moment(ours.sent_at),
        "trouble": ours.trouble,
    }


def _summary(row: ChargebackRow, payment: Payment, account: Account) -> Json:
    return {
        "id": row.public_id,
        "state": row.state,
        "payment_id": payment.public_id,
        "payment_number": payment.number,
        "account_number": account.number,
        "amount": money(room.amount_of(row)),
        "fee": money(Money(row.fee_minor - row.fee_back_minor, row.currency)),
        "reason": row.reason,
        "answer_by": moment(row.evidence_due),
        "answered_at": moment(row.answered_at),
        "opened_at": moment(row.opened_at),
        "closed_at": moment(row.closed_at),
        "trouble": row.trouble,
    }
