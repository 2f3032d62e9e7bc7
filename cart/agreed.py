"""What accounts agreed to without having to, as news by mail: how it stands, and taking it back.

What was agreed to with an order is kept for ever; what was taken back is kept beside it. The later one holds.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cart.consents import OPTIONAL
from cart.models import Consent, ConsentWithdrawal
from core.kernel.errors import NotFound
from core.kernel.ids import new_id
from core.orders.models import Order


@dataclass(frozen=True)
class Agreed:
    """What an account agreed to last under a code, and when that was taken back, if it was."""

    account_id: uuid.UUID
    code: str
    version: int
    text: str
    href: str
    given_at: datetime
    order_number: str
    withdrawn_at: datetime | None

    @property
    def stands(self) -> bool:
        """Does it hold?"""
        return self.withdrawn_at is None


def of_accounts(session: Session, account_ids: Collection[uuid.UUID]) -> list[Agreed]:
    """How it stands with each of these accounts, by account and code."""
    keys = list(account_ids)
    if not keys:
        return []
    turn = func.row_number().over(
        partition_by=(Order.payer_account_id, Consent.code),
        order_by=(Consent.given_at.desc(), Consent.order_id.desc()),
    )
    given = (
        select(Consent, Order.payer_account_id, Order.number, turn.label("turn"))
        .join(Order, Order.id == Consent.order_id)
        .where(Order.payer_account_id.in_(keys), Consent.mode == OPTIONAL)
        .subquery()
    )
    back = (
        select(
            ConsentWithdrawal.account_id,
            ConsentWithdrawal.code,
            func.max(ConsentWithdrawal.withdrawn_at).label("at"),
        )
        .where(ConsentWithdrawal.account_id.in_(keys))
        .group_by(ConsentWithdrawal.account_id, ConsentWithdrawal.code)
        .subquery()
    )
    rows = session.execute(
        select(given, back.c.at)
        .outerjoin(
            back,
            (back.c.account_id == given.c.payer_account_id)
            & (back.c.code == given.c.code)
            & (back.c.at >= given.c.given_at),
        )
        .where(given.c.turn == 1)
        .order_by(given.c.payer_account_id, given.c.code)
    )
    return [
        Agreed(
            account_id=row.payer_account_id,
            code=row.code,
            version=row.version,
            text=row.text,
            href=row.href,
            given_at=row.given_at,
            order_number=row.number or "",
            withdrawn_at=row.at,
        )
        for row in rows
    ]


def withdraw(
    session: Session, account_id: uuid.UUID, code: str, actor: str, ip: str, now: datetime
) -> Agreed:
    """Take it back; taken back already, it stays as it was. The account is locked by the caller.

    NotFound when nothing like it was agreed to.
    """
    found = next((one for one in of_accounts(session, [account_id]) if one.code == code), None)
    if found is None:
        raise NotFound("consent")
    if not found.stands:
        return found
    session.add(
        ConsentWithdrawal(
            id=new_id(),
            account_id=account_id,
            code=code,
            version=found.version,
            withdrawn_at=now,
            withdrawn_by=actor,
            ip=ip[:45],
        )
    )
    session.flush()
    return found
