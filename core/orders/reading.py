"""Reading orders: the desk's list."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.orm import Session

from core.kernel.sorting import Place, Sorts
from core.orders.models import Order, OrderLine
from core.parties.listing import called
from core.parties.models import Account

Cursor = tuple[datetime, uuid.UUID]
#: What the desk's list may be sorted by.
SORTS = Sorts(Order.id, {"placed": Order.created_at, "due": Order.worth_minor})
NEWEST = Place("-placed")


def listing(
    session: Session,
    *,
    state: str = "",
    fulfilment: str = "",
    words: str = "",
    since: datetime | None = None,
    place: Place = NEWEST,
    limit: int = 50,
) -> list[tuple[Order, Account]]:
    """Orders with who pays, from a place on: the newest first unless told otherwise.

    ``state`` is a lifecycle; ``fulfilment`` one of its states, or ``waiting`` for what is certain and not
    fulfilled; ``words`` is looked for in number, name, e-mail and SKU.
    """
    query = select(Order, Account).join(Account, Account.id == Order.payer_account_id)
    if state:
        query = query.where(Order.lifecycle == state)
    if fulfilment == "waiting":
        query = query.where(Order.lifecycle == "confirmed", Order.fulfilment != "fulfilled")
    elif fulfilment:
        query = query.where(Order.fulfilment == fulfilment)
    if since is not None:
        query = query.where(Order.created_at >= since)
    if words:
        with_sku = select(OrderLine.order_id).where(OrderLine.sku == words)
        query = query.where(
            or_(
                Order.number == words,
                Order.email == words.lower(),
                called(words),
                Order.id.in_(with_sku),
            )
        )
    rows = session.execute(SORTS.apply(query, place, limit))
    return [(order, account) for order, account in rows]


def counts(session: Session) -> dict[str, int]:
    """How many orders are in each lifecycle."""
    rows = session.execute(select(Order.lifecycle, func.count()).group_by(Order.lifecycle))
    return {state: int(count) for state, count in rows}


def lines_by_order(
    session: Session, order_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[OrderLine]]:
    """The lines of several orders."""
    found: dict[uuid.UUID, list[OrderLine]] = {}
    for line in session.scalars(
        select(OrderLine)
        .where(OrderLine.order_id.in_(order_ids))
        .order_by(OrderLine.order_id, OrderLine.line_number)
    ):
        found.setdefault(line.order_id, []).append(line)
    return found


def names(
    session: Session, keys: Sequence[uuid.UUID] = (), public_ids: Sequence[str] = ()
) -> list[tuple[uuid.UUID, str, str | None]]:
    """Key, public id and number of some orders, by either."""
    if not keys and not public_ids:
        return []
    rows = session.execute(
        select(Order.id, Order.public_id, Order.number).where(
            or_(Order.id.in_(keys), Order.public_id.in_(public_ids))
        )
    )
    return [(key, public_id, number) for key, public_id, number in rows]


def of_accounts(
    session: Session,
    account_ids: Sequence[uuid.UUID],
    *,
    before: Cursor | None = None,
    limit: int = 25,
) -> Sequence[Order]:
    """The placed orders that some accounts pay for, the newest first."""
    query = select(Order).where(Order.payer_account_id.in_(account_ids), Order.number.is_not(None))
    if before is not None:
        query = query.where(tuple_(Order.created_at, Order.id) < tuple_(*before))
    return session.scalars(
        query.order_by(Order.created_at.desc(), Order.id.desc()).limit(limit)
    ).all()
