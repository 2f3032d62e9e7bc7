"""Pieces between places: what is on its way, sending some, and saying that they are here."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse
from wtforms import Form, HiddenField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from core.kernel import sheet
from core.kernel.errors import Invalid, NotFound, ShopError
from core.kernel.idempotency import KeyReused
from core.kernel.ids import new_public_id
from core.kernel.sheet import Cell
from core.kernel.sorting import Place
from core.parties.roles import Role
from core.stock import places as rooms
from core.stock import transfers as room
from core.stock.transfers import Row, Sending
from desk.lists import Asked, Choice, Listing
from desk.money import actor
from flows import move_stock
from web.access import Who, allow
from web.context import house
from web.documents import State
from web.flashes import say
from web.pages import page, show_errors

BASE = "/desk/stock/transfers"
transfers = Blueprint(
    "desk_transfers", __name__, url_prefix="/desk/stock", template_folder="templates"
)
_SEE, _ACT = (Role.SALES, Role.SUPPORT), (Role.SALES,)
STATES = {"on_the_way": "On the way", "done": "Done"}
LISTED = Listing(
    BASE,
    "transfer",
    room.SORTS,
    "-sent",
    (Choice("state", "State", list(STATES.items()), is_tabs=True),),
    head=("sku", "name", "from", "to", "sent", "pieces", "arrived", "lost", "state", "note"),
    file_name="transfers",
)
Answer = str | AnyResponse | tuple[str, int]


class SendForm(Form):
    """What leaves for where. What is wrong with it is said by the flow."""

    sku = StringField("SKU", [InputRequired("Say of what.")])
    source = SelectField("From", validate_choice=False)
    target = SelectField("To", validate_choice=False)
    quantity = IntegerField("How many pieces", [InputRequired("A whole number, 1 at least.")])
    note = StringField("A note", [Length(max=200, message="At most 200 characters.")])
    once = HiddenField(validators=[Length(min=1, max=60)])


class ArriveForm(Form):
    """How many are here, and how many never will be."""

    arrived = IntegerField("So many are here", [InputRequired("A whole number.")])
    lost = IntegerField("So many are lost", [InputRequired("A whole number.")], default=0)


@transfers.get("/transfers")
@allow(Who.STAFF, roles=_SEE)
def listed() -> str:
    """What was sent last stands first."""
    return _listed(SendForm(data={"once": new_public_id(), "sku": request.args.get("sku", "")}))


def _listed(form: SendForm) -> str:
    with house().db.snapshot() as session:
        asked = LISTED.asked()
        rows, context = LISTED.page(session, asked, _found)
        counts = room.counts(session)
        where = [(one.code, one.name) for one in rooms.every(session)]
    form.source.choices = form.target.choices = where
    if form.target.data is None and len(where) > 1:
        form.target.data = where[1][0]
    return page(
        "desk/transfers.html",
        transfers=[_shown(row) for row in rows],
        form=form,
        base=BASE,
        several=len(where) > 1,
        **LISTED.tabs("state", asked, counts),
        **context,
    )


def _found(session: Session, asked: Asked, place: Place, limit: int) -> list[Row]:
    return room.page(session, state=asked["state"], words=asked.words, place=place, limit=limit)


def _shown(row: Row) -> dict[str, Any]:
    kind = "go" if row.transfer.state == "done" else "wait"
    return {
        "row": row,
        "transfer": row.transfer,
        "href": f"{BASE}/{row.transfer.id}",
        "state": State(kind, STATES[row.transfer.state]),
    }


@transfers.get("/transfers.csv")
@allow(Who.STAFF, roles=_SEE)
def export() -> Response:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: _cells(rows))


def _cells(rows: Sequence[Row]) -> Iterator[list[Cell]]:
    for row in rows:
        one = row.transfer
        yield [
            *(sheet.words(text) for text in (row.sku, row.name, row.source, row.target)),
            sheet.moment(one.sent_at),
            *(sheet.code(count) for count in (one.quantity, one.arrived, one.lost)),
            sheet.words(STATES[one.state]),
            sheet.words(one.note),
        ]


@transfers.post("/transfers")
@allow(Who.STAFF, roles=_ACT)
def send() -> Answer:
    """Pieces leave."""
    form = SendForm(request.form)
    note = " ".join((form.note.data or "").split())
    ends = (str(form.source.data or ""), str(form.target.data or ""))
    try:
        if not form.validate():
            return _listed(form), 422
        asked = Sending((form.sku.data or "").strip(), *ends, form.quantity.data or 0, note)
        move_stock.send(house(), asked, actor(), str(form.once.data))
    except Invalid as error:
        show_errors(form, error)
        return _listed(form), 422
    except NotFound:
        form.sku.errors = [*form.sku.errors, "Nothing with this SKU is counted there."]
        return _listed(form), 422
    except KeyReused:
        raise
    except ShopError as error:
        form.quantity.errors = [*form.quantity.errors, str(error)]
        return _listed(form), 422
    say("They are on their way.")
    return redirect(BASE, 303)


@transfers.get("/transfers/<uuid:transfer_id>")
@allow(Who.STAFF, roles=_SEE)
def one(transfer_id: uuid.UUID) -> str:
    """One of them."""
    return _one(transfer_id, None)


def _one(transfer_id: uuid.UUID, form: ArriveForm | None) -> str:
    with house().db.reading() as session:
        row = room.one(session, transfer_id)
    return page(
        "desk/transfer.html",
        base=BASE,
        form=form or ArriveForm(data={"arrived": row.left, "lost": 0}),
        **_shown(row),
    )


@transfers.post("/transfers/<uuid:transfer_id>")
@allow(Who.STAFF, roles=_ACT)
def arrive(transfer_id: uuid.UUID) -> Answer:
    """They are here, or not all."""
    form = ArriveForm(request.form)
    try:
        if not form.validate():
            return _one(transfer_id, form), 422
        here, lost = form.arrived.data or 0, form.lost.data or 0
        move_stock.arrive(house(), transfer_id, here, lost, actor())
    except Invalid as error:
        show_errors(form, error)
        return _one(transfer_id, form), 422
    except NotFound:
        raise
    except ShopError as error:
        say(str(error), "warn")
        return redirect(f"{BASE}/{transfer_id}", 303)
    say("Kept.")
    return redirect(f"{BASE}/{transfer_id}", 303)
