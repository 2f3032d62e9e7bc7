"""The library at the desk: pictures uploaded, uploads listed, described, offered no more.

Videos come in by ``content_videos``.
"""

from collections.abc import Sequence

from flask import Blueprint, request
from flask import Response as FileResponse
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import BooleanField, FileField, Form, HiddenField, StringField
from wtforms.validators import InputRequired, Length

from cms_content import media
from cms_content.models import MediaAsset
from core.kernel import sheet
from core.kernel.pictures import PictureRefused
from core.kernel.sorting import Place
from core.parties.roles import Role
from desk import lists
from desk.content_shown import actor
from desk.lists import Choice, Listing
from flows import keep_picture, keep_video
from web import site
from web.access import Who, allow, takes
from web.context import house
from web.flashes import say
from web.pages import page

pictures = Blueprint("desk_pictures", __name__, url_prefix="/desk", template_folder="templates")
HERE, VIDEOS = "/desk/content/media", "/desk/content/videos"
LISTED = Listing(
    HERE,
    "upload",
    media.SORTS,
    "-uploaded",
    (
        Choice("kind", "Kind", [("video", "Videos")], "pictures", is_tabs=True),
        Choice("state", "State", [("retired", "Put away")], "offered", is_tabs=True),
    ),
    head=("kind", "name", "shows", "width", "height", "uploaded"),
)
_LONG = Length(max=300, message="At most 300 characters.")


class DescribeForm(Form):
    """What a picture is called, and what it shows."""

    name = StringField(
        "Name",
        [InputRequired("Give it a name."), Length(max=120, message="At most 120 characters.")],
    )
    alt = StringField(
        "What it shows, in words", [_LONG], description="Read out to those who cannot see it"
    )
    decorates = BooleanField("It only decorates: nothing is read out")
    revision = HiddenField()

    def says_what_it_shows(self) -> bool:
        """Either words, or that there is nothing to say."""
        if bool((self.alt.data or "").strip()) != bool(self.decorates.data):
            return True
        self.alt.errors = [
            "Say what it shows, or that it only decorates."
            if not self.decorates.data
            else "It cannot do both: say what it shows, or that it only decorates."
        ]
        return False


class UploadForm(DescribeForm):
    """A picture to be taken."""

    file = FileField("Picture")


class VideoForm(Form):
    """A video to be taken."""

    file = FileField("Video")
    name = StringField("Name", [Length(max=120, message="At most 120 characters.")])


@pictures.get("/content/media")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def listed() -> str:
    """Uploads, the newest first, and a form for another."""
    if request.args.get("kind") == "video":
        return library(VideoForm(), "video")
    return library(UploadForm(), "picture")


def library(form: Form, kind: str) -> str:
    """The uploads of a kind with a form for another."""
    asked = LISTED.asked()
    asked.chosen["kind"] = kind if kind == "video" else ""
    with house().db.reading() as session:
        rows, context = LISTED.page(session, asked, _found)
        shown = media.resolve(session, [media.UPLOADED + one.public_id for one in rows])
    return page(
        "desk/media.html",
        uploads=[(one, shown.get(media.UPLOADED + one.public_id)) for one in rows],
        form=form,
        kind=kind,
        retired=bool(asked["state"]),
        most_mb=(keep_video if kind == "video" else keep_picture).MOST_BYTES // 1_000_000,
        tabs_=[
            ("Pictures", HERE, None),
            ("Videos", f"{HERE}?kind=video", None),
            ("Put away", f"{HERE}?state=retired", None),
        ],
        current_tab=lists.address(HERE, kind=asked["kind"], state=asked["state"]),
        **context,
    )


@pictures.get("/content/media.csv")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def export() -> FileResponse:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: map(_cells, rows))


def _found(session: Session, asked: lists.Asked, place: Place, limit: int) -> Sequence[MediaAsset]:
    return media.listing(
        session,
        kind=asked["kind"] or "picture",
        retired=bool(asked["state"]),
        words=asked.words,
        place=place,
        limit=limit,
    )


def _cells(row: MediaAsset) -> list[sheet.Cell]:
    return [
        sheet.code(row.kind),
        sheet.words(row.name),
        sheet.words(row.alt),
        sheet.code(row.width),
        sheet.code(row.height),
        sheet.moment(row.created_at),
    ]


@pictures.post("/content/media")
@allow(Who.STAFF, roles=(Role.CONTENT,))
@takes(keep_picture.MOST_BYTES + 100_000)
def upload() -> str | Response | tuple[str, int]:
    """Take a picture: it is encoded anew, so nothing that hid in it is kept."""
    sent = request.files.get("file")
    form = UploadForm(request.form)
    data = sent.read() if sent is not None else b""
    if not form.name.data and sent is not None and sent.filename:
        form.name.data = sent.filename.rpartition("/")[2].rpartition(".")[0][:120]
        form.name.raw_data = [form.name.data]
    valid = form.validate() and form.says_what_it_shows()
    if not data:
        form.file.errors, valid = ["Choose a picture."], False
    if not valid:
        return library(form, "picture"), 422
    try:
        kept = keep_picture.keep(
            house(), data, form.name.data or "", (form.alt.data or "").strip(), actor()
        )
    except PictureRefused as error:
        form.file.errors = [str(error)]
        return library(form, "picture"), 422
    say(f"“{kept.name}” is there. Blocks can show it now.")
    return redirect(HERE, 303)


@pictures.get("/content/media/<public_id>")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def one(public_id: str) -> str:
    """One picture, its words and its widths."""
    with house().db.reading() as session:
        row = media.one(session, public_id, kind="picture")
    form = DescribeForm(
        data={
            "name": row.name,
            "alt": row.alt,
            "decorates": not row.alt,
            "revision": str(row.revision),
        }
    )
    return _one(row, form)


def _one(row: MediaAsset, form: DescribeForm) -> str:
    name = media.UPLOADED + row.public_id
    with house().db.reading() as session:
        shown = media.resolve(session, [name])[name]
    return page("desk/media_one.html", it=row, pic=shown, form=form, here=f"{HERE}/{row.public_id}")


@pictures.post("/content/media/<public_id>")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def describe(public_id: str) -> str | Response | tuple[str, int]:
    """Change its name and its words."""
    form, now = DescribeForm(request.form), house().clock.now()
    with house().db.reading() as session:
        row = media.one(session, public_id, kind="picture")
    if not (form.validate() and form.says_what_it_shows()):
        return _one(row, form), 422
    text = form.revision.data or ""
    revision = int(text) if text.isdecimal() and len(text) < 9 else 0
    name, alt = form.name.data or "", (form.alt.data or "").strip()
    house().db.run_tx(
        lambda session: media.describe(session, public_id, name, alt, revision, actor(), now)
    )
    site.forget()
    say("Its words are changed, on every page that shows it.")
    return redirect(f"{HERE}/{public_id}", 303)


@pictures.post("/content/media/<public_id>/<any(retire,offer):act>")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def move(public_id: str, act: str) -> Response:
    """Offer it no more, or again."""
    now, back = house().clock.now(), act == "offer"
    kind = house().db.run_tx(
        lambda session: media.retire(session, public_id, actor(), now, back=back).kind
    )
    said = (
        "It is offered again." if back else "It is put away. Pages that show it go on showing it."
    )
    say(said)
    return redirect(f"{VIDEOS if kind == 'video' else HERE}/{public_id}", 303)
