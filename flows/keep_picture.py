"""Take a picture that somebody uploads for the pages: encode it anew at a few widths, store, then note it.

The bytes are stored before the rows: what a crash leaves behind is a blob that nothing names.
"""

from cms_content import media
from cms_content.media import WIDTHS, Made
from cms_content.models import MediaAsset
from core.kernel import crash, pictures
from flows.house import House

MOST_BYTES = 12_000_000
MOST_PIXELS = 50_000_000
#: The widest that a page ever shows, on a screen of twice the dots.
MOST_SIDE = 2400


def keep(house: House, data: bytes, name: str, alt: str, actor: str) -> MediaAsset:
    """Take one. Raises PictureRefused for what is no picture or too large; nothing is kept of it then."""
    made = encode(house, data)
    crash.point("picture.stored")
    now = house.clock.now()
    return house.db.run_tx(lambda session: media.add(session, name, alt, made, actor, now))


def encode(house: House, data: bytes) -> list[Made]:
    """Encode and store one at its widths, from the narrowest on. Raises PictureRefused."""
    whole = pictures.reencode(
        data, max_bytes=MOST_BYTES, max_pixels=MOST_PIXELS, max_side=MOST_SIDE
    )
    widest = min(whole.width, WIDTHS[-1])
    widths = [*(width for width in WIDTHS if width < widest), widest]
    found = [pictures.resize(whole, width) for width in widths]
    return [
        Made(one.width, one.height, house.blobs.put(one.data), one.media_type, len(one.data))
        for one in found
    ]
