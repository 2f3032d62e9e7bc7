"""WebM: elements of EBML (RFC 8794), each with a number, its length and its body.

Tags and attachments hold what programs tell of a video. They become elements that are void, of the same
length, so that no other element moves.
"""

from collections.abc import Iterator

from core.kernel.video_tracks import Broken, Track

PLAYED = frozenset({"V_VP8", "V_VP9", "V_AV1"})
_EBML, _DOC_TYPE, _SEGMENT, _TRACKS, _ENTRY = 0x1A45DFA3, 0x4282, 0x18538067, 0x1654AE6B, 0xAE
_TYPE, _CODEC, _VIDEO, _WIDTH, _HEIGHT = 0x83, 0x86, 0xE0, 0xB0, 0xBA
_TOLD = frozenset({0x1254C367, 0x1941A469})
_VOID = 0xEC
_MAGIC = _EBML.to_bytes(4, "big")


def is_one(data: bytearray) -> bool:
    """Does it begin like one?"""
    return data[:4] == _MAGIC


def clean(data: bytearray) -> list[Track]:
    """Blank what it tells of who made it; answers what it shows. Raises Broken."""
    top = list(_elements(data, 0, len(data)))
    if [number for number, *_ in top[:2]] != [_EBML, _SEGMENT] or len(top) > 2:
        raise Broken
    kind = _first(data, top[0][2], top[0][3], _DOC_TYPE)
    if kind is None or bytes(data[kind[0] : kind[1]]).rstrip(b"\0") != b"webm":
        raise Broken
    found: list[Track] = []
    for number, start, body, end in _elements(data, top[1][2], top[1][3]):
        if number in _TOLD:
            _blank(data, start, end)
        elif number == _TRACKS:
            for entry, _, inside, stop in _elements(data, body, end):
                track = _track(data, inside, stop) if entry == _ENTRY else None
                if track is not None:
                    found.append(track)
    return found


def _track(data: bytearray, start: int, end: int) -> Track | None:
    kind, codec, video = (_first(data, start, end, one) for one in (_TYPE, _CODEC, _VIDEO))
    if kind is None or _number(data, *kind) != 1:
        return None
    if codec is None or video is None:
        raise Broken
    sides = [_first(data, *video, side) for side in (_WIDTH, _HEIGHT)]
    width, height = (_number(data, *side) if side is not None else 0 for side in sides)
    return Track(bytes(data[codec[0] : codec[1]]).decode("latin-1"), width, height)


def _elements(data: bytearray, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Number, start, start of the body and end of each element."""
    while start < end:
        number, size_at = _vint(data, start, end, 4, keep_mark=True)
        size, body = _vint(data, size_at, end, 8)
        unknown = size == (1 << 7 * (body - size_at)) - 1
        stop = end if unknown else body + size
        if stop > end:
            raise Broken
        yield number, start, body, stop
        start = stop


def _vint(
    data: bytearray, at: int, end: int, most: int, *, keep_mark: bool = False
) -> tuple[int, int]:
    """A number of as many bytes as its first one has zeros in front, and one more."""
    first = data[at] if at < end else 0
    length = 9 - first.bit_length()
    if not first or length > most or at + length > end:
        raise Broken
    value = int.from_bytes(data[at : at + length], "big")
    return (value if keep_mark else value & ~(1 << 7 * length)), at + length


def _first(data: bytearray, start: int, end: int, wanted: int) -> tuple[int, int] | None:
    for number, _, body, stop in _elements(data, start, end):
        if number == wanted:
            return body, stop
    return None


def _number(data: bytearray, start: int, end: int) -> int:
    return int.from_bytes(data[start:end], "big")


def _blank(data: bytearray, start: int, end: int) -> None:
    """An element's number and length take at least five bytes here."""
    room = end - start
    length = 8 if room > 9 else 1
    size = (room - 1 - length) | 1 << 7 * length
    data[start:end] = bytes([_VOID]) + size.to_bytes(length, "big") + bytes(room - 1 - length)
