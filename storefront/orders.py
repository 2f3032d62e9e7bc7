"""Following an order by its link: whoever holds the token that the mail carried sees this order."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, redirect
from werkzeug.wrappers import Response as BaseResponse

from cart import address
from core.kernel.money import Money, extend
from core.orders import deliveries, grouping
from core.orders.grouping import Standing
from core.orders.models import Order, OrderLine
from core.prices.bundles import INTERVALS
from flows.follow_order import Followed
from flows.pay_bill import NothingToPay, pay_order
from invoices.document import InvoiceDocument
from payments import operations
from payments.gateway import GatewayError
from storefront import claim, disputes, order_next, shown
from storefront.order_link import document_of, followed
from storefront.returns import may_ask
from web import limits, order_words, packs
from web.access import Guard, Who, allow
from web.cards import State
from web.context import house, today
from web.documents import State as LineState
from web.documents import bill_of, pdf_response
from web.filters import date_words, slot_words
from web.flashes import say
from web.packs import PieceRow
from web.pages import page

orders = Blueprint("orders", __name__, template_folder="templates")

_PAYMENT = {
    "awaiting": State("wait", "Waiting for payment"),
    "on_terms": State("wait", "To be paid by bill"),
    "paid": State("go", "Paid"),
    "released": State("", "Not paid"),
    "refund_due": State("wait", "Being paid back"),
    "refunded": State("go", "Paid back"),
}
_PAPERS = {"credit_memo": "Credit memo", "debit_memo": "Debit memo"}
_FULFILMENT = {
    "unfulfilled": State("", "Not sent yet"),
    "partial": State("wait", "Partly sent"),
    "fulfilled": State("go", "All done"),
}


@orders.get("/o/<public_id>/<token>")
@allow(Who.EVERYBODY, Guard.NONE)
def show(public_id: str, token: str) -> str:
    """The order, where it stands and its papers."""
    order = followed(public_id, token, with_awaited=True)
    return page(
        "storefront/order.html",
        order=_words(order),
        pay=_to_pay(order),
        claim=claim.offered(order),
        return_href=f"/o/{public_id}/{token}/return" if may_ask(order) else "",
        cancel_action="",
    )


@orders.post("/o/<public_id>/<token>/pay")
@allow(Who.EVERYBODY)
@limits.limit("checkout")
def pay(public_id: str, token: str) -> BaseResponse:
    """Pay what is open of the order's bills."""
    order = followed(public_id, token)
    waiting = _waiting_for_payment(order)
    if waiting is not None:
        return redirect(waiting, 303)
    try:
        return redirect(pay_order(house(), order.order.id), 303)
    except NothingToPay as error:
        say(str(error), "warn")
    except GatewayError:
        say("Our payment partner does not answer. Nothing was charged.", "warn")
    return redirect(f"/o/{public_id}/{token}", 303)


def _waiting_for_payment(followed: Followed) -> str | None:
    """The processor's page of an order that staff took on the phone, as long as it is open."""
    if followed.order.lifecycle != "pending" or followed.order.taken_by is None:
        return None
    with house().db.reading() as session:
        operation = operations.of_order(session, followed.order.id)
    if operation is None or not operations.can_be_paid(operation, house().clock.now()):
        return None
    return operation.redirect_url


def _to_pay(followed: Followed) -> dict[str, Any] | None:
    if _waiting_for_payment(followed) is not None:
        return {
            "due": Money(followed.order.due_now_minor, followed.order.currency),
            "action": f"/o/{followed.order.public_id}/"
            f"{house().links.order_token(followed.order.public_id)}/pay",
            "text": "It is held for you until it is paid, for a day at most.",
        }
    if not followed.due:
        return None
    dates = [item.due_date for item in followed.open_items.values() if item.due_date is not None]
    by = f" It is due on {date_words(min(dates))}." if dates else ""
    return {
        "due": followed.due,
        "action": f"/o/{followed.order.public_id}/"
        f"{house().links.order_token(followed.order.public_id)}/pay",
        "text": f"The bill of this order is open.{by}",
    }


@orders.get("/o/<public_id>/<token>/thanks")
@allow(Who.EVERYBODY, Guard.NONE)
def thanks(public_id: str, token: str) -> str:
    """Placed: what happens next."""
    order = followed(public_id, token)
    return page(
        "storefront/confirmation.html",
        order=_words(order),
        next=order_next.steps(order),
        account_href="",
    )


