"""One number, address or key at the desk: what became of it, and taking it out or putting it back."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from core.kernel.errors import NotFound
from core.parties import users
from core.stock import picking, pools
from core.stock.picking import Row, Step
from desk import lists
from desk.money import actor
from desk.numbers import ACT, BASE, FOR, SEE, STATES, Answer, Whose, pool_words, shown, whose
from desk.numbers_forms import WithdrawForm
from flows import keep_numbers
from flows.house import House
from web import paging
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page

number = Blueprint("desk_number", __name__, url_prefix="/desk/stock", template_folder="templates")
_ACTS = {
    "add": "Added",
    "reserve": "Reserved",
    "assign": "Given out",
    "quarantine": "Given back, at rest",
    "release": "Free before its time",
    "withdraw": "Withdrawn",
    "restore": "Put back",
}
_ENDED = {"released": "let go", "lapsed": "let go when its time was over", "allocated": "sold"}


@number.get("/numbers/<uuid:pool_id>/<uuid:number_id>")
@allow(Who.STAFF, roles=SEE)
def one(pool_id: uuid.UUID, number_id: uuid.UUID) -> str:
    """What became of it, the last on top."""
    before = paging.read_moment(request.args.get("before"))
    now, size = house().clock.now(), lists.PAGE_SIZE
    with house().db.snapshot() as session:
        row = _row(session, pool_id, number_id)
        pool = picking.one_pool(session, pool_id, now)
        steps = picking.history(session, number_id, before=before, limit=size + 1)
        seen = steps[:size]
        known = whose(session, [row], *(one.step.line_id for one in seen))
        names = users.names(session, [one.step.actor for one in seen if one.step.actor])
    last = seen[-1].step if len(steps) > size else None
    following = paging.write(last.at, last.id) if last is not None else None
    return page(
        "desk/number.html",
        pool=pool_words(pool),
        number=shown(row, known),
        steps=[_step(one, known, names) for one in seen],
        page=paging.links(f"{BASE}/{pool_id}/{number_id}", "before", following, before is None),
    )


def _row(session: Session, pool_id: uuid.UUID, number_id: uuid.UUID) -> Row:
    row = picking.one(session, number_id, house().clock.now())
    if row.resource.pool_id != pool_id:
        raise NotFound("number")
    return row


def _step(found: Step, known: Whose, names: Mapping[str, str]) -> dict[str, Any]:
    step = found.step
    order = known[step.line_id][0] if step.line_id in known else None
    ended = _ENDED.get(found.hold_state, "") if step.act in ("reserve", "quarantine") else ""
    return {
        "at": step.at,
        "what": _ACTS[step.act],
        "until": found.hold_until if found.hold_state == "active" else None,
        "ended": "" if step.act == "quarantine" and ended == "sold" else ended,
        "why": order.number or "An order" if order is not None else FOR.get(step.reference, ""),
        "href": f"/desk/orders/{order.public_id}" if order is not None else "",
        "note": step.note,
        "who": names.get(step.actor, step.actor),
    }


@number.get("/numbers/<uuid:pool_id>/<uuid:number_id>/withdraw")
@allow(Who.STAFF, roles=ACT)
def ask_withdraw(pool_id: uuid.UUID, number_id: uuid.UUID) -> str:
    """Shall it be sold no more?"""
    return _ask(pool_id, number_id, WithdrawForm())


def _ask(pool_id: uuid.UUID, number_id: uuid.UUID, form: WithdrawForm) -> str:
    with house().db.snapshot() as session:
        row = _row(session, pool_id, number_id)
    return page("desk/number_withdraw.html", number=shown(row, {}), form=form)


@number.post("/numbers/<uuid:pool_id>/<uuid:number_id>/withdraw")
@allow(Who.STAFF, roles=ACT)
def withdraw(pool_id: uuid.UUID, number_id: uuid.UUID) -> Answer:
    """It is sold no more."""
    form = WithdrawForm(request.form)
    if not form.validate():
        return _ask(pool_id, number_id, form), 422
    with house().db.reading() as session:
        _row(session, pool_id, number_id)
    try:
        keep_numbers.withdraw(house(), number_id, form.note.data or "", actor())
    except pools.NumberInUse as error:
        say(_in_use(error), "warn")
    else:
        say("It is sold no more, until somebody puts it back.")
    return redirect(f"{BASE}/{pool_id}/{number_id}", 303)


@number.post("/numbers/<uuid:pool_id>/<uuid:number_id>/release")
@allow(Who.STAFF, roles=ACT)
def release(pool_id: uuid.UUID, number_id: uuid.UUID) -> AnyResponse:
    """One that rests can be had before its time."""
    return _free(pool_id, number_id, keep_numbers.release)


@number.post("/numbers/<uuid:pool_id>/<uuid:number_id>/restore")
@allow(Who.STAFF, roles=ACT)
def restore(pool_id: uuid.UUID, number_id: uuid.UUID) -> AnyResponse:
    """One that was withdrawn can be had again."""
    return _free(pool_id, number_id, keep_numbers.restore)


def _free(
    pool_id: uuid.UUID, number_id: uuid.UUID, do: Callable[[House, uuid.UUID, str], None]
) -> AnyResponse:
    with house().db.reading() as session:
        _row(session, pool_id, number_id)
    try:
        do(house(), number_id, actor())
    except pools.NumberInUse as error:
        say(_in_use(error), "warn")
    else:
        say("It can be had now.")
    return redirect(f"{BASE}/{pool_id}/{number_id}", 303)


def _in_use(error: pools.NumberInUse) -> str:
    """Without the value, which may be a key."""
    return f"It is {STATES[error.state].lower()}: this cannot be done with it now."
