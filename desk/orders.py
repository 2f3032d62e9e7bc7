"""Orders: the list, and one with everything about it."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from cart import address, consents
from cart.models import Consent
from core.kernel import sheet
from core.kernel.money import Money, extend, total
from core.kernel.sorting import Place
from core.ledger import reading as ledger
from core.orders import deliveries, grouping, pickups, placing, reading
from core.orders.grouping import Standing
from core.orders.models import Order, OrderLine
from core.parties import users
from core.parties.models import Account
from core.parties.roles import Role
from desk import shown, to_check
from desk.lists import Asked, Choice, Listing
from flows.follow_order import Followed, follow
from invoices.earned import reading as earned
from web import order_words
from web.access import Who, allow
from web.context import channel, house, today
from web.documents import State, bill_of
from web.pages import page

orders = Blueprint("desk_orders", __name__, url_prefix="/desk", template_folder="templates")
STATES = ("confirmed", "completed", "pending", "cancelled")
_PAPERS = {"credit_memo": "Credit memo", "debit_memo": "Debit memo"}
#: What the list can be narrowed to: orders with something that waits to be sent or done.
FULFILMENTS = [
    ("waiting", "something waits to be sent or done"),
    *((key, one.text) for key, one in shown.FULFILMENT.items()),
]


LISTED = Listing(
    "/desk/orders",
    "order",
    reading.SORTS,
    "-placed",
    (
        Choice("state", "State", [(one, one.capitalize()) for one in STATES], is_tabs=True),
        Choice("fulfilment", "Fulfilment", FULFILMENTS, "any"),
    ),
    head=(
        "number",
        "placed",
        "state",
        "payment",
        "fulfilment",
        "customer",
        "account",
        "email",
        "currency",
        "due_now",
        "worth",
    ),
)


@orders.get("/orders")
@allow(Who.STAFF, roles=(Role.SALES, Role.BILLING, Role.SUPPORT))
def listed() -> str:
    """Orders, the newest first."""
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
        lines = reading.lines_by_order(session, [order.id for order, _ in rows])
        counts = reading.counts(session)
    drawn = [shown.order_row(order, account, lines.get(order.id, [])) for order, account in rows]
    return page(
        "desk/orders.html",
        orders=drawn,
        sums=_sums(drawn),
        money_note="Worth is what an order comes to now, with tax; monthly is before tax.",
        **LISTED.tabs("state", asked, counts),
        **context,
    )


def _found(session: Session, asked: Asked, place: Place, limit: int) -> list[tuple[Order, Account]]:
    return reading.listing(
        session,
        state=asked["state"],
        fulfilment=asked["fulfilment"],
        words=asked.words,
        place=place,
        limit=limit,
    )


@orders.get("/orders.csv")
@allow(Who.STAFF, roles=(Role.SALES, Role.BILLING, Role.SUPPORT))
def export() -> Response:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: (_cells(*row) for row in rows))


def _cells(order: Order, account: Account) -> list[sheet.Cell]:
    return [
        sheet.code(order.number or ""),
        sheet.moment(order.placed_at or order.created_at),
        sheet.code(order.lifecycle),
        sheet.code(order.payment),
        sheet.code(order.fulfilment),
        sheet.words(account.name),
        sheet.code(account.number),
        sheet.words(order.email),
        sheet.code(order.currency),
        sheet.amount(Money(order.due_now_minor, order.currency)),
        sheet.amount(Money(order.worth_minor, order.currency)),
    ]


def _sums(rows: list[dict[str, Any]]) -> tuple[Money, Money] | None:
    currency = channel()[0].currency
    if not rows or any(row["worth"].currency != currency for row in rows):
        return None
    monthly = (row["monthly"] for row in rows if row["monthly"] is not None)
    return total((row["worth"] for row in rows), currency), total(monthly, currency)


@orders.get("/orders/<public_id>")
@allow(Who.STAFF, roles=(Role.SALES, Role.BILLING, Role.SUPPORT))
def one(public_id: str) -> str:
    """One order: lines, papers, payments, journal."""
    with house().db.snapshot() as session:
        order = placing.by_public_id(session, public_id)
        followed = follow(session, order, with_awaited=True, for_staff=True)
        account = session.get_one(Account, order.payer_account_id)
        sources = [row.id for row in followed.invoices] + [row.id for row in followed.payments]
        entries = ledger.entries_about(session, [order.id, *sources])
        agreed = consents.of_order(session, order)
        who = order.taken_by or ""
        names = users.names(session, [who]) if who else {}
        check = to_check.about(session, order)
        standing = earned.of_order(session, order, followed.invoices)
        to_fetch = pickups.left_to_set_ready(session, followed.lines)
    words = _words(followed, account, names.get(who, who), agreed)
    return page(
        "desk/order.html",
        order=words | {"acts": _acts(order, followed.lines, to_fetch)},
        check=check,
        earned=shown.earned(standing),
        entries=shown.entries(entries),
    )


def _acts(
    order: Order, lines: Sequence[OrderLine], to_fetch: Mapping[uuid.UUID, int]
) -> list[tuple[str, str]]:
    """What can be done with it now: (address, words); the page leaves out what is not for one's role.
    ``to_fetch``: pieces that are fetched, and do not lie ready yet."""
    base, acts = f"/desk/orders/{order.public_id}", []
    if order.lifecycle == "pending":
        return [(f"{base}/cancel", "Cancel it")]
    if order.lifecycle in ("confirmed", "completed"):
        counted = [line for line in lines if line.kind not in ("bundle", "delivery")]
        waiting = [line for line in counted if line.waiting]
        if waiting and order.is_held:
            return [(f"{base}/cancel", "Cancel and give back")]
        if any(to_fetch.values()):
            acts.append((f"{base}/ready", "Set ready to collect"))
        if any(line.kind == "physical" for line in waiting):
            acts.append((f"{base}/ship", "Send a parcel"))
        if any(line.kind != "physical" and not line.subscription_id for line in waiting):
            acts.append((f"{base}/provide", "Note as done"))
        if waiting:
            acts.append((f"{base}/change", "Change it"))
            acts.append((f"{base}/cancel", "Cancel pieces"))
        if any(
            line.fulfilled > line.returned
            and (
                line.kind in ("physical", "service") or (line.numbered and not line.subscription_id)
            )
            for line in counted
        ):
            acts.append((f"{base}/return", "Take pieces back"))
    if order.number is not None:
        acts.append((f"{base}/refund", "Give money back"))
    return acts


def _words(
    followed: Followed, account: Account, taken_by: str, agreed: Sequence[Consent]
) -> dict[str, Any]:
    order, currency = followed.order, followed.order.currency
    goods = [line for line in followed.placed if line.kind != "delivery"]
    where = order_words.goes_to(followed)
    return {
        "public_id": order.public_id,
        "number": order.number or f"Order of {account.name}, {order.lifecycle}",
        "placed_at": order.placed_at or order.created_at,
        "customer": account.name,
        "customer_href": f"/desk/customers/{account.public_id}",
        "email": order.email,
        "account_number": account.number,
        "lifecycle": shown.LIFECYCLE[order.lifecycle],
        "payment": shown.PAYMENT[order.payment],
        "fulfilment": shown.FULFILMENT[order.fulfilment],
        "lines": [_line(followed, one, where) for one in grouping.standing(goods)],
        "back_orders_href": f"/desk/stock/back-orders?q={order.number}" if order.number else "",
        "totals": [
            *(
                (line.name, Money(line.priced_minor, currency), "line")
                for line in followed.placed
                if line.kind == "delivery"
            ),
            *_tax_rows(followed.placed, Money(order.tax_minor, currency)),
        ],
        "total": Money(order.due_now_minor, currency),
        "worth": order_words.worth(order),
        "parcels": order_words.parcels(followed),
        "pick_ups": order_words.pick_ups(followed),
        "changes": order_words.changes(followed),
        "added": order_words.added(followed),
        "taken_by": taken_by,
        "references": [
            (label, text)
            for label, text in (
                ("Their order", order.purchase_order),
                ("Cost centre", order.cost_centre),
            )
            if text
        ],
        "consents": agreed,
        "visit": followed.visit,
        "paid_by": [(row.label, row.amount) for row in followed.paid_by],
        "recurring": [],
        "delivery": _delivery(followed),
        "documents": [
            {
                "name": f"{_PAPERS.get(row.kind, 'Bill')} {row.number}",
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
            ("Held until somebody has checked it", order.held_at),
            ("Approved", order.decided_at if order.lifecycle != "cancelled" else None),
            (f"Cancelled: {order.cancel_reason or ''}", order.cancelled_at),
            *((f"Payment {row.number}", row.captured_at) for row in followed.payments),
            *(
                (f"{_PAPERS.get(row.kind, 'Bill')} {row.number} issued", row.issued_at)
                for row in followed.invoices
            ),
            *order_words.moments(followed),
        ),
    }


def _tax_rows(lines: Sequence[OrderLine], tax: Money) -> list[tuple[Any, ...]]:
    """Tax on top, and what the prices contain."""
    contained = Money(sum(line.contained_minor for line in lines), tax.currency)
    note = f"beside {contained.decimal()} within the prices" if contained else ""
    return [("Tax", tax - contained, "tax", note)]


def _line(followed: Followed, standing: Standing, where: Mapping[uuid.UUID, str]) -> dict[str, Any]:
    line, currency = standing.line, followed.order.currency
    notes = [
        *followed.named.get(line.id, ()),
        _price(line.price_trace),
        where.get(line.id, ""),
    ]
    return {
        "sku": line.sku,
        "name": line.name,
        "quantity": line.quantity,
        "unit_price": extend(line.unit_price_micros, 1, currency),
        "total": Money(standing.priced_minor, currency),
        "note": ", ".join(note for note in notes if note),
        **_progress(followed, line),
        "pieces": [_piece(followed, piece) for piece in standing.pieces],
    }


def _progress(followed: Followed, line: OrderLine) -> dict[str, Any]:
    """Where a line's pieces are, in the words of its customer's page; ``awaited``: so many wait for stock."""
    awaited = followed.awaited.get(line.id, 0)
    is_fetched = line.id in deliveries.picked_up(followed.lines)
    return {"state": order_words.progress(line, is_fetched, awaited), "awaited": awaited}


def _price(trace: Mapping[str, Any]) -> str:
    """Whose price it is, where it is not everybody's."""
    if trace.get("quote"):
        return "as quoted"
    return f"price list {trace['list']}" if trace.get("list") and trace.get("priority") else ""


def _piece(followed: Followed, line: OrderLine) -> dict[str, Any]:
    """A piece of a bundle, with its part of the price and what it sells for by itself."""
    trace, currency = line.price_trace, followed.order.currency
    share = f"{trace.get('weight')} of {trace.get('of_weight')}"
    alone = Money(line.sale_price_minor or 0, currency).decimal()
    return {
        "sku": line.sku,
        "name": line.name,
        "quantity": line.quantity,
        "total": Money(line.priced_minor, currency),
        "note": f"{share}; alone {alone}",
        **_progress(followed, line),
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
