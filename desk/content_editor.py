"""Writing a page: one form with a part for each block, its preview, and publishing it.

Without JavaScript every button saves the draft and does what it says; with it the preview beside the form
follows the typing. Two people never write over each other: the second is told, and keeps what they typed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse
from wtforms import DateTimeLocalField, Form, HiddenField, RadioField
from wtforms.fields import SelectChoice
from wtforms.validators import Optional

from cms_content import checks, pages, publishing, writing
from cms_content.addresses import path_of
from cms_content.blocks import ITEMS, KINDS, MOST_BLOCKS, NAMES, Content, Removed
from cms_content.models import ContentPage, PageVersion
from cms_content.publishing import Unfinished, Window
from core.kernel.errors import Invalid, NotFound, ShopError, StaleState
from core.parties.roles import Role
from desk import content_shown
from desk.content_forms import PageForm
from desk.content_shown import actor
from web import content as shown_content
from web import headers, site
from web.access import Who, allow
from web.context import channel, house
from web.flashes import say
from web.pages import page

editor = Blueprint("desk_editor", __name__, url_prefix="/desk", template_folder="templates")
_HERE = "/desk/content/pages"


class PublishForm(Form):
    """When people read it."""

    when = RadioField(
        "When",
        choices=[SelectChoice("now", "At once"), SelectChoice("later", "At a time")],
        default="now",
    )
    begins = DateTimeLocalField("From", [Optional()])
    ends = DateTimeLocalField("Until", [Optional()])
    revision = HiddenField()


@editor.get("/content/pages/<public_id>/edit")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def edit(public_id: str) -> Response:
    """The draft as a form; what people read where there is no draft."""
    with house().db.reading() as session:
        row = pages.one(session, public_id)
        source, revision = _source(session, row)
        said = checks.read(source.content)
        form = PageForm.of(said, content_shown.offered(session))
    wrong: Mapping[str, str] = {}
    if "check" in request.args:
        wrong = _lacking(public_id, said)
    return _page(row, form, revision, said, form.show(wrong))


def _source(session: Session, row: ContentPage) -> tuple[PageVersion, int]:
    """What to write on, and the draft's revision; 0 where a draft is still to be begun."""
    draft = pages.in_state(session, row, "draft")
    if draft is not None:
        return draft, draft.revision
    for state in ("scheduled", "published"):
        found = pages.in_state(session, row, state)
        if found is not None:
            return found, 0
    return pages.versions(session, row, limit=1)[0], 0


def _lacking(public_id: str, said: Content) -> dict[str, str]:
    with house().db.reading() as session:
        return {one.place: one.text for one in publishing.lacks(session, said)}


@editor.post("/content/pages/<public_id>/edit")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def save(public_id: str) -> Response | AnyResponse:
    """Save the draft, then do what the button says: move, add or remove a block, look at it, publish it."""
    act, _, which = request.form.get("do", "save").partition(":")
    revision = _number(request.form.get("revision"))
    with house().db.reading() as session:
        row = pages.one(session, public_id)
        form = PageForm.typed(request.form, content_shown.offered(session))
        source, _ = _source(session, row)
        removed = checks.read(source.content).removed if source.state == "draft" else None
    try:
        said = checks.read({**form.data(), "removed": removed and removed.model_dump()})
        said, opened = _acted(said, act, which, request.form.get("add", ""))
    except Invalid as error:
        return _page(row, form, revision, None, form.show(error.fields_), status=422)
    try:
        _write(public_id, said, revision, over=act == "over")
    except StaleState:
        return _told(row, form, said)
    target = {"look": "preview", "publish": "publish", "leave": ""}.get(act)
    if target is not None:
        return redirect(f"{_HERE}/{public_id}/{target}".rstrip("/"), 303)
    if act in ("save", "over"):
        say("The draft is saved.")
    return redirect(f"{_HERE}/{public_id}/edit{opened}", 303)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 9 else 0


def _acted(said: Content, act: str, which: str, kind: str) -> tuple[Content, str]:
    """The content after what a button says, and where the form is to open."""
    parts, at = list(said.blocks), _number(which)
    removed = said.removed
    if act in ("up", "down") and at < len(parts):
        to = at - 1 if act == "up" else at + 1
        if 0 <= to < len(parts):
            parts[at], parts[to] = parts[to], parts[at]
            at = to
    elif act == "remove" and at < len(parts):
        removed = Removed(at=at, block=parts.pop(at))
        say(f"The block “{NAMES[removed.block.kind]}” is taken out. You can put it back below.")
        at = max(at - 1, 0)
    elif act == "undo" and removed is not None:
        at = min(removed.at, len(parts))
        parts.insert(at, removed.block)
        removed = None
    elif act == "add" and kind in KINDS:
        if len(parts) >= MOST_BLOCKS:
            raise Invalid({"blocks": f"A page has at most {MOST_BLOCKS} blocks."})
        parts.append(KINDS[kind]())  # type: ignore[arg-type]  # one of the union
        at = len(parts) - 1
    elif act != "more":
        return said, ""
    changed = said.model_copy(update={"blocks": tuple(parts), "removed": removed})
    return changed, f"?open={at}#block-{at}"


