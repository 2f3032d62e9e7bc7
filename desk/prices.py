"""What a thing costs on each price list, and what is in a bundle; the price lists themselves."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import DateTimeLocalField, Form, IntegerField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Optional

from core.catalog import bundles, editing
from core.catalog.models import BUNDLE, Variant
from core.catalog.packing import MOST_PIECES, Wanted
from core.kernel.errors import Invalid, NotFound
from core.kernel.money import written_micros
from core.parties.roles import Role
from core.prices import plans, setting
from core.prices.models import PriceList
from desk.money import actor
from flows import keep_prices
from flows.keep_prices import NewList
from web.access import Who, allow
from web.context import channel, house
from web.documents import State
from web.flashes import say
from web.pages import page, show_errors

prices = Blueprint("desk_prices", __name__, url_prefix="/desk", template_folder="templates")
_LISTS = "/desk/price-lists"
_ROLES = (Role.SALES, Role.CONTENT)
_KINDS = {"one_off": "Once", "monthly": "Each month", "yearly": "Each year"}
_SPARE = 3
Answer = str | Response | tuple[str, int]


class PriceForm(Form):
    """What one costs on a list."""

    code = SelectField("Price list", validate_choice=False)
    min_quantity = IntegerField("From so many on", [Optional()], default=1)
    charge_kind = SelectField("Paid", choices=[SelectChoice(*one) for one in _KINDS.items()])
    price = StringField("Price of one", description="Empty: nothing on this list")


class ListForm(Form):
    """A price list."""

    code = StringField("Code", description="Small letters, digits and hyphens: spring")
    priority = IntegerField(
        "Rank",
        [InputRequired("Give it a rank.")],
        default=10,
        description="Of the lists that hold, the highest number goes first",
    )
    valid_from = DateTimeLocalField("From", [Optional()])
    valid_to = DateTimeLocalField("Until", [Optional()])

    def wanted(self) -> NewList:
        """As it was typed, on the shop's clock."""
        return NewList(
            (self.code.data or "").strip(),
            self.priority.data or 0,
            _moment(self.valid_from.data),
            _moment(self.valid_to.data),
        )


def _moment(typed: datetime | None) -> datetime | None:
    return typed.replace(tzinfo=ZoneInfo(channel()[0].time_zone)) if typed is not None else None


@prices.get("/products/<slug>/things/<sku>")
@allow(Who.STAFF, roles=_ROLES)
def thing(slug: str, sku: str) -> str:
    """A thing with what it costs on each list; of a bundle what is in it."""
    return _show(slug, sku)


def _of(session: Session, slug: str, sku: str) -> Variant:
    row = editing.variant(session, sku)
    if row.product_id != editing.one(session, slug).id:
        raise NotFound("product")
    return row


def _show(
    slug: str,
    sku: str,
    form: PriceForm | None = None,
    pieces: list[Wanted] | None = None,
    wrong: dict[str, str] | None = None,
) -> str:
    found = channel()[0]
    with house().db.snapshot() as session:
        row = _of(session, slug, sku)
        books = setting.lists(session, found.id, found.currency)
        plan = plans.of_variants(session, [row.id]).get(row.id)
        inside = bundles.components(session, [row.id]).get(row.id, ())
        costs = _costs(session, row)
    form = form or PriceForm()
    form.code.choices = [SelectChoice(one.code, one.code) for one in books]
    if row.kind == BUNDLE:
        pieces = pieces or [Wanted(one.sku, one.quantity, one.weight) for one in inside]
    spare = [Wanted("", 1, 0)] * min(_SPARE, MOST_PIECES - len(pieces or []))
    now = house().clock.now()
    return page(
        "desk/thing.html",
        it=row,
        slug=slug,
        here=f"/desk/products/{slug}/things/{sku}",
        plan=plan,
        is_bundle=row.kind == BUNDLE,
        books=[(one, _state(one, now), costs.get(one.id, [])) for one in books],
        form=form,
        pieces=[*(pieces or []), *spare],
        wrong=wrong or {},
        currency=found.currency,
    )


