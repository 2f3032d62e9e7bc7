"""Numbers, addresses and keys at the desk: pools, what is in them, and what became of each.

Licence keys are never shown whole here: whoever has one sees it on the order.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
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
from core.parties.roles import Role
from core.stock import picking, resources
from core.stock.models import LogicalResource
from core.stock.picking import PoolRow, Row
from desk import lists
from desk.lists import Asked, Choice, Listing
from desk.money import actor
from desk.numbers_forms import KINDS, AddForm, PoolForm, TermsForm
from flows import keep_numbers
from web.access import Who, allow
from web.context import house
from web.documents import State
from web.flashes import say
from web.pages import page, show_errors

BASE = "/desk/stock/numbers"
numbers = Blueprint("desk_numbers", __name__, url_prefix="/desk/stock", template_folder="templates")
SEE = (Role.SALES, Role.SUPPORT)
ACT = (Role.SALES,)
STATES = {
    "free": "Free",
    "reserved": "Reserved",
    "assigned": "Given out",
    "quarantined": "At rest",
    "withdrawn": "Withdrawn",
}
_SHAPES = {"free": "go", "reserved": "wait", "assigned": "", "quarantined": "wait"}
FOR = {"cart": "A cart", "order": "An order being paid", "quote": "A quote"}
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
@allow(Who.STAFF, roles=SEE)
def listed() -> str:
    """Every pool, with how many are in each state."""
    return _listed(PoolForm(data={"quarantine_days": 30}))


def _listed(form: PoolForm) -> str:
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, LISTED.asked(), _pools)
    return page(
        "desk/numbers.html",
        pools=[pool_words(row) for row in rows],
        form=form,
        states=STATES,
        base=BASE,
        **context,
    )


def _pools(session: Session, asked: Asked, place: Place, limit: int) -> list[PoolRow]:
    now = house().clock.now()
    return picking.pool_page(session, now, words=asked.words, place=place, limit=limit)


def pool_words(row: PoolRow) -> dict[str, Any]:
    """A pool as the desk's pages show it."""
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
        "since": row.pool.created_at,
        "total": row.total,
        "level_href": f"/desk/stock/{row.pool.level_id}",
    }


@numbers.get("/numbers.csv")
@allow(Who.STAFF, roles=SEE)
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
@allow(Who.STAFF, roles=ACT)
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
@allow(Who.STAFF, roles=SEE)
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
        known = whose(session, rows)
    return page(
        "desk/number_pool.html",
        pool=pool_words(row),
        numbers=[shown(one, known) for one in rows],
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
Whose = Mapping[uuid.UUID | None, Any]


def whose(session: Session, rows: Sequence[Row], *more: uuid.UUID | None) -> Whose:
    """Whose the numbers of some rows are, and some lines more."""
    keys = [one.resource.line_id for one in rows] + list(more)
    found: dict[uuid.UUID | None, Any] = {}
    if any(keys):
        known = naming.whose(session, [key for key in keys if key is not None])
        found.update(known.items())
    return found


def shown(row: Row, known: Whose) -> dict[str, Any]:
    """A number as the desk's pages show it."""
    one = row.resource
    order, account = (known[one.line_id][:2]) if one.line_id in known else (None, None)
    return {
        "href": f"{BASE}/{one.pool_id}/{one.id}",
        "value": masked(one),
        "state": State(_SHAPES.get(row.state, ""), STATES[row.state]),
        "code": row.state,
        "until": row.until,
        "held_by": FOR.get(row.held_by, "Somebody who waited for it") if row.held_by else "",
        "order": order.number if order is not None else "",
        "order_href": f"/desk/orders/{order.public_id}" if order is not None else "",
        "customer": account.name if account is not None else "",
        "customer_href": f"/desk/customers/{account.public_id}" if account is not None else "",
        "added": one.added_at,
    }


def masked(one: LogicalResource) -> str:
    """A number as it is; of a licence key its last four characters."""
    return resources.shown(one.kind, one.value)


@numbers.get("/numbers/<uuid:pool_id>.csv")
@allow(Who.STAFF, roles=SEE)
def export_pool(pool_id: uuid.UUID) -> Response:
    """What is in it, as it is chosen, all of it."""
    listing = _of_pool(pool_id)
    with house().db.reading() as session:
        picking.one_pool(session, pool_id, house().clock.now())
    return listing.csv(listing.asked(), _reader(pool_id), _cells)


def _cells(session: Session, rows: Sequence[Row]) -> Iterator[list[Cell]]:
    known = whose(session, rows)
    for row in rows:
        one = shown(row, known)
        yield [
            sheet.words(one["value"]),
            sheet.words(row.state),
            sheet.moment(row.until) if row.until else sheet.code(""),
            sheet.words(one["order"] or ""),
            sheet.words(one["customer"]),
            sheet.moment(one["added"]),
        ]


@numbers.post("/numbers/<uuid:pool_id>/add")
@allow(Who.STAFF, roles=ACT)
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
@allow(Who.STAFF, roles=ACT)
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
