"""A customer disputes a line of a bill: pictures are written anew, then everything is one commit."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from core.kernel import crash
from core.kernel.errors import Invalid
from core.kernel.money import Money
from core.kernel.pictures import Picture, PictureRefused, reencode
from flows.house import House
from flows.once import once
from invoices import reading
from invoices.disputes import opening, talking
from invoices.disputes.opening import Wanted
from invoices.disputes.refusals import DisputedAlready
from invoices.disputes.talking import Said

#: No picture of a phone is larger; no side of what we keep is longer.
MOST_PIXELS = 64_000_000
LONGEST_SIDE = 2560


@dataclass(frozen=True)
class Author:
    """Who speaks: a ``customer`` or ``staff``."""

    side: str
    name: str
    actor: str
    user_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Asked:
    """What is disputed. ``amount`` None: all that is left of the line. ``files``: bytes as they were sent."""

    bill: str
    line_number: int
    reason: str
    amount: Money | None
    text: str
    files: Sequence[bytes] = field(default=(), repr=False)
    wish: str = "keep"
    #: Names the form: sent twice, it is one dispute.
    named: str = ""


def open_one(
    house: House, asked: Asked, author: Author, account_ids: Sequence[uuid.UUID] | None
) -> str:
    """Open a dispute; its public id. A second wish for a line that is disputed leads to the first.

    ``account_ids``: whose bills may be meant (None: anybody's, for staff). Raises NotFound, Invalid by
    field, and what ``opening.open_one`` raises.
    """
    now = house.clock.now()
    with house.db.reading() as session:
        reading.one(session, asked.bill, account_ids)  # nothing is unfolded for a stranger
    files = keep_pictures(house, asked.files)
    wish = (asked.bill, asked.line_number, asked.reason, asked.amount, asked.text)

    def work(session: Session) -> str:
        invoice = reading.one(session, asked.bill, account_ids)
        said = Said(author.side, author.name, asked.text, author.actor, author.user_id, files)
        wanted = Wanted(
            invoice.id,
            asked.line_number,
            asked.reason,
            asked.amount,
            said,
            asked.wish,
            by_staff=author.side == "staff",
        )
        days = house.rules.disputes.answer_days
        return opening.open_one(session, wanted, days, now).public_id

    try:
        return house.db.run_tx(lambda s: once(s, asked.named, wish, now, lambda: work(s)))
    except DisputedAlready as error:
        if author.side == "customer" and asked.named:
            return error.public_id
        raise


def keep_pictures(house: House, files: Sequence[bytes]) -> list[tuple[str, Picture]]:
    """Write pictures anew and store their bytes; what nobody names later is in nobody's way.

    Invalid names the first that is refused, and why.
    """
    if len(files) > talking.MOST_FILES:
        raise Invalid({"files": f"At most {talking.MOST_FILES} pictures at a time."})
    pictures = []
    for place, data in enumerate(files, start=1):
        try:
            picture = reencode(
                data,
                max_bytes=house.rules.disputes.file_bytes,
                max_pixels=MOST_PIXELS,
                max_side=LONGEST_SIDE,
            )
        except PictureRefused as error:
            which = f"Picture {place}: " if len(files) > 1 else ""
            raise Invalid({"files": f"{which}{error}"}) from None
        pictures.append(picture)
    kept = [(house.blobs.put(picture.data), picture) for picture in pictures]
    crash.point("dispute.files_stored")
    return kept
