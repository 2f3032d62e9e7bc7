"""The library of pictures and videos in the API: what comes in, and the forms of what goes out."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.content_shapes import VideoAnswer
from api.shapes import LARGEST_PAGE, PAGE_SIZE, PictureAnswer, PublicId, Shape, text_of

#: A file of a form. Sent as multipart/form-data, not in JSON.
File = Annotated[bytes, Field(json_schema_extra={"format": "binary"})]
Name = Annotated[str, text_of(120, shortest=1)]
Kind = Literal["picture", "video"]


class MediaQuery(BaseModel):
    """Which uploads to list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind = Field("picture", description="Pictures or videos.")
    q: Annotated[str, StringConstraints(max_length=100)] = Field(
        "", description="Words in the name or the text."
    )
    page_size: int = Field(PAGE_SIZE, ge=1, le=LARGEST_PAGE, description="How many at most.")
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="The `next_cursor` of the page before."
    )


class PictureUpload(Shape):
    """A picture, as multipart/form-data. `alt` says what it shows; empty when it only decorates."""

    file: File
    name: Name
    alt: Annotated[str, text_of(300)]


class VideoUpload(Shape):
    """A video, as multipart/form-data."""

    file: File
    name: Name


class CaptionsUpload(Shape):
    """What is said in a video in one language, as WebVTT in multipart/form-data."""

    file: File
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$")]


class MediaAnswer(Shape):
    """One upload. `block` is its name in a page's blocks and a product's pictures."""

    id: PublicId
    kind: Kind
    block: str
    name: str
    picture: PictureAnswer | None
    video: VideoAnswer | None


class MediaPage(Shape):
    """A page of uploads, the newest first."""

    items: list[MediaAnswer]
    next_cursor: str | None
