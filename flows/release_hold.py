"""Staff let go what is held for a cart, a quote or who waited, so that somebody else can have it; audited.

Whoever had it finds it no longer held, and takes it again if it is still there. What an order waits for
is not let go: its money may be on the way.
"""

import uuid
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from core.kernel import audit, crash
from core.kernel.errors import NotFound, ShopError
from core.stock import holds, waiting
from core.stock.holds import Owner
from core.stock.models import Hold
from flows.house import House


@dataclass(eq=False)
class OrderIsPaid(ShopError):
    """It is held for an order that is being paid."""

    code: ClassVar[str] = "order_is_being_paid"
    text: ClassVar[str] = "An order that is being paid waits for these. Cancel the order instead."


def look(session: Session, house: House, hold_id: uuid.UUID) -> Hold:
    """A hold that runs. NotFound when it is over; OrderIsPaid when it is no cart's and no quote's."""
    hold = session.get(Hold, hold_id)
    if hold is None or hold.state != "active" or hold.expires_at <= house.clock.now():
        raise NotFound("hold that still runs")
    if hold.owner_kind in ("order", "exchange"):
        raise OrderIsPaid
    return hold


def release(house: House, hold_id: uuid.UUID, actor: str) -> int:
    """Let go everything that is held for the line of a hold (a bundle holds several things); says how many
    holds. Raises NotFound and OrderIsPaid."""

    def work(session: Session) -> int:
        hold = look(session, house, hold_id)
        owner = Owner(hold.owner_kind, hold.owner_id)
        if hold.owner_kind == "offer":
            waiting.let_go(session, hold.owner_id, house.clock.now())
        done = holds.release(session, owner, hold.line_id, telling=house.clock.now())
        if not done:  # it became an order's, or lapsed, since it was read
            raise NotFound("hold that still runs")
        subject = ("stock_level", str(hold.level_id))
        now, of = house.clock.now(), hold.owner_kind
        audit.write(session, now, actor, "hold.released", subject, pieces=hold.quantity, of=of)
        crash.point("release_hold.before_commit")
        return done

    return house.db.run_tx(work)
