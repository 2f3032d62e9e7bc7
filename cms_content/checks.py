"""What somebody typed as blocks, and the blocks that a row keeps: read, what they lack, what they name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError as Unreadable

from cms_content.blocks import KINDS, Content, Offer, Piece, Prices, Products, Video
from core.kernel.errors import Invalid


@dataclass(frozen=True)
class Lack:
    """Something that is not there or cannot be taken: where (``blocks.2.items.0.question``), and why."""

    place: str
    text: str


def read(data: dict[str, Any]) -> Content:
    """What a row keeps, or what somebody sent. Raises Invalid by place."""
    try:
        return Content.model_validate(data)
    except Unreadable as error:
        raise Invalid(
            {_place(one["loc"], data): _said(str(one["msg"])) for one in error.errors()}
        ) from None


def _place(where: tuple[int | str, ...], data: dict[str, Any]) -> str:
    """Without the name of the kind, which the checker puts behind a block's number."""
    parts = [
        part
        for at, part in enumerate(where)
        if not (
            part in KINDS and at and (isinstance(where[at - 1], int) or where[at - 1] == "block")
        )
    ]
    return ".".join(map(str, parts))


_WORDS = (
    ("does not match any of the expected tags", "There is no such kind of block."),
    ("at most", "This is too long."),
    ("should match pattern", "Some of these characters cannot be taken."),
    ("less than or equal", "This is too much."),
    ("greater than or equal", "This is too little."),
)


def _said(message: str) -> str:
    plain = message.removeprefix("Value error, ")
    return next((words for sign, words in _WORDS if sign in plain), plain)


def wanting(content: Content) -> list[Lack]:
    """What is still to be written before it may be published."""
    return list(_lacks(content, ""))


def _lacks(piece: Piece, place: str) -> Iterator[Lack]:
    for name in piece.NEEDED:
        if not getattr(piece, name):
            yield Lack(f"{place}{name}", "This is still to be written.")
    if isinstance(piece, Products) and piece.rule == "chosen" and not piece.skus:
        yield Lack(f"{place}skus", "Choose at least one product.")
    if isinstance(piece, Video):
        yield from _lacks_of_video(piece, place)
    for label, href in (("button_label", "button_href"), ("also_label", "also_href")):
        if hasattr(piece, label) and bool(getattr(piece, label)) != bool(getattr(piece, href)):
            lacks = href if getattr(piece, label) else label
            yield Lack(f"{place}{lacks}", "Say both where it leads and what it is called.")
    for name in ("blocks", "items", "columns"):
        for at, one in enumerate(getattr(piece, name, ())):
            yield from _lacks(one, f"{place}{name}.{at}.")


def _lacks_of_video(piece: Video, place: str) -> Iterator[Lack]:
    if piece.clip and piece.href:
        yield Lack(f"{place}href", "It plays in the page: leave the address out.")
    elif not piece.clip and not piece.href:
        yield Lack(f"{place}clip", "Choose a video, or type the address where it plays.")
    if piece.clip and not piece.picture:
        yield Lack(f"{place}picture", "Choose the picture that stands there until it plays.")


def videos(content: Content) -> set[str]:
    """Every video that it plays."""
    return {block.clip for block in content.blocks if isinstance(block, Video)} - {""}


def pictures(content: Content) -> set[str]:
    """Every picture that it shows."""
    found = {str(getattr(block, "picture", "")) for block in content.blocks}
    return (found | {content.seo.og_picture}) - {""}


def skus(content: Content) -> dict[str, str]:
    """Every SKU that it names, and where."""
    found: dict[str, str] = {}
    for at, block in enumerate(content.blocks):
        if isinstance(block, Products) and block.rule == "chosen":
            found |= dict.fromkeys(block.skus, f"blocks.{at}.skus")
        elif isinstance(block, Prices):
            found |= {
                one.sku: f"blocks.{at}.columns.{n}.sku" for n, one in enumerate(block.columns)
            }
        elif isinstance(block, Offer):
            found[block.sku] = f"blocks.{at}.sku"
    found.pop("", None)
    return found
