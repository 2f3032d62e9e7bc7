"""A customer's disputes, by a token of their own: opening, reading, writing, taking back."""

import uuid
from collections.abc import Callable, Sequence

from flask import Blueprint, Response, request
from pydantic import BaseModel
from sqlalchemy.orm import Session

from api import answers, callers, cursors, dispute_answers, reading
from api.answers import Json
from api.callers import customer
from api.dispute_shapes import DisputeOpen, DisputeQuery, DisputeWrite
from api.once import once
from api.pace import limit
from api.problems import add_headers
from api.shapes import Nothing
from core.kernel.errors import Forbidden, Invalid
from core.kernel.money import Money
from core.parties.models import User
from flows import open_dispute, talk_about_dispute
from flows.open_dispute import Asked, Author
from invoices import reading as invoices
from invoices.disputes import reading as disputes_
from invoices.disputes import talking
from web.access import Guard, Who, allow
from web.context import house, web_settings
from web.disputes import LARGEST

disputes = Blueprint("api_disputes", __name__, url_prefix="/api/v1/account/disputes")
disputes.after_request(add_headers)
#: What is written in base64 is a third longer.
LARGEST_BODY = LARGEST * 4 // 3


def _mine(session: Session) -> list[uuid.UUID]:
    return [row.id for row, _ in callers.own_accounts(session)]


def _told(public_id: str) -> Json:
    with house().db.snapshot() as session:
        found = disputes_.one(session, public_id, _mine(session))
        return dispute_answers.dispute(disputes_.told(session, found))


def _acting(session: Session, account_id: uuid.UUID) -> tuple[Author, Sequence[uuid.UUID]]:
    """Who asks, and whose bills they may dispute. Raises Forbidden for who may only look."""
    caller = callers.caller()
    if account_id not in {row.id for row, acts in callers.own_accounts(session) if acts}:
        raise Forbidden
    name = session.get_one(User, caller.user_id).name
    return Author("customer", name, caller.actor, caller.user_id), _mine(session)


@disputes.get("")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer("disputes:read")
def listed() -> Response:
    """All disputes of theirs, the newest first."""
    query = reading.query(DisputeQuery)
    before = cursors.read_moment(web_settings().secret_key, query.cursor)
    with house().db.reading() as session:
        found = disputes_.of_accounts(
            session, _mine(session), before=before, limit=query.page_size + 1
        )
    return answers.respond(dispute_answers.page(found, query.page_size))


@disputes.get("/<dispute_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer("disputes:read")
def show(dispute_id: str) -> Response:
    """One dispute with its messages."""
    return answers.respond(_told(reading.public_id(dispute_id, "dispute")))


@disputes.get("/<dispute_id>/pictures/<picture_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer("disputes:read")
def picture(dispute_id: str, picture_id: str) -> Response:
    """A picture of it."""
    with house().db.reading() as session:
        wanted = reading.public_id(dispute_id, "dispute")
        found = disputes_.one(session, wanted, _mine(session))
        row = talking.file_of(session, found, reading.public_id(picture_id, "picture"))
    return answers.respond(dispute_answers.picture(row))


@disputes.post("")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer("disputes:write")
def begin() -> Response:
    """Dispute a line of a bill."""
    request.max_content_length = LARGEST_BODY
    wish, caller = reading.body(DisputeOpen), callers.caller()
    with house().db.reading() as session:
        bill = invoices.one(session, wish.bill_id, _mine(session))
        who, mine = _acting(session, bill.payer_account_id)
    asked = Asked(
        wish.bill_id,
        wish.line_number,
        wish.reason,
        Money(wish.amount, bill.currency) if wish.amount is not None else None,
        wish.text,
        wish.pictures,
        wish.wish,
    )

    def work() -> tuple[int, Json]:
        try:
            return 201, _told(open_dispute.open_one(house(), asked, who, mine))
        except Invalid as error:
            raise reading.refused(error) from None

    status, body = once(f"open-dispute:{caller.token_id.hex}", wish, work)
    return answers.respond(body, status, f"/api/v1/account/disputes/{body['id']}")


def _done(
    verb: str,
    dispute_id: str,
    wish: BaseModel,
    work: Callable[[str, Author, Sequence[uuid.UUID]], None],
    status: int = 200,
) -> Response:
    """Do it once for its Idempotency-Key; answers the dispute then."""
    public_id = reading.public_id(dispute_id, "dispute")
    with house().db.reading() as session:
        found = disputes_.one(session, public_id, _mine(session))
        who, mine = _acting(session, found.account_id)

    def run() -> tuple[int, Json]:
        try:
            work(public_id, who, mine)
        except Invalid as error:
            raise reading.refused(error) from None
        return status, _told(public_id)

    scope = f"{verb}-dispute:{public_id}:{callers.caller().token_id.hex}"
    done, body = once(scope, wish, run)
    return answers.respond(body, done)


@disputes.post("/<dispute_id>/messages")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer("disputes:write")
def write(dispute_id: str) -> Response:
    """Add something, with pictures."""
    request.max_content_length = LARGEST_BODY
    wish = reading.body(DisputeWrite)

    def work(public_id: str, who: Author, mine: Sequence[uuid.UUID]) -> None:
        talk_about_dispute.write(house(), public_id, who, wish.text, mine, files=wish.pictures)

    return _done("write", dispute_id, wish, work, 201)


@disputes.post("/<dispute_id>/withdraw")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer("disputes:write")
def withdraw(dispute_id: str) -> Response:
    """Take it back."""

    def work(public_id: str, who: Author, mine: Sequence[uuid.UUID]) -> None:
        talk_about_dispute.withdraw(house(), public_id, who.actor, mine)

    return _done("withdraw", dispute_id, reading.body(Nothing, optional=True), work)


@disputes.post("/<dispute_id>/refund")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer("disputes:write")
def refund(dispute_id: str) -> Response:
    """Have the credit back instead of keeping it."""

    def work(public_id: str, who: Author, mine: Sequence[uuid.UUID]) -> None:
        talk_about_dispute.have_back(house(), public_id, who.actor, mine)

    return _done("refund", dispute_id, reading.body(Nothing, optional=True), work)
