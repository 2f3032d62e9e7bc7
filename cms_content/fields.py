"""What may be typed into a field of content: words of a line, of several, links, pictures, SKUs."""

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

#: Signs that print, and those that break lines.
PLAIN = r"^[^\x00-\x1f\x7f]*$"
LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
_OWN = re.compile(r"/(?![/\\])[^\s\\]*|#[A-Za-z0-9_-]+|\?[^\s\\]*")
_ELSEWHERE = re.compile(r"https://[A-Za-z0-9.-]+(:\d+)?([/?#][^\s\\]*)?")
_TOLD = re.compile(r"mailto:[^\s@]+@[^\s@]+|tel:\+?[0-9 ()-]+")
_PICTURE = re.compile(r"media:[0-9a-f]{32}|img/[a-z0-9/_-]+\.svg")
WRONG_LINK = "Begin with / for a page of this shop, or with https://, mailto: or tel:."


def _link(text: str) -> str:
    if text and not is_link(text):
        raise ValueError(WRONG_LINK)
    return text


def is_link(text: str) -> bool:
    """May a page lead there? Only to a page of this shop, a place on the page, https, a mail or a call."""
    return any(pattern.fullmatch(text) for pattern in (_OWN, _ELSEWHERE, _TOLD))


def is_picture(text: str) -> bool:
    """May it name an upload or a drawing of the library? Whether that is there is another question."""
    return bool(_PICTURE.fullmatch(text))


def _picture(text: str) -> str:
    if text and not is_picture(text):
        raise ValueError("Choose one of the pictures.")
    return text


def _elsewhere(text: str) -> str:
    if text and not _ELSEWHERE.fullmatch(text):
        raise ValueError("Type an address that begins with https://.")
    return text


Line = Annotated[str, StringConstraints(max_length=200, pattern=PLAIN, strip_whitespace=True)]
Text = Annotated[str, StringConstraints(max_length=1000, pattern=LINES, strip_whitespace=True)]
Long = Annotated[str, StringConstraints(max_length=20_000, pattern=LINES, strip_whitespace=True)]
Link = Annotated[
    str, StringConstraints(max_length=600, strip_whitespace=True), AfterValidator(_link)
]
Elsewhere = Annotated[
    str, StringConstraints(max_length=600, strip_whitespace=True), AfterValidator(_elsewhere)
]
Picture = Annotated[str, StringConstraints(max_length=120), AfterValidator(_picture)]
Clip = Annotated[str, StringConstraints(max_length=40, pattern=r"^(video:[0-9a-f]{32})?$")]
Sku = Annotated[str, StringConstraints(max_length=60, pattern=PLAIN, strip_whitespace=True)]
Anchor = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9-]{0,39})?$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]
