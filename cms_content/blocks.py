"""What a page is made of: typed blocks, kept as JSON with the version of its schema.

A draft may be unfinished: ``wanting`` says what it lacks before it may be published. Words stay words:
nothing in a block is ever read as a template, and HTML in them is shown as it was typed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic import ValidationError as Unreadable

from core.kernel.errors import Invalid

SCHEMA = 1
MOST_BLOCKS = 60
MOST_ITEMS = 24
_PLAIN = r"^[^\x00-\x1f\x7f]*$"
_LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
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


def _picture(text: str) -> str:
    if text and not _PICTURE.fullmatch(text):
        raise ValueError("Choose one of the pictures.")
    return text


def _elsewhere(text: str) -> str:
    if text and not _ELSEWHERE.fullmatch(text):
        raise ValueError("Type an address that begins with https://.")
    return text


Line = Annotated[str, StringConstraints(max_length=200, pattern=_PLAIN, strip_whitespace=True)]
Text = Annotated[str, StringConstraints(max_length=1000, pattern=_LINES, strip_whitespace=True)]
Long = Annotated[str, StringConstraints(max_length=20_000, pattern=_LINES, strip_whitespace=True)]
Link = Annotated[
    str, StringConstraints(max_length=600, strip_whitespace=True), AfterValidator(_link)
]
Elsewhere = Annotated[
    str, StringConstraints(max_length=600, strip_whitespace=True), AfterValidator(_elsewhere)
]
Picture = Annotated[str, StringConstraints(max_length=120), AfterValidator(_picture)]
Sku = Annotated[str, StringConstraints(max_length=60, pattern=_PLAIN, strip_whitespace=True)]
Anchor = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9-]{0,39})?$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]


class Piece(BaseModel):
    """A part of a page's content."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    #: What must be there before the page may be published.
    NEEDED: ClassVar[tuple[str, ...]] = ()


class Block(Piece):
    """One block. ``anchor`` is its name in addresses: ``#speeds``."""

    anchor: Anchor = ""


class Hero(Block):
    """The head of a page: a title, a sentence, a picture, one or two ways on."""

    NEEDED = ("title",)
    kind: Literal["hero"] = "hero"
    title: Line = ""
    lede: Text = ""
    picture: Picture = ""
    button_label: Line = ""
    button_href: Link = ""
    also_label: Line = ""
    also_href: Link = ""


class Words(Block):
    """Running text in Markdown."""

    NEEDED = ("text",)
    kind: Literal["text"] = "text"
    text: Long = ""


class PictureBlock(Block):
    """A picture with a line below it."""

    NEEDED = ("picture",)
    kind: Literal["picture"] = "picture"
    picture: Picture = ""
    caption: Line = ""
    wide: bool = False


class Video(Block):
    """A video that plays where it lives: its picture here leads there, and what it says stands below."""

    NEEDED = ("title", "href")
    kind: Literal["video"] = "video"
    title: Line = ""
    href: Elsewhere = ""
    picture: Picture = ""
    text: Long = ""


class Products(Block):
    """Products by rule, at today's prices."""

    kind: Literal["products"] = "products"
    title: Line = ""
    rule: Literal["category", "chosen"] = "category"
    #: A category's slug, or "" for the whole shop.
    category: Annotated[str, StringConstraints(max_length=80, pattern=_PLAIN)] = ""
    skus: tuple[Sku, ...] = Field(default=(), max_length=MOST_ITEMS)
    most: int = Field(default=8, ge=1, le=MOST_ITEMS)
    link_label: Line = ""
    link_href: Link = ""


class Column(Piece):
    """One column of a price table; the price is read where it is shown."""

    NEEDED = ("sku",)
    sku: Sku = ""
    figure: Annotated[str, StringConstraints(max_length=12, pattern=_PLAIN)] = ""
    unit: Annotated[str, StringConstraints(max_length=12, pattern=_PLAIN)] = ""
    note: Line = ""
    points: tuple[Line, ...] = Field(default=(), max_length=12)


class Prices(Block):
    """Plans side by side, from small to large."""

    NEEDED = ("columns",)
    kind: Literal["prices"] = "prices"
    title: Line = ""
    columns: tuple[Column, ...] = Field(default=(), max_length=4)
    foot: Text = ""


