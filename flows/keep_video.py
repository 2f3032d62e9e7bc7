"""Take a video that somebody uploads for the pages, and what is said in it: check, store, then note it.

The bytes are stored before the rows: what a crash leaves behind is a blob that nothing names.
"""

from cms_content import captions, media, videos
from cms_content.media import Made
from cms_content.models import MediaAsset
from core.kernel import crash
from core.kernel import videos as containers
from flows.house import House

MOST_BYTES = 40_000_000


def keep(house: House, data: bytes, name: str, actor: str) -> MediaAsset:
    """Take one. Raises VideoRefused for what browsers do not play, or what is too large."""
    made = store(house, data)
    crash.point("video.stored")
    now = house.clock.now()
    return house.db.run_tx(
        lambda session: media.add(session, name, "", [made], actor, now, kind="video")
    )


def store(house: House, data: bytes) -> Made:
    """Check and store one. Raises VideoRefused."""
    video = containers.check(data, max_bytes=MOST_BYTES)
    sha256 = house.blobs.put(video.data)
    return Made(video.width, video.height, sha256, video.media_type, len(video.data))


def caption(house: House, public_id: str, language: str, data: bytes, actor: str) -> None:
    """Give it captions in a language, in place of those it has. Raises Invalid and NotFound."""
    stored, now = store_captions(house, data), house.clock.now()
    house.db.run_tx(
        lambda session: videos.caption(session, public_id, language, stored, actor, now)
    )


def store_captions(house: House, data: bytes) -> tuple[str, int]:
    """Read and store captions; answers hash and size. Raises Invalid."""
    kept = captions.read(data).encode()
    return house.blobs.put(kept), len(kept)
