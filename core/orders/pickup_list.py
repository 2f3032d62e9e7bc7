"""What lies ready to be fetched, or was, over all orders: the desk's list and its keys'. Reads only."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.kernel.looking import found_in
from core.kernel.sorting import Place, Sorts
from core.orders.models import Order
from core.orders.pickup_models import PickUp, PickUpLine
from core.parties.models import Account
from core.stock.models import Location

SORTS = Sorts(PickUp.id, {"ready": PickUp.ready_at})
OLDEST = Place("ready")


@dataclass(frozen=True)
class Row:
    """A pick-up in the words of a list: of so many ``pieces``."""

    row: PickUp
    order: Order
    customer: str
    place: Location
    pieces: int


def page(
    session: Session,
    *,
    state: str = "ready",
    location: str = "",
    words: str = "",
    place: Place = OLDEST,
    limit: int = 50,
) -> list[Row]:
    """What lies ready, or is in another ``state`` (none: in any), from a place on; at a ``location`` by its
    code; ``words`` in the order's number, the customer's name and e-mail, and the place."""
    pieces = (
        select(func.sum(PickUpLine.quantity))
        .where(PickUpLine.pick_up_id == PickUp.id)
        .correlate(PickUp)
        .scalar_subquery()
    )
    query = (
        select(PickUp, Order, Account.name, Location, pieces)
        .join(Order, Order.id == PickUp.order_id)
        .join(Account, Account.id == Order.payer_account_id)
        .join(Location, Location.id == PickUp.location_id)
    )
    if state:
        query = query.where(PickUp.state == state)
    if location:
        query = query.where(Location.code == location)
    if words:
        query = query.where(found_in(words, Order.number, Order.email, Account.name, Location.name))
    rows = session.execute(SORTS.apply(query, place, limit))
    return [Row(row, order, name, spot, int(count)) for row, order, name, spot, count in rows]
