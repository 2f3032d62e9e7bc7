"""Pieces between places, by a key of the desk."""

import uuid

from flask import Blueprint, Response

from api import answers, cursors, reading
from api import stock_shapes as shapes
from api.callers import caller, staff
from api.once import once
from api.pace import limit
from api.problems import add_headers
from core.kernel.errors import Invalid, NotFound
from core.kernel.ids import token_hash
from core.kernel.sorting import Place
from core.stock import transfers
from core.stock.transfers import Row, Sending
from flows import move_stock
from web.access import Guard, Who, allow
from web.context import house, web_settings

desk_transfers = Blueprint("api_desk_transfers", __name__, url_prefix="/api/v1/desk/transfers")
desk_transfers.after_request(add_headers)


@desk_transfers.get("")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:read")
def listed() -> Response:
    """Transfers, the last sent first."""
    asked, secret = reading.query(shapes.TransferQuery), web_settings().secret_key
    with house().db.snapshot() as session:
        found = transfers.page(
            session,
            state=asked.state or "",
            words=asked.q.strip(),
            place=Place("-sent", cursors.read_moment(secret, asked.cursor)),
            limit=asked.page_size + 1,
        )
    rows = found[: asked.page_size]
    last = rows[-1].transfer if len(found) > len(rows) else None
    following = cursors.write_moment(secret, last.sent_at, last.id) if last else None
    return answers.respond({"items": [_told(row) for row in rows], "next_cursor": following})


@desk_transfers.post("")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:write")
def send() -> Response:
    """Pieces leave."""
    wish = reading.body(shapes.TransferWish)
    scope = f"transfer:{caller().token_id.hex}"

    def run() -> tuple[int, answers.Json]:
        name = token_hash(f"{scope}:{reading.idempotency_key()}")[:60]
        try:
            key = move_stock.send(house(), Sending(**wish.model_dump()), caller().actor, name)
        except Invalid as error:
            raise reading.refused(error) from None
        return 201, _one(key)

    status, body = once(scope, wish, run)
    return answers.respond(body, status)


@desk_transfers.post("/<transfer_id>/arrivals")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:write")
def arrive(transfer_id: str) -> Response:
    """They are here, or not all."""
    wish, key = reading.body(shapes.ArrivalWish), _key(transfer_id)
    scope = f"arrival:{caller().token_id.hex}:{key.hex}"

    def run() -> tuple[int, answers.Json]:
        try:
            move_stock.arrive(house(), key, wish.arrived, wish.lost, caller().actor)
        except Invalid as error:
            raise reading.refused(error) from None
        return 200, _one(key)

    status, body = once(scope, wish, run)
    return answers.respond(body, status)


def _key(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound("transfer") from None


def _one(key: uuid.UUID) -> answers.Json:
    with house().db.reading() as session:
        return _told(transfers.one(session, key))


def _told(row: Row) -> answers.Json:
    one = row.transfer
    return {
        "id": str(one.id),
        "sku": row.sku,
        "source": row.source_code,
        "target": row.target_code,
        "quantity": one.quantity,
        "arrived": one.arrived,
        "lost": one.lost,
        "state": one.state,
        "note": one.note,
        "sent_at": answers.moment(one.sent_at),
        "done_at": answers.moment(one.done_at),
    }
