"""Uploaded pictures and videos, and the brand's style sheet: addresses whose bytes never change."""

from flask import Blueprint, Response, request
from werkzeug.wsgi import FileWrapper

from cms_content import brand, media
from cms_content import videos as library
from cms_content.models import MediaRendition
from core.kernel import videos
from core.kernel.errors import NotFound
from web.access import Guard, Who, allow
from web.context import channel, house

media_ = Blueprint("media", __name__)
_FOR_EVER = "public, max-age=31536000, immutable"
_HEADERS = {"Cache-Control": _FOR_EVER, "Content-Disposition": "inline"}


@media_.get("/media/<public_id>-<int:width>.<suffix>")
@allow(Who.EVERYBODY, Guard.NONE)
def upload(public_id: str, width: int, suffix: str) -> Response:
    """One width of a picture, or a video. Nothing else of the store is ever served here."""
    if suffix not in media.EXTENSIONS.values() or width > 10_000:
        raise NotFound("picture")
    with house().db.reading() as session:
        found = media.rendition(session, public_id, width, suffix)
    if found.media_type in videos.EXTENSIONS:
        return _played(found)
    return _stored(found.sha256, found.media_type)


@media_.get("/media/<public_id>/<language>-<digest>.vtt")
@allow(Who.EVERYBODY, Guard.NONE)
def captions(public_id: str, language: str, digest: str) -> Response:
    """What is said in a video, in one language."""
    with house().db.reading() as session:
        found = library.captions_of(session, public_id, language, digest)
    return _stored(found, library.CAPTIONS_TYPE)


def _stored(sha256: str, media_type: str) -> Response:
    try:
        data = house().blobs.get(sha256)
    except FileNotFoundError:
        raise NotFound("picture") from None
    return Response(data, mimetype=media_type, headers=_HEADERS)


def _played(found: MediaRendition) -> Response:
    """A video, or the range of it that a player asks for: never the whole of it in memory."""
    try:
        file = house().blobs.open(found.sha256)
    except FileNotFoundError:
        raise NotFound("video") from None
    response = Response(
        FileWrapper(file, 64 * 1024),
        mimetype=found.media_type,
        headers=_HEADERS,
        direct_passthrough=True,
    )
    response.content_length = found.size
    response.set_etag(found.sha256)
    try:
        response.make_conditional(request, accept_ranges=True, complete_length=found.size)
    except BaseException:
        file.close()
        raise
    return response


@media_.get("/brand/<int:number>.css")
@allow(Who.EVERYBODY, Guard.NONE)
def style(number: int) -> Response:
    """The tokens that a published brand kit sets."""
    if number > 1_000_000_000:
        raise NotFound("brand kit")
    with house().db.reading() as session:
        kit = brand.read(brand.shown(session, channel()[0].id, number).content)
    return Response(brand.css(kit), mimetype="text/css", headers={"Cache-Control": _FOR_EVER})
