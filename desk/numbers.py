"""Numbers, addresses and keys at the desk: pools, what is in them, and what became of each.

Licence keys are never shown whole here: whoever has one sees it on the order.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from core.kernel import sheet
from core.kernel.errors import Invalid, NotFound, ShopError
from core.kernel.ids import new_public_id
from core.kernel.sheet import Cell
from core.kernel.sorting import Place
from core.orders import naming
from core.parties import users
from core.parties.roles import Role
from core.stock import picking, pools, resources
from core.stock.models import LogicalResource
from core.stock.picking import PoolRow, Row, Step
from desk import lists
from desk.lists import Asked, Choice, Listing
from desk.money import actor
from desk.numbers_forms import KINDS, AddForm, PoolForm, TermsForm, WithdrawForm
from desk.stock_file import SheetForm
from flows import keep_numbers
from flows.house import House
from web import paging
from web.access import Who, allow
from web.context import house
from web.documents import State
from web.flashes import say
from web.pages import page, show_errors

BASE = "/desk/stock/numbers"
numbers = Blueprint("desk_numbers", __name__, url_prefix="/desk/stock", template_folder="templates")
_SEE = (Role.SALES, Role.SUPPORT)
_ACT = (Role.SALES,)
STATES = {
    "free": "Free",
    "reserved": "Reserved",
    "assigned": "Given out",
    "quarantined": "At rest",
    "withdrawn": "Withdrawn",
}
_SHAPES = {"free": "go", "reserved": "wait", "assigned": "", "quarantined": "wait"}
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
_FOR = {"cart": "A cart", "order": "An order being paid", "quote": "A quote"}
LISTED = Listing(
    BASE,
    "pool",
    picking.POOL_SORTS,
    "sku",
    head=("sku", "name", "kind", "chosen", "days_at_rest", *STATES, "made"),
    file_name="pools-of-numbers",
)
Answer = str | AnyResponse | tuple[str, int]


def _of_pool(pool_id: uuid.UUID) -> Listing:
    """The list of one pool's numbers."""
    return replace(
        LISTED,
        path=f"{BASE}/{pool_id}",
        noun="number",
        sorts=picking.SORTS,
        by="value",
        choices=(Choice("state", "State", list(STATES.items()), is_tabs=True),),
        head=("value", "state", "until", "order", "customer", "added"),
        file_name="numbers",
    )


# --- pools ------------------------------------------------------------------------------------------


@numbers.get("/numbers")
@allow(Who.STAFF, roles=_SEE)
def listed() -> str:
    """Every pool, with how many are in each state."""
    return _listed(PoolForm(data={"quarantine_days": 30}))


def _listed(form: PoolForm) -> str:
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, LISTED.asked(), _pools)
    return page(
        "desk/numbers.html",
        pools=[_pool(row) for row in rows],
        form=form,
        states=STATES,
        base=BASE,
        **context,
    )


def _pools(session: Session, asked: Asked, place: Place, limit: int) -> list[PoolRow]:
    now = house().clock.now()
    return picking.pool_page(session, now, words=asked.words, place=place, limit=limit)


def _pool(row: PoolRow) -> dict[str, Any]:
    return {
        "href": f"{BASE}/{row.pool.id}",
        "sku": row.variant.sku,
        "name": row.variant.name,
        "slug": row.product.slug,
        "kind": KINDS[row.pool.kind],
        "words": resources.WORDS[row.pool.kind][1],
        "picked": row.pool.picked,
        "days": row.pool.quarantine_days,
        "counts": row.counts,
        "total": row.total,
        "level_href": f"/desk/stock/{row.pool.level_id}",
    }


@numbers.get("/numbers.csv")
@allow(Who.STAFF, roles=_SEE)
def export() -> Response:
    """The same as a file."""
    return LISTED.csv(LISTED.asked(), _pools, lambda _, rows: map(_pool_cells, rows))


