"""A customer pays bills: one or several open items of the accounts that they may pay for."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from core.kernel import audit, crash
from core.kernel.errors import NotFound, ShopError
from core.kernel.money import Money
from core.ledger import items
from core.ledger.items import Open
from core.orders.models import Order
from core.parties import accounts
from core.parties.models import Account
from flows import early_payment, start_payment
from flows.abandon_payment import give_up_bills
from flows.choose_tenders import PLAIN, Paying
from flows.house import House
from flows.start_payment import Begun
from invoices import reading as invoices


@dataclass(eq=False)
class NothingToPay(ShopError):
    """What was chosen is paid already, or nothing was chosen."""

    code: ClassVar[str] = "nothing_to_pay"
    text: ClassVar[str] = "There is nothing to pay there: it may have been paid just now."


@dataclass(eq=False)
class DifferentPayers(ShopError):
    """One payment is for one account, in one currency."""

    code: ClassVar[str] = "different_payers"
    text: ClassVar[str] = (
        "These bills belong to different accounts. Pay them one account at a time."
    )


@dataclass(eq=False)
class BillsChanged(ShopError):
    """What is owed is not what was shown; nothing was begun."""

    code: ClassVar[str] = "bills_changed"
    text: ClassVar[str] = "What you owe has changed from {expected} to {actual}. Please look again."
    expected: Money
    actual: Money


class TooManyBills(ShopError):
    """All at once are more bills than one payment takes by name."""

    code: ClassVar[str] = "too_many_bills"
    text: ClassVar[str] = (
        "These are many bills. Choose some, or pay an amount: it pays the earliest first."
    )


@dataclass(frozen=True)
class PayWish:
    """Which invoices to pay in full, and what the payer was shown as their sum."""

    user_id: uuid.UUID
    invoice_ids: Sequence[uuid.UUID]
    expected_total: Money | None = None
    #: Gift cards and the payer's credit, to be used before the card.
    paying: Paying = PLAIN


def pay(house: House, wish: PayWish) -> str | None:
    """Begin paying; answers the address of the processor's page, None when all is paid without it.

    Raises NotFound for a bill that is not the user's, NothingToPay, DifferentPayers, BillsChanged, what
    ``choose_tenders.plan`` raises, or a GatewayError when the processor does not answer.
    """
    return go(house, lambda session: _write(session, house, wish))


def go(house: House, write: Callable[[Session], Begun]) -> str | None:
    """Begin in a transaction and go to the processor; answers its page's address, None when all is paid.
    ``write`` may be asked twice."""
    begun = house.db.run_tx(write)
    if begun.rivals:
        # The payer came back and chose otherwise: what the earlier visits reserve is given free first.
        for operation_id in begun.rivals:
            give_up_bills(house, operation_id)
        begun = house.db.run_tx(write)
    if begun.rivals:
        raise NothingToPay
    crash.point("pay.after_commit")
    if begun.operation_id is None:
        return None
    return start_payment.go(house, begun.operation_id)


def pay_order(house: House, order_id: uuid.UUID) -> str:
    """Pay what is open of an order's bills by card, for whoever holds the order's link.

    Answers the address of the processor's page. Raises NothingToPay, or a GatewayError.
    """

    def write(session: Session) -> Begun:
        order = session.get_one(Order, order_id)
        rows = invoices.of_order(session, order_id)
        wanted = _payable(session, house, items.of_sources(session, [row.id for row in rows]))
        back = ("order", order.public_id)
        return begin(session, house, order.payer_account_id, order.email, wanted, "guest", back)

    url = go(house, write)
    assert url is not None
    return url


def _write(session: Session, house: House, wish: PayWish) -> Begun:
    found = items.of_sources(session, wish.invoice_ids)
    mine: dict[uuid.UUID | None, Account] = {
        account.id: account for account in accounts.payable_by(session, wish.user_id)
    }
    if any(item.account_id not in mine for item in found.values()):
        raise NotFound("bill")
    wanted = _payable(session, house, found)
    _one_payer(wanted)
    total = Money(sum(amount.minor for _, amount in wanted), wanted[0][1].currency)
    if wish.expected_total is not None and wish.expected_total != total:
        raise BillsChanged(wish.expected_total, total)
    payer = mine[wanted[0][0].account_id]
    actor = f"user:{wish.user_id}"
    return begin(session, house, payer.id, payer.email, wanted, actor, paying=wish.paying)


def _payable(
    session: Session, house: House, found: Mapping[uuid.UUID, Open]
) -> list[tuple[Open, Money]]:
    """What paying the bills among ``found`` takes now; a credit memo is nothing to be paid."""
    bills = [item for item in found.values() if item.side == "debit" and item.open.minor > 0]
    asked = early_payment.asked(session, house, bills)
    wanted = [(bill, item.open) for bill, item in zip(bills, asked, strict=True)]
    if not wanted:
        raise NothingToPay
    return wanted


def begin(
    session: Session,
    house: House,
    payer_id: uuid.UUID,
    email: str | None,
    wanted: Sequence[tuple[Open, Money]],
    actor: str,
    back: tuple[str, str] | None = None,
    paying: Paying = PLAIN,
    more: Money | None = None,
) -> Begun:
    """Begin paying so much of each bill, and ``more`` that becomes credit; as ``start_payment.for_items``."""
    begun = start_payment.for_items(session, house, payer_id, email, wanted, back, paying, more)
    if begun.rivals:
        return begun
    verb = "bill.payment_started" if begun.operation_id else "bill.paid_without_card"
    subject = ("operation", begun.public_id) if begun.operation_id else ("account", str(payer_id))
    audit.write(session, house.clock.now(), actor, verb, subject)
    return begun


def _one_payer(wanted: Sequence[tuple[Open, Money]]) -> None:
    if len({(item.account_id, amount.currency) for item, amount in wanted}) > 1:
        raise DifferentPayers
