"""Menus and banners at the desk: what stands on every page of the shop."""

from collections.abc import Iterator, Mapping, Sequence
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

from cms_content import banners, menus, pages
from cms_content.banners import Banner
from cms_content.menus import MOST, PLACES, MenuLink, Place
from cms_content.models import ContentBanner
from core.kernel import sheet, sorting
from core.kernel.errors import Invalid
from core.parties.roles import Role
from desk import lists
from desk.content_shown import actor, names
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
    _BANNERS,
    "banner",
    banners.SORTS,
    "-from",
    head=("says", "language", "state", "from", "until", "leads_to"),
)
_SPARE = 2


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 9 else 0


# --- menus ------------------------------------------------------------------------------------


@parts.get("/content/menus")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def menu_forms() -> str:
    """Both menus of a language as forms, and what they said before."""
    return _menus(_locale(request.args), {}, {})


def _locale(given: Mapping[str, str]) -> str:
    """The language that is worked on: one in which there are pages, or every one."""
    wanted = given.get("locale", "")
    return wanted if wanted in dict(_languages()) else ""


def _languages() -> list[tuple[str, str]]:
    """Every language, and those in which there are pages."""
    with house().db.reading() as session:
        found = pages.locales(session, channel()[0].id)
    own = channel()[0].locale
    named = [(one, one.replace("_", "-")) for one in sorted({own, *found})]
    return [("", "Every language"), *named]


def _menus(locale: str, typed: dict[str, list[MenuLink]], wrong: dict[str, dict[str, str]]) -> str:
    with house().db.snapshot() as session:
        found = menus.every(session, channel()[0].id)
        before = menus.before(session, channel()[0].id, locale)
        who = names(session, {one.changed_by for some in before.values() for one in some})
    shown = []
    for place, name in PLACES.items():
        row = found.get(Place(place, locale))
        links = typed.get(place) or list(menus.links_of(row))
        links += [MenuLink("", "")] * (min(len(links) + _SPARE, MOST) - len(links))
        revision = row.revision if row is not None else 0
        said = [(one, menus.links_of(one), who[one.changed_by]) for one in before[place]]
        shown.append((place, name, revision, links, wrong.get(place, {}), said))
    tabs = [(text, lists.address(_MENUS, locale=code), None) for code, text in _languages()]
    return page(
        "desk/menus.html",
        menus=shown,
        locale_=locale,
        tabs_=tabs,
        current_tab=lists.address(_MENUS, locale=locale),
    )


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
    locale = _locale(request.form)
    try:
        house().db.run_tx(
            lambda session: menus.write(
                session, channel()[0].id, Place(place, locale), links, revision, actor(), now
            )
        )
    except Invalid as error:
        return _menus(locale, {place: links}, {place: error.fields_}), 422
    site.forget()
    say("The menu is changed, on every page within half a minute.")
    return redirect(lists.address(_MENUS, locale=locale), 303)


@parts.post("/content/menus/<any(header,footer):place>/back")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def menu_back(place: str) -> Response:
    """Let it say again what it said before."""
    revision, version = (_number(request.form.get(name)) for name in ("revision", "version"))
    locale, now = _locale(request.form), house().clock.now()
    house().db.run_tx(
        lambda session: menus.bring_back(
            session, channel()[0].id, Place(place, locale), version, revision, actor(), now
        )
    )
    site.forget()
    say("The menu says again what it said then.")
    return redirect(lists.address(_MENUS, locale=locale), 303)


# --- banners ----------------------------------------------------------------------------------


class BannerForm(Form):
    """What one says, and when."""

    text = StringField("What it says", [InputRequired("Write a sentence.")])
    link_label = StringField("Link")
    link_href = StringField("It leads to")
    tone = SelectField(
        "Tone", choices=[SelectChoice("plain", "Quiet"), SelectChoice("warn", "Look here")]
    )
    locale = SelectField("For readers of", validate_choice=False)
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
            locale=_locale({"locale": self.locale.data or ""}),
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
    session: Session, asked: lists.Asked, place: sorting.Place, limit: int
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
            sheet.code(one.locale or ""),
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
            "locale": row.locale,
            "dismissible": row.dismissible,
            "starts_at": row.starts_at.astimezone(zone).replace(tzinfo=None),
            "ends_at": row.ends_at.astimezone(zone).replace(tzinfo=None) if row.ends_at else None,
            "revision": str(row.revision),
        }
    )
    return _banner_page(form, public_id)


def _banner_page(form: BannerForm, public_id: str) -> str:
    action = f"{_BANNERS}/{public_id or 'new'}"
    form.locale.choices = [SelectChoice(*one) for one in _languages()]
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
