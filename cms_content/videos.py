"""Videos of the library: stored as they were checked, with captions by language, as blocks show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from babel import Locale
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cms_content import media
from cms_content.models import MediaAsset, MediaCaptions, MediaRendition
from core.kernel import audit, blobs
from core.kernel.db import insert_once
from core.kernel.errors import NotFound

UPLOADED = "video:"
CAPTIONS_TYPE = "text/vtt"


@dataclass(frozen=True)
class Captions:
    """What is said in one language."""

    href: str
    language: str
    name: str


@dataclass(frozen=True)
class Film:
    """A video as a page plays it."""

    href: str
    media_type: str
    width: int
    height: int
    captions: tuple[Captions, ...] = ()


def resolve(session: Session, names: Iterable[str]) -> dict[str, Film]:
    """Videos by the names that blocks give them; what is not there is left out. No query for none."""
    ids = [name.removeprefix(UPLOADED) for name in names if name.startswith(UPLOADED)]
    if not ids:
        return {}
    rows = session.execute(
        select(MediaAsset, MediaRendition, MediaCaptions)
        .join(MediaRendition, MediaRendition.asset_id == MediaAsset.id)
        .outerjoin(MediaCaptions, MediaCaptions.asset_id == MediaAsset.id)
        .where(MediaAsset.public_id.in_(ids), MediaAsset.kind == "video")
        .order_by(MediaAsset.id, MediaCaptions.language)
    )
    found: dict[str, Film] = {}
    for asset, made, said in rows:
        name = UPLOADED + asset.public_id
        before = found[name].captions if name in found else ()
        href, more = media.address(asset.public_id, made), _captions(asset.public_id, said)
        found[name] = Film(href, made.media_type, asset.width, asset.height, before + more)
    return found


def _captions(public_id: str, said: MediaCaptions | None) -> tuple[Captions, ...]:
    """None of a video that has none: its row is joined from outside."""
    if said is None:
        return ()
    href = f"/media/{public_id}/{said.language}-{said.sha256[:16]}.vtt"
    language = Locale.parse(said.language, sep="-")
    return (Captions(href, said.language, language.get_display_name() or said.language),)


def caption(
    session: Session,
    public_id: str,
    language: str,
    stored: tuple[str, int] | None,
    actor: str,
    now: datetime,
) -> None:
    """Give a video captions in a language, or take them away. ``stored``: hash and size of their bytes."""
    asset = media.one(session, public_id, kind="video", lock=True)
    session.execute(
        delete(MediaCaptions).where(
            MediaCaptions.asset_id == asset.id, MediaCaptions.language == language
        )
    )
    if stored is not None:
        sha256, size = stored
        blobs.note(session, sha256, size, CAPTIONS_TYPE, now)
        insert_once(session, MediaCaptions, asset_id=asset.id, language=language, sha256=sha256)
    act = "media.captioned" if stored is not None else "media.captions_removed"
    audit.write(session, now, actor, act, ("media", public_id), language=language)


def captions_of(session: Session, public_id: str, language: str, digest: str) -> str:
    """The hash of captions by their address. NotFound when they are others by now, or none."""
    found = session.scalar(
        select(MediaCaptions.sha256)
        .join(MediaAsset, MediaAsset.id == MediaCaptions.asset_id)
        .where(MediaAsset.public_id == public_id, MediaCaptions.language == language)
    )
    if found is None or found[:16] != digest:
        raise NotFound("captions")
    return found
