"""Every way to start paying goes through here: tenders and the operation's row, then the processor."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.orm import Session

from cart.models import Cart
from core.kernel.clock import local_date
from core.kernel.errors import ShopError
from core.kernel.money import Money, total
from core.ledger import splitting, tenders
from core.ledger.items import Open
from core.ledger.splitting import Share, Source
from core.orders.drafting import Draft
from core.orders.models import Order, OrderLine
from core.parties import accounts
from core.parties.models import LegalEntity
from flows import choose_tenders
from flows.choose_tenders import PLAIN, Payer, Paying
from flows.confirm_order import confirm, write_confirmed
from flows.house import House
from payments import method_operations, operations
from payments.gateway import CheckoutLine
from payments.models import PaymentOperation
from payments.operations import NewCheckout

#: More bills than this are one line on the processor's page.
MOST_LINES = 20


class ChargeUnderWay(ShopError):
    """A card on file is being charged for this bill: a second payment would be one too many."""

    code: ClassVar[str] = "charge_under_way"
    text: ClassVar[str] = (
        "This bill is being charged to a card on file right now. Look again in a few minutes."
    )


@dataclass(frozen=True)
class Begun:
    """A payment of bills that was begun; without an operation it is paid.

    ``rivals`` reserve gift cards or credit for the same bills: nothing was begun until they are given up.
    """

    operation_id: uuid.UUID | None = None
    public_id: str = ""
    rivals: tuple[uuid.UUID, ...] = ()


def for_order(
    session: Session,
    house: House,
    order: Order,
    return_url: str | None,
    shares: Sequence[Share],
    lines: Sequence[OrderLine],
) -> PaymentOperation:
    """Reserve the order's tenders and write the operation for the card's, in the order's commit."""
    now = house.clock.now()
    by_card = [share.amount for share in shares if share.source.kind == "card"]
    amount = total(by_card, order.currency)
    operation = operations.prepare(
        session,
        NewCheckout(
            account_id=order.payer_account_id,
            order_id=order.id,
            lines=_order_lines(order, lines, amount),
            total=amount,
            email=order.email,
            return_url=_with(return_url, order, "complete")
            if return_url
            else house.links.payment_return("{operation}"),
            cancel_url=_with(return_url, order, "cancelled")
            if return_url
            else house.links.payment_cancelled("{operation}"),
            expires_at=now + house.rules.payment_for,
            metadata={"order": order.public_id},
        ),
        now,
    )
    tenders.reserve(
        session,
        order.payer_account_id,
        [(None, share) for share in shares],
        now,
        order_id=order.id,
        operation_id=operation.id,
    )
    return operation


def begin_order(
    session: Session,
    house: House,
    order: Order,
    return_url: str | None,
    shares: Sequence[Share],
    lines: Sequence[OrderLine],
) -> uuid.UUID | None:
    """Reserve an order's tenders; the operation to pay by. None when nothing is left to a processor: then
    the order is confirmed, on terms or paid. Without ``shares`` there is nothing to pay."""
    if shares and shares[-1].source.kind == "card":
        return for_order(session, house, order, return_url, shares, lines).id
    confirm(session, house, order, _standing(shares), lines)
    _pay_order(session, house, order, shares)
    return None


def place(
    session: Session, house: House, drafted: Draft, shares: Sequence[Share], cart: Cart
) -> None:
    """Of a draft that is certain at once, as nothing is left to a processor: it is written as a confirmed
    order, on terms or paid. Its ``cart`` has the pieces."""
    write_confirmed(session, house, drafted, _standing(shares), cart)
    _pay_order(session, house, drafted.order, shares)


def _standing(shares: Sequence[Share]) -> str:
    return "on_terms" if shares and shares[-1].source.kind == "terms" else "paid"


def _pay_order(session: Session, house: House, order: Order, shares: Sequence[Share]) -> None:
    """Write the tenders of a confirmed order, and take what is left to no bill."""
    now = house.clock.now()
    if not shares:
        return
    if len(shares) == 1 and shares[0].source.kind == "terms":
        tenders.on_terms(session, order.payer_account_id, shares[0], order.id, now)
        return
    entity = session.get_one(LegalEntity, order.legal_entity_id)
    found = [(None, share) for share in shares]
    tenders.reserve(session, order.payer_account_id, found, now, order_id=order.id)
    tenders.take_for_order(session, order.id, entity.id, local_date(now, entity.time_zone), now)


def _with(return_url: str, order: Order, outcome: str) -> str:
    joint = "&" if "?" in return_url else "?"
    return f"{return_url}{joint}order={order.public_id}&checkout={outcome}"


def _order_lines(
    order: Order, order_lines: Sequence[OrderLine], amount: Money
) -> list[CheckoutLine]:
    """What the processor's page lists; of an order that is paid in part otherwise, the rest."""
    currency = order.currency
    if amount.minor != order.due_now_minor:
        return [CheckoutLine("The rest of your order", amount)]
    lines = [
        CheckoutLine(_label(line.name, line.quantity), Money(line.net_minor, currency))
        for line in order_lines
        if line.net_minor > 0 and line.parent_id is None  # a bundle is told once
    ]
    if order.tax_minor:
        lines.append(CheckoutLine("Sales tax", Money(order.tax_minor, currency)))
    return lines


def _label(name: str, quantity: int) -> str:
    return name if quantity == 1 else f"{quantity} × {name}"


