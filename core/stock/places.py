"""Places: warehouses and shops, where each stands, and a level at each for what is counted."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.db import insert_once, insert_once_each
from core.kernel.errors import NotFound
from core.kernel.ids import new_id
from core.stock.models import Location, StockLevel

#: More of them than this and a desk would want another way to look at them.
MOST = 50


@dataclass(frozen=True)
class Stands:
    """What a place is called, and where it stands; all but the name may be empty. See ``sourcing``."""

    name: str
    country: str = ""
    region: str = ""
    postal_prefix: str = ""
    priority: int = 0
    #: For whoever fetches something there.
    address: str = ""
    hours: str = ""
    #: Pieces that come in are given to back-orders at once.
    releases_back_orders: bool = True


def every(session: Session) -> Sequence[Location]:
    """All places, the first to be taken from first."""
    return session.scalars(select(Location).order_by(Location.priority, Location.code)).all()


def by_code(session: Session, code: str, *, lock: bool = False) -> Location:
    """The place with this code. NotFound when there is none."""
    query = select(Location).where(Location.code == code)
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound("place")
    return row


def open_place(session: Session, code: str, where: Stands) -> Location | None:
    """Another place, with a level of nothing for all that is counted; None when the code is taken."""
    key = new_id()
    if not insert_once(session, Location, id=key, code=code, **asdict(where)):
        return None
    counted = session.scalars(select(StockLevel.variant_id).distinct()).all()
    rows = [_level(variant_id, key) for variant_id in counted]
    insert_once_each(session, StockLevel, rows)
    return session.get_one(Location, key)


def open_levels(session: Session, variant_id: uuid.UUID) -> None:
    """One at each place for a thing that is new; those that are there stay."""
    for location_id in session.scalars(select(Location.id).order_by(Location.code)).all():
        insert_once(session, StockLevel, **_level(variant_id, location_id))


def _level(variant_id: uuid.UUID, location_id: uuid.UUID) -> dict[str, object]:
    counts = ("on_hand", "allocated", "held", "backorder_limit", "low_at", "safety_stock")
    nothing = dict.fromkeys((*counts, "preorder_limit"), 0)
    return {"id": new_id(), "variant_id": variant_id, "location_id": location_id, **nothing}
