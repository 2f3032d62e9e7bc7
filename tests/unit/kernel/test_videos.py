"""Videos are known by what they hold, what cameras write into them is blanked, all else is refused."""

import pytest

from core.kernel import videos
from core.kernel.videos import NotAVideo, NotPlayed, VideoTooLarge
from tests.videos import PLACE, box, mp4, webm

MOST = 1_000_000


@pytest.mark.parametrize(
    ("data", "media_type", "size"),
    [
        (mp4(), "video/mp4", (640, 360)),
        (mp4(turned=True), "video/mp4", (360, 640)),
        (mp4(b"av01"), "video/mp4", (640, 360)),
        (webm(), "video/webm", (320, 180)),
    ],
)
def test_what_browsers_play_is_kept_without_the_place(
    data: bytes, media_type: str, size: tuple[int, int]
):
    assert PLACE in data
    kept = videos.check(data, max_bytes=MOST)
    assert (kept.media_type, (kept.width, kept.height)) == (media_type, size)
    assert len(kept.data) == len(data), "nothing has moved"
    assert PLACE not in kept.data
    assert videos.check(kept.data, max_bytes=MOST) == kept, "what is kept can be read again"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"<svg onload=alert(1)>",
        mp4()[:-40],
        mp4()[:300],
        mp4() + b"<script>alert(1)</script>",
        mp4(handler=b"soun"),
        mp4(width=0),
        mp4(brand=b"qt  "),
        box(b"ftyp", b"isom"),
        box(b"ftyp", b"isom") + box(b"html", b"<script>"),
        webm()[:-20],
        webm() + b"<script>",
        webm(doc=b"matroska"),
        b"\x1a\x45\xdf\xa3",
        b"\x1a\x45\xdf\xa3\x80",
    ],
)
def test_what_is_no_whole_video_is_refused(data: bytes):
    with pytest.raises(NotAVideo):
        videos.check(data, max_bytes=MOST)


def test_what_some_browsers_cannot_play_says_what_would_do():
    for data in (mp4(b"hvc1"), webm(b"V_THEORA"), mp4(width=9000)):
        with pytest.raises(NotPlayed, match="Export it as MP4"):
            videos.check(data, max_bytes=MOST)
    with pytest.raises(VideoTooLarge, match="larger than 1 MB"):
        videos.check(mp4() + b" " * MOST, max_bytes=MOST)
