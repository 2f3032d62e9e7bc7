"""Videos that people upload: known for what they are by their container, with what hid in it taken out.

They are not encoded anew, so what is kept is what was sent, but for the places where cameras and programs
write where, when and by whom it was made: those are blanked in place. Only what browsers play is taken.
"""

from dataclasses import dataclass
from typing import ClassVar

from core.kernel import video_mp4, video_webm
from core.kernel.errors import ShopError
from core.kernel.video_tracks import Broken, Track

#: The ends of names, for what is served.
EXTENSIONS = {"video/mp4": "mp4", "video/webm": "webm"}
_MOST_SIDE = 8192


@dataclass(frozen=True)
class Video:
    """A video as it is kept, with the size in which it shows."""

    data: bytes
    media_type: str
    width: int
    height: int


class VideoRefused(ShopError):
    """A file that is not taken; its subclasses say why."""

    code: ClassVar[str] = "video_refused"
    text: ClassVar[str] = "This file cannot be taken."


@dataclass(eq=False)
class VideoTooLarge(VideoRefused):
    """More bytes than are taken."""

    code: ClassVar[str] = "video_too_large"
    text: ClassVar[str] = "This video is larger than {most_mb} MB, which is the most we take."
    most_mb: int


class NotAVideo(VideoRefused):
    """Of another kind, or broken."""

    code: ClassVar[str] = "not_a_video"
    text: ClassVar[str] = "This is not a whole MP4 or WebM video."


class NotPlayed(VideoRefused):
    """Whole, but nothing that every browser plays."""

    code: ClassVar[str] = "video_not_played"
    text: ClassVar[str] = (
        "Some browsers cannot play this video. Export it as MP4 with H.264 (AVC), or as WebM."
    )


def check(data: bytes, *, max_bytes: int) -> Video:
    """A stranger's video as it may be kept and served. Raises VideoTooLarge, NotAVideo and NotPlayed."""
    if len(data) > max_bytes:
        raise VideoTooLarge(max_bytes // 1_000_000)
    kept = bytearray(data)
    try:
        media_type, tracks, played = _read(kept)
    except Broken:
        raise NotAVideo from None
    shown = [track for track in tracks if track.width and track.height]
    if not shown:
        raise NotAVideo
    if any(track.codec not in played for track in shown):
        raise NotPlayed
    first = shown[0]
    if max(first.width, first.height) > _MOST_SIDE:
        raise NotPlayed
    return Video(bytes(kept), media_type, first.width, first.height)


def _read(data: bytearray) -> tuple[str, list[Track], frozenset[str]]:
    if video_webm.is_one(data):
        return "video/webm", video_webm.clean(data), video_webm.PLAYED
    if video_mp4.is_one(data):
        return "video/mp4", video_mp4.clean(data), video_mp4.PLAYED
    raise Broken
