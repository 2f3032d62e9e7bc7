"""Pictures that were uploaded, and the style sheet of the brand: addresses whose bytes never change."""

from flask import Blueprint, Response

from cms_content import brand, media
from core.kernel.errors import NotFound
from core.kernel.pictures import EXTENSIONS
from web.access import Guard, Who, allow
from web.context import channel, house

media_ = Blueprint("media", __name__)
_FOR_EVER = "public, max-age=31536000, immutable"


@media_.get("/media/<public_id>-<int:width>.<suffix>")
@allow(Who.EVERYBODY, Guard.NONE)
def picture(public_id: str, width: int, suffix: str) -> Response:
    """One width of an upload. Nothing else of the store is ever served here."""
    if suffix not in EXTENSIONS.values() or width > 10_000:
        raise NotFound("picture")
    with house().db.reading() as session:
        found = media.rendition(session, public_id, width, suffix)
    try:
        data = house().blobs.get(found.sha256)
    except FileNotFoundError:
        raise NotFound("picture") from None
    headers = {
        "Cache-Control": _FOR_EVER,
        "Content-Disposition": "inline",
    }
    return Response(data, mimetype=found.media_type, headers=headers)


@media_.get("/brand/<int:number>.css")
@allow(Who.EVERYBODY, Guard.NONE)
def style(number: int) -> Response:
    """The tokens that a published brand kit sets."""
    if number > 1_000_000_000:
        raise NotFound("brand kit")
    with house().db.reading() as session:
        kit = brand.read(brand.shown(session, channel()[0].id, number).content)
    return Response(brand.css(kit), mimetype="text/css", headers={"Cache-Control": _FOR_EVER})
