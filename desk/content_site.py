"""Menus and banners at the desk: what stands on every page of the shop."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, request
from flask import Response as FileResponse
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import BooleanField, DateTimeLocalField, Form, HiddenField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Optional

from cms_content import banners, menus
from cms_content.banners import Banner
from cms_content.menus import MOST, PLACES, MenuLink
from cms_content.models import ContentBanner
from core.kernel import sheet
from core.kernel.errors import Invalid
from core.kernel.sorting import Place
from core.parties.roles import Role
from desk import lists
from desk.content_shown import actor
from desk.lists import Listing
from web import site
from web.access import Who, allow
from web.context import channel, house
from web.documents import State
from web.flashes import say
from web.pages import page, show_errors

parts = Blueprint("desk_site", __name__, url_prefix="/desk", template_folder="templates")
_MENUS, _BANNERS = "/desk/content/menus", "/desk/content/banners"
LISTED = Listing(
    _BANNERS, "banner", banners.SORTS, "-from", head=("says", "state", "from", "until", "leads_to")
)
_SPARE = 2


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 9 else 0


# --- menus ------------------------------------------------------------------------------------


@parts.get("/content/menus")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def menu_forms() -> str:
    """Both menus as forms."""
    return _menus({}, {})


def _menus(typed: dict[str, list[MenuLink]], wrong: dict[str, dict[str, str]]) -> str:
    with house().db.reading() as session:
        found = menus.every(session, channel()[0].id)
    shown = []
    for place, name in PLACES.items():
        row = found.get(place)
        links = typed.get(place) or list(menus.links_of(row))
        links += [MenuLink("", "")] * (min(len(links) + _SPARE, MOST) - len(links))
        revision = row.revision if row is not None else 0
        shown.append((place, name, revision, links, wrong.get(place, {})))
    return page("desk/menus.html", menus=shown)


@parts.post("/content/menus/<any(header,footer):place>")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def write_menu(place: str) -> str | Response | tuple[str, int]:
    """Write one anew; a line that says nothing is left out."""
    pairs = [
        (request.form.get(f"label-{n}", ""), request.form.get(f"href-{n}", "")) for n in range(MOST)
    ]
    links = [
        MenuLink(label.strip(), href.strip())
        for label, href in pairs
        if label.strip() or href.strip()
    ]
    revision, now = _number(request.form.get("revision")), house().clock.now()
    try:
        house().db.run_tx(
            lambda session: menus.write(
                session, channel()[0].id, place, links, revision, actor(), now
            )
        )
    except Invalid as error:
        return _menus({place: links}, {place: error.fields_}), 422
    site.forget()
    say("The menu is changed, on every page within half a minute.")
    return redirect(_MENUS, 303)


# --- banners ----------------------------------------------------------------------------------


class BannerForm(Form):
    """What one says, and when."""

    text = StringField("What it says", [InputRequired("Write a sentence.")])
    link_label = StringField("Link")
    link_href = StringField("It leads to")
    tone = SelectField(
        "Tone", choices=[SelectChoice("plain", "Quiet"), SelectChoice("warn", "Look here")]
    )
    dismissible = BooleanField("Readers may put it away", default=True)
    starts_at = DateTimeLocalField("From", [Optional()])
    ends_at = DateTimeLocalField("Until", [Optional()])
    revision = HiddenField()

    def banner(self, now: datetime) -> Banner:
        """What was typed; without a time it begins now."""
        zone = ZoneInfo(channel()[0].time_zone)
        starts, ends = self.starts_at.data, self.ends_at.data
        return Banner(
            text=(self.text.data or "").strip(),
            starts_at=starts.replace(tzinfo=zone) if starts is not None else now,
            ends_at=ends.replace(tzinfo=zone) if ends is not None else None,
            link_label=(self.link_label.data or "").strip(),
            link_href=(self.link_href.data or "").strip(),
            tone=self.tone.data or "plain",
            dismissible=bool(self.dismissible.data),
        )


@parts.get("/content/banners")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def banner_list() -> str:
    """All of them, the last to begin first."""
    with house().db.reading() as session:
        rows, context = LISTED.page(session, LISTED.asked(), _found)
        drawn = _with_states(session, rows)
    return page("desk/banners.html", banners=drawn, **context)


@parts.get("/content/banners.csv")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def export_banners() -> FileResponse:
    """All of them as a file."""
    return LISTED.csv(LISTED.asked(), _found, _cells)


def _found(
    session: Session, asked: lists.Asked, place: Place, limit: int
) -> Sequence[ContentBanner]:
    return banners.listing(session, channel()[0].id, words=asked.words, place=place, limit=limit)


def _with_states(
    session: Session, rows: Sequence[ContentBanner]
) -> list[tuple[ContentBanner, State]]:
    now = house().clock.now()
    up = banners.showing(session, channel()[0].id, now)

    def state(one: ContentBanner) -> State:
        if up is not None and up.public_id == one.public_id:
            return State("go", "Up now")
        if one.ends_at is not None and one.ends_at <= now:
            return State("", "Over")
        return State("wait", "Waits") if one.starts_at > now else State("", "Behind a newer one")

    return [(one, state(one)) for one in rows]


def _cells(session: Session, rows: Sequence[ContentBanner]) -> Iterator[list[sheet.Cell]]:
    for one, state in _with_states(session, rows):
        yield [
            sheet.words(one.text),
            sheet.words(state.text),
            sheet.moment(one.starts_at),
            sheet.moment(one.ends_at) if one.ends_at is not None else sheet.EMPTY,
            sheet.words(one.link_href),
        ]


@parts.get("/content/banners/new")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def banner_new() -> str:
    """The form for one."""
    return _banner_page(BannerForm(), "")


@parts.get("/content/banners/<public_id>")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def banner_one(public_id: str) -> str:
    """One as a form."""
    zone = ZoneInfo(channel()[0].time_zone)
    with house().db.reading() as session:
        row = banners.one(session, public_id)
    form = BannerForm(
        data={
            "text": row.text,
            "link_label": row.link_label,
            "link_href": row.link_href,
            "tone": row.tone,
            "dismissible": row.dismissible,
            "starts_at": row.starts_at.astimezone(zone).replace(tzinfo=None),
            "ends_at": row.ends_at.astimezone(zone).replace(tzinfo=None) if row.ends_at else None,
            "revision": str(row.revision),
        }
    )
    return _banner_page(form, public_id)


def _banner_page(form: BannerForm, public_id: str) -> str:
    action = f"{_BANNERS}/{public_id or 'new'}"
    zone = channel()[0].time_zone.replace("_", " ")
    return page("desk/banner.html", form=form, action=action, is_new=not public_id, zone=zone)


@parts.post("/content/banners/new")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def banner_add() -> str | Response | tuple[str, int]:
    """Put one up."""
    return _keep_banner("")


@parts.post("/content/banners/<public_id>")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def banner_change(public_id: str) -> str | Response | tuple[str, int]:
    """Change one."""
    with house().db.reading() as session:
        banners.one(session, public_id)
    return _keep_banner(public_id)


def _keep_banner(public_id: str) -> str | Response | tuple[str, int]:
    form, now = BannerForm(request.form), house().clock.now()
    if not form.validate():
        return _banner_page(form, public_id), 422
    banner, revision = form.banner(now), _number(form.revision.data)
    try:
        if public_id:
            house().db.run_tx(
                lambda session: banners.change(session, public_id, banner, revision, actor(), now)
            )
        else:
            house().db.run_tx(
                lambda session: banners.add(session, channel()[0].id, banner, actor(), now)
            )
    except Invalid as error:
        show_errors(form, error)
        return _banner_page(form, public_id), 422
    site.forget()
    say("The banner is kept. Pages show it within half a minute of its time.")
    return redirect(_BANNERS, 303)


@parts.post("/content/banners/<public_id>/end")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def banner_end(public_id: str) -> Response:
    """Take one down."""
    now = house().clock.now()
    house().db.run_tx(lambda session: banners.end(session, public_id, actor(), now))
    site.forget()
    say("The banner is taken down.")
    return redirect(_BANNERS, 303)