def _pool_cells(row: PoolRow) -> list[Cell]:
    days = row.pool.quarantine_days
    return [
        *(sheet.words(text) for text in (row.variant.sku, row.variant.name, row.pool.kind)),
        sheet.words("yes" if row.pool.picked else "no"),
        sheet.code(days if days is not None else ""),
        *(sheet.code(row.counts[state]) for state in STATES),
        sheet.moment(row.pool.created_at),
    ]


@numbers.post("/numbers")
@allow(Who.STAFF, roles=_ACT)
def open_one() -> Answer:
    """A thing is sold with numbers from now on."""
    form = PoolForm(request.form)
    try:
        if not form.validate():
            return _listed(form), 422
        sku, kind = (form.sku.data or "").strip(), str(form.kind.data)
        made = keep_numbers.open_pool(house(), sku, kind, form.terms(), actor())
    except Invalid as error:
        show_errors(form, error)
        return _listed(form), 422
    except NotFound:
        form.sku.errors = [*form.sku.errors, "Nothing is sold under this SKU."]
        return _listed(form), 422
    except ShopError as error:
        form.sku.errors = [*form.sku.errors, str(error)]
        return _listed(form), 422
    say("The pool is there, with nothing in it yet: until something is, none can be had.")
    return redirect(f"{BASE}/{made}", 303)


# --- one pool ---------------------------------------------------------------------------------------


@numbers.get("/numbers/<uuid:pool_id>")
@allow(Who.STAFF, roles=_SEE)
def one_pool(pool_id: uuid.UUID) -> str:
    """What is in it, a page at a time; adding to it, and its terms."""
    return _one_pool(pool_id)


def _one_pool(
    pool_id: uuid.UUID, form: AddForm | None = None, terms: TermsForm | None = None
) -> str:
    listing = _of_pool(pool_id)
    with house().db.snapshot() as session:
        row = picking.one_pool(session, pool_id, house().clock.now())
        asked = listing.asked()
        rows, context = listing.page(session, asked, _reader(pool_id))
        whose = _whose(session, rows)
    return page(
        "desk/number_pool.html",
        pool=_pool(row),
        numbers=[_shown(one, whose) for one in rows],
        form=form or AddForm(data={"once": new_public_id()}),
        terms=terms or TermsForm(obj=row.pool),
        **listing.tabs("state", asked, row.counts),
        **context,
    )


def _reader(pool_id: uuid.UUID) -> lists.Read:
    def read(session: Session, asked: Asked, place: Place, limit: int) -> list[Row]:
        return picking.listing(
            session,
            pool_id,
            house().clock.now(),
            state=asked["state"],
            words=asked.words,
            place=place,
            limit=limit,
        )

    return read


#: By the line of an order: the order, whose it is, and the line.
_Whose = Mapping[uuid.UUID | None, Any]


def _whose(session: Session, rows: Sequence[Row], *more: uuid.UUID | None) -> _Whose:
    keys = [one.resource.line_id for one in rows] + list(more)
    found: dict[uuid.UUID | None, Any] = {}
    if any(keys):
        known = naming.whose(session, [key for key in keys if key is not None])
        found.update(known.items())
    return found


def _shown(row: Row, whose: _Whose) -> dict[str, Any]:
    one = row.resource
    order, account = (whose[one.line_id][:2]) if one.line_id in whose else (None, None)
    return {
        "href": f"{BASE}/{one.pool_id}/{one.id}",
        "value": masked(one),
        "state": State(_SHAPES.get(row.state, ""), STATES[row.state]),
        "code": row.state,
        "until": row.until,
        "held_by": _FOR.get(row.held_by, "Somebody who waited for it") if row.held_by else "",
        "order": order.number if order is not None else "",
        "order_href": f"/desk/orders/{order.public_id}" if order is not None else "",
        "customer": account.name if account is not None else "",
        "customer_href": f"/desk/customers/{account.public_id}" if account is not None else "",
        "added": one.added_at,
    }


