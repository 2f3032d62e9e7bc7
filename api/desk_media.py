"""Pictures and videos by a key of the desk: listed, read, and uploaded as files of a form."""

import hashlib
from typing import Any

from flask import Blueprint, Response, request
from pydantic import BaseModel
from sqlalchemy.orm import Session

from api import answers, cursors, media_shapes, reading
from api.answers import Json, film
from api.callers import caller, staff
from api.once import once
from api.pace import limit
from api.problems import InvalidRequest, add_headers, field_error
from cms_content import captions, media, videos
from cms_content.models import MediaAsset
from core.kernel.errors import Invalid, ShopError
from core.kernel.pictures import FileTooLarge, PictureRefused
from core.kernel.sorting import Place
from core.kernel.videos import VideoRefused, VideoTooLarge
from flows import keep_picture, keep_video
from web import site
from web.access import Guard, Who, allow
from web.context import house, web_settings

desk_media = Blueprint("api_desk_media", __name__, url_prefix="/api/v1/desk")
desk_media.after_request(add_headers)
#: Beside a file: its other fields, and what marks them off.
_BESIDE = 100_000


class _Sent(BaseModel):
    """What tells two uploads apart."""

    sha256: str
    words: dict[str, str]


@desk_media.get("/media")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("content:read")
def listed() -> Response:
    """Pictures or videos, the newest first."""
    asked, secret = reading.query(media_shapes.MediaQuery), web_settings().secret_key
    with house().db.snapshot() as session:
        found = media.listing(
            session,
            kind=asked.kind,
            words=asked.q.strip(),
            place=Place("-uploaded", cursors.read_moment(secret, asked.cursor)),
            limit=asked.page_size + 1,
        )
        rows = found[: asked.page_size]
        items = _told(session, rows)
    last = rows[-1] if len(found) > len(rows) else None
    following = cursors.write_moment(secret, last.created_at, last.id) if last else None
    return answers.respond({"items": items, "next_cursor": following})


@desk_media.get("/media/<media_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("content:read")
def show(media_id: str) -> Response:
    """One of them."""
    return answers.respond(_one(reading.public_id(media_id, "picture")))


@desk_media.post("/pictures")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("content:write")
def picture() -> Response:
    """Take a picture."""
    request.max_content_length = keep_picture.MOST_BYTES + _BESIDE
    wish = reading.form(media_shapes.PictureUpload)

    def run() -> str:
        return keep_picture.keep(
            house(), wish.file, wish.name, wish.alt.strip(), caller().actor
        ).public_id

    return _kept("picture", wish.file, {"name": wish.name, "alt": wish.alt}, run)


@desk_media.post("/videos")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("content:write")
def video() -> Response:
    """Take a video."""
    request.max_content_length = keep_video.MOST_BYTES + _BESIDE
    wish = reading.form(media_shapes.VideoUpload)

    def run() -> str:
        return keep_video.keep(house(), wish.file, wish.name, caller().actor).public_id

    return _kept("video", wish.file, {"name": wish.name}, run)


@desk_media.post("/videos/<media_id>/captions")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("content:write")
def caption(media_id: str) -> Response:
    """Say in a language what is said in it."""
    request.max_content_length = captions.MOST_BYTES + _BESIDE
    wish = reading.form(media_shapes.CaptionsUpload)
    public_id = reading.public_id(media_id, "video")

    def run() -> str:
        if not captions.is_language(wish.language):
            raise Invalid({"language": "A language such as en or de."})
        keep_video.caption(house(), public_id, wish.language, wish.file, caller().actor)
        site.forget()
        return public_id

    words = {"language": wish.language}
    return _kept(f"captions:{public_id}", wish.file, words, run, status=200)


def _kept(what: str, data: bytes, words: dict[str, str], run: Any, status: int = 201) -> Response:
    sent = _Sent(sha256=hashlib.sha256(data).hexdigest(), words=words)

    def work() -> tuple[int, Json]:
        try:
            return status, _one(run())
        except (FileTooLarge, VideoTooLarge):
            raise
        except (PictureRefused, VideoRefused) as error:
            raise InvalidRequest([_refused(error)]) from None
        except Invalid as error:
            raise reading.refused(_in_the_file(error)) from None

    status, body = once(f"{what}:{caller().token_id.hex}", sent, work)
    return answers.respond(body, status)


def _refused(error: ShopError) -> dict[str, str]:
    return field_error("file", error.code, str(error))


def _in_the_file(error: Invalid) -> Invalid:
    """What is wrong with captions is wrong with the file that they came in."""
    told = {("file" if name == "captions" else name): text for name, text in error.fields_.items()}
    return Invalid(told)


def _one(public_id: str) -> Json:
    with house().db.snapshot() as session:
        (told,) = _told(session, [media.one(session, public_id)])
    return told


def _told(session: Session, rows: Any) -> list[Json]:
    base = web_settings().base_url
    shown = media.resolve(session, [_name(one) for one in rows])
    films = videos.resolve(session, [_name(one) for one in rows])
    found = []
    for one in rows:
        name = _name(one)
        found.append(
            {
                "id": one.public_id,
                "kind": one.kind,
                "block": name,
                "name": one.name,
                "picture": answers.picture(shown[name], base) if name in shown else None,
                "video": film(films[name], base) if name in films else None,
            }
        )
    return found


def _name(one: MediaAsset) -> str:
    return (videos.UPLOADED if one.kind == "video" else media.UPLOADED) + one.public_id