def _costs(session: Session, row: Variant) -> dict[Any, list[tuple[str, Any]]]:
    """By list what it costs, each with when: from how many on, or for which charge kind."""
    if row.kind == BUNDLE:
        return {
            key: [(_KINDS[one.charge_kind], written_micros(one.unit_price_micros)) for one in some]
            for key, some in setting.of_bundle(session, row.id).items()
        }
    return {
        key: [
            (
                f"from {one.min_quantity} on" if one.min_quantity > 1 else "each",
                written_micros(one.unit_price_micros),
            )
            for one in some
        ]
        for key, some in setting.of_variant(session, row.id).items()
    }


def _state(book: PriceList, now: datetime) -> State:
    if book.valid_to is not None and book.valid_to <= now:
        return State("", "Over")
    if book.valid_from is not None and book.valid_from > now:
        return State("wait", "Waits")
    return State("go", "Holds")


@prices.post("/products/<slug>/things/<sku>/prices")
@allow(Who.STAFF, roles=_ROLES)
def price(slug: str, sku: str) -> Answer:
    """Another price on one list."""
    form = PriceForm(request.form)
    with house().db.reading() as session:
        _of(session, slug, sku)
    try:
        if not form.validate():
            return _show(slug, sku, form), 422
        keep_prices.price(
            house(),
            sku,
            form.code.data or "",
            form.price.data or "",
            actor(),
            min_quantity=form.min_quantity.data if form.min_quantity.data is not None else 1,
            charge_kind=form.charge_kind.data or "",
        )
    except Invalid as error:
        show_errors(form, error)
        return _show(slug, sku, form), 422
    say("Kept. What was ordered keeps its price.")
    return redirect(f"/desk/products/{slug}/things/{sku}", 303)


@prices.post("/products/<slug>/things/<sku>/pieces")
@allow(Who.STAFF, roles=_ROLES)
def pack(slug: str, sku: str) -> Answer:
    """Other pieces; a line that says nothing is left out."""
    with house().db.reading() as session:
        _of(session, slug, sku)
    typed = [
        Wanted(
            name,
            _number(request.form.get(f"quantity-{n}")),
            _number(request.form.get(f"weight-{n}")),
        )
        for n in range(MOST_PIECES)
        if (name := request.form.get(f"sku-{n}", "").strip().upper())
    ]
    try:
        keep_prices.pack(house(), sku, typed, actor())
    except Invalid as error:
        return _show(slug, sku, pieces=typed, wrong=error.fields_), 422
    say("These are in it from now on.")
    return redirect(f"/desk/products/{slug}/things/{sku}", 303)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 8 else -1


# --- the lists --------------------------------------------------------------------------------


@prices.get("/price-lists")
@allow(Who.STAFF, roles=(Role.SALES,))
def listed() -> str:
    """The price lists, the one that goes first first."""
    return _lists(ListForm())


def _lists(form: ListForm) -> str:
    found, now = channel()[0], house().clock.now()
    with house().db.reading() as session:
        rows = setting.lists(session, found.id, found.currency)
        base = setting.base_list(session, found.id, found.currency)
    return page(
        "desk/price_lists.html",
        lists=[(one, _state(one, now), one.id != base.id) for one in rows],
        form=form,
        zone=found.time_zone.replace("_", " "),
    )


@prices.post("/price-lists")
@allow(Who.STAFF, roles=(Role.SALES,))
def open_list() -> Answer:
    """Have another list."""
    form = ListForm(request.form)
    try:
        if not form.validate():
            return _lists(form), 422
        keep_prices.open_list(house(), form.wanted(), actor())
    except Invalid as error:
        show_errors(form, error)
        return _lists(form), 422
    say("The list is there. Set prices on it with each product.")
    return redirect(_LISTS, 303)


@prices.post("/price-lists/<code>/end")
@allow(Who.STAFF, roles=(Role.SALES,))
def end_list(code: str) -> Response:
    """It holds no more."""
    try:
        keep_prices.end_list(house(), code, actor())
    except Invalid as error:
        say(next(iter(error.fields_.values())), "warn")
        return redirect(_LISTS, 303)
    say("The list holds no more. Shelves follow in a moment.")
    return redirect(_LISTS, 303)
