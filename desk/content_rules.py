"""Segments and redirects at the desk: whom a variant is for, and where an address that has gone leads."""

import uuid
from collections.abc import Sequence

from flask import Blueprint, current_app, request
from flask import Response as FileResponse
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import BooleanField, Form, HiddenField, IntegerField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Regexp

from cms_content import redirects, segments
from cms_content.models import ContentRedirect, ContentSegment
from cms_content.segments import Rule, Segment
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
from web.flashes import say
from web.pages import page, show_errors

rules = Blueprint("desk_rules", __name__, url_prefix="/desk", template_folder="templates")
_SEGMENTS, _REDIRECTS = "/desk/content/segments", "/desk/content/redirects"
LISTED = Listing(
    _REDIRECTS,
    "redirect",
    redirects.SORTS,
    "address",
    head=("gone", "leads_to", "for_good", "followed", "last_followed"),
)
_VISITOR = {"": "Everybody", "new": "New here", "returning": "Have been here before"}
_SIGNED = {"": "Either", "yes": "Signed in", "no": "Not signed in"}


class SegmentForm(Form):
    """Whom a variant is for."""

    code = StringField(
        "Code",
        [
            InputRequired("Give it a code."),
            Regexp(r"^[a-z0-9][a-z0-9-]{0,39}$", message="Small letters, digits and dashes."),
        ],
    )
    name = StringField(
        "Name", [InputRequired("Give it a name."), Length(max=80, message="At most 80 characters.")]
    )
    priority = IntegerField(
        "Rank",
        [InputRequired("Give it a rank."), NumberRange(1, 9999, "From 1 to 9999.")],
        default=100,
        description="Of several that fit, the lowest number is chosen",
    )
    campaigns = StringField(
        "Campaigns",
        description="Of addresses that end in ?campaign=leaflet; several apart by commas",
    )
    visitor = SelectField("Visitors", choices=[SelectChoice(*one) for one in _VISITOR.items()])
    signed_in = SelectField("Signed in", choices=[SelectChoice(*one) for one in _SIGNED.items()])
    languages = StringField("Languages", description="Such as en, de; apart by commas")
    revision = HiddenField()

    def segment(self) -> Segment:
        """What was typed. Raises Invalid by field."""
        rule = segments.read_rule(
            {
                "campaigns": _listed(self.campaigns.data),
                "visitor": self.visitor.data or "",
                "signed_in": self.signed_in.data or "",
                "languages": _listed(self.languages.data),
            }
        )
        return Segment(self.code.data or "", self.name.data or "", self.priority.data or 1, rule)


def _listed(text: str | None) -> list[str]:
    return [one.strip().lower() for one in (text or "").split(",") if one.strip()]


@rules.get("/content/segments")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def segment_list() -> str:
    """All of them, in the order in which they are tried."""
    return _segments(SegmentForm())


def _segments(form: SegmentForm) -> str:
    with house().db.reading() as session:
        found = segments.rows_of(session, channel()[0].id)
    return page(
        "desk/segments.html",
        segments=[(one, told(segments.read_rule(one.rule))) for one in found],
        form=form,
    )


def told(rule: Rule) -> str:
    """A rule in words."""
    words = []
    if rule.campaigns:
        words.append(f"came by {' or '.join(rule.campaigns)}")
    if rule.visitor:
        words.append(_VISITOR[rule.visitor].lower())
    if rule.signed_in:
        words.append(_SIGNED[rule.signed_in].lower())
    if rule.languages:
        words.append(f"read {' or '.join(rule.languages)}")
    return ", and ".join(words)


@rules.post("/content/segments")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def segment_add() -> str | Response | tuple[str, int]:
    """Add one."""
    form, now = SegmentForm(request.form), house().clock.now()
    if not form.validate():
        return _segments(form), 422
    try:
        new = form.segment()
        house().db.run_tx(lambda session: segments.add(session, channel()[0].id, new, actor(), now))
    except Invalid as error:
        show_errors(form, error)
        return _segments(form), 422
    say(f"“{new.name}” is there. Begin a page for it at an address that everybody has.")
    return redirect(_SEGMENTS, 303)


@rules.get("/content/segments/<code>")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def segment_one(code: str) -> str:
    """One as a form."""
    with house().db.reading() as session:
        row = segments.one(session, channel()[0].id, code)
    rule = segments.read_rule(row.rule)
    form = SegmentForm(
        data={
            "code": row.code,
            "name": row.name,
            "priority": row.priority,
            "campaigns": ", ".join(rule.campaigns),
            "visitor": rule.visitor,
            "signed_in": rule.signed_in,
            "languages": ", ".join(rule.languages),
            "revision": str(row.revision),
        }
    )
    return _segment(row, form)


