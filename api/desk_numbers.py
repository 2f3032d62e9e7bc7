"""Pools of numbers, addresses and keys, by a key of the desk."""

import uuid
from collections.abc import Callable
from typing import TypeVar

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from api import answers, cursors, reading
from api import number_shapes as shapes
from api.callers import caller, staff
from api.once import once
from api.pace import limit
from api.problems import add_headers
from api.shapes import Nothing
from core.kernel.errors import Invalid, NotFound
from core.kernel.ids import token_hash
from core.kernel.sorting import Place
from core.orders import naming
from core.stock import picking, resources
from core.stock.picking import PoolRow, Row
from core.stock.pools import Terms
from flows import keep_numbers
from flows.house import House
from web.access import Guard, Who, allow
from web.context import house, web_settings

T = TypeVar("T")
desk_numbers = Blueprint("api_desk_numbers", __name__, url_prefix="/api/v1/desk/pools")
desk_numbers.after_request(add_headers)


@desk_numbers.get("")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:read")
def listed() -> Response:
    """Pools, the last made first."""
    asked, secret = reading.query(shapes.PoolQuery), web_settings().secret_key
    with house().db.snapshot() as session:
        found = picking.pool_page(
            session,
            house().clock.now(),
            words=asked.q.strip(),
            place=Place("-made", cursors.read_moment(secret, asked.cursor)),
            limit=asked.page_size + 1,
        )
    rows = found[: asked.page_size]
    last = rows[-1].pool if len(found) > len(rows) else None
    following = cursors.write_moment(secret, last.created_at, last.id) if last else None
    return answers.respond({"items": [_pool(row) for row in rows], "next_cursor": following})


@desk_numbers.post("")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:write")
def open_one() -> Response:
    """A thing is sold with numbers from now on."""
    wish = reading.body(shapes.PoolWish)
    terms = Terms(wish.picked, wish.quarantine_days)
    key = _refusing(
        lambda: keep_numbers.open_pool(house(), wish.sku, wish.kind, terms, caller().actor)
    )
    return answers.respond(_one(key), 201)


@desk_numbers.get("/<sku>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:read")
def show(sku: str) -> Response:
    """One pool."""
    return answers.respond(_one(_key(sku)))


@desk_numbers.put("/<sku>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:write")
def set_terms(sku: str) -> Response:
    """Other terms."""
    wish, key = reading.body(shapes.PoolTerms), _key(sku)
    terms = Terms(wish.picked, wish.quarantine_days)
    _refusing(lambda: keep_numbers.set_terms(house(), key, terms, caller().actor))
    return answers.respond(_one(key))


@desk_numbers.get("/<sku>/numbers")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:read")
def numbers(sku: str) -> Response:
    """What is in it, the last added first."""
    asked, secret = reading.query(shapes.NumbersQuery), web_settings().secret_key
    key = _key(sku)
    with house().db.snapshot() as session:
        found = picking.listing(
            session,
            key,
            house().clock.now(),
            state=asked.state or "",
            words=asked.q,
            place=Place("-added", cursors.read_moment(secret, asked.cursor)),
            limit=asked.page_size + 1,
        )
        rows = found[: asked.page_size]
        items = _told(session, rows)
    last = rows[-1].resource if len(found) > len(rows) else None
    following = cursors.write_moment(secret, last.added_at, last.id) if last else None
    return answers.respond({"items": items, "next_cursor": following})


@desk_numbers.post("/<sku>/numbers")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:write")
def add(sku: str) -> Response:
    """Some more, all or none."""
    wish, key = reading.body(shapes.NumbersWish), _key(sku)
    scope = f"numbers:{caller().token_id.hex}:{key.hex}"

    def run() -> tuple[int, answers.Json]:
        name = token_hash(f"{scope}:{reading.idempotency_key()}")[:60]
        done = _refusing(
            lambda: keep_numbers.add(house(), key, wish.values, wish.note, caller().actor, name)
        )
        return 201, {"added": done}

    status, body = once(scope, wish, run)
    return answers.respond(body, status)


@desk_numbers.post("/<sku>/numbers/<number_id>/withdraw")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:write")
def withdraw(sku: str, number_id: str) -> Response:
    """It is sold no more; answers it."""
    wish, key = reading.body(shapes.WithdrawWish), _number(sku, number_id)
    keep_numbers.withdraw(house(), key, wish.note, caller().actor)
    return _answered(key)


@desk_numbers.post("/<sku>/numbers/<number_id>/release")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:write")
def release(sku: str, number_id: str) -> Response:
    """One that rests can be had before its time; answers it."""
    return _free(sku, number_id, keep_numbers.release)


@desk_numbers.post("/<sku>/numbers/<number_id>/restore")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:write")
def restore(sku: str, number_id: str) -> Response:
    """One that was withdrawn can be had again; answers it."""
    return _free(sku, number_id, keep_numbers.restore)


def _free(sku: str, number_id: str, do: Callable[[House, uuid.UUID, str], None]) -> Response:
    reading.body(Nothing, optional=True)
    key = _number(sku, number_id)
    do(house(), key, caller().actor)
    return _answered(key)


def _refusing(work: Callable[[], T]) -> T:
    """What cannot be taken is told by field."""
    try:
        return work()
    except Invalid as error:
        raise reading.refused(error) from None


def _key(sku: str) -> uuid.UUID:
    with house().db.reading() as session:
        return picking.pool_of_sku(session, sku)


def _number(sku: str, text: str) -> uuid.UUID:
    """A number of that pool. NotFound for anything else."""
    try:
        key = uuid.UUID(text)
    except ValueError:
        raise NotFound("number") from None
    with house().db.reading() as session:
        pool_id = picking.pool_of_sku(session, sku)
        if picking.one(session, key, house().clock.now()).resource.pool_id != pool_id:
            raise NotFound("number")
    return key


def _one(key: uuid.UUID) -> answers.Json:
    with house().db.snapshot() as session:
        return _pool(picking.one_pool(session, key, house().clock.now()))


def _pool(row: PoolRow) -> answers.Json:
    return {
        "sku": row.variant.sku,
        "kind": row.pool.kind,
        "picked": row.pool.picked,
        "quarantine_days": row.pool.quarantine_days,
        "counts": dict(row.counts),
    }


def _answered(key: uuid.UUID) -> Response:
    with house().db.snapshot() as session:
        (told,) = _told(session, [picking.one(session, key, house().clock.now())])
    return answers.respond(told)


def _told(session: Session, rows: list[Row]) -> list[answers.Json]:
    lines = [row.resource.line_id for row in rows if row.resource.line_id is not None]
    whose = naming.whose(session, lines) if lines else {}
    found = []
    for row in rows:
        one = row.resource
        order = whose[one.line_id][0] if one.line_id in whose else None
        found.append(
            {
                "id": str(one.id),
                "value": resources.shown(one.kind, one.value),
                "state": row.state,
                "until": answers.moment(row.until),
                "order_id": order.public_id if order is not None else None,
                "added_at": answers.moment(one.added_at),
            }
        )
    return found
