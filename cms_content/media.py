"""Pictures: the drawings that come with the shop, and what was uploaded, encoded anew at a few widths.

The rows of the library, of its videos too (``videos``).

The bytes lie in the blob store; only what stands in ``media_rendition`` is ever served from there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cms_content.models import MediaAsset, MediaRendition
from core.kernel import audit, blobs, pictures, videos
from core.kernel.db import changed
from core.kernel.errors import NotFound, StaleState
from core.kernel.looking import found_in
from core.kernel.sorting import By, Place, Sorts

UPLOADED, DRAWN = "media:", "img/"
#: The ends of the names of what is served.
EXTENSIONS = pictures.EXTENSIONS | videos.EXTENSIONS
#: Narrow phones, phones of twice the dots, desks, desks of twice the dots.
WIDTHS = (480, 960, 1600)
_STATIC = Path(__file__).resolve().parents[1] / "static"
#: Drawings are vector: any size is right, and all are of this shape.
_DRAWN_SIZE = (640, 480)


@dataclass(frozen=True)
class Picture:
    """A picture as a page shows it: ``sources`` are (address, width); a drawing has one without a width."""

    alt: str
    width: int
    height: int
    #: Under ``static`` for a drawing.
    drawn: str = ""
    sources: tuple[tuple[str, int], ...] = ()

    @property
    def src(self) -> str:
        """The middle one, for what knows no ``srcset``."""
        return self.sources[len(self.sources) // 2][0] if self.sources else ""

    @property
    def largest(self) -> str:
        """The widest one."""
        return self.sources[-1][0] if self.sources else ""

    @property
    def srcset(self) -> str:
        """All of them."""
        return ", ".join(f"{href} {width}w" for href, width in self.sources)


@dataclass(frozen=True)
class Made:
    """One width of an upload, encoded and stored already."""

    width: int
    height: int
    sha256: str
    media_type: str
    size: int


def drawings() -> list[str]:
    """The drawings that come with the shop, as blocks name them."""
    return sorted(
        path.relative_to(_STATIC).as_posix()
        for folder in ("scenes", "products")
        for path in (_STATIC / "img" / folder).glob("*.svg")
    )


def resolve(session: Session, names: Iterable[str]) -> dict[str, Picture]:
    """Pictures by the names that blocks give them; what is not there is left out. One query at most."""
    wanted = set(names)
    found = {
        name: Picture("", *_DRAWN_SIZE, drawn=name)
        for name in wanted
        if name.startswith(DRAWN) and (_STATIC / name).is_file()
    }
    public_ids = [name.removeprefix(UPLOADED) for name in wanted if name.startswith(UPLOADED)]
    if not public_ids:
        return found
    rows = session.execute(
        select(MediaAsset, MediaRendition)
        .join(MediaRendition, MediaRendition.asset_id == MediaAsset.id)
        .where(MediaAsset.public_id.in_(public_ids), MediaAsset.kind == "picture")
        .order_by(MediaAsset.id, MediaRendition.width)
    )
    sources: dict[str, list[tuple[str, int]]] = {}
    assets: dict[str, MediaAsset] = {}
    for asset, made in rows:
        assets[asset.public_id] = asset
        sources.setdefault(asset.public_id, []).append((address(asset.public_id, made), made.width))
    for public_id, asset in assets.items():
        found[UPLOADED + public_id] = Picture(
            asset.alt, asset.width, asset.height, sources=tuple(sources[public_id])
        )
    return found


def drawing(name: str) -> str:
    """The text of a drawing that comes with the shop; empty when there is none."""
    return (_STATIC / name).read_text(encoding="utf-8") if name in drawings() else ""


def smallest(session: Session, public_id: str) -> MediaRendition | None:
    """An upload at its narrowest."""
    return session.scalar(
        select(MediaRendition)
        .join(MediaAsset, MediaAsset.id == MediaRendition.asset_id)
        .where(MediaAsset.public_id == public_id)
        .order_by(MediaRendition.width)
        .limit(1)
    )


def address(public_id: str, made: MediaRendition) -> str:
    """Where a width of an upload is served."""
    return f"/media/{public_id}-{made.width}.{EXTENSIONS[made.media_type]}"


def rendition(session: Session, public_id: str, width: int, suffix: str) -> MediaRendition:
    """What is served under an address. NotFound when nothing is."""
    found = session.scalar(
        select(MediaRendition)
        .join(MediaAsset, MediaAsset.id == MediaRendition.asset_id)
        .where(
            MediaAsset.public_id == public_id,
            MediaRendition.width == width,
        )
    )
    if found is None or EXTENSIONS[found.media_type] != suffix:
        raise NotFound("picture")
    return found


def add(
    session: Session,
    name: str,
    alt: str,
    made: Sequence[Made],
    actor: str,
    now: datetime,
    kind: str = "picture",
) -> MediaAsset:
    """Note an upload whose bytes are stored, from the narrowest to the widest."""
    widest = made[-1]
    asset = MediaAsset(
        kind=kind,
        name=name,
        alt=alt,
        width=widest.width,
        height=widest.height,
        made_by=actor,
        created_at=now,
    )
    session.add(asset)
    session.flush()
    for one in made:
        blobs.note(session, one.sha256, one.size, one.media_type, now)
        session.add(
            MediaRendition(
                asset_id=asset.id,
                width=one.width,
                height=one.height,
                sha256=one.sha256,
                media_type=one.media_type,
                size=one.size,
            )
        )
    session.flush()
    audit.write(session, now, actor, "media.added", ("media", asset.public_id), name=name)
    return asset


def one(session: Session, public_id: str, *, kind: str = "", lock: bool = False) -> MediaAsset:
    """An upload, of a kind if you like. NotFound when there is none."""
    query = select(MediaAsset).where(MediaAsset.public_id == public_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None or (kind and found.kind != kind):
        raise NotFound("picture")
    return found


def describe(
    session: Session, public_id: str, name: str, alt: str, revision: int, actor: str, now: datetime
) -> None:
    """Change what it is called, and what it shows in words. StaleState when somebody else was first."""
    move = (
        update(MediaAsset)
        .where(MediaAsset.public_id == public_id, MediaAsset.revision == revision)
        .values(name=name, alt=alt, revision=revision + 1)
    )
    if not changed(session.execute(move)):
        raise StaleState("picture", "unchanged")
    audit.write(session, now, actor, "media.described", ("media", public_id))


def retire(
    session: Session, public_id: str, actor: str, now: datetime, *, back: bool = False
) -> MediaAsset:
    """Offer it no more (or again); answers it. Pages that show it go on showing it."""
    asset = one(session, public_id)
    asset.retired_at = None if back else now
    act = "media.offered_again" if back else "media.retired"
    audit.write(session, now, actor, act, ("media", public_id))
    return asset


#: What the desk's list may be sorted by.
SORTS = Sorts(
    MediaAsset.id,
    {"uploaded": MediaAsset.created_at, "name": By(MediaAsset.name, ignores_case=True)},
)
NEWEST = Place("-uploaded")


def listing(
    session: Session,
    *,
    kind: str = "picture",
    retired: bool = False,
    words: str = "",
    place: Place = NEWEST,
    limit: int = 50,
) -> Sequence[MediaAsset]:
    """Uploads of a kind or of all (""), of those put away always all; ``words`` in name and meaning."""
    query = select(MediaAsset).where(
        MediaAsset.retired_at.is_not(None) if retired else MediaAsset.retired_at.is_(None)
    )
    if kind and not retired:
        query = query.where(MediaAsset.kind == kind)
    if words:
        query = query.where(found_in(words, MediaAsset.name, MediaAsset.alt))
    return session.scalars(SORTS.apply(query, place, limit)).all()
