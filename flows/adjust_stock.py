"""Staff correct the stock, or a level's limits; in the audit log, once per request."""

import uuid
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from core.kernel import audit, crash, idempotency
from core.stock import adjusting
from core.stock.adjusting import Adjusted, Adjustment, Limits
from flows.house import House

_SCOPE = "stock"


def adjust(house: House, asked: Adjustment, actor: str, once: str) -> Adjusted:
    """Change what is on hand. Asked again under the same name it answers the same.

    Raises NotFound, StaleState, BelowNothing, BelowPromised, and KeyReused for another wish of that name.
    """

    def work(session: Session) -> Adjusted:
        now = house.clock.now()
        wish = f"{asked.level_id.hex}:{asked.reason}:{asked.pieces}"
        known = idempotency.begin(session, _SCOPE, once, wish[:64], now)
        if known is not None:
            return Adjusted(**known.body | {"level_id": uuid.UUID(known.body["level_id"])})
        done = adjusting.adjust(session, asked, actor, now)
        subject = ("stock_level", str(asked.level_id))
        detail: dict[str, Any] = {"reason": asked.reason, "by": done.by, "on_hand": done.on_hand}
        if done.raised_to is not None:
            detail["backorder_limit"] = done.raised_to
        audit.write(session, now, actor, "stock.adjusted", subject, **detail)
        body = asdict(done) | {"level_id": str(done.level_id)}
        idempotency.finish(session, _SCOPE, once, 200, body)
        crash.point("adjust.before_commit")
        return done

    return house.db.run_tx(work)


def limit(house: House, level_id: uuid.UUID, limits: Limits, actor: str) -> None:
    """Other limits of a level. Raises NotFound and BelowPromised."""

    def work(session: Session) -> None:
        before = asdict(adjusting.limit(session, level_id, limits))
        after = asdict(limits)
        told: dict[str, Any] = {name: [_plain(before[name]), _plain(after[name])] for name in after}
        audit.write(
            session,
            house.clock.now(),
            actor,
            "stock.limits",
            ("stock_level", str(level_id)),
            **{name: both for name, both in told.items() if both[0] != both[1]},
        )

    house.db.run_tx(work)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
