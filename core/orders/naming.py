"""Which numbers, addresses and keys an order's lines have, as far as they are to be seen.

A licence key is seen by whoever may see its order, and only once it is given: nobody has it before it is paid
for, nor while the order is held.
"""

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.orders.models import Order, OrderLine
from core.parties.models import Account
from core.stock import named as named_ones
from core.stock.holds import Owner

Named = Mapping[uuid.UUID, tuple[str, ...]]


def named(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    *,
    secrets: bool = True,
) -> Named:
    """By line. Without ``secrets`` what may be read by others too: on bills and in mails. Nothing is asked of
    the database where no line has any."""
    numbered = {line.id: line for line in lines if line.numbered}
    if not numbered or order.lifecycle == "cancelled":
        return {}
    if order.lifecycle == "pending":
        waiting = named_ones.of_owner(session, Owner("order", order.id))
        return {
            line_id: tuple(one.value for one in found if one.kept and not one.secret)
            for line_id, found in waiting.items()
        }
    given = named_ones.of_lines(session, list(numbered))
    return {
        line_id: tuple(
            one.value
            for one in found
            if not one.secret or (secrets and numbered[line_id].fulfilled > 0)
        )
        for line_id, found in given.items()
    }


def whose(
    session: Session, line_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, tuple[Order, Account, OrderLine]]:
    """The orders of some lines, and whose they are: of numbers that are assigned. For staff."""
    rows = session.execute(
        select(OrderLine, Order, Account)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Account, Account.id == OrderLine.service_account_id)
        .where(OrderLine.id.in_(line_ids))
    )
    return {line.id: (order, account, line) for line, order, account in rows}
