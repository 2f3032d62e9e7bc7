"""What lies ready to be fetched over all orders, for keys of the desk."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.order_shapes import Paging
from api.shapes import PublicId, Shape, Text

_PLAIN = r"^[^\x00-\x1f\x7f]*$"


class PickUpQuery(Paging):
    """Which pick-ups."""

    status: Literal["ready", "collected", "put_back", "all"] = Field(
        "ready", description="What lies ready, unless something else is asked for."
    )
    location: Annotated[str, StringConstraints(max_length=40, pattern=_PLAIN)] = Field(
        "", description="Only at the place with this code."
    )


class PickUpRow(Shape):
    """Goods of an order that lie or lay ready at a place."""

    id: PublicId
    status: Literal["ready", "collected", "put_back"]
    order: PublicId
    number: Text | None
    customer: Text
    location: Text
    pieces: int
    ready_at: datetime
    ended_at: datetime | None


class PickUpPage(Shape):
    """A page of pick-ups, what has waited longest first."""

    items: list[PickUpRow]
    next_cursor: Text | None
