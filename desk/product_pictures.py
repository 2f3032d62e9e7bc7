"""The pictures of a product at the desk: added from the library or uploaded, put in order, taken out."""

from flask import Blueprint, redirect, request

from core.catalog import editing
from core.kernel.errors import Invalid
from core.kernel.pictures import PictureRefused
from core.parties.roles import Role
from desk import products
from desk.content_shown import actor
from desk.product_forms import PictureForm
from desk.products import BASE, Answer
from flows import keep_picture, keep_products
from web.access import Who, allow, takes
from web.context import house
from web.flashes import say
from web.pages import show_errors

pictures = Blueprint("desk_product_pictures", __name__, url_prefix=BASE)


@pictures.post("/<slug>/pictures")
@allow(Who.STAFF, roles=(Role.SALES, Role.CONTENT))
@takes(keep_picture.MOST_BYTES + 100_000)
def arrange(slug: str) -> Answer:
    """Do what the button says: add one, upload one, move one up, take one out."""
    act, _, which = request.form.get("do", "").partition(":")
    at = int(which) if which.isdecimal() and len(which) < 3 else 0
    with house().db.reading() as session:
        product = editing.one(session, slug)
        names, seen = editing.pictures_of(product), editing.mark(product)
    form = PictureForm(request.form)
    try:
        if act == "up" and 0 < at < len(names):
            names[at - 1], names[at] = names[at], names[at - 1]
        elif act == "out" and at < len(names):
            del names[at]
        elif act == "upload":
            names.append(_uploaded(form, len(names)))
        else:
            names.append(form.pictures.data or "")
        keep_products.illustrate(house(), slug, names, actor(), seen)
    except Invalid as error:
        show_errors(form, error)
        return products.shown(slug, picture=form), 422
    say("Kept. The shop shows it in a moment.")
    return redirect(f"{BASE}/{slug}", 303)


def _uploaded(form: PictureForm, before: int) -> str:
    """Take it into the library. Raises Invalid by field; nothing is kept of it then."""
    sent = request.files.get("file")
    data = sent.read() if sent is not None else b""
    if not data:
        raise Invalid({"file": "Choose a picture."})
    if before >= keep_products.MOST_PICTURES:
        raise Invalid({"file": f"At most {keep_products.MOST_PICTURES} pictures."})
    if not form.says_what_it_shows():
        raise Invalid({"alt": str(form.alt.errors[0])})
    alt, name = (form.alt.data or "").strip(), (form.name.data or "").strip()
    if len(alt) > 300 or len(name) > 120:
        raise Invalid({"alt" if len(alt) > 300 else "name": "This is too long."})
    named = name or ((sent.filename or "") if sent is not None else "").rpartition("/")[2]
    try:
        kept = keep_picture.keep(house(), data, named[:120] or "Picture", alt, actor())
    except PictureRefused as error:
        raise Invalid({"file": str(error)}) from None
    return f"media:{kept.public_id}"
