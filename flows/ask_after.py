"""Some days after all of an order has arrived its customer is asked, once, whether all was well.

Run by the clock; each parcel is a commit of its own. One that was not the last of its order asks nothing.
"""

import uuid
from datetime import timedelta

from sqlalchemy.orm import Session

from core.kernel import crash
from core.orders import following, placing
from core.orders.fulfilment_models import Fulfilment
from flows import tell_order
from flows.house import House

#: Time to open it and to try it.
AFTER = timedelta(days=3)
_SOME = 200


def run(house: House) -> int:
    """Ask whoever is to be asked; says how many parcels were looked at."""
    seen = 0
    while True:
        with house.db.reading() as session:
            keys = following.to_ask_about(session, house.clock.now() - AFTER, _SOME)
        for key in keys:
            _ask(house, key)
        seen += len(keys)
        if len(keys) < _SOME:
            return seen


def _ask(house: House, fulfilment_id: uuid.UUID) -> None:
    def work(session: Session) -> None:
        now = house.clock.now()
        row = session.get_one(Fulfilment, fulfilment_id)
        order = placing.lock(session, row.order_id)
        session.refresh(row)
        if row.asked_at is not None:
            return
        row.asked_at = now
        session.flush()
        if following.is_all_there(session, order):
            tell_order.all_well(session, order, house.links, now)
        crash.point("ask_after.before_commit")

    house.db.run_tx(work)