def masked(one: LogicalResource) -> str:
    """A number as it is; of a licence key its last four characters."""
    return f"…{one.value[-4:]}" if resources.is_secret(one.kind) else one.value


@numbers.get("/numbers/<uuid:pool_id>.csv")
@allow(Who.STAFF, roles=_SEE)
def export_pool(pool_id: uuid.UUID) -> Response:
    """What is in it, as it is chosen, all of it."""
    listing = _of_pool(pool_id)
    with house().db.reading() as session:
        picking.one_pool(session, pool_id, house().clock.now())
    return listing.csv(listing.asked(), _reader(pool_id), _cells)


def _cells(session: Session, rows: Sequence[Row]) -> Iterator[list[Cell]]:
    whose = _whose(session, rows)
    for row in rows:
        one = _shown(row, whose)
        yield [
            sheet.words(one["value"]),
            sheet.words(row.state),
            sheet.moment(row.until) if row.until else sheet.code(""),
            sheet.words(one["order"] or ""),
            sheet.words(one["customer"]),
            sheet.moment(one["added"]),
        ]


@numbers.post("/numbers/<uuid:pool_id>/add")
@allow(Who.STAFF, roles=_ACT)
def add(pool_id: uuid.UUID) -> Answer:
    """Some more, by hand."""
    form = AddForm(request.form)
    try:
        if not form.validate():
            return _one_pool(pool_id, form), 422
        once = str(form.once.data or new_public_id())
        note = form.note.data or ""
        done = keep_numbers.add(house(), pool_id, form.each(), note, actor(), once)
    except Invalid as error:
        show_errors(form, error)
        return _one_pool(pool_id, form), 422
    say(f"{done} more {'is' if done == 1 else 'are'} free.")
    return redirect(f"{BASE}/{pool_id}", 303)


@numbers.post("/numbers/<uuid:pool_id>/terms")
@allow(Who.STAFF, roles=_ACT)
def set_terms(pool_id: uuid.UUID) -> Answer:
    """Whether customers choose, and how long one rests."""
    form = TermsForm(request.form)
    try:
        if not form.validate():
            return _one_pool(pool_id, terms=form), 422
        keep_numbers.set_terms(house(), pool_id, form.terms(), actor())
    except Invalid as error:
        show_errors(form, error)
        return _one_pool(pool_id, terms=form), 422
    say("Kept. What rests already rests as long as it was told.")
    return redirect(f"{BASE}/{pool_id}", 303)


# --- a file -----------------------------------------------------------------------------------------


@numbers.get("/numbers/<uuid:pool_id>/import")
@allow(Who.STAFF, roles=_ACT)
def choose(pool_id: uuid.UUID) -> str:
    """Which file?"""
    return _file(pool_id, SheetForm())


def _file(pool_id: uuid.UUID, form: SheetForm, looked: Any = None, text: str = "") -> str:
    with house().db.snapshot() as session:
        row = picking.one_pool(session, pool_id, house().clock.now())
    return page(
        "desk/number_file.html",
        pool=_pool(row),
        form=form,
        looked=looked,
        text=text,
        once=form.once.data or new_public_id(),
    )


@numbers.post("/numbers/<uuid:pool_id>/import")
@allow(Who.STAFF, roles=_ACT)
def look(pool_id: uuid.UUID) -> Answer:
    """What it would add; nothing is changed."""
    form = SheetForm(request.form)
    try:
        text = form.content()
    except Invalid as error:
        show_errors(form, error)
        return _file(pool_id, form), 422
    looked = keep_numbers.look(house(), pool_id, text)
    return _file(pool_id, form, looked, text), 200 if looked.is_sound else 422


