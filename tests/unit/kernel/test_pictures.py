"""Strangers' pictures: written anew within limits, or refused; nothing of the file itself is kept."""

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile, PngImagePlugin

from core.kernel.pictures import (
    FileTooLarge,
    NotAPicture,
    PictureRefused,
    TooManyPixels,
    reencode,
    resize,
)

SECRET = b"at-home-52.5200N"
MB = 1_000_000


def taken(data, **limits):
    return reencode(data, **{"max_bytes": MB, "max_pixels": MB, **limits})


def opened(picture):
    image = Image.open(io.BytesIO(picture.data))
    image.load()
    return image


def two_halves(mode="RGB", size=(40, 20)):
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, (220, 20, 20))
    image.paste((20, 20, 220), (size[0] // 2, 0, *size))
    return image.convert(mode)


def written(image, kind, **more):
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def placed(orientation=1):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = SECRET.decode()
    return exif


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_that_claims(width, height):
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    nothing = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + nothing + chunk(b"IEND", b"")


def with_words():
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", SECRET.decode())
    words.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    return words


@pytest.mark.parametrize(
    "kind,media_type,more",
    [
        ("JPEG", "image/jpeg", {"exif": placed(), "comment": SECRET}),
        ("PNG", "image/png", {"exif": placed(), "pnginfo": with_words()}),
        ("WEBP", "image/webp", {"exif": placed(), "xmp": SECRET}),
    ],
)
def test_a_picture_is_written_anew_without_what_its_file_told(kind, media_type, more):
    sent = written(two_halves(), kind, **more) + b"<script>" + SECRET
    assert sent.count(SECRET) >= 2
    picture = taken(sent)
    assert (picture.media_type, picture.width, picture.height) == (media_type, 40, 20)
    assert SECRET not in picture.data
    assert b"<script>" not in picture.data
    image = opened(picture)
    assert dict(image.getexif()) == {}
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "loop",
                               "background", "timestamp", "duration"}  # fmt: skip
    left, right = image.convert("RGB").getpixel((5, 10)), image.convert("RGB").getpixel((35, 10))
    assert left[0] > 180 > left[2]
    assert right[2] > 180 > right[0]


@pytest.mark.parametrize(
    "orientation,red_at", [(1, (5, 10)), (3, (35, 10)), (6, (10, 5)), (8, (10, 35))]
)
def test_a_photo_stands_upright(orientation, red_at):
    image = opened(taken(written(two_halves(), "JPEG", exif=placed(orientation))))
    assert image.size == ((20, 40) if orientation in (6, 8) else (40, 20))
    assert image.getpixel(red_at)[0] > 180


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_pictures_of_every_depth_are_taken(mode):
    sent = Image.new("I;16", (40, 20), 40_000) if mode == "I;16" else two_halves(mode)
    image = opened(taken(written(sent, "PNG")))
    assert image.mode in ("L", "RGB", "RGBA")
    if mode == "I;16":
        assert image.getpixel((0, 0)) == 40_000 >> 8


def test_see_through_stays_see_through():
    palette = two_halves().quantize(2)
    sent = written(palette, "PNG", transparency=palette.getpixel((5, 10)))
    image = opened(taken(sent))
    assert image.mode == "RGBA"
    assert (image.getpixel((5, 10))[3], image.getpixel((35, 10))[3]) == (0, 255)


def test_a_printers_photo_becomes_one_for_screens():
    assert opened(taken(written(two_halves("CMYK"), "JPEG"))).mode == "RGB"


def test_colours_of_another_space_are_carried_over():
    lab_red = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = opened(taken(written(two_halves(), "JPEG", icc_profile=lab_red)))
    assert image.getpixel((5, 10))[0] > 180
    assert "icc_profile" not in image.info
    broken = opened(taken(written(two_halves(), "PNG", icc_profile=b"no profile")))
    assert broken.getpixel((5, 10)) == (220, 20, 20)


def test_a_moving_picture_becomes_its_first_frame():
    frames = [two_halves(), Image.new("RGB", (40, 20), "black")]
    for kind in ("PNG", "WEBP"):
        picture = taken(written(frames[0], kind, save_all=True, append_images=frames[1:]))
        assert getattr(opened(picture), "n_frames", 1) == 1


def test_too_many_bytes_are_refused_unread():
    with pytest.raises(FileTooLarge) as refused:
        taken(b"\xff\xd8" + b"\0" * MB, max_bytes=MB)
    assert refused.value.code == "file_too_large"
    assert str(refused.value) == "This file is larger than 1 MB, which is the most we take."
    assert refused.value.facts() == {"size": MB + 2, "most": MB}


@pytest.mark.parametrize("side", [1_001, 30_000, 2_000_000_000])
def test_a_small_file_that_unfolds_to_a_giant_is_refused_before_it_does(side):
    with pytest.raises(TooManyPixels) as refused:
        taken(png_that_claims(side, side))
    assert refused.value.code == "too_many_pixels"


def test_half_a_picture_is_refused_where_the_documents_renderer_takes_halves(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(NotAPicture):
        taken(written(two_halves(), "JPEG")[:-60])


def test_a_jpeg_of_endless_passes_is_refused():
    sent = written(two_halves(), "JPEG", progressive=True)
    first = sent.index(b"\xff\xda")
    end = sent.index(b"\xff\xda", first + 2)
    with pytest.raises(NotAPicture):
        taken(sent[:end] + sent[first:end] * 1000 + sent[end:])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7\n",
        b"GIF89a" + b"\0" * 50,
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script>",
        b"\xff\xd8\xff",
        written(two_halves(), "BMP"),
        written(two_halves(), "GIF"),
        written(two_halves(), "TIFF"),
        written(two_halves(), "JPEG")[:-60],
        written(two_halves(), "PNG")[:-40],
        written(two_halves(), "WEBP")[:-20],
    ],
)
def test_what_is_no_whole_picture_of_our_kinds_is_refused(data):
    with pytest.raises(NotAPicture) as refused:
        taken(data)
    assert refused.value.code == "not_a_picture"


WHOLE = [written(two_halves(), kind, exif=placed(6)) for kind in ("JPEG", "PNG", "WEBP")]


@given(
    st.sampled_from(WHOLE),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=12),
)
@settings(max_examples=150, deadline=None)
def test_no_broken_file_breaks_us(whole, changes):
    data = bytearray(whole)
    for at, value in changes:
        data[at % len(data)] = value
    try:
        picture = taken(bytes(data))
    except PictureRefused:
        return
    assert opened(picture).size == (picture.width, picture.height)
    assert SECRET not in picture.data


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_large_picture_is_made_to_fit_and_keeps_its_shape(kind):
    picture = taken(written(two_halves(size=(800, 400)), kind), max_side=200)
    assert (picture.width, picture.height) == (200, 100)
    assert opened(picture).size == (200, 100)
    small = taken(written(two_halves(), kind), max_side=200)
    assert (small.width, small.height) == (40, 20)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_widths_are_made_of_one_picture_and_never_wider(kind):
    picture = taken(written(two_halves(size=(800, 401)), kind))
    narrow = resize(picture, 320)
    assert (narrow.width, narrow.height, narrow.media_type) == (320, 160, picture.media_type)
    assert opened(narrow).size == (320, 160)
    assert resize(narrow, 640) is narrow
    assert narrow.extension in ("jpg", "png", "webp")
