"""Staff move pieces between places; in the audit log, once per request."""

import uuid
from typing import Any

from sqlalchemy.orm import Session

from core.kernel import audit, crash, idempotency
from core.kernel.errors import Invalid
from core.stock import transfers
from core.stock.adjusting import MOST
from core.stock.models import StockTransfer
from core.stock.transfers import Sending
from flows.house import House

_SCOPE = "transfer"


def send(house: House, asked: Sending, actor: str, once: str) -> uuid.UUID:
    """Pieces leave for another place; answers the transfer's key. Asked again under the same name it answers
    the same. Raises NotFound, Invalid, NotFree, and KeyReused for another wish of that name."""
    if not 0 < asked.quantity <= MOST:
        raise Invalid({"quantity": f"From 1 to {MOST:,} pieces."})

    def work(session: Session) -> uuid.UUID:
        now = house.clock.now()
        wish = f"{asked.sku}:{asked.source}:{asked.target}:{asked.quantity}"
        known = idempotency.begin(session, _SCOPE, once, wish[:64], now)
        if known is not None:
            return uuid.UUID(known.body["id"])
        row = transfers.send(session, asked, actor, now)
        told = {"sku": asked.sku, "from": asked.source, "to": asked.target}
        _write(session, house, row, actor, "sent", **told, pieces=asked.quantity)
        idempotency.finish(session, _SCOPE, once, 200, {"id": str(row.id)})
        crash.point("transfer.before_commit")
        return row.id

    return house.db.run_tx(work)


def arrive(house: House, transfer_id: uuid.UUID, arrived: int, lost: int, actor: str) -> None:
    """So many are here, so many are lost. Raises NotFound, StaleState and Invalid."""

    def work(session: Session) -> None:
        now = house.clock.now()
        row = transfers.arrive(session, transfer_id, arrived, lost, actor, now)
        _write(session, house, row, actor, "arrived", arrived=arrived, lost=lost)

    house.db.run_tx(work)


def _write(
    session: Session, house: House, row: StockTransfer, actor: str, what: str, **detail: Any
) -> None:
    now, subject = house.clock.now(), ("stock_transfer", str(row.id))
    audit.write(session, now, actor, f"transfer.{what}", subject, **detail)
