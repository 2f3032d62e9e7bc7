"""Products at the desk: the list, making one, its words, things and prices, showing or archiving it."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, redirect, request
from flask import Response as FileResponse
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import Form
from wtforms.fields import SelectChoice

from cms_content import media
from core.catalog import editing
from core.catalog.models import Product, Variant
from core.kernel import sheet
from core.kernel.errors import Invalid, StaleState
from core.kernel.ids import new_public_id
from core.kernel.money import Money, extend
from core.kernel.sorting import Place
from core.parties.roles import Role
from core.prices import setting
from desk.content_shown import offered
from desk.lists import Asked, Choice, Listing
from desk.money import actor
from desk.product_forms import KINDS, NewForm, PictureForm, PriceForm, ThingForm, WordsForm
from flows import keep_picture, keep_products, keep_things
from web.access import Who, allow
from web.context import channel, house
from web.documents import State
from web.flashes import say
from web.pages import page, show_errors

BASE = "/desk/products"
products = Blueprint("desk_products", __name__, url_prefix=BASE, template_folder="templates")
_ROLES = (Role.SALES, Role.CONTENT)
_TABS = {"shown": "In the shop", "archived": "Not in the shop"}
LISTED = Listing(
    BASE,
    "product",
    editing.SORTS,
    "shelf",
    (Choice("state", "State", list(_TABS.items()), is_tabs=True),),
    head=("product", "address", "skus", "state", "price_from", "currency"),
    file=f"{BASE}/export.csv",
)
Answer = str | Response | tuple[str, int]


@products.get("")
@allow(Who.STAFF, roles=_ROLES)
def listed() -> str:
    """Products in shelf order."""
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
        drawn = _drawn(session, rows)
        counts = editing.counts(session)
    by_state = {"shown": counts.get(True, 0), "archived": counts.get(False, 0)}
    return page(
        "desk/products.html",
        products=drawn,
        **LISTED.tabs("state", asked, by_state),
        **context,
    )


@products.get("/export.csv")
@allow(Who.STAFF, roles=_ROLES)
def export() -> FileResponse:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, _cells)


def _found(session: Session, asked: Asked, place: Place, limit: int) -> Sequence[Product]:
    active = asked["state"] == "shown" if asked["state"] else None
    return editing.page(session, words=asked.words, active=active, place=place, limit=limit)


def _drawn(session: Session, rows: Sequence[Product]) -> list[dict[str, Any]]:
    things = editing.variants_of(session, [row.id for row in rows])
    prices = _prices(session, [one for some in things.values() for one in some])
    return [_row(row, things.get(row.id, []), prices) for row in rows]


def _cells(session: Session, rows: Sequence[Product]) -> Iterator[list[sheet.Cell]]:
    for row, drawn in zip(rows, _drawn(session, rows), strict=True):
        price = drawn["from"]
        yield [
            sheet.words(row.name),
            sheet.code(row.slug),
            sheet.words(drawn["skus"]),
            sheet.words(drawn["state"].text),
            sheet.amount(price) if price is not None else sheet.EMPTY,
            sheet.code(price.currency if price is not None else ""),
        ]


def _prices(session: Session, things: list[Variant]) -> dict[uuid.UUID, Money]:
    found = channel()[0]
    try:
        book = setting.base_list(session, found.id, found.currency)
    except setting.NoPriceList:
        return {}
    micros = setting.of_variants(session, book, [one.id for one in things])
    return {key: extend(one, 1, found.currency) for key, one in micros.items()}


def _row(row: Product, things: list[Variant], prices: dict[uuid.UUID, Money]) -> dict[str, Any]:
    costs = [prices[one.id] for one in things if one.id in prices and one.active]
    return {
        "href": f"{BASE}/{row.slug}",
        "name": row.name,
        "picture": row.picture,
        "skus": ", ".join(one.sku for one in things),
        "from": min(costs) if costs else None,
        "several": len({cost.minor for cost in costs}) > 1,
        "state": State("go", "In the shop") if row.active else State("", "Not in the shop"),
    }


# --- a new one ------------------------------------------------------------------------------------


@products.get("/new")
@allow(Who.STAFF, roles=_ROLES)
def ask() -> str:
    """What the new product is."""
    return _new_page(NewForm(data={"once": new_public_id()}))


@products.post("/new")
@allow(Who.STAFF, roles=_ROLES)
def make() -> Answer:
    """Make it; it is not shown yet."""
    form = NewForm(request.form)
    once = (form.once.data or new_public_id())[:60]
    slug = (form.slug.data or "").strip()
    try:
        keep_products.make(
            house(), slug, form.words(), [form.pictures.data or ""], form.thing(), actor(), once
        )
    except Invalid as error:
        show_errors(form, error)
        return _new_page(form), 422
    say("It is made. Look at it, then show it in the shop.")
    return redirect(f"{BASE}/{slug}", 303)


def _new_page(form: NewForm) -> str:
    with house().db.reading() as session:
        _offer(session, form)
    return page("desk/product_new.html", form=form, currency=channel()[0].currency)


def _offer(session: Session, form: Form) -> None:
    if isinstance(form, WordsForm):
        form.offer([(one.slug, one.name) for one in editing.categories(session)])
    if isinstance(form, NewForm | PictureForm):
        form.pictures.choices = [SelectChoice(*one) for one in offered(session).pictures[1:]]
    if isinstance(form, ThingForm):
        form.tax_category.choices = [(one, one) for one in editing.tax_categories(session)]


# --- one ------------------------------------------------------------------------------------------


@products.get("/<slug>")
@allow(Who.STAFF, roles=_ROLES)
def one(slug: str) -> str:
    """Its words, its things, and whether it is shown."""
    return shown(slug)


@products.post("/<slug>")
@allow(Who.STAFF, roles=_ROLES)
def change(slug: str) -> Answer:
    """Other words."""
    form = WordsForm(request.form)
    try:
        seen = form.seen.data or None
        keep_products.change(house(), slug, form.words(), actor(), seen)
    except Invalid as error:
        show_errors(form, error)
        return shown(slug, form), 422
    except StaleState:
        say("Somebody changed this product meanwhile. Look at it once more.", "warn")
        return redirect(f"{BASE}/{slug}", 303)
    say("Kept. The shop shows it in a moment.")
    return redirect(f"{BASE}/{slug}", 303)


@products.post("/<slug>/publish")
@allow(Who.STAFF, roles=_ROLES)
def publish(slug: str) -> Answer:
    """Show it in the shop, or take it out."""
    shown = request.form.get("shown") == "yes"
    keep_products.publish(house(), slug, shown, actor())
    say("It is in the shop." if shown else "It is archived: nobody finds or buys it any more.")
    return redirect(f"{BASE}/{slug}", 303)


@products.post("/<slug>/things")
@allow(Who.STAFF, roles=_ROLES)
def add(slug: str) -> Answer:
    """Another thing of it."""
    form = ThingForm(request.form)
    once = (form.once.data or new_public_id())[:60]
    try:
        keep_things.add(house(), slug, form.thing(), actor(), once)
    except Invalid as error:
        show_errors(form, error)
        return shown(slug, thing=form), 422
    say("Added.")
    return redirect(f"{BASE}/{slug}", 303)


@products.post("/<slug>/things/<sku>")
@allow(Who.STAFF, roles=_ROLES)
def change_thing(slug: str, sku: str) -> Answer:
    """Another name or price of a thing, or whether it can be bought."""
    form = PriceForm(request.form, prefix=f"{sku}-")
    price = (form.price.data or "").strip() or None
    try:
        keep_things.change(
            house(),
            sku,
            actor(),
            name=form.variant_name.data or "",
            price=price,
            active=bool(form.active.data),
            limits=form.limits(),
            weight_g=form.weight_g(),
            goes_by=(form.goes_by.data or "").strip() or None,
        )
    except Invalid as error:
        for name, text in error.fields_.items():
            field = form["variant_name" if name == "name" else name]
            field.errors = [*field.errors, text]
        return shown(slug, prices={sku: form}), 422
    say("Kept. What was ordered keeps its price.")
    return redirect(f"{BASE}/{slug}", 303)


def shown(
    slug: str,
    form: WordsForm | None = None,
    thing: ThingForm | None = None,
    prices: dict[str, PriceForm] | None = None,
    picture: PictureForm | None = None,
) -> str:
    """The page of one, with a form as it was sent where something was wrong."""
    with house().db.snapshot() as session:
        product = editing.one(session, slug)
        things = editing.variants_of(session, [product.id]).get(product.id, [])
        costs = _prices(session, things)
        shelves = {row.id: row.slug for row in editing.categories(session)}
        said = {
            "name": product.name,
            "summary": product.summary,
            "description": product.description,
            "category": shelves.get(product.category_id, "") if product.category_id else "",
            "seen": editing.mark(product),
        }
        form = form or WordsForm(data=said)
        thing = thing or ThingForm(data={"once": new_public_id()})
        picture = picture or PictureForm()
        names = editing.pictures_of(product)
        found = media.resolve(session, names)
        for one in (form, thing, picture):
            _offer(session, one)
    return page(
        "desk/product.html",
        product=product,
        form=form,
        thing=thing,
        picture=picture,
        pictures=[(name, found.get(name)) for name in names],
        most_pictures=keep_products.MOST_PICTURES,
        most_mb=keep_picture.MOST_BYTES // 1_000_000,
        things=[
            {
                "sku": one.sku,
                "kind": KINDS[one.kind],
                "has_price": one.kind != "bundle",
                "form": (prices or {}).get(one.sku) or _price_form(one, costs.get(one.id)),
                "action": f"{BASE}/{slug}/things/{one.sku}",
            }
            for one in things
        ],
        currency=channel()[0].currency,
    )


def _price_form(row: Variant, cost: Money | None) -> PriceForm:
    said = {
        "variant_name": row.name,
        "active": row.active,
        "quantity_step": str(row.quantity_step),
        "quantity_least": str(row.quantity_least),
        "quantity_most": str(row.quantity_most or ""),
        "weight": f"{row.weight_g / 1000:g}",
        "goes_by": row.goes_by,
    }
    if cost is not None:
        said["price"] = str(cost.decimal())
    return PriceForm(data=said, prefix=f"{row.sku}-")