@orders.get("/o/<public_id>/<token>/bills/<invoice_id>")
@allow(Who.EVERYBODY, Guard.NONE)
def bill(public_id: str, token: str, invoice_id: str) -> str:
    """The order's bill as a page."""
    order = followed(public_id, token)
    invoice = document_of(order, invoice_id)
    base = f"{order.order.public_id}/{token}/bills/{invoice_id}"
    return page(
        "storefront/bill.html",
        document=InvoiceDocument.from_dict(invoice.document),
        bill=bill_of(invoice, order.open_items.get(invoice.id), today())._replace(payable=False),
        pdf_href=f"/o/{base}.pdf" if invoice.id in order.stored else "",
        pay_action="",
        disputes=disputes.leads(order, f"/o/{public_id}/{token}", invoice),
        guest=True,
        events=[],
        qr=None,
    )


@orders.get("/o/<public_id>/<token>/bills/<invoice_id>.pdf")
@allow(Who.EVERYBODY, Guard.NONE)
def bill_pdf(public_id: str, token: str, invoice_id: str) -> Response:
    """The order's bill as it was stored."""
    invoice = document_of(followed(public_id, token), invoice_id)
    with house().db.reading() as session:
        return pdf_response(session, house().blobs, invoice)


def _first_name(order: Order) -> str:
    """Of whom it goes to; a quote's places have names of their own, which are nobody's."""
    to = {} if order.quote_version_id else order.shipping_address or {}
    return str(to.get("name", "")).partition(" ")[0]


def _words(followed: Followed) -> dict[str, Any]:
    order = followed.order
    href = house().links.order(order.public_id)
    currency = order.currency
    goods = [line for line in followed.placed if line.kind != "delivery"]
    return {
        "number": order.number or "not confirmed yet",
        "placed_at": order.placed_at or order.created_at,
        "first_name": _first_name(order),
        "email": order.email,
        "href": href,
        "is_held": order.is_held,
        "payment": _payment_state(followed),
        "fulfilment": _fulfilment(followed),
        "parcels": order_words.parcels(followed),
        "pick_ups": [one for one in order_words.pick_ups(followed) if one["is_ready"]],
        "changes": order_words.changes(followed),
        "added": order_words.added(followed),
        "payment_words": _payment_words(followed),
        "visit": slot_words(followed.visit) if followed.visit is not None else "",
        "references": [
            (label, text)
            for label, text in (
                ("Your order", order.purchase_order),
                ("Cost centre", order.cost_centre),
            )
            if text
        ],
        "is_paid": _payment_state(followed) == _PAYMENT["paid"],
        "lines": [_line(followed, one) for one in grouping.standing(goods)],
        "totals": _totals(order, followed.placed),
        "total": Money(order.due_now_minor, currency),
        "worth": order_words.worth(order),
        "total_note": shown.contains(
            Money(sum(line.contained_minor for line in followed.placed), currency)
        ),
        "paid_by": _paid_by(followed),
        "recurring": coming_again(goods, currency),
        "delivery": _delivery(order),
        "documents": [
            {
                "name": f"{_PAPERS.get(invoice.kind, 'Bill')} {invoice.number}",
                "href": f"{href}/bills/{invoice.public_id}",
                "pdf_href": f"{href}/bills/{invoice.public_id}.pdf"
                if invoice.id in followed.stored
                else "",
                "state": _open_words(followed, invoice.id),
            }
            for invoice in followed.invoices
        ],
        "events": _events(followed),
    }


def coming_again(goods: Sequence[OrderLine], currency: str) -> list[tuple[Money, str, str]]:
    """What comes again, and how often; the same plan for several places is told once."""
    sums: dict[tuple[str, str], list[int]] = {}
    for line in goods:
        if line.charge_kind != "one_off":
            sums.setdefault((line.charge_kind, line.name), []).append(line.priced_minor)
    return [
        (
            Money(sum(prices), currency),
            every.removesuffix("ly"),
            name if len(prices) == 1 else f"{len(prices)} × {name}",
        )
        for (every, name), prices in sums.items()
    ]


def _payment_state(followed: Followed) -> State:
    """An order on terms is paid once its bill is: the ledger says so."""
    if followed.order.payment == "on_terms" and followed.invoices and not followed.due:
        return _PAYMENT["paid"]
    return _PAYMENT[followed.order.payment]


def _fulfilment(followed: Followed) -> State:
    """Sent where there is something to send; cancelled where all of it is."""
    if followed.order.lifecycle == "cancelled":
        return State("bad", "Cancelled")
    if followed.order.is_held:
        return State("wait", "We check it")
    if any(one.row.state == "ready" for one in followed.pick_ups):
        return State("wait", "Ready to collect")
    fetched = any(one.row.kind == "pickup" for one in followed.sent)
    if followed.order.fulfilment == "fulfilled" and fetched:
        return State("go", "Handed over")
    if followed.order.fulfilment == "fulfilled" and any(
        line.kind == "physical" and line.fulfilled for line in followed.lines
    ):
        return State("go", "Sent")
    if followed.order.fulfilment == "unfulfilled" and not any(
        line.kind == "physical" for line in followed.lines
    ):
        return State("", "Not done yet")
    return _FULFILMENT[followed.order.fulfilment]


