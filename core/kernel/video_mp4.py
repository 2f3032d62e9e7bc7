"""MP4 (ISO/IEC 14496-12): boxes within boxes, each with its length and four letters.

``udta``, ``meta`` and ``uuid`` hold what cameras and programs tell of a video, the place above all. They
become ``free`` of the same length, so that no other box moves.
"""

from collections.abc import Iterator

from core.kernel.video_tracks import Broken, Track

#: H.264, AV1 and VP9, as their samples are called. H.265 plays in some browsers only.
PLAYED = frozenset({"avc1", "avc3", "av01", "vp09"})
_TOP = frozenset(
    {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"meta", b"uuid", b"udta", b"pdin"}
    | {b"moof", b"mfra", b"sidx", b"styp", b"emsg", b"prft"}
)
_TOLD = frozenset({b"udta", b"meta", b"uuid"})
_HEAD = 8
#: Apple's own container looks alike and is played by Safari alone.
_OTHERS = frozenset({b"qt  "})


def is_one(data: bytearray) -> bool:
    """Does it begin like one?"""
    return data[4:8] == b"ftyp" and bytes(data[8:12]) not in _OTHERS


def clean(data: bytearray) -> list[Track]:
    """Blank what it tells of who made it and where; answers what it shows. Raises Broken."""
    found: list[Track] = []
    seen = set()
    for kind, start, body, end in _boxes(data, 0, len(data)):
        if kind not in _TOP:
            raise Broken
        seen.add(kind)
        _blank(data, kind, start, body, end)
        if kind == b"moov":
            found += _movie(data, body, end)
    if not {b"ftyp", b"moov", b"mdat"} <= seen:
        raise Broken
    return found


def _movie(data: bytearray, start: int, end: int) -> Iterator[Track]:
    for kind, at, body, stop in _boxes(data, start, end):
        _blank(data, kind, at, body, stop)
        if kind == b"trak":
            for inner, inner_at, inner_body, inner_stop in _boxes(data, body, stop):
                _blank(data, inner, inner_at, inner_body, inner_stop)
            track = _track(data, body, stop)
            if track is not None:
                yield track


def _boxes(data: bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Kind, start, start of the body and end of each box."""
    while start < end:
        if end - start < _HEAD:
            raise Broken
        size, kind, body = _number(data, start, 4), bytes(data[start + 4 : start + 8]), start + 8
        if size == 1:
            size, body = _number(data, body, 8), body + 8
        stop = start + size if size else end
        if stop > end or stop < body:
            raise Broken
        yield kind, start, body, stop
        start = stop


def _blank(data: bytearray, kind: bytes, start: int, body: int, end: int) -> None:
    if kind in _TOLD:
        data[start + 4 : start + 8] = b"free"
        data[body:end] = bytes(end - body)


def _track(data: bytearray, start: int, end: int) -> Track | None:
    head = _inside(data, start, end, b"tkhd")
    media = _inside(data, start, end, b"mdia")
    if head is None or media is None:
        raise Broken
    handler = _inside(data, *media, b"hdlr")
    if handler is None or bytes(data[handler[0] + 8 : handler[0] + 12]) != b"vide":
        return None
    samples: tuple[int, int] | None = media
    for kind in (b"minf", b"stbl", b"stsd"):
        samples = _inside(data, *samples, kind) if samples is not None else None
    if samples is None or samples[1] - samples[0] < 16 or head[1] - head[0] < 84:
        raise Broken
    codec = bytes(data[samples[0] + 12 : samples[0] + 16]).decode("latin-1")
    width, height = (_number(data, head[1] - at, 4) >> 16 for at in (8, 4))
    # The matrix before the size: a quarter turn has nothing on its diagonal.
    is_turned = not _number(data, head[1] - 44, 4) and not _number(data, head[1] - 28, 4)
    return Track(codec, height, width) if is_turned else Track(codec, width, height)


def _inside(data: bytearray, start: int, end: int, wanted: bytes) -> tuple[int, int] | None:
    for kind, _, body, stop in _boxes(data, start, end):
        if kind == wanted:
            return body, stop
    return None


def _number(data: bytearray, at: int, length: int) -> int:
    return int.from_bytes(data[at : at + length], "big")
