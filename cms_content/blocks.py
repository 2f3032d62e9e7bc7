"""What a page is made of: typed blocks, kept as JSON with the version of its schema.

A draft may be unfinished: ``checks`` says what it lacks before it may be published. Words stay words:
nothing in a block is ever read as a template, and HTML in them is shown as it was typed.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cms_content.fields import PLAIN, Anchor, Clip, Elsewhere, Line, Link, Long, Picture, Sku, Text

SCHEMA = 1
MOST_BLOCKS = 60
MOST_ITEMS = 24


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
    """A video. One of ours plays in the page; one of elsewhere plays there, and its picture leads to it."""

    NEEDED = ("title",)
    kind: Literal["video"] = "video"
    title: Line = ""
    clip: Clip = ""
    href: Elsewhere = ""
    picture: Picture = ""
    text: Long = ""


class Products(Block):
    """Products by rule, at today's prices."""

    kind: Literal["products"] = "products"
    title: Line = ""
    rule: Literal["category", "chosen"] = "category"
    #: A category's slug, or "" for the whole shop.
    category: Annotated[str, StringConstraints(max_length=80, pattern=PLAIN)] = ""
    skus: tuple[Sku, ...] = Field(default=(), max_length=MOST_ITEMS)
    most: int = Field(default=8, ge=1, le=MOST_ITEMS)
    link_label: Line = ""
    link_href: Link = ""


class Column(Piece):
    """One column of a price table; the price is read where it is shown."""

    NEEDED = ("sku",)
    sku: Sku = ""
    figure: Annotated[str, StringConstraints(max_length=12, pattern=PLAIN)] = ""
    unit: Annotated[str, StringConstraints(max_length=12, pattern=PLAIN)] = ""
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

    description: Annotated[str, StringConstraints(max_length=300, pattern=PLAIN)] = ""
    canonical: Link = ""
    noindex: bool = False
    og_title: Line = ""
    og_description: Annotated[str, StringConstraints(max_length=300, pattern=PLAIN)] = ""
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
