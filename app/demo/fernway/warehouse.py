"""Fernway's warehouse is told of orders by webhook; in the demo its program is no more than a pretence.

When the demo opens it is off, so that nothing is sent to an address that leads nowhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.hooks import endpoints
from core.hooks.endpoints import Wish
from core.hooks.reaching import Answer, refusal
from flows.deliver_hook import sealer
from flows.house import House

_WISH = Wish(
    "https://warehouse.fernway.example.com/hooks",
    "Warehouse",
    ("order.placed", "order.shipped", "order.changed"),
)


@dataclass
class Pretended:
    """Takes what it is sent; the third time it is too busy."""

    asked: int = 0

    def refuse(self, url: str) -> str | None:
        return refusal(url, insecure=False)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.asked += 1
        if self.asked == 3:
            return Answer(503, 1_840, "Busy: the nightly stock count runs.")
        return Answer(204, 38 + self.asked % 7)


def open_door(session: Session, house: House, now: datetime) -> None:
    """The endpoint, from the first day on."""
    endpoints.add(session, _WISH, Pretended(), sealer(house), "system", now)


def close_door(house: House) -> None:
    """Nothing more is sent; a second time changes nothing."""

    def close(session: Session) -> None:
        for row in endpoints.listing(session):
            endpoints.switch(session, row.public_id, False, "system", house.clock.now())

    house.db.run_tx(close)
