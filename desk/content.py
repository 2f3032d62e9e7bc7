"""The pages of the shop at the desk: the list, a new one.

And one page with its versions and what may be done.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, redirect, request
from flask import Response as FileResponse
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import Form, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Regexp

from cms_content import addresses, blocks, checks, differences, pages, publishing, segments, writing
from cms_content.addresses import path_of
from cms_content.models import ContentPage, PageVersion
from cms_content.pages import KINDS, NewPage
from core.kernel import sheet
from core.kernel.errors import Invalid, NotFound
from core.kernel.sorting import Place
from core.parties.roles import Role
from desk import content_shown, lists
from desk.content_shown import actor
from desk.lists import Choice, Listing
from web import site
from web.access import Who, allow
from web.context import channel, house
from web.flashes import say
from web.pages import page, show_errors

content = Blueprint("desk_content", __name__, url_prefix="/desk", template_folder="templates")
_HERE = "/desk/content"
LISTED = Listing(
    _HERE,
    "page",
    pages.SORTS,
    "address",
    (Choice("kind", "Kind", list(KINDS.items())),),
    head=("name", "read_at", "kind", "for", "language", "state", "has_draft", "changed"),
)
_LOCALE = re.compile(r"^[a-z]{2,3}(_[A-Z]{2})?$")


class NewForm(Form):
    """A page to begin."""

    kind = SelectField("Kind", choices=[SelectChoice(*one) for one in KINDS.items()])
    name = StringField(
        "Name",
        [InputRequired("Give it a name."), Length(max=120, message="At most 120 characters.")],
        description="For the desk, and the page's first title",
    )
    slug = StringField(
        "Address",
        [
            Regexp(
                r"^([a-z0-9][a-z0-9-]{0,79})?$",
                message="Small letters, digits and dashes, such as moving-house.",
            )
        ],
        description="The end of it: moving-house is read at /pages/moving-house",
    )
    segment = SelectField("For whom", validate_choice=True)
    locale = StringField(
        "Language", [Regexp(_LOCALE, message="Such as en_US or de.")], description="Such as en_US"
    )


@content.get("/content")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def listed() -> str:
    """Pages by address, and the state of each."""
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, LISTED.asked(), _found)
        drawn = _drawn(session, rows)
    return page("desk/content.html", pages=drawn, **context)


@content.get("/content.csv")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def export() -> FileResponse:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, _cells)


def _found(session: Session, asked: lists.Asked, place: Place, limit: int) -> Sequence[ContentPage]:
    return pages.listing(
        session,
        channel()[0].id,
        kind=asked["kind"],
        words=asked.words,
        place=place,
        limit=limit,
    )


def _drawn(session: Session, rows: Sequence[ContentPage]) -> list[dict[str, Any]]:
    states, now = pages.states_of(session, rows), house().clock.now()
    return [content_shown.row(one, states[one.id], now) for one in rows]


def _cells(session: Session, rows: Sequence[ContentPage]) -> Iterator[list[sheet.Cell]]:
    for one in _drawn(session, rows):
        yield [
            sheet.words(one["name"]),
            sheet.words(one["path"]),
            sheet.words(one["kind"]),
            sheet.words(one["segment"]),
            sheet.code(one["locale"]),
            sheet.words(one["state"].text),
            sheet.code("yes" if one["has_draft"] else "no"),
            sheet.moment(one["changed"]),
        ]


@content.get("/content/new")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def ask() -> str:
    """The form for a page."""
    return _new(NewForm(request.args, locale=channel()[0].locale))


@content.post("/content/new")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def begin() -> str | Response | tuple[str, int]:
    """Begin a page: its draft is empty, and nobody reads it."""
    form, now = NewForm(request.form), house().clock.now()
    with house().db.reading() as session:
        _offer(session, form)
    if not form.validate():
        return _new(form), 422
    slug = form.slug.data or ""
    if form.kind.data != "home" and not slug:
        form.slug.errors = ["Say where it is read."]
        return _new(form), 422
    new = NewPage(
        form.kind.data, slug, form.locale.data or "", form.segment.data or "", form.name.data or ""
    )
    try:
        made = house().db.run_tx(
            lambda session: pages.create(session, channel()[0].id, new, actor(), now).public_id
        )
    except Invalid as error:
        show_errors(form, error)
        return _new(form), 422
    return redirect(f"{_HERE}/pages/{made}/edit", 303)


def _offer(session: Session, form: NewForm) -> None:
    found = segments.rows_of(session, channel()[0].id)
    form.segment.choices = [
        SelectChoice("", "Everybody"),
        *(SelectChoice(one.code, one.name) for one in found),
    ]


def _new(form: NewForm) -> str:
    with house().db.reading() as session:
        _offer(session, form)
    return page("desk/content_new.html", form=form)


@content.get("/content/pages/<public_id>")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def one(public_id: str) -> str:
    """One page: what people read, what waits, and everything it ever said."""
    below = request.args.get("below", "")
    with house().db.snapshot() as session:
        row = pages.one(session, public_id)
        found = pages.versions(
            session,
            row,
            below=int(below) if below.isdecimal() and len(below) < 9 else None,
            limit=lists.PAGE_SIZE + 1,
        )
        states = pages.states_of(session, [row])[row.id]
        who = content_shown.names(session, {version.changed_by for version in found})
    rows = found[: lists.PAGE_SIZE]
    here = f"{_HERE}/pages/{public_id}"
    more = len(found) > lists.PAGE_SIZE
    return page(
        "desk/content_page.html",
        it=content_shown.row(row, states, house().clock.now()),
        here=here,
        draft=states.get("draft"),
        scheduled=states.get("scheduled"),
        published=states.get("published"),
        read_href=path_of(row.slug),
        may_move=addresses.may_move(row),
        versions=[content_shown.version(version, row, who) for version in rows],
        page={
            "next_href": f"{here}?below={rows[-1].number}" if more else None,
            "prev_href": here if below else None,
            "said": "",
        },
    )


@content.get("/content/pages/<public_id>/versions/<int:number>")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def compared(public_id: str, number: int) -> str:
    """What a version says differently from the one before it, or from another."""
    _bound(number)
    with house().db.snapshot() as session:
        row = pages.one(session, public_id)
        new = pages.version(session, row, number)
        old = _beside(session, row, number, request.args.get("with", ""))
        who = content_shown.names(session, {new.changed_by})
        others = pages.versions(session, row, limit=lists.PAGE_SIZE)
    said = checks.read(new.content)
    before = checks.read(old.content) if old is not None else blocks.Content()
    return page(
        "desk/content_version.html",
        it=content_shown.version(new, row, who),
        here=f"{_HERE}/pages/{public_id}",
        name=row.name,
        other=old.number if old is not None else None,
        others=[one.number for one in others if one.number != number],
        lines=differences.between(before, said),
    )


def _beside(session: Session, row: ContentPage, number: int, wanted: str) -> PageVersion | None:
    if wanted.isdecimal() and len(wanted) < 9:
        return pages.version(session, row, int(wanted))
    return next(iter(pages.versions(session, row, below=number, limit=1)), None)


def _bound(number: int) -> None:
    if number > 1_000_000_000:
        raise NotFound("version")


@content.post("/content/pages/<public_id>/versions/<int:number>/back")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def bring_back(public_id: str, number: int) -> Response:
    """Make a draft of what a version said. A draft that is there is set aside."""
    _bound(number)
    now = house().clock.now()
    house().db.run_tx(lambda session: writing.bring_back(session, public_id, number, actor(), now))
    say(f"Version {number} is the draft again. Publish it when it is right.")
    return redirect(f"{_HERE}/pages/{public_id}/edit", 303)


@content.post("/content/pages/<public_id>/take-back")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def take_back(public_id: str) -> Response:
    """What waits for its time will not go live."""
    now = house().clock.now()
    house().db.run_tx(lambda session: publishing.take_back(session, public_id, actor(), now))
    site.forget()
    say("It will not go live. It is kept as a draft.")
    return redirect(f"{_HERE}/pages/{public_id}", 303)


@content.get("/content/pages/<public_id>/withdraw")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def ask_to_withdraw(public_id: str) -> str:
    """Whether it is really to be read by nobody."""
    with house().db.reading() as session:
        row = pages.one(session, public_id)
    return page(
        "desk/content_withdraw.html",
        name=row.name,
        path=path_of(row.slug),
        here=f"{_HERE}/pages/{public_id}",
    )


@content.post("/content/pages/<public_id>/withdraw")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def withdraw(public_id: str) -> Response:
    """Nobody reads it any more; every version is kept."""
    now = house().clock.now()
    house().db.run_tx(lambda session: publishing.withdraw(session, public_id, actor(), now))
    site.forget()
    say("Nobody reads this page any more. Its versions are kept.")
    return redirect(f"{_HERE}/pages/{public_id}", 303)
