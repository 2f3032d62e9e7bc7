"""Somebody pays an account's bills without logging in: by a link, or by account number and pay code.

The code is printed on each bill. It is derived from the shop's secret and the account, so no secret is
stored, and it opens one page: what is open, and paying it. A new code ends the old one and the links of
earlier mails.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel import audit
from core.kernel.errors import NotFound, ShopError
from core.kernel.ids import same_token
from core.kernel.money import Money
from core.parties import accounts, pay_codes
from core.parties.models import Account
from flows import pay_amount, pay_bill
from flows.house import House
from flows.pay_bill import BillsChanged, NothingToPay
from flows.start_payment import Begun
from payments.models import Payment


@dataclass(eq=False)
class PayCodeUnknown(ShopError):
    """No account has this number and this code: which of the two is wrong is not told."""

    code: ClassVar[str] = "pay_code_unknown"
    text: ClassVar[str] = (
        "This account number and this pay code do not belong together. Both stand at the foot of each bill."
    )


def by_code(session: Session, house: House, number: str, code: str) -> Account:
    """The account with this number and code. Raises PayCodeUnknown, alike for any mistake."""
    typed = "".join(sign for sign in number if sign.isdigit())
    try:
        account: Account | None = accounts.by_number(session, typed) if typed else None
    except NotFound:
        account = None
    # Where there is none a code is worked out all the same, so that it takes as long.
    known = house.links.pay_code(account)
    same = same_token(pay_codes.normal(known), pay_codes.normal(code))
    if account is None or not same:
        raise PayCodeUnknown
    return account


def by_token(session: Session, house: House, public_id: str, token: str) -> Account:
    """The account that a signed link pays for. NotFound for anybody else."""
    account = accounts.by_public_id(session, public_id)
    if not same_token(token, house.links.pay_token(account)):
        raise NotFound("page")
    return account


def new_code(house: House, account_id: uuid.UUID, actor: str) -> Account:
    """Make another pay code: the old one, and each link that was sent, stops working at once."""

    def write(session: Session) -> Account:
        account, now = accounts.lock(session, account_id), house.clock.now()
        account.pay_code_series += 1
        session.flush()
        audit.write(
            session, now, actor, "account.pay_code_made_anew", ("account", account.public_id)
        )
        return account

    return house.db.run_tx(write)


def masked(name: str) -> str:
    """``M… H…``: enough to know whom one pays for, too little to learn who it is."""
    return " ".join(f"{word[0]}…" for word in name.split()[:4]) or "…"


def pay_all(
    house: House, account_id: uuid.UUID, expected: str, back: tuple[str, str]
) -> str | None:
    """Pay everything that is open. BillsChanged when it is not what was shown, else as ``pay_bill.pay``."""

    def write(session: Session) -> Begun:
        account = accounts.lock(session, account_id)
        owed = pay_amount.open_bills(session, house, account.id, account.currency)
        if not owed:
            raise NothingToPay
        whole = Money(sum(one.open.minor for one in owed), account.currency)
        if expected != str(whole.minor):
            shown = int(expected) if expected.isdecimal() and len(expected) < 16 else 0
            raise BillsChanged(Money(shown, account.currency), whole)
        wanted = [(one, one.open) for one in owed]
        return pay_bill.begin(session, house, account.id, account.email, wanted, "guest", back)

    return pay_bill.go(house, write)


def paid_lately(session: Session, account_id: uuid.UUID, now: datetime) -> Money | None:
    """What came for the account's bills in the last minutes, to thank for it."""
    found = session.scalar(
        select(Payment)
        .where(
            Payment.account_id == account_id,
            Payment.order_id.is_(None),
            Payment.captured_at > now - timedelta(minutes=10),
        )
        .order_by(Payment.captured_at.desc())
        .limit(1)
    )
    return Money(found.amount_minor, found.currency) if found is not None else None
