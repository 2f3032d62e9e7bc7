"""Pictures that strangers send are never kept: they are decoded within limits and written anew.

What comes out was written by us: one frame, upright, in sRGB, without metadata (place, camera, comments,
thumbnails) and without anything that hid behind or inside the picture. Callers: files of disputes, media of
the content room. Anything but JPEG, PNG and WebP is refused.
"""

import io
import threading
from dataclasses import dataclass
from typing import ClassVar

from PIL import Image, ImageCms, ImageFile, ImageOps

from core.kernel.errors import ShopError

#: What is read, and what it is written as.
MEDIA_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
#: How each is written: the settings of the encoder.
_WRITTEN = {
    "image/jpeg": ("JPEG", {"quality": 85, "optimize": True}),
    "image/png": ("PNG", {"optimize": False, "compress_level": 6}),
    "image/webp": ("WEBP", {"quality": 85, "method": 4}),
}
#: The ends of names, for what is served.
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}

#: A JPEG of many thousand passes over a large picture is small and takes minutes; true ones have about ten.
_MOST_SCANS = 40
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
#: Decoded pictures are large: so many at a time in one process, the others wait.
_ROOM = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Picture:
    """A picture that we wrote."""

    data: bytes
    media_type: str
    width: int
    height: int

    @property
    def extension(self) -> str:
        """The end of its file's name: jpg, png or webp."""
        return EXTENSIONS[self.media_type]


class PictureRefused(ShopError):
    """A file that is not taken; its subclasses say why."""

    code: ClassVar[str] = "picture_refused"
    text: ClassVar[str] = "This file cannot be taken."


@dataclass(eq=False)
class FileTooLarge(PictureRefused):
    """More bytes than are taken."""

    code: ClassVar[str] = "file_too_large"
    text: ClassVar[str] = "This file is larger than {most_mb} MB, which is the most we take."
    size: int
    most: int

    @property
    def most_mb(self) -> int:
        """For people."""
        return self.most // 1_000_000

    def __str__(self) -> str:
        return self.text.format(most_mb=self.most_mb)


@dataclass(eq=False)
class TooManyPixels(PictureRefused):
    """It would unfold to more than we have room for."""

    code: ClassVar[str] = "too_many_pixels"
    text: ClassVar[str] = "This picture has {width} × {height} points, which is more than we take."
    width: int
    height: int
    most: int


@dataclass(eq=False)
class NotAPicture(PictureRefused):
    """Of another kind, or broken."""

    code: ClassVar[str] = "not_a_picture"
    text: ClassVar[str] = (
        "This is not a whole JPEG, PNG or WebP picture. Send a photo or screenshot."
    )


def reencode(
    data: bytes, *, max_bytes: int, max_pixels: int, max_side: int | None = None
) -> Picture:
    """Decode a stranger's picture and write it anew, no side longer than ``max_side``.

    Raises FileTooLarge and TooManyPixels before anything is unfolded, NotAPicture for all that it can't read.
    """
    if len(data) > max_bytes:
        raise FileTooLarge(len(data), max_bytes)
    if data.startswith(b"\xff\xd8") and data.count(b"\xff\xda") > _MOST_SCANS:
        raise NotAPicture
    with _ROOM:
        try:
            image, media_type = _decode(data, max_pixels, max_side)
        except PictureRefused:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise TooManyPixels(0, 0, max_pixels) from None
        except Exception as error:  # decoders of broken files raise whatever they stumble over
            raise NotAPicture from error
        return _write(_fit(image, max_side), media_type)


def resize(picture: Picture, width: int) -> Picture:
    """The same picture, ``width`` points wide; one that is no wider is answered as it is."""
    if picture.width <= width:
        return picture
    height = max(1, round(picture.height * width / picture.width))
    with _ROOM, Image.open(io.BytesIO(picture.data)) as image:
        image.draft(None, (width, height))
        smaller = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
        return _write(smaller, picture.media_type)


def as_png(picture: Picture, width: int, height: int) -> Picture:
    """The same picture as a PNG, which every mail program shows; no larger than that, nor than it is."""
    with _ROOM, Image.open(io.BytesIO(picture.data)) as image:
        image.load()
        if image.width > width or image.height > height:
            return _write(
                ImageOps.contain(image, (width, height), Image.Resampling.LANCZOS), "image/png"
            )
        return _write(image, "image/png")


def _decode(data: bytes, max_pixels: int, max_side: int | None) -> tuple[Image.Image, str]:
    # The renderer of documents switches this on for the whole process when it is imported. It needs it for
    # none of our pictures, and here half a picture would pass for a whole one.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
        if image.width * image.height > max_pixels:
            raise TooManyPixels(image.width, image.height, max_pixels)
        media_type = MEDIA_TYPES[image.format or ""]
        if max_side is not None:
            # A JPEG can be unfolded at a half, a quarter or an eighth: never smaller than asked for.
            image.draft(None, (max_side, max_side))
        image.load()
        orientation = image.getexif().get(_ORIENTATION, 1)
        plain = _plain(image, media_type)
    turn = _UPRIGHT.get(orientation)
    return (plain if turn is None else plain.transpose(turn)), media_type


def _plain(image: Image.Image, media_type: str) -> Image.Image:
    """Eight bits a channel, grey or red-green-blue, in the colours that every screen assumes."""
    see_through = "A" in image.mode or "transparency" in image.info or image.mode in ("PA", "La")
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):  # sixteen bits
        plain = image.point(lambda value: value * (1 / 256)).convert("L")
    elif see_through and media_type != "image/jpeg":
        plain = image.convert("RGBA")
    elif image.mode in ("L", "1"):
        plain = image.convert("L")
    else:
        plain = _in_srgb(image, profile) if image.mode == "CMYK" else image.convert("RGB")
    if profile and plain.mode in ("RGB", "RGBA") and image.mode != "CMYK":
        plain = _in_srgb(plain, profile)
    return plain


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours of another space as sRGB; a profile that cannot be read is left out."""
    wanted = "RGB" if image.mode == "CMYK" else image.mode
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            found = ImageCms.profileToProfile(
                image, source, ImageCms.createProfile("sRGB"), outputMode=wanted
            )
            if found is not None:
                return found
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    return image.convert(wanted)


def _fit(image: Image.Image, max_side: int | None) -> Image.Image:
    if max_side is None or max(image.size) <= max_side:
        return image
    return ImageOps.contain(image, (max_side, max_side), Image.Resampling.LANCZOS)


def _write(image: Image.Image, media_type: str) -> Picture:
    # Encoders copy comments and profiles from here.
    image.info = {}
    kind, settings = _WRITTEN[media_type]
    out = io.BytesIO()
    image.save(out, kind, **settings)
    return Picture(out.getvalue(), media_type, image.width, image.height)