def for_items(
    session: Session,
    house: House,
    payer_id: uuid.UUID,
    email: str | None,
    wanted: Sequence[tuple[Open, Money]],
    back: tuple[str, str] | None = None,
    paying: Paying = PLAIN,
    more: Money | None = None,
) -> Begun:
    """Reserve tenders for each bill and write the operation for what is to be paid by card.

    Without an operation, gift cards and credit have paid all of it. Asked again while that visit is open
    it is the same operation: a button pressed twice pays once. ``back`` leads a payer back who is not
    logged in: ``order`` or ``pay_page`` with its public id. ``more`` is paid by card on top and becomes the
    account's credit. Raises ChargeUnderWay.
    """
    now = house.clock.now()
    currency = wanted[0][1].currency
    digest, whole = paying.digest, total((amount for _, amount in wanted), currency)
    metadata = {
        "bills": ",".join(item.number for item, _ in wanted)[:490],
        **({back[0]: back[1]} if back else {}),
        **({"paying": digest[:32], "whole": str(whole.minor)} if digest else {}),
    }
    account = accounts.lock(session, payer_id)
    surplus = more or Money.zero(currency)
    lines = _lines(wanted, surplus)
    if len(lines) < len(wanted):
        metadata["parts"] = _parts_digest(wanted)
    again = operations.underway(session, payer_id, None if digest else lines, metadata, now)
    if again is not None:
        return Begun(again.id, again.public_id)
    charging = method_operations.charge_of_bill(session, [item.source_id for item, _ in wanted])
    if charging is not None and charging.attempts > 0:
        raise ChargeUnderWay
    paying_now = tenders.paid_by_operations(session, [item.id for item, _ in wanted])
    if method_operations.any_charge(session, paying_now):
        raise ChargeUnderWay
    rivals = tenders.rivals(session, [item.id for item, _ in wanted])
    if rivals:
        return Begun(rivals=tuple(rivals))
    payer = Payer(account.legal_entity_id, payer_id)
    shares = choose_tenders.plan(session, payer, whole, paying, "card", lock=True)
    spread = splitting.spread([(item.id, amount) for item, amount in wanted], shares)
    by_card = total((s.amount for s in shares if s.source.kind == "card"), currency)
    if not by_card and not surplus:
        _pay_at_once(session, payer_id, spread, account.legal_entity_id, now)
        return Begun()
    operation = operations.prepare(
        session,
        NewCheckout(
            account_id=payer_id,
            order_id=None,
            lines=lines if by_card == whole else _lines(_rests(wanted, spread), surplus),
            total=by_card + surplus,
            email=email,
            return_url=house.links.payment_return("{operation}"),
            cancel_url=house.links.payment_cancelled("{operation}"),
            expires_at=now + house.rules.payment_for,
            metadata=metadata,
        ),
        now,
    )
    tenders.reserve(session, payer_id, spread, now, operation_id=operation.id)
    return Begun(operation.id, operation.public_id)


def for_charge(
    session: Session,
    house: House,
    operation: PaymentOperation,
    parts: Sequence[tuple[Open, Money]],
    label: str,
) -> None:
    """Fix what a card on file is charged, so much of each bill, and reserve its tenders.

    ``operation`` is locked and nothing was asked for it yet; ``label`` is the card's.
    """
    operation.amount_minor = sum(amount.minor for _, amount in parts)
    shares = [(item.id, Share(Source("card", label), amount)) for item, amount in parts]
    now = house.clock.now()
    tenders.reserve(session, operation.account_id, shares, now, operation_id=operation.id)


def _lines(wanted: Sequence[tuple[Open, Money]], surplus: Money) -> list[CheckoutLine]:
    """What the processor's page lists; many bills are one line."""
    lines = [CheckoutLine(f"Bill {item.number}", amount) for item, amount in wanted]
    if len(lines) > MOST_LINES:
        whole = total((amount for _, amount in wanted), surplus.currency)
        lines = [CheckoutLine(f"{len(wanted)} bills", whole)]
    return [*lines, CheckoutLine("Credit for later bills", surplus)] if surplus else lines


def _parts_digest(wanted: Sequence[tuple[Open, Money]]) -> str:
    """What a line over many bills is for."""
    said = "|".join(f"{item.id}={amount.minor}" for item, amount in wanted)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _rests(
    wanted: Sequence[tuple[Open, Money]], spread: Sequence[tuple[uuid.UUID, Share]]
) -> list[tuple[Open, Money]]:
    """What the card pays of each bill."""
    known = {item.id: item for item, _ in wanted}
    return [(known[key], share.amount) for key, share in spread if share.source.kind == "card"]


def _pay_at_once(
    session: Session,
    payer_id: uuid.UUID,
    spread: Sequence[tuple[uuid.UUID, Share]],
    legal_entity_id: uuid.UUID,
    now: datetime,
) -> None:
    """No processor is needed: the bills are paid in this transaction."""
    entity = session.get_one(LegalEntity, legal_entity_id)
    found = tenders.reserve(session, payer_id, spread, now)
    tenders.take_for_bills(session, found, local_date(now, entity.time_zone), now)


def go(house: House, operation_id: uuid.UUID) -> str:
    """Ask the processor for its page; answers the address. Raises GatewayError."""
    return operations.send(house.db, house.gateway, operation_id, house.clock)