class Offer(Block):
    """One product or bundle on a stub, with its button."""

    NEEDED = ("sku",)
    kind: Literal["offer"] = "offer"
    sku: Sku = ""
    title: Line = ""
    text: Text = ""


class Feature(Block):
    """A picture beside words."""

    NEEDED = ("title",)
    kind: Literal["feature"] = "feature"
    title: Line = ""
    lede: Text = ""
    text: Long = ""
    picture: Picture = ""
    button_label: Line = ""
    button_href: Link = ""
    also_label: Line = ""
    also_href: Link = ""


class Question(Piece):
    """A question and its answer in Markdown."""

    NEEDED = ("question", "answer")
    question: Line = ""
    answer: Long = ""


class Faq(Block):
    """Questions that open."""

    NEEDED = ("items",)
    kind: Literal["faq"] = "faq"
    title: Line = ""
    items: tuple[Question, ...] = Field(default=(), max_length=MOST_ITEMS)


class Testimonial(Block):
    """What somebody said."""

    NEEDED = ("quote", "who")
    kind: Literal["testimonial"] = "testimonial"
    quote: Text = ""
    who: Line = ""
    what: Line = ""


class Badge(Piece):
    """A promise and a sentence about it."""

    NEEDED = ("title",)
    title: Line = ""
    text: Text = ""


class Badges(Block):
    """A row of promises."""

    NEEDED = ("items",)
    kind: Literal["badges"] = "badges"
    title: Line = ""
    items: tuple[Badge, ...] = Field(default=(), max_length=8)


AnyBlock = Annotated[
    Hero
    | Words
    | PictureBlock
    | Video
    | Products
    | Prices
    | Offer
    | Feature
    | Faq
    | Testimonial
    | Badges,
    Field(discriminator="kind"),
]
KINDS: dict[str, type[Block]] = {
    "hero": Hero,
    "text": Words,
    "picture": PictureBlock,
    "video": Video,
    "products": Products,
    "prices": Prices,
    "offer": Offer,
    "feature": Feature,
    "faq": Faq,
    "testimonial": Testimonial,
    "badges": Badges,
}
#: What people call them.
NAMES = {
    "hero": "Head",
    "text": "Text",
    "picture": "Picture",
    "video": "Video",
    "products": "Products",
    "prices": "Price table",
    "offer": "Offer",
    "feature": "Picture and words",
    "faq": "Questions",
    "testimonial": "Testimonial",
    "badges": "Promises",
}
#: Where a block holds several of something: its field, and what one is.
ITEMS: dict[str, tuple[str, type[Piece]]] = {
    "prices": ("columns", Column),
    "faq": ("items", Question),
    "badges": ("items", Badge),
}


class Seo(Piece):
    """What search engines and other sites are told."""

    description: Annotated[str, StringConstraints(max_length=300, pattern=_PLAIN)] = ""
    canonical: Link = ""
    noindex: bool = False
    og_title: Line = ""
    og_description: Annotated[str, StringConstraints(max_length=300, pattern=_PLAIN)] = ""
    og_picture: Picture = ""


class Removed(Piece):
    """The block that was taken out last, and where it stood: a draft can put it back."""

    at: int = Field(ge=0, le=MOST_BLOCKS)
    block: AnyBlock


class Content(Piece):
    """All that a version says."""

    NEEDED = ("title", "blocks")
    version: Literal[1] = 1
    title: Line = ""
    seo: Seo = Seo()
    blocks: tuple[AnyBlock, ...] = Field(default=(), max_length=MOST_BLOCKS)
    removed: Removed | None = None

    def to_dict(self) -> dict[str, Any]:
        """As its row keeps it."""
        return self.model_dump(mode="json")


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
    ("should match pattern", "Some of these signs cannot be taken."),
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
    for label, href in (("button_label", "button_href"), ("also_label", "also_href")):
        if hasattr(piece, label) and bool(getattr(piece, label)) != bool(getattr(piece, href)):
            lacks = href if getattr(piece, label) else label
            yield Lack(f"{place}{lacks}", "Say both where it leads and what it is called.")
    for name in ("blocks", "items", "columns"):
        for at, one in enumerate(getattr(piece, name, ())):
            yield from _lacks(one, f"{place}{name}.{at}.")


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
