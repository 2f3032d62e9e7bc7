"""Videos at the desk: uploaded, named, given captions. Their list is the library's (``content_media``)."""

from flask import Blueprint, request
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import FileField, Form, HiddenField, StringField
from wtforms.validators import InputRequired, Length

from cms_content import captions, media, videos
from cms_content.models import MediaAsset
from core.kernel.errors import Invalid
from core.kernel.videos import VideoRefused
from core.parties.roles import Role
from desk.content_media import VIDEOS, VideoForm, library
from desk.content_shown import actor
from flows import keep_video
from web import site
from web.access import Who, allow, takes
from web.context import channel, house
from web.flashes import say
from web.pages import page, show_errors

clips = Blueprint("desk_videos", __name__, url_prefix="/desk", template_folder="templates")
_LONG = Length(max=120, message="At most 120 characters.")


class NameForm(Form):
    """What a video is called at the desk."""

    name = StringField("Name", [InputRequired("Give it a name."), _LONG])
    revision = HiddenField()


class CaptionsForm(Form):
    """What is said in it, in one language."""

    captions = FileField("Captions")
    language = StringField("Language", description="Such as en or de")


@clips.post("/content/videos")
@allow(Who.STAFF, roles=(Role.CONTENT,))
@takes(keep_video.MOST_BYTES + 100_000)
def upload() -> str | Response | tuple[str, int]:
    """Take a video: what the camera wrote into it is blanked, the rest stays as it is."""
    sent, form = request.files.get("file"), VideoForm(request.form)
    data = sent.read() if sent is not None else b""
    valid = form.validate()
    if not data:
        form.file.errors, valid = ["Choose a video."], False
    if not valid:
        return library(form, "video"), 422
    file_name = (sent.filename or "") if sent is not None else ""
    name = (form.name.data or "").strip() or file_name.rpartition("/")[2].rpartition(".")[0]
    try:
        kept = keep_video.keep(house(), data, name[:120] or "Video", actor())
    except VideoRefused as error:
        form.file.errors = [str(error)]
        return library(form, "video"), 422
    say(f"“{kept.name}” is there. Give it captions, then blocks can play it.")
    return redirect(f"{VIDEOS}/{kept.public_id}", 303)


@clips.get("/content/videos/<public_id>")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def one(public_id: str) -> str:
    """One video, its name and its captions."""
    return _show(_row(public_id))


def _row(public_id: str) -> MediaAsset:
    with house().db.reading() as session:
        return media.one(session, public_id, kind="video")


def _show(row: MediaAsset, form: Form | None = None, said: Form | None = None) -> str:
    name = videos.UPLOADED + row.public_id
    with house().db.reading() as session:
        film = videos.resolve(session, [name])[name]
    language = channel()[0].locale.partition("_")[0]
    return page(
        "desk/video_one.html",
        it=row,
        film=film,
        form=form or NameForm(data={"name": row.name, "revision": str(row.revision)}),
        said=said or CaptionsForm(data={"language": language}),
        here=f"{VIDEOS}/{row.public_id}",
    )


@clips.post("/content/videos/<public_id>")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def rename(public_id: str) -> str | Response | tuple[str, int]:
    """Call it something else."""
    form, row, now = NameForm(request.form), _row(public_id), house().clock.now()
    if not form.validate():
        return _show(row, form), 422
    text = form.revision.data or ""
    revision = int(text) if text.isdecimal() and len(text) < 9 else 0
    name = form.name.data or ""
    house().db.run_tx(
        lambda session: media.describe(session, public_id, name, "", revision, actor(), now)
    )
    say("It is called that now.")
    return redirect(f"{VIDEOS}/{public_id}", 303)


@clips.post("/content/videos/<public_id>/captions")
@allow(Who.STAFF, roles=(Role.CONTENT,))
@takes(captions.MOST_BYTES + 100_000)
def caption(public_id: str) -> str | Response | tuple[str, int]:
    """Give it captions in a language, in place of those it has."""
    form, row, sent = CaptionsForm(request.form), _row(public_id), request.files.get("captions")
    language = (form.language.data or "").strip()
    try:
        if not captions.is_language(language):
            raise Invalid({"language": "A language such as en or de."})
        data = sent.read() if sent is not None else b""
        keep_video.caption(house(), public_id, language, data, actor())
    except Invalid as error:
        show_errors(form, error)
        return _show(row, said=form), 422
    site.forget()
    say("Its captions are there.")
    return redirect(f"{VIDEOS}/{public_id}", 303)


@clips.post("/content/videos/<public_id>/captions/<language>/off")
@allow(Who.STAFF, roles=(Role.CONTENT,))
def uncaption(public_id: str, language: str) -> Response:
    """Take the captions of a language away."""
    now = house().clock.now()
    house().db.run_tx(
        lambda session: videos.caption(session, public_id, language, None, actor(), now)
    )
    site.forget()
    say("These captions are taken away.")
    return redirect(f"{VIDEOS}/{public_id}", 303)
