"""A guest's order comes into somebody's account: only for who holds its token, and whose address is verified.

Nothing is moved: they become an owner of the account that the order opened, with its bills.
"""

import uuid
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core.kernel import audit
from core.kernel.errors import NotFound, ShopError
from core.kernel.ids import same_token
from core.orders import placing
from core.orders.models import Order
from core.parties import accounts
from core.parties.models import Account, Membership, User
from flows.house import House


@dataclass(eq=False)
class ClaimRefused(ShopError):
    """The order stays as it is."""

    code: ClassVar[str] = "claim_refused"
    text: ClassVar[str] = "This order cannot be put in your account."


@dataclass(eq=False)
class NotVerified(ClaimRefused):
    code: ClassVar[str] = "email_not_verified"
    text: ClassVar[str] = (
        "Confirm your e-mail address first, by the link that we sent you. Then the order can come into "
        "your account."
    )


@dataclass(eq=False)
class OtherEmail(ClaimRefused):
    code: ClassVar[str] = "other_email"
    text: ClassVar[str] = "This order was placed with another e-mail address than your account's."


@dataclass(eq=False)
class HasOwner(ClaimRefused):
    code: ClassVar[str] = "claimed_already"
    text: ClassVar[str] = "This order is in an account already."


def is_guests(session: Session, order: Order) -> bool:
    """Is it in nobody's account yet?"""
    mine = exists().where(Membership.account_id == order.payer_account_id)
    return not session.scalar(select(mine))


def claim(house: House, user_id: uuid.UUID, public_id: str, token: str) -> str:
    """Put it in their account; its number. Claimed twice by the same person it is claimed once.

    Raises NotFound for a wrong token, NotVerified, OtherEmail, HasOwner.
    """
    if not same_token(token, house.links.order_token(public_id)):
        raise NotFound("order")

    def work(session: Session) -> str:
        now = house.clock.now()
        order = placing.by_public_id(session, public_id)
        user = session.get_one(User, user_id)
        session.execute(
            select(Account.id).where(Account.id == order.payer_account_id).with_for_update()
        )
        owner = session.get(Membership, (user_id, order.payer_account_id))
        if owner is not None:
            return order.number or ""
        if user.email != order.email.strip().lower():
            raise OtherEmail
        if user.email_verified_at is None:
            raise NotVerified
        if not is_guests(session, order):
            raise HasOwner
        accounts.join(session, user_id, order.payer_account_id, "owner", now)
        audit.write(session, now, f"user:{user_id}", "order.claimed", ("order", public_id))
        return order.number or ""

    return house.db.run_tx(work)
