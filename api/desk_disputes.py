"""Everybody's disputes, by a key of the desk: reading, writing, answering, agreeing as the second person."""

from collections.abc import Callable

from flask import Blueprint, Response, request
from pydantic import BaseModel

from api import answers, callers, cursors, dispute_answers, reading
from api.answers import Json
from api.callers import staff
from api.dispute_shapes import DeskDisputeQuery, DisputeAnswerWish, DisputeSecond, DisputeWrite
from api.disputes import LARGEST_BODY
from api.once import once
from api.pace import limit
from api.problems import add_headers
from core.kernel.errors import Invalid
from core.kernel.money import Money
from core.kernel.sorting import Place
from core.parties.models import User
from flows import resolve_dispute, talk_about_dispute
from flows.open_dispute import Author
from flows.resolve_dispute import Answer
from invoices.disputes import reading as disputes_
from invoices.disputes import talking
from invoices.disputes.reading import Filter
from web.access import Guard, Who, allow
from web.context import house, today, web_settings

desk_disputes = Blueprint("api_desk_disputes", __name__, url_prefix="/api/v1/desk/disputes")
desk_disputes.after_request(add_headers)


def _told(public_id: str) -> Json:
    with house().db.snapshot() as session:
        found = disputes_.told(session, disputes_.one(session, public_id))
        return dispute_answers.dispute(found, is_desk=True)


def _done(
    verb: str,
    dispute_id: str,
    wish: BaseModel,
    work: Callable[[str, Author], object],
    status: int = 200,
) -> Response:
    """Do it once for its Idempotency-Key, with who acts; answers the dispute then."""
    public_id, caller = reading.public_id(dispute_id, "dispute"), callers.caller()
    with house().db.reading() as session:
        disputes_.one(session, public_id)
        name = session.get_one(User, caller.user_id).name
    author = Author("staff", name, caller.actor, caller.user_id)

    def run() -> tuple[int, Json]:
        try:
            work(public_id, author)
        except Invalid as error:
            raise reading.refused(error) from None
        return status, _told(public_id)

    scope = f"{verb}-dispute:{public_id}:{caller.token_id.hex}"
    done, body = once(scope, wish, run)
    return answers.respond(body, done)


@desk_disputes.get("")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("disputes:read")
def listed() -> Response:
    """Everybody's disputes, the last opened first."""
    query = reading.query(DeskDisputeQuery)
    after = cursors.read_moment(web_settings().secret_key, query.cursor)
    with house().db.reading() as session:
        found = disputes_.listing(
            session,
            Filter(tab=query.state or ""),
            today(),
            place=Place("-opened", after),
            limit=query.page_size + 1,
        )
    return answers.respond(dispute_answers.page(found, query.page_size))


@desk_disputes.get("/<dispute_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("disputes:read")
def show(dispute_id: str) -> Response:
    """One dispute, with the decisions that took two."""
    return answers.respond(_told(reading.public_id(dispute_id, "dispute")))


@desk_disputes.get("/<dispute_id>/pictures/<picture_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("disputes:read")
def picture(dispute_id: str, picture_id: str) -> Response:
    """A picture of it."""
    with house().db.reading() as session:
        found = disputes_.one(session, reading.public_id(dispute_id, "dispute"))
        row = talking.file_of(session, found, reading.public_id(picture_id, "picture"))
    return answers.respond(dispute_answers.picture(row))


@desk_disputes.post("/<dispute_id>/messages")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("disputes:write")
def write(dispute_id: str) -> Response:
    """Write to the customer."""
    request.max_content_length = LARGEST_BODY
    wish = reading.body(DisputeWrite)

    def work(public_id: str, author: Author) -> None:
        talk_about_dispute.write(house(), public_id, author, wish.text, None, files=wish.pictures)

    return _done("write", dispute_id, wish, work, 201)


@desk_disputes.post("/<dispute_id>/decision")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("disputes:write")
def decide(dispute_id: str) -> Response:
    """Answer it; over the limit a second person is asked."""
    wish = reading.body(DisputeAnswerWish)

    def work(public_id: str, author: Author) -> None:
        with house().db.reading() as session:
            currency = disputes_.one(session, public_id).currency
        answer = Answer(Money(wish.credit, currency), wish.answer)
        resolve_dispute.decide(house(), public_id, answer, author)

    return _done("decide", dispute_id, wish, work)


@desk_disputes.post("/<dispute_id>/second")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("disputes:write")
def second(dispute_id: str) -> Response:
    """Agree as the second person, or give it back."""
    wish = reading.body(DisputeSecond)

    def work(public_id: str, author: Author) -> None:
        resolve_dispute.second(
            house(),
            public_id,
            wish.proposal_id,
            author,
            approved=wish.approved,
            note=wish.note,
        )

    return _done("second", dispute_id, wish, work)
