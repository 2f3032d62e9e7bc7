"""Every way to start paying goes through here: tenders and the operation's row, then the processor."""

import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger import tenders
from core.ledger.items import Open
from core.orders import placing
from core.orders.models import Order
from core.parties import accounts
from flows.house import House
from payments import operations
from payments.gateway import CheckoutLine
from payments.models import PaymentOperation
from payments.operations import NewCheckout


def for_order(
    session: Session, house: House, order: Order, return_url: str | None
) -> PaymentOperation:
    """Reserve a card tender for the whole order and write the operation, in the order's commit."""
    now = house.clock.now()
    total = Money(order.due_now_minor, order.currency)
    operation = operations.prepare(
        session,
        NewCheckout(
            account_id=order.payer_account_id,
            order_id=order.id,
            lines=_order_lines(session, order),
            total=total,
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
        session, order.payer_account_id, "card", total, now, order.id, operation_id=operation.id
    )
    return operation


def _with(return_url: str, order: Order, outcome: str) -> str:
    joint = "&" if "?" in return_url else "?"
    return f"{return_url}{joint}order={order.public_id}&checkout={outcome}"


def _order_lines(session: Session, order: Order) -> list[CheckoutLine]:
    currency = order.currency
    lines = [
        CheckoutLine(_label(line.name, line.quantity), Money(line.net_minor, currency))
        for line in placing.lines_of(session, order.id)
        if line.net_minor > 0
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
    by_link: str | None = None,
) -> PaymentOperation:
    """Reserve a card tender for each bill and write the operation that pays them together.

    Asked again while that visit is open it is the same operation: a button pressed twice pays once.
    ``by_link`` is the public id of the order whose link the payer holds, to bring them back there.
    """
    now = house.clock.now()
    currency = wanted[0][1].currency
    total = Money(sum(amount.minor for _, amount in wanted), currency)
    lines = [CheckoutLine(f"Bill {item.number}", amount) for item, amount in wanted]
    metadata = {
        "bills": ",".join(item.number for item, _ in wanted)[:490],
        **({"order": by_link} if by_link else {}),
    }
    accounts.lock(session, payer_id)
    again = operations.underway(session, payer_id, lines, metadata, now)
    if again is not None:
        return again
    operation = operations.prepare(
        session,
        NewCheckout(
            account_id=payer_id,
            order_id=None,
            lines=lines,
            total=total,
            email=email,
            return_url=house.links.payment_return("{operation}"),
            cancel_url=house.links.payment_cancelled("{operation}"),
            expires_at=now + house.rules.payment_for,
            metadata=metadata,
        ),
        now,
    )
    for position, (item, amount) in enumerate(wanted):
        tenders.reserve(
            session,
            payer_id,
            "card",
            amount,
            now,
            operation_id=operation.id,
            open_item_id=item.id,
            position=position,
        )
    return operation


def go(house: House, operation_id: uuid.UUID) -> str:
    """Ask the processor for its page; answers the address. Raises GatewayError."""
    return operations.send(house.db, house.gateway, operation_id, house.clock)
