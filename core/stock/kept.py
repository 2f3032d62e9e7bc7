"""What is held for somebody just now, thing by thing: of a bundle each piece has a hold of its own."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Executable, bindparam, select
from sqlalchemy.orm import Session

from core.kernel.db import table
from core.stock.hold_rows import Owner
from core.stock.levels import IS_ACTIVE
from core.stock.models import Hold, StockLevel
from core.stock.planning import Demand


@dataclass(frozen=True)
class Kept:
    """So many pieces of a variant, held for one line until a time."""

    line_id: uuid.UUID
    variant_id: uuid.UUID
    quantity: int
    until: datetime


def of(session: Session, owner: Owner, now: datetime) -> list[Kept]:
    """Everything that is held for ``owner``; what has lapsed is not in it."""
    values = {"kind": owner.kind, "owner": owner.id, "now": now}
    return [Kept(*row) for row in session.execute(_kept(), values)]


def until(
    kept: Iterable[Kept], demands: Iterable[Demand], *, by_line: bool = True
) -> dict[uuid.UUID, datetime]:
    """Until when each line has all that it demands; a line that lacks something is not in it.

    ``by_line`` False: whoever holds a variant holds it for every line, as an order does for its cart.
    """
    found: dict[tuple[uuid.UUID | None, uuid.UUID], list[Kept]] = {}
    for one in kept:
        found.setdefault((one.line_id if by_line else None, one.variant_id), []).append(one)
    whole: dict[uuid.UUID, datetime | None] = {}
    for demand in demands:
        mine = found.get((demand.line_id if by_line else None, demand.variant_id), [])
        enough = sum(one.quantity for one in mine) >= demand.quantity
        end = min(one.until for one in mine) if enough else None
        other = whole.get(demand.line_id, end)
        whole[demand.line_id] = min(end, other) if end is not None and other is not None else None
    return {line_id: end for line_id, end in whole.items() if end is not None}


@cache
def _kept() -> Executable:
    hold, level = table(Hold), table(StockLevel)
    return (
        select(hold.c.line_id, level.c.variant_id, hold.c.quantity, hold.c.expires_at)
        .select_from(hold.join(level, level.c.id == hold.c.level_id))
        .where(
            hold.c.owner_kind == bindparam("kind"),
            hold.c.owner_id == bindparam("owner"),
            IS_ACTIVE,
            hold.c.expires_at > bindparam("now"),
        )
    )
