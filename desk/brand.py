"""The brand kit at the desk: logo, colours and typeface, tried on the shop, a mail and a bill.

Then published.
"""

from typing import Any

from flask import Blueprint, Response, make_response, request
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as AnyResponse
from wtforms import Form, HiddenField, SelectField, StringField
from wtforms.fields import SelectChoice

from cms_content import brand, checks, colours
from cms_content.brand import TYPEFACES, Kit
from cms_content.models import BrandKit, ContentPage
from core.kernel.errors import Invalid, NotFound
from core.parties.roles import Role
from desk import content_shown
from desk.content_shown import actor
from flows import show_brand
from invoices.pdf import PdfsUnavailable
from web import content as shown_content
from web import headers, site
from web.access import Who, allow
from web.context import channel, house
from web.flashes import say
from web.pages import look, page, shopfront, show_errors

kit = Blueprint("desk_brand", __name__, url_prefix="/desk", template_folder="templates")
_HERE = "/desk/content/brand"
#: Colours of the palette, in the words of the form.
_SAID = {
    "fir": "Action",
    "on-fir": "On a button",
    "fir-tint": "Tint of action",
    "apricot-ink": "Attention",
    "paper": "Paper",
}
#: What the preview shows where the shop has not written a home page.
_SAMPLE = {
    "title": "A page in these colours",
    "blocks": [
        {
            "kind": "hero",
            "title": "A page in these colours",
            "lede": "Words on paper, a button, a link, and what stands out.",
            "picture": "img/scenes/hero.svg",
            "button_label": "A button",
            "button_href": "/c/all",
            "also_label": "A link",
            "also_href": "/c/all",
        },
        {"kind": "products", "title": "On the shelf", "most": 4},
        {
            "kind": "badges",
            "title": "In short",
            "items": [{"title": "A promise", "text": "And a sentence about it."}],
        },
    ],
}


class KitForm(Form):
    """How the shop looks."""

    logo = SelectField("Logo", validate_choice=False)
    action = StringField("Colour of action", description="Buttons, links, what is done")
    attention = StringField("Colour of attention", description="What waits, what stands out")
    typeface = SelectField("Typeface", choices=[SelectChoice(*one) for one in TYPEFACES.items()])
    revision = HiddenField()


@kit.get("/content/brand")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def show() -> Response:
    """The draft as a form, beside it how everything would look."""
    draft, seen = _rows()
    now = _of(draft or seen)
    revision = str(draft.revision) if draft is not None else "0"
    return _page(KitForm(data={**now.model_dump(), "revision": revision}), draft, seen, now)


def _rows() -> tuple[BrandKit | None, BrandKit | None]:
    with house().db.reading() as session:
        key = channel()[0].id
        return brand.draft(session, key), brand.published(session, key)


def _page(
    form: KitForm, draft: BrandKit | None, seen: BrandKit | None, now: Kit, status: int = 200
) -> Response:
    with house().db.reading() as session:
        offered = content_shown.offered(session)
    leaf = [("", "The leaf that comes with the shop"), *offered.pictures[1:]]
    form.logo.choices = [SelectChoice(*one) for one in leaf]
    palette = now.palette
    pairs = [("fir", "paper"), ("fir", "fir-tint"), ("on-fir", "fir"), ("apricot-ink", "paper")]
    figures = [
        (
            _SAID[ink],
            _SAID[ground],
            colours.contrast(palette.light[ink], palette.light[ground]),
            colours.contrast(palette.dark[ink], palette.dark[ground]),
        )
        for ink, ground in pairs
    ]
    html = page("desk/brand.html", form=form, draft=draft, seen=seen, figures=figures)
    return headers.may_frame(make_response(html, status))


@kit.post("/content/brand")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def save() -> Response | AnyResponse:
    """Keep the draft; nobody sees it yet."""
    form, now = KitForm(request.form), house().clock.now()
    typed = {name: (form[name].data or "").strip() for name in Kit.model_fields}
    text = form.revision.data or ""
    revision = int(text) if text.isdecimal() and len(text) < 9 else 0
    draft, seen = _rows()
    try:
        wanted = brand.read(typed)
        house().db.run_tx(
            lambda session: brand.save(session, channel()[0].id, wanted, revision, actor(), now)
        )
    except Invalid as error:
        show_errors(form, error)
        return _page(form, draft, seen, _of(draft or seen), 422)
    say("The draft is kept. Look at it, then publish it.")
    return redirect(_HERE, 303)


@kit.post("/content/brand/publish")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def publish() -> AnyResponse:
    """Let shop, mails and documents look like the draft."""
    text = request.form.get("revision", "")
    revision = int(text) if text.isdecimal() and len(text) < 9 else 0
    show_brand.publish(house(), channel()[0].id, revision, actor())
    site.forget()
    say("Shop, mails and new documents look like this now.")
    return redirect(_HERE, 303)


def _tried() -> Kit:
    """The draft, else what people see."""
    draft, seen = _rows()
    return _of(draft or seen)


def _of(row: BrandKit | None) -> Kit:
    return brand.read(row.content) if row is not None else Kit()


@kit.get("/content/brand/preview.css")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def preview_style() -> Response:
    """The draft's tokens."""
    return Response(brand.css(_tried()), mimetype="text/css")


@kit.get("/content/brand/preview")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def preview() -> Response:
    """A page of the shop as it would look."""
    tried, said = _tried(), checks.read(_SAMPLE)
    found = channel()[0]
    page_ = ContentPage(
        id=found.id, public_id="", kind="page", slug="", locale=found.locale, segment=""
    )
    with house().db.reading() as session:
        kept = content_shown.kept(session, page_, said)
        told = brand.told(session, tried, 0, brand.Marks())
    _, logo = look(told)
    front = shopfront()._replace(css=f"{_HERE}/preview.css", logo=logo)
    more: dict[str, Any] = {"channel": front}
    return headers.may_be_framed(make_response(shown_content.preview(said, kept, **more)))


@kit.get("/content/brand/preview-mail")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def preview_mail() -> Response:
    """A mail as it would look. Mails carry their style and their logo in themselves.

    The page runs nothing and asks for nothing.
    """
    return headers.of_a_mail(make_response(show_brand.sample_mail(house(), *channel(), _tried())))


@kit.get("/content/brand/preview.pdf")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def preview_bill() -> Response:
    """A bill as it would look, for somebody who is invented."""
    try:
        data = show_brand.sample_bill(house(), *channel(), _tried())
    except PdfsUnavailable:
        raise NotFound("printed bill") from None
    headers_ = {"Content-Disposition": 'inline; filename="sample.pdf"'}
    return Response(data, mimetype="application/pdf", headers=headers_)
