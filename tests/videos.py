"""Videos for tests: the smallest files that are whole MP4s and WebMs, with what cameras write into them."""

PLACE = b"+54.4609-003.0886/"


def box(kind: bytes, *inside: bytes) -> bytes:
    """A box of an MP4."""
    body = b"".join(inside)
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def mp4(
    codec: bytes = b"avc1",
    brand: bytes = b"isom",
    handler: bytes = b"vide",
    width: int = 640,
    height: int = 360,
    *,
    turned: bool = False,
) -> bytes:
    """One track, two samples of nothing, and the place where it was made, three times."""
    one = (0x10000).to_bytes(4, "big")
    matrix = [b"\0" * 4] * 9
    for at in (1, 3) if turned else (0, 4):
        matrix[at] = one
    sides = b"".join((side << 16).to_bytes(4, "big") for side in (width, height))
    head = box(b"tkhd", b"\0" * 40, *matrix, sides)
    samples = box(b"stsd", b"\0" * 7 + b"\1", box(codec, b"\0" * 78))
    media = box(
        b"mdia",
        box(b"hdlr", b"\0" * 8 + handler + b"\0" * 13),
        box(b"minf", box(b"stbl", samples)),
    )
    told = box(b"udta", box(b"\xa9xyz", PLACE))
    movie = box(b"moov", box(b"mvhd", b"\0" * 100), box(b"trak", head, media, told), told)
    return b"".join(
        (
            box(b"ftyp", brand, b"\0\0\2\0isom"),
            movie,
            box(b"uuid", b"u" * 16 + PLACE),
            box(b"mdat", bytes(range(256)) * 40),
        )
    )


def element(number: int, *inside: bytes) -> bytes:
    """An element of a WebM."""
    body = b"".join(inside)
    name = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return name + (len(body) | 1 << 56).to_bytes(8, "big") + body


def webm(codec: bytes = b"V_VP9", doc: bytes = b"webm") -> bytes:
    """One track of 320 by 180, and tags."""
    size = element(0xE0, element(0xB0, b"\1\x40"), element(0xBA, b"\xb4"))
    entry = element(0xAE, element(0x83, b"\1"), element(0x86, codec), size)
    tags = element(0x1254C367, element(0x7373, PLACE))
    segment = element(0x18538067, element(0x1654AE6B, entry), tags, element(0x1F43B675, b"x" * 99))
    return element(0x1A45DFA3, element(0x4282, doc)) + segment
