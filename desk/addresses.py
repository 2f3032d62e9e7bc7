"""Moving a page or a product to another address: the old one leads there by itself, and can be taken back."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, request
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import Form, StringField

from cms_content import addresses, pages
from cms_content.addresses import path_of
from core.catalog import editing
from core.kernel.errors import Invalid, NotFound
from core.parties.roles import Role
from desk.content_shown import actor
from flows import keep_products
from web import site
from web.access import Who, allow
from web.context import channel, house
from web.flashes import say
from web.pages import page, show_errors

moving = Blueprint("desk_addresses", __name__, url_prefix="/desk", template_folder="templates")
_PAGES, _PRODUCTS = "/desk/content/pages", "/desk/products"
Answer = str | Response | tuple[str, int]


class AddressForm(Form):
    """The end of an address."""

    slug = StringField("Address", description="Small letters, digits and hyphens")


@dataclass(frozen=True)
class _Thing:
    """What moves: its name, the end of its address, where it is read, where the desk keeps it."""

    name: str
    slug: str
    path: str
    here: str
    nav: str
    variants: int = 1


@moving.get("/content/pages/<public_id>/address")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def ask_page(public_id: str) -> str:
    """Where a page is read, and where it was."""
    return _show(_page(public_id))


@moving.post("/content/pages/<public_id>/address")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def move_page(public_id: str) -> Answer:
    """Read it elsewhere, with all its variants."""
    thing, slug, now = _page(public_id), _typed(), house().clock.now()
    return _moved(
        thing,
        lambda: house().db.run_tx(
            lambda session: addresses.move(session, public_id, slug, actor(), now)
        ),
        thing.here,
    )


def _page(public_id: str) -> _Thing:
    with house().db.reading() as session:
        row = pages.one(session, public_id)
        if not addresses.may_move(row):
            raise NotFound("page")
        variants = len(addresses.variants(session, row.channel_id, row.slug))
    here = f"{_PAGES}/{public_id}"
    return _Thing(row.name, row.slug, path_of(row.slug), here, "content", variants)


@moving.get("/products/<slug>/address")
@allow(Who.STAFF, roles=(Role.SALES, Role.CONTENT))
def ask_product(slug: str) -> str:
    """Where a product is shown, and where it was."""
    return _show(_product(slug))


@moving.post("/products/<slug>/address")
@allow(Who.STAFF, roles=(Role.SALES, Role.CONTENT))
def move_product(slug: str) -> Answer:
    """Show it elsewhere."""
    to = _typed()
    return _moved(
        _product(slug),
        lambda: keep_products.move(house(), slug, to, actor()),
        f"{_PRODUCTS}/{to}",
    )


def _product(slug: str) -> _Thing:
    with house().db.reading() as session:
        row = editing.one(session, slug)
    path = keep_products.path_of(slug)
    return _Thing(row.name, slug, path, f"{_PRODUCTS}/{slug}", "products")


def _typed() -> str:
    return request.form.get("slug", "").strip()


def _moved(thing: _Thing, move: Callable[[], object], then: str) -> Answer:
    try:
        move()
    except Invalid as error:
        form = AddressForm(request.form)
        show_errors(form, error)
        return _show(thing, form), 422
    site.forget()
    say("It has moved. Whoever comes by the old address is led to the new one.")
    return redirect(f"{then}/address", 303)


def _show(thing: _Thing, form: AddressForm | None = None) -> str:
    with house().db.reading() as session:
        led = addresses.given_up(session, channel()[0].id, thing.path)
    return page(
        "desk/address.html",
        it=thing,
        form=form or AddressForm(data={"slug": thing.slug}),
        before=thing.path.removesuffix(thing.slug),
        given_up=[(row, row.source.rpartition("/")[2]) for row in led],
    )
