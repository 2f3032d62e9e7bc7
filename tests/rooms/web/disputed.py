"""Disputes for the tests of pages: opened by somebody about a bill of theirs, with pictures."""

import io

from PIL import Image

from core.kernel.ids import new_public_id
from core.orders.models import Order
from flows import open_dispute, talk_about_dispute
from flows.open_dispute import Asked, Author
from invoices.disputes.models import Dispute, DisputeFile
from tests.rooms.web.stage import Stage


def photo(kind: str = "JPEG", size: tuple[int, int] = (60, 40)) -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", size, (20, 120, 60)).save(out, kind)
    return out.getvalue()


def opened(stage: Stage, who: str, bill: str = "") -> Dispute:
    """Somebody's dispute of the first line of a bill of theirs; of a fresh one unless it is named."""
    if not bill:
        order = stage.order_on_terms(stage.world.visit.sku, who=who)
        stage.drain()
        bill = stage.bill_of(order).public_id
    asked = Asked(bill, 1, "overcharge", None, "We had no such thing.", [photo()])
    public_id = open_dispute.open_one(stage.house, asked, author(stage, who), None)
    return stage.row(Dispute, Dispute.public_id == public_id)


def author(stage: Stage, who: str, side: str = "customer") -> Author:
    """Somebody who speaks."""
    key = stage.people[who]
    return Author(side, who.capitalize(), f"user:{key}", key)


def talked(stage: Stage, who: str, public_id: str, *, pictures: bool = True) -> None:
    """They write once more, with a picture."""
    text = f"Number {new_public_id()[:4]}?"
    files = [photo("PNG")] if pictures else []
    talk_about_dispute.write(stage.house, public_id, author(stage, who), text, None, files=files)


def file_of(stage: Stage, public_id: str) -> str:
    """The first picture of a dispute."""
    row = stage.row(Dispute, Dispute.public_id == public_id)
    found: str = stage.rows(DisputeFile, DisputeFile.dispute_id == row.id)[0].public_id
    return found


def bill_by_link(stage: Stage, order: str) -> str:
    """The bill of an order."""
    found: str = stage.bill_of(stage.row(Order, Order.public_id == order)).public_id
    return found


def by_link(stage: Stage, order: str) -> str:
    """A dispute of an order's bill, by somebody who has no account."""
    asked = Asked(bill_by_link(stage, order), 1, "overcharge", None, "We had no such thing.")
    return open_dispute.open_one(stage.house, asked, Author("customer", "Ash", "guest"), None)