def _write(public_id: str, said: Content, revision: int, *, over: bool) -> None:
    now = house().clock.now()

    def write(session: Session) -> None:
        if over:
            writing.save_over(session, public_id, said, revision, actor(), now)
            return
        at = revision
        if not at:
            row = pages.one(session, public_id)
            if pages.in_state(session, row, "draft") is not None:
                raise StaleState("draft", "none")
            at = writing.draft(session, public_id, actor(), now).revision
        writing.save(session, public_id, said, at, actor(), now)

    house().db.run_tx(write)


def _told(row: ContentPage, form: PageForm, said: Content) -> Response:
    """Somebody was quicker: what was typed stands on the form still, and theirs is a click away."""
    with house().db.reading() as session:
        theirs = pages.in_state(session, row, "draft")
        who = content_shown.names(session, {theirs.changed_by}) if theirs is not None else {}
    stale = {
        "who": who.get(theirs.changed_by, "") if theirs is not None else "Somebody",
        "at": theirs.changed_at if theirs is not None else None,
        "href": f"{_HERE}/{row.public_id}/preview?version={theirs.number}" if theirs else "",
    }
    revision = theirs.revision if theirs is not None else 0
    return _page(row, form, revision, said, [], stale=stale, status=409)


def _page(
    row: ContentPage,
    form: PageForm,
    revision: int,
    said: Content | None,
    problems: list[str],
    *,
    stale: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    removed = said.removed if said is not None else None
    html = page(
        "desk/content_edit.html",
        form=form,
        revision=revision,
        name=row.name,
        path=path_of(row.slug),
        here=f"{_HERE}/{row.public_id}",
        kinds=list(NAMES.items()),
        with_items=set(ITEMS),
        opened=_number(request.args.get("open")) if "open" in request.args else None,
        removed=NAMES[removed.block.kind] if removed is not None else "",
        problems=problems,
        stale=stale,
    )
    return headers.may_frame(make_response(html, status))


# --- preview ----------------------------------------------------------------------------------


@editor.get("/content/pages/<public_id>/preview")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def preview(public_id: str) -> Response:
    """The draft, or a version, as people would read it."""
    wanted = request.args.get("version", "")
    with house().db.reading() as session:
        row = pages.one(session, public_id)
        if wanted:
            source = pages.version(session, row, _number(wanted))
        else:
            source, _ = _source(session, row)
    return _preview(row, checks.read(source.content))


@editor.post("/content/pages/<public_id>/preview")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def preview_typed(public_id: str) -> Response | tuple[str, int]:
    """What is being typed as people would read it; nothing is saved."""
    with house().db.reading() as session:
        row = pages.one(session, public_id)
        form = PageForm.typed(request.form, content_shown.offered(session))
    try:
        said = checks.read(form.data())
    except Invalid:
        return "", 422
    return _preview(row, said)


def _preview(row: ContentPage, said: Content) -> Response:
    with house().db.reading() as session:
        kept = content_shown.kept(session, row, said)
    return headers.may_be_framed(make_response(shown_content.preview(said, kept)))


# --- publishing -------------------------------------------------------------------------------


@editor.get("/content/pages/<public_id>/publish")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def ask_to_publish(public_id: str) -> str | AnyResponse:
    """When people are to read the draft. What is unfinished leads back to the form."""
    with house().db.reading() as session:
        row = pages.one(session, public_id)
        draft = pages.in_state(session, row, "draft")
        if draft is None:
            return redirect(f"{_HERE}/{public_id}", 303)
        lacks = publishing.lacks(session, checks.read(draft.content))
    if lacks:
        return redirect(f"{_HERE}/{public_id}/edit?check=1", 303)
    return _asked(row, PublishForm(revision=str(draft.revision)))


def _asked(row: ContentPage, form: PublishForm) -> str:
    return page(
        "desk/content_publish.html",
        form=form,
        name=row.name,
        path=path_of(row.slug),
        here=f"{_HERE}/{row.public_id}",
        zone=channel()[0].time_zone.replace("_", " "),
    )


@editor.post("/content/pages/<public_id>/publish")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def publish(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Let people read the draft that was looked at."""
    form, now = PublishForm(request.form), house().clock.now()
    with house().db.reading() as session:
        row = pages.one(session, public_id)
    valid = form.validate()
    later = form.when.data == "later"
    if valid and later and form.begins.data is None:
        form.begins.errors, valid = ["Say from when on."], False
    if not valid:
        return _asked(row, form), 422
    window = Window(_moment(form.begins.data) if later else None, _moment(form.ends.data))
    revision = _number(form.revision.data)
    try:
        house().db.run_tx(
            lambda session: publishing.publish(session, public_id, revision, window, actor(), now)
        )
    except Unfinished:
        return redirect(f"{_HERE}/{public_id}/edit?check=1", 303)
    except Invalid as error:
        form.ends.errors = list(error.fields_.values())
        return _asked(row, form), 422
    except (NotFound, StaleState):
        raise
    except ShopError as error:
        form.begins.errors = [str(error)]
        return _asked(row, form), 422
    site.forget()
    is_later = window.begins is not None and window.begins > now
    say("It goes live by itself at its time." if is_later else "People read it now.")
    return redirect(f"{_HERE}/{public_id}", 303)


def _moment(typed: datetime | None) -> datetime | None:
    """A time on the shop's own clock."""
    return typed.replace(tzinfo=ZoneInfo(channel()[0].time_zone)) if typed is not None else None