@numbers.post("/numbers/<uuid:pool_id>/import/apply")
@allow(Who.STAFF, roles=_ACT)
def apply(pool_id: uuid.UUID) -> Answer:
    """Add what was looked at."""
    form = SheetForm(request.form)
    try:
        text = form.content()
        once = str(form.once.data or new_public_id())
        done = keep_numbers.apply(house(), pool_id, text, form.mark.data or None, actor(), once)
    except Invalid as error:
        show_errors(form, error)
        return _file(pool_id, form), 422
    say(f"{done} more {'is' if done == 1 else 'are'} free.")
    return redirect(f"{BASE}/{pool_id}", 303)


# --- one of them ------------------------------------------------------------------------------------


@numbers.get("/numbers/<uuid:pool_id>/<uuid:number_id>")
@allow(Who.STAFF, roles=_SEE)
def one(pool_id: uuid.UUID, number_id: uuid.UUID) -> str:
    """What became of it, the last on top."""
    before = paging.read_moment(request.args.get("before"))
    now, size = house().clock.now(), lists.PAGE_SIZE
    with house().db.snapshot() as session:
        row = _row(session, pool_id, number_id)
        pool = picking.one_pool(session, pool_id, now)
        steps = picking.history(session, number_id, before=before, limit=size + 1)
        shown = steps[:size]
        whose = _whose(session, [row], *(one.step.line_id for one in shown))
        names = users.names(session, [one.step.actor for one in shown if one.step.actor])
    last = shown[-1].step if len(steps) > size else None
    following = paging.write(last.at, last.id) if last is not None else None
    return page(
        "desk/number.html",
        pool=_pool(pool),
        number=_shown(row, whose),
        steps=[_step(one, whose, names) for one in shown],
        page=paging.links(f"{BASE}/{pool_id}/{number_id}", "before", following, before is None),
    )


def _row(session: Session, pool_id: uuid.UUID, number_id: uuid.UUID) -> Row:
    row = picking.one(session, number_id, house().clock.now())
    if row.resource.pool_id != pool_id:
        raise NotFound("number")
    return row


def _step(found: Step, whose: _Whose, names: Mapping[str, str]) -> dict[str, Any]:
    step = found.step
    order = whose[step.line_id][0] if step.line_id in whose else None
    ended = _ENDED.get(found.hold_state, "") if step.act in ("reserve", "quarantine") else ""
    return {
        "at": step.at,
        "what": _ACTS[step.act],
        "until": found.hold_until if found.hold_state == "active" else None,
        "ended": "" if step.act == "quarantine" and ended == "sold" else ended,
        "why": order.number or "An order" if order is not None else _FOR.get(step.reference, ""),
        "href": f"/desk/orders/{order.public_id}" if order is not None else "",
        "note": step.note,
        "who": names.get(step.actor, step.actor),
    }


@numbers.get("/numbers/<uuid:pool_id>/<uuid:number_id>/withdraw")
@allow(Who.STAFF, roles=_ACT)
def ask_withdraw(pool_id: uuid.UUID, number_id: uuid.UUID) -> str:
    """Shall it be sold no more?"""
    return _ask(pool_id, number_id, WithdrawForm())


def _ask(pool_id: uuid.UUID, number_id: uuid.UUID, form: WithdrawForm) -> str:
    with house().db.snapshot() as session:
        row = _row(session, pool_id, number_id)
    return page("desk/number_withdraw.html", number=_shown(row, {}), form=form)


@numbers.post("/numbers/<uuid:pool_id>/<uuid:number_id>/withdraw")
@allow(Who.STAFF, roles=_ACT)
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


@numbers.post("/numbers/<uuid:pool_id>/<uuid:number_id>/release")
@allow(Who.STAFF, roles=_ACT)
def release(pool_id: uuid.UUID, number_id: uuid.UUID) -> AnyResponse:
    """One that rests can be had before its time."""
    return _free(pool_id, number_id, keep_numbers.release)


@numbers.post("/numbers/<uuid:pool_id>/<uuid:number_id>/restore")
@allow(Who.STAFF, roles=_ACT)
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
