"""Orders: the list, and one with everything about it."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, request

from cart import address
from core.kernel.money import Money, extend, total
from core.ledger import reading as ledger
from core.orders import placing, reading
from core.orders.models import OrderLine
from core.orders.placing import Standing
from core.parties.models import Account
from core.parties.roles import Role
from desk import lists, shown
from flows.follow_order import Followed, follow
from web import paging
from web.access import Who, allow
from web.context import channel, house, today
from web.documents import State, bill_of
from web.pages import page

orders = Blueprint("desk_orders", __name__, url_prefix="/desk", template_folder="templates")
STATES = ("confirmed", "pending", "cancelled")


@orders.get("/orders")
@allow(Who.STAFF, roles=(Role.SALES, Role.BILLING, Role.SUPPORT))
def listed() -> str:
    """Orders, the newest first."""
    words, state = lists.words(), lists.chosen("state", STATES)
    before = paging.read_moment(request.args.get("before"))
    with house().db.snapshot() as session:
        found = reading.listing(
            session, state=state, words=words, before=before, limit=lists.PAGE_SIZE + 1
        )
        rows = found[: lists.PAGE_SIZE]
        lines = reading.lines_by_order(session, [order.id for order, _ in rows])
        counts = reading.counts(session)
    more = len(found) > lists.PAGE_SIZE
    following = paging.write(rows[-1][0].created_at, rows[-1][0].id) if more else None
    drawn = [shown.order_row(order, account, lines.get(order.id, [])) for order, account in rows]
    return page(
        "desk/orders.html",
        orders=drawn,
        tabs_=_tabs(counts),
        current_tab=lists.address("/desk/orders", state=state),
        sums=_sums(drawn),
        money_note="Due now includes tax; monthly is before tax.",
        **lists.shown("/desk/orders", following, len(rows), "order", q=words, state=state),
    )


def _tabs(counts: dict[str, int]) -> list[tuple[str, str, int]]:
    tabs = [("All", "/desk/orders", sum(counts.values()))]
    return tabs + [
        (state.capitalize(), f"/desk/orders?state={state}", counts.get(state, 0))
        for state in STATES
    ]


def _sums(rows: list[dict[str, Any]]) -> tuple[Money, Money] | None:
    currency = channel()[0].currency
    if not rows or any(row["due_now"].currency != currency for row in rows):
        return None
    monthly = (row["monthly"] for row in rows if row["monthly"] is not None)
    return total((row["due_now"] for row in rows), currency), total(monthly, currency)


@orders.get("/orders/<public_id>")
@allow(Who.STAFF, roles=(Role.SALES, Role.BILLING, Role.SUPPORT))
def one(public_id: str) -> str:
    """One order: lines, papers, payments, journal."""
    with house().db.snapshot() as session:
        order = placing.by_public_id(session, public_id)
        followed = follow(session, order)
        account = session.get_one(Account, order.payer_account_id)
        sources = [row.id for row in followed.invoices] + [row.id for row in followed.payments]
        entries = ledger.entries_about(session, sources)
    return page(
        "desk/order.html",
        order=_words(followed, account),
        entries=shown.entries(entries),
    )


def _words(followed: Followed, account: Account) -> dict[str, Any]:
    order, currency = followed.order, followed.order.currency
    goods = [line for line in followed.lines if line.kind != "delivery"]
    return {
        "number": order.number or f"Order of {account.name}, {order.lifecycle}",
        "placed_at": order.placed_at or order.created_at,
        "customer": account.name,
        "email": order.email,
        "account_number": account.number,
        "lifecycle": shown.LIFECYCLE[order.lifecycle],
        "payment": shown.PAYMENT[order.payment],
        "fulfilment": shown.FULFILMENT[order.fulfilment],
        "lines": [_line(one, currency) for one in placing.standing(goods)],
        "totals": [
            *(
                (line.name, Money(line.priced_minor, currency), "line")
                for line in followed.lines
                if line.kind == "delivery"
            ),
            *_tax_rows(followed.lines, Money(order.tax_minor, currency)),
        ],
        "total": Money(order.due_now_minor, currency),
        "refund_href": f"/desk/orders/{order.public_id}/refund",
        "paid_by": [(row.label, row.amount) for row in followed.paid_by],
        "recurring": [],
        "delivery": _delivery(followed),
        "documents": [
            {
                "name": f"Bill {row.number}",
                "href": f"/desk/invoices/{row.public_id}",
                "state": bill_of(row, followed.open_items.get(row.id), today()).state,
                "total": Money(row.total_minor, currency),
            }
            for row in followed.invoices
        ],
        "payments": [
            {
                "number": row.number,
                "href": f"/desk/payments/{row.public_id}",
                "amount": Money(row.amount_minor, row.currency),
                "state": State("go", "Captured"),
                "method": row.instrument,
            }
            for row in followed.payments
        ],
        "events": shown.moments(
            ("Checkout began", order.created_at),
            ("Confirmed", order.placed_at),
            (f"Cancelled: {order.cancel_reason or ''}", order.cancelled_at),
            *((f"Payment {row.number}", row.captured_at) for row in followed.payments),
            *((f"Bill {row.number} issued", row.issued_at) for row in followed.invoices),
        ),
    }


def _tax_rows(lines: Sequence[OrderLine], tax: Money) -> list[tuple[Any, ...]]:
    """Tax on top, and what the prices contain."""
    contained = Money(sum(line.contained_minor for line in lines), tax.currency)
    note = f"beside {contained.decimal()} within the prices" if contained else ""
    return [("Tax", tax - contained, "tax", note)]


def _line(standing: Standing, currency: str) -> dict[str, Any]:
    line = standing.line
    return {
        "sku": line.sku,
        "name": line.name,
        "quantity": line.quantity,
        "unit_price": extend(line.unit_price_micros, 1, currency),
        "total": Money(standing.priced_minor, currency),
        "note": f"price list {line.price_trace.get('list', '')}",
        "state": None,
        "pieces": [_piece(piece, currency) for piece in standing.pieces],
    }


def _piece(line: OrderLine, currency: str) -> dict[str, Any]:
    """A piece of a bundle, with its part of the price and what it sells for by itself."""
    trace = line.price_trace
    share = f"{trace.get('weight')} of {trace.get('of_weight')}"
    alone = Money(line.sale_price_minor or 0, currency).decimal()
    return {
        "sku": line.sku,
        "name": line.name,
        "quantity": line.quantity,
        "total": Money(line.priced_minor, currency),
        "note": f"{share}; alone {alone}",
    }


def _delivery(followed: Followed) -> dict[str, Any] | None:
    order = followed.order
    if not order.shipping_address:
        return None
    return {
        "name": order.shipping_address.get("name", ""),
        "lines": address.lines(order.shipping_address),
        "method": order.shipping_method or "",
    }
