"""What the desk's templates are given, in the words of a page."""

from collections.abc import Sequence
from typing import Any

from core.kernel.money import Money, total
from core.ledger.reading import Entry
from core.orders import grouping
from core.orders.models import Order, OrderLine
from core.parties.models import Account
from invoices.earned.reading import Earned
from payments.models import PaymentOperation
from web.documents import State

PAYMENT = {
    "awaiting": State("wait", "Awaiting"),
    "on_terms": State("wait", "On terms"),
    "paid": State("go", "Paid"),
    "released": State("", "Released"),
    "refund_due": State("bad", "Refund due"),
    "refunded": State("go", "Refunded"),
}
FULFILMENT = {
    "unfulfilled": State("", "Not yet"),
    "partial": State("wait", "Partly"),
    "fulfilled": State("go", "Fulfilled"),
}
LIFECYCLE = {
    "pending": State("wait", "Pending"),
    "confirmed": State("go", "Confirmed"),
    "cancelled": State("bad", "Cancelled"),
    "completed": State("go", "Completed"),
}
CHANGE = {
    "asked": State("wait", "Asked for"),
    "declined": State("", "Declined"),
    "announced": State("wait", "On its way"),
    "done": State("go", "Taken back"),
    "withdrawn": State("", "Called off"),
}
OPERATION = {
    "pending": State("wait", "Pending"),
    "sent": State("wait", "Sent"),
    "succeeded": State("go", "Succeeded"),
    "failed": State("bad", "Failed"),
    "expired": State("", "Expired"),
    "indeterminate": State("bad", "No answer"),
}
JOB = {
    "ready": State("wait", "Waiting"),
    "running": State("wait", "Running"),
    "done": State("go", "Done"),
    "dead": State("bad", "Failed"),
}


def order_row(order: Order, account: Account, lines: Sequence[OrderLine]) -> dict[str, Any]:
    """A row of the list of orders."""
    monthly = [
        Money(line.priced_minor, order.currency)
        for line in lines
        if line.charge_kind == "monthly" and line.cancelled < line.quantity
    ]
    return {
        "number": order.number or f"({order.lifecycle})",
        "href": f"/desk/orders/{order.public_id}",
        "placed_at": order.placed_at or order.created_at,
        "customer": account.name,
        "what": _what(lines),
        "payment": PAYMENT[order.payment],
        "fulfilment": FULFILMENT[order.fulfilment],
        "worth": Money(order.worth_minor, order.currency),
        "monthly": total(monthly, order.currency) if monthly else None,
    }


def _what(lines: Sequence[OrderLine]) -> str:
    named = [
        f"{many} × {line.name}" if many > 1 else line.name for line, many in grouping.left(lines)
    ]
    return ", ".join(named)


def entries(found: Sequence[Entry]) -> list[dict[str, Any]]:
    """Journal entries with a debit and a credit column."""
    return [
        {
            "number": entry.number,
            "on": entry.on,
            "what": entry.kind.replace("_", " "),
            "rows": [
                (
                    *(name, None),
                    amount if amount.minor > 0 else None,
                    -amount if amount.minor < 0 else None,
                )
                for name, amount in entry.sides
            ],
        }
        for entry in found
    ]


def earned(standing: Earned) -> list[tuple[str, Money]]:
    """How much is earned; nothing where nothing was billed or given yet."""
    rows = [
        ("Earned", standing.earned),
        ("Not earned yet", standing.left),
        ("Not billed yet", standing.unbilled),
    ]
    return [row for row in rows if row[1]]


def operation(row: PaymentOperation) -> dict[str, Any]:
    """What was asked of the processor."""
    return {
        "kind": row.kind,
        "key": row.op_key,
        "state": OPERATION[row.state],
        "attempts": row.attempts,
        "at": row.settled_at or row.created_at,
        "error": row.last_error or "",
    }


def moments(*events: tuple[str, Any]) -> list[dict[str, Any]]:
    """A time line of what has happened, the newest first."""
    happened = [(title, at) for title, at in events if at is not None]
    happened.sort(key=lambda event: event[1], reverse=True)
    return [{"title": title, "text": "", "at": at, "state": "done"} for title, at in happened]
