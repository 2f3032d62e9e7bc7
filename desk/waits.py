"""Who waits for what is gone: the list and its file, and taking somebody off it."""

from collections.abc import Iterator, Sequence

from flask import Blueprint, Response, redirect
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from core.catalog.models import Variant
from core.kernel import sheet
from core.kernel.errors import NotFound
from core.kernel.sheet import Cell
from core.kernel.sorting import Place
from core.parties.roles import Role
from core.stock import waiting
from core.stock.models import StockWait
from desk.lists import Asked, Choice, Listing
from desk.money import actor
from flows import wait_for_stock
from web.access import Who, allow
from web.context import house
from web.documents import State
from web.flashes import say
from web.pages import page

BASE = "/desk/stock/waits"
waits = Blueprint("desk_waits", __name__, url_prefix="/desk/stock", template_folder="templates")
STATES = {
    "waiting": "Waiting",
    "offered": "One is kept",
    "asked": "Not confirmed",
    "taken": "Took it",
    "let_go": "Too late",
    "left": "Left",
}
_SHAPES = {"waiting": "wait", "offered": "wait", "asked": "", "taken": "go"}
LISTED = Listing(
    BASE,
    "person",
    waiting.SORTS,
    "asked",
    (Choice("state", "State", list(STATES.items()), is_tabs=True),),
    head=("sku", "name", "email", "state", "asked", "confirmed", "kept_until"),
    file_name="who-waits",
)
Row = tuple[StockWait, Variant]


@waits.get("/waits")
@allow(Who.STAFF, roles=(Role.SALES, Role.SUPPORT))
def listed() -> str:
    """Who asked first stands first."""
    with house().db.snapshot() as session:
        asked = LISTED.asked()
        rows, context = LISTED.page(session, asked, _found)
        counts = waiting.counts(session)
    return page(
        "desk/waits.html",
        waits=[_shown(*row) for row in rows],
        **LISTED.tabs("state", asked, counts),
        **context,
    )


def _found(session: Session, asked: Asked, place: Place, limit: int) -> list[Row]:
    return waiting.page(session, state=asked["state"], words=asked.words, place=place, limit=limit)


def _shown(wait: StockWait, variant: Variant) -> dict[str, object]:
    return {
        "sku": variant.sku,
        "name": variant.name,
        "email": wait.email,
        "asked_at": wait.asked_at,
        "until": wait.offered_until if wait.state == "offered" else None,
        "state": State(_SHAPES.get(wait.state, ""), STATES[wait.state]),
        "off_href": f"{BASE}/{wait.public_id}/remove" if wait.state in waiting.OPEN else "",
    }


@waits.get("/waits.csv")
@allow(Who.STAFF, roles=(Role.SALES, Role.SUPPORT))
def export() -> Response:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, _cells)


def _cells(_: Session, rows: Sequence[Row]) -> Iterator[list[Cell]]:
    for wait, variant in rows:
        moments = (wait.asked_at, wait.confirmed_at, wait.offered_until)
        yield [
            sheet.words(variant.sku),
            sheet.words(variant.name),
            sheet.words(wait.email),
            sheet.words(STATES[wait.state]),
            *(sheet.moment(one) if one else sheet.code("") for one in moments),
        ]


@waits.post("/waits/<public_id>/remove")
@allow(Who.STAFF, roles=(Role.SALES,))
def remove(public_id: str) -> AnyResponse:
    """Somebody asked us to: they hear no more."""
    try:
        wait_for_stock.leave(house(), public_id, actor())
    except NotFound as error:
        say(str(error), "warn")
    else:
        say("They hear no more about it.")
    return redirect(BASE, 303)