def _open_words(followed: Followed, invoice_id: Any) -> State:
    item = followed.open_items.get(invoice_id)
    kind = next(row.kind for row in followed.invoices if row.id == invoice_id)
    if kind == "credit_memo":
        kept = item is not None and item.open
        return (
            State("go", f"{item.open.decimal()} kept for you")
            if item and kept
            else State("", "Used")
        )
    if item is None or not item.open:
        return State("go", "Paid")
    return State("wait", f"{item.open.decimal()} to pay")


def _line(followed: Followed, standing: Standing) -> dict[str, Any]:
    line = standing.line
    slug, picture = ("", "")
    if line.variant_id in followed.pictures:
        slug, picture = followed.pictures[line.variant_id]
    currency = followed.order.currency
    return {
        "name": line.name,
        "picture": picture,
        "href": f"/p/{slug}" if slug else "",
        "quantity": line.quantity,
        "unit_price": extend(line.unit_price_micros, 1, currency),
        "total": Money(standing.priced_minor, currency),
        "note": _first(line),
        "numbers": followed.named.get(line.id, ()),
        "state": _state(followed, line),
        "pieces": [_piece(followed, piece) for piece in standing.pieces],
    }


def _state(followed: Followed, line: OrderLine) -> LineState | None:
    is_fetched = line.id in deliveries.picked_up(followed.lines)
    return order_words.progress(line, is_fetched, followed.awaited.get(line.id, 0))


def _first(line: OrderLine) -> str:
    interval = INTERVALS.get(line.charge_kind)
    return f"The {packs.FIRST[interval]}" if interval else ""


def _piece(followed: Followed, line: OrderLine) -> PieceRow:
    """A piece of a bundle, below it."""
    amount = Money(line.priced_minor, followed.order.currency)
    state = _state(followed, line)
    said = (*followed.named.get(line.id, ()), _first(line), state.text if state else "")
    note = ", ".join(part for part in said if part)
    return PieceRow(packs.counted(line.name, line.quantity), amount, note)


def _totals(order: Order, lines: Any) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = [
        (line.name, Money(line.priced_minor, order.currency), "line")
        for line in lines
        if line.kind == "delivery"
    ]
    contained = sum(line.contained_minor for line in lines)
    if contained and contained == order.tax_minor:
        return rows
    return [*rows, ("Sales tax", Money(order.tax_minor - contained, order.currency), "tax")]


def _delivery(order: Order) -> dict[str, Any] | None:
    if not order.shipping_address:
        return None
    return {
        "name": order.shipping_address.get("name", ""),
        "lines": address.lines(order.shipping_address),
        "method": (order.shipping_method or "").capitalize(),
        "when": "",
    }


def _paid_by(followed: Followed) -> list[tuple[str, Money]]:
    """How it was paid, where that is more than one way or no card."""
    if {row.kind for row in followed.paid_by} <= {"card", "terms"}:
        return []
    card = followed.payments[-1].instrument if followed.payments else ""
    return [
        (card if row.kind == "card" and card else row.label, row.amount) for row in followed.paid_by
    ]


def _payment_words(followed: Followed) -> str:
    if rows := _paid_by(followed):
        return "Paid by " + " and ".join(label[0].lower() + label[1:] for label, _ in rows)
    if followed.payments:
        return f"Paid by {followed.payments[-1].instrument}"
    return "You pay by bill" if followed.order.payment == "on_terms" else ""


def _events(followed: Followed) -> list[dict[str, Any]]:
    order = followed.order
    events: list[dict[str, Any]] = [
        {"title": "You ordered", "text": "", "at": order.created_at, "state": "done"}
    ]
    events += [
        {
            "title": f"Paid by {payment.instrument}",
            "text": "",
            "at": payment.captured_at,
            "state": "done",
        }
        for payment in followed.payments
    ]
    events += [
        {
            "title": f"{_PAPERS.get(invoice.kind, 'Bill')} {invoice.number} was written",
            "text": "",
            "at": invoice.issued_at,
            "state": "done",
        }
        for invoice in followed.invoices
    ]
    events += [
        {"title": title, "text": "", "at": at, "state": "done"}
        for title, at in order_words.moments(followed)
        if at is not None
    ]
    if order.cancelled_at is not None:
        events.append(
            {"title": "It was cancelled", "text": "", "at": order.cancelled_at, "state": "bad"}
        )
    return sorted(events, key=lambda event: event["at"], reverse=True)
