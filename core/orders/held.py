"""Orders that are held: what rules ask of the others, the list, and the decision."""

import uuid
from datetime import datetime

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from core.kernel.db import changed
from core.kernel.errors import StaleState
from core.kernel.sorting import Place, Sorts
from core.orders.models import Order
from core.parties.listing import called
from core.parties.models import Account


def decide(session: Session, order: Order, actor: str, now: datetime) -> None:
    """A held order is held no more. StaleState when that was decided before."""
    values = {"decided_at": now, "decided_by": actor}
    result = session.execute(
        update(Order)
        .where(Order.id == order.id, Order.held_at.is_not(None), Order.decided_at.is_(None))
        .values(values)
        .execution_options(synchronize_session=False)
    )
    if changed(result) == 0:
        raise StaleState("order", "decided")
    for name, value in values.items():
        set_committed_value(order, name, value)


def has_placed(session: Session, account_id: uuid.UUID) -> bool:
    """Has this account ever placed an order?"""
    placed = select(Order.id).where(Order.payer_account_id == account_id, Order.number.is_not(None))
    return session.scalar(placed.limit(1)) is not None


def placed_by(session: Session, email: str, since: datetime) -> int:
    """How many orders were placed with this e-mail address since then."""
    return session.scalars(
        select(func.count())
        .select_from(Order)
        .where(Order.placed_at > since, func.lower(Order.email) == email.lower())
    ).one()


#: What the list of held orders may be sorted by.
SORTS = Sorts(Order.id, {"held": Order.held_at, "due": Order.due_now_minor})
LONGEST = Place("held")


def to_check() -> Select[uuid.UUID]:
    """The keys of the orders that wait for somebody to check them."""
    return select(Order.id).where(Order.held_at.is_not(None), Order.decided_at.is_(None))


def listing(
    session: Session,
    *,
    state: str = "",
    reason: str = "",
    words: str = "",
    place: Place = LONGEST,
    limit: int = 50,
) -> list[tuple[Order, Account]]:
    """Orders that are held (``waiting``), or were and are ``approved`` or ``cancelled``, or all of them.

    ``reason`` is one of their codes; ``words`` is looked for in number, name and e-mail.
    """
    query = (
        select(Order, Account)
        .join(Account, Account.id == Order.payer_account_id)
        .where(Order.held_at.is_not(None))
    )
    if state == "waiting":
        query = query.where(Order.decided_at.is_(None))
    elif state == "cancelled":
        query = query.where(Order.decided_at.is_not(None), Order.lifecycle == "cancelled")
    elif state == "approved":
        query = query.where(Order.decided_at.is_not(None), Order.lifecycle != "cancelled")
    if reason:
        query = query.where(Order.held_reasons.contains(reason, autoescape=True))
    if words:
        query = query.where(or_(Order.number == words, Order.email == words.lower(), called(words)))
    rows = session.execute(SORTS.apply(query, place, limit))
    return [(order, account) for order, account in rows]