def _segment(row: ContentSegment, form: SegmentForm) -> str:
    return page("desk/segment.html", it=row, form=form, here=f"{_SEGMENTS}/{row.code}")


@rules.post("/content/segments/<code>")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def segment_change(code: str) -> str | Response | tuple[str, int]:
    """Change its name, rank and rule."""
    now, typed = house().clock.now(), request.form.copy()
    with house().db.reading() as session:
        row = segments.one(session, channel()[0].id, code)
    typed["code"] = row.code
    form = SegmentForm(typed)
    if not form.validate():
        return _segment(row, form), 422
    text = form.revision.data or ""
    revision = int(text) if text.isdecimal() and len(text) < 9 else 0
    try:
        new = form.segment()
        house().db.run_tx(
            lambda session: segments.change(session, channel()[0].id, new, revision, actor(), now)
        )
    except Invalid as error:
        show_errors(form, error)
        return _segment(row, form), 422
    site.forget()
    say("The segment is changed.")
    return redirect(_SEGMENTS, 303)


@rules.post("/content/segments/<code>/remove")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def segment_remove(code: str) -> Response:
    """Take one away that no page is for."""
    now = house().clock.now()
    try:
        house().db.run_tx(
            lambda session: segments.remove(session, channel()[0].id, code, actor(), now)
        )
    except Invalid as error:
        say(next(iter(error.fields_.values())), "warn")
        return redirect(f"{_SEGMENTS}/{code}", 303)
    say("The segment is taken away.")
    return redirect(_SEGMENTS, 303)


# --- redirects --------------------------------------------------------------------------------


class RedirectForm(Form):
    """An address that has gone, and where it leads."""

    source = StringField("Address that has gone", description="/spring")
    target = StringField("Leads to", description="/pages/winter-line, or https://…")
    permanent = BooleanField("For good: search engines forget the old one", default=True)


@rules.get("/content/redirects")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def redirect_list() -> str:
    """All of them by address, and how often each was followed."""
    return _redirects(RedirectForm(request.args if "source" in request.args else None))


def _redirects(form: RedirectForm) -> str:
    with house().db.reading() as session:
        rows, context = LISTED.page(session, LISTED.asked(), _found)
    return page("desk/redirects.html", redirects=rows, form=form, **context)


@rules.get("/content/redirects.csv")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def export_redirects() -> FileResponse:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: map(_cells, rows))


def _found(
    session: Session, asked: lists.Asked, place: Place, limit: int
) -> Sequence[ContentRedirect]:
    return redirects.listing(session, channel()[0].id, words=asked.words, place=place, limit=limit)


def _cells(row: ContentRedirect) -> list[sheet.Cell]:
    return [
        sheet.words(row.source),
        sheet.words(row.target),
        sheet.code("yes" if row.permanent else "no"),
        sheet.code(row.hits),
        sheet.moment(row.last_hit_at) if row.last_hit_at is not None else sheet.EMPTY,
    ]


@rules.post("/content/redirects")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def redirect_add() -> str | Response | tuple[str, int]:
    """Lead an address elsewhere."""
    form, now = RedirectForm(request.form), house().clock.now()
    source, target = form.source.data or "", form.target.data or ""
    try:
        if _has_its_own(redirects.path_of(source)):
            raise Invalid(
                {"source": "There is a page at this address: it would never be followed."}
            )
        house().db.run_tx(
            lambda session: redirects.add(
                session, channel()[0].id, source, target, bool(form.permanent.data), actor(), now
            )
        )
    except Invalid as error:
        show_errors(form, error)
        return _redirects(form), 422
    say("Whoever comes by the old address is led on from now on.")
    return redirect(_REDIRECTS, 303)


def _has_its_own(path: str) -> bool:
    """Is there a page that always answers? One with a name in its address may be gone."""
    try:
        _, values = current_app.url_map.bind("").match(path or "/", method="GET")
    except HTTPException:
        return False
    return not values


@rules.post("/content/redirects/<uuid:redirect_id>/remove")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def redirect_remove(redirect_id: uuid.UUID) -> Response:
    """Take one away; the next page has it typed in, to put it back."""
    now = house().clock.now()
    gone = house().db.run_tx(
        lambda session: _gone(redirects.remove(session, redirect_id, actor(), now))
    )
    say("It leads nowhere any more. The form below has it still, should you want it back.")
    return redirect(lists.address(_REDIRECTS, source=gone[0], target=gone[1], permanent="y"), 303)


def _gone(row: ContentRedirect) -> tuple[str, str]:
    return row.source, row.target
