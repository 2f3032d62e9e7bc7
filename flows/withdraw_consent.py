"""A customer takes back what they had agreed to without having to, such as news by mail."""

import uuid

from sqlalchemy.orm import Session

from cart import agreed
from core.kernel import audit
from core.kernel.errors import NotFound
from core.parties import accounts
from flows.house import House


def withdraw(house: House, user_id: uuid.UUID, account_number: str, code: str, ip: str) -> None:
    """Take it back for an account that the user owns; said again it is no change.

    NotFound for an account of somebody else, and for what was never agreed to.
    """

    def work(session: Session) -> None:
        account = accounts.by_number(session, account_number)
        if account.id not in accounts.owned_by(session, user_id):
            raise NotFound("account")
        accounts.lock(session, account.id)
        now, actor = house.clock.now(), f"user:{user_id}"
        found = agreed.withdraw(session, account.id, code, actor, ip, now)
        if found.stands:
            subject = ("account", account.public_id)
            audit.write(
                session, now, actor, "consent.withdrawn", subject, code=code, version=found.version
            )

    house.db.run_tx(work)
