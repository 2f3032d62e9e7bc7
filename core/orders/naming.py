"""Which numbers, addresses and keys an order's lines have, as far as they are to be seen.

A licence key is seen by whoever may see its order, and only once it is given: nobody has it before it is paid
for, nor while the order is held.
"""

import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from core.kernel.db import table
from core.orders.models import Order, OrderLine
from core.parties.models import Account
from core.stock import named as named_ones
from core.stock import resources
from core.stock.holds import Owner
from core.stock.models import LogicalResource

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


def of_services(
    session: Session, subscription_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, tuple[str, ...]]:
    """What services have that they were ordered with, by subscription; no licence keys. One statement."""
    found: dict[uuid.UUID, tuple[str, ...]] = {}
    for key, value, kind in session.execute(_of_services(), {"services": list(subscription_ids)}):
        if not resources.is_secret(kind):
            found[key] = (*found.get(key, ()), value)
    return found


@cache
def _of_services() -> Select[Any]:
    line, one = table(OrderLine).c, table(LogicalResource).c
    return (
        select(line.subscription_id, one.value, one.kind)
        .select_from(table(OrderLine).join(table(LogicalResource), one.line_id == line.id))
        .where(line.subscription_id.in_(bindparam("services", expanding=True)), line.numbered)
        .order_by(line.subscription_id, line.line_number, one.plain)
    )


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
