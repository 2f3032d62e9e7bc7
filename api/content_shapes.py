"""What goes in and out of the content's side of the API, as types."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from api.shapes import LARGEST_PAGE, PictureAnswer, ProductAnswer, PublicId, Shape
from cms_content.blocks import MOST_BLOCKS, AnyBlock, Seo

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(_[A-Z]{2})?$")]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")
]


class PageListQuery(BaseModel):
    """Which pages to list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page_size: int = Field(24, ge=1, le=LARGEST_PAGE, description="How many at most.")
    cursor: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,80}$")] | None = Field(
        None, description="The `next_cursor` of the page before."
    )


class PageQuery(BaseModel):
    """Whose variant of a page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    locale: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_-]{2,12}$")] | None = Field(
        None, description="A language such as `en_US`; else the shop's own."
    )
    campaign: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,60}$")] | None = Field(
        None, description="The campaign that the reader came by."
    )
    returning: bool = Field(False, description="Has the reader been here before?")
    signed_in: bool = Field(False, description="Is the reader signed in?")


class MenuQuery(BaseModel):
    """Whose menu."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    locale: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_-]{2,12}$")] | None = Field(
        None, description="A language such as `de_DE`; else the shop's own."
    )


class PublishedPage(Shape):
    """A page that is read now, as a list tells it."""

    slug: str
    locale: str
    kind: str
    title: str
    description: str
    live_since: datetime


class PublishedList(Shape):
    """Pages by address."""

    items: list[PublishedPage]
    next_cursor: str | None


class CaptionsAnswer(Shape):
    """What is said in one language, as WebVTT."""

    href: str
    language: str


class VideoAnswer(Shape):
    """A video of a page."""

    href: str
    media_type: str
    width: int
    height: int
    captions: list[CaptionsAnswer]


class PageAnswer(Shape):
    """A page with its blocks, the pictures that they name.

    And the products that they show at today's prices.
    """

    slug: str
    locale: str
    segment: str
    kind: str
    title: str
    seo: dict[str, Any]
    blocks: list[dict[str, Any]]
    pictures: dict[str, PictureAnswer]
    videos: dict[str, VideoAnswer]
    products: list[ProductAnswer]
    live_since: datetime


class MenuAnswerLink(Shape):
    """One link."""

    label: str
    href: str


class MenuAnswer(Shape):
    """The links of one place; none where the shop's own stand."""

    place: str
    links: list[MenuAnswerLink]


# --- with a key of the desk --------------------------------------------------------------------


class Words(Shape):
    """All that a version says."""

    title: Annotated[str, StringConstraints(max_length=200)]
    seo: Seo = Seo()
    blocks: Annotated[tuple[AnyBlock, ...], Field(max_length=MOST_BLOCKS)] = ()


class NewPageWish(Shape):
    """A page to begin; a second one at the same address is a variant of it."""

    kind: Literal["page", "landing", "help", "home"]
    slug: Slug
    name: Name
    locale: Locale
    segment: Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z0-9-]*$")] = ""


class AddressWish(Shape):
    """Where a page is to be read."""

    slug: Slug


class DraftWish(Shape):
    """What the draft is to say; `revision` is the draft's that it was written on."""

    revision: int = Field(ge=1, le=10**9)
    content: Words


class PublishWish(Shape):
    """Let people read the draft with this revision, at once or within a window."""

    revision: int = Field(ge=1, le=10**9)
    begins: AwareDatetime | None = None
    ends: AwareDatetime | None = None


class DeskPage(Shape):
    """A page and its draft: `draft` is none where nobody writes on it."""

    id: PublicId
    kind: str
    slug: str
    locale: str
    segment: str
    name: str
    #: What people read: `published`, `scheduled`, `draft` or `withdrawn`.
    state: str
    draft_revision: int | None
    draft: dict[str, Any] | None


class DeskPageList(Shape):
    """Pages by address, without what they say."""

    items: list[DeskPage]
    next_cursor: str | None
