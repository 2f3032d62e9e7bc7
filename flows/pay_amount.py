"""Another amount is paid: which bills it pays, what stays open and what becomes credit is shown before, and
what was shown is what is posted, or nothing is begun.

Pages call ``plan``; ``pay`` works the same out again under the lock of the account.
"""

import hashlib
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from core.kernel.errors import ShopError
from core.kernel.money import Money, total
from core.ledger import allocation, items
from core.ledger.chart import RECEIVABLE
from core.ledger.items import Open
from core.ledger.open_now import OpenNow
from core.parties import accounts
from flows import early_payment, pay_bill
from flows.choose_tenders import PLAIN, Paying
from flows.house import House
from flows.pay_bill import NothingToPay
from flows.start_payment import Begun

#: One amount is laid over so many bills at most, the earliest due first.
MOST_BILLS = 200
#: So many times what is open may be paid: more is a slip of the finger.
MOST_TIMES = 2


@dataclass(eq=False)
class AmountRefused(ShopError):
    """An amount that cannot be paid: ``reason`` is nothing or too_much."""

    code: ClassVar[str] = "amount_refused"
    text: ClassVar[str] = "{words}"
    reason: str
    words: str


@dataclass(eq=False)
class AllocationChanged(ShopError):
    """What the amount would pay is not what was shown; nothing was begun."""

    code: ClassVar[str] = "allocation_changed"
    text: ClassVar[str] = "What this amount pays has changed. Please look again."


@dataclass(frozen=True)
class Part:
    """So much of the amount goes to a bill. ``asked`` is what paying all of it takes."""

    item: Open
    asked: Money
    pays: Money

    @property
    def stays(self) -> Money:
        """What is open of it afterwards."""
        return self.asked - self.pays


@dataclass(frozen=True)
class Plan:
    """What an amount pays: each bill that gets some, and what becomes credit."""

    amount: Money
    parts: tuple[Part, ...]
    credit: Money
    #: What is open afterwards, of bills that got nothing too.
    left: Money

    @property
    def digest(self) -> str:
        """The same for the same allocation: what a page was shown with."""
        said = [f"{one.item.id}={one.pays.minor}" for one in self.parts]
        told = "|".join([*said, f"{self.credit.minor} {self.credit.currency}"])
        return hashlib.sha256(told.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class AmountWish:
    """An amount for one account. ``chosen`` are the bills that it pays first, by their keys; none: the
    earliest due first. ``shown`` is the digest of the plan that the payer saw."""

    account_id: uuid.UUID
    amount: Money
    actor: str
    shown: str
    chosen: Collection[uuid.UUID] = ()
    paying: Paying = PLAIN
    #: What leads back afterwards, for whoever is not logged in; see ``start_payment.for_items``.
    back: tuple[str, str] | None = None


def plan(
    session: Session,
    house: House,
    account_id: uuid.UUID,
    amount: Money,
    chosen: Collection[uuid.UUID] = (),
) -> Plan:
    """What the amount pays now. Raises AmountRefused, and NothingToPay when nothing is open."""
    owed = open_bills(session, house, account_id, amount.currency)
    if not owed:
        raise NothingToPay
    whole = total((one.open for one in owed), amount.currency)
    if amount.minor <= 0:
        raise AmountRefused("nothing", "Write an amount above zero, like 25.00.")
    if amount.minor > whole.minor * MOST_TIMES:
        words = f"That is more than twice what is open, which is {whole}. Is the point where you want it?"
        raise AmountRefused("too_much", words)
    named = [(one.id, None) for one in owed if one.source_id in chosen]
    found = allocation.as_named(amount, owed, named)
    asked = {one.id: one.open for one in owed}
    parts = tuple(Part(item, asked[item.id], part) for item, part in found.parts)
    paid = amount - found.unapplied
    return Plan(amount, parts, found.unapplied, whole - paid)


def open_bills(
    session: Session, house: House, account_id: uuid.UUID, currency: str
) -> Sequence[Open]:
    """The bills that an amount may pay, the earliest due first, with what paying each takes now."""
    found = items.open_now(
        session,
        OpenNow.account_id == account_id,
        OpenNow.ledger_code == RECEIVABLE,
        OpenNow.currency == currency,
        limit=MOST_BILLS,
    )
    return early_payment.asked(session, house, [one for one in found if not one.is_history])


def pay(house: House, wish: AmountWish) -> str | None:
    """Begin to pay; answers the address of the processor's page, None when all is paid without it.

    Raises AllocationChanged when it would not be what was shown, and what ``plan`` and ``pay_bill.pay``
    raise.
    """

    def write(session: Session) -> Begun:
        account = accounts.lock(session, wish.account_id)
        found = plan(session, house, account.id, wish.amount, wish.chosen)
        if found.digest != wish.shown:
            raise AllocationChanged
        if not found.parts:
            raise NothingToPay
        return pay_bill.begin(
            session,
            house,
            account.id,
            account.email,
            [(one.item, one.pays) for one in found.parts],
            wish.actor,
            wish.back,
            wish.paying,
            found.credit,
        )

    return pay_bill.go(house, write)
