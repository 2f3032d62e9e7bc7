"""What programs are told of by webhook: from an event of the house to a thin, versioned message.

``OF`` says which event makes which news. Handlers run it in their transaction and may run twice: each
piece of news has a key. Nothing here holds a name or an address: whoever is told asks
the API with a key of theirs.
"""

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from cart.quotes.models import Quote, QuoteVersion
from core import events
from core.hooks import deliveries, endpoints
from core.hooks.deliveries import News
from core.ledger import settled
from core.orders import placing
from core.orders.fulfilment_models import Fulfilment, OrderChange
from core.orders.models import Order
from core.orders.pickup_models import PickUp
from core.stock import back_orders
from core.stock.models import Location
from core.subscriptions.models import Subscription
from core.subscriptions.trial_models import Trial
from flows import collecting_news
from flows.house import House
from flows.news import Table, money, number_of
from invoices.disputes.models import Dispute
from invoices.models import Invoice
from payments.models import Payment, Refund

#: Bills that came to nothing longer ago were told, or nobody listened then.
_LATELY = timedelta(days=7)


def tell(session: Session, house: House, event: Any) -> int:
    """Write down what an event is to programs, for whoever listens; says how many deliveries it makes."""
    kinds, compose = OF[event.NAME]
    if not endpoints.anybody(session, kinds):
        return 0
    now = house.clock.now()
    return sum(deliveries.tell(session, news, now) for news in compose(session, event, now))


# --- orders -----------------------------------------------------------------------------------


def _order(
    session: Session,
    order: Order,
    kind: str,
    key: str,
    at: datetime,
    more: Mapping[str, Any] | None = None,
) -> News:
    data = {
        "order": order.public_id,
        "number": order.number,
        "account": number_of(session, order.payer_account_id),
        "status": order.lifecycle,
        "payment_status": order.payment,
        "fulfilment_status": order.fulfilment,
        "held": order.is_held,
        "due_now": money(order.due_now_minor, order.currency),
        **(more or {}),
    }
    return News(kind, key, order.channel_id, at, data)


def _placed(session: Session, event: events.OrderPlaced, now: datetime) -> Iterator[News]:
    order = session.get_one(Order, uuid.UUID(event.order_id))
    at = order.placed_at or now
    yield _order(session, order, "order.placed", f"order.placed:{order.id}", at)
    if order.payment == "paid":
        yield _order(session, order, "order.paid", f"order.paid:{order.id}", at)


def _approved(session: Session, event: events.OrderApproved, now: datetime) -> Iterator[News]:
    order = session.get_one(Order, uuid.UUID(event.order_id))
    yield _order(
        session, order, "order.approved", f"order.approved:{order.id}", order.decided_at or now
    )


def _shipped(session: Session, event: events.OrderShipped, now: datetime) -> Iterator[News]:
    row = session.get_one(Fulfilment, uuid.UUID(event.fulfilment_id))
    order = session.get_one(Order, row.order_id)
    more = {
        "shipment": row.public_id,
        "kind": row.kind,
        "carrier": row.carrier,
        "tracking_number": row.tracking_number,
        "tracking_link": row.tracking_link,
    }
    yield _order(session, order, "order.shipped", f"order.shipped:{row.id}", row.at, more)


def _delivered(session: Session, event: events.OrderDelivered, now: datetime) -> Iterator[News]:
    row = session.get_one(Fulfilment, uuid.UUID(event.fulfilment_id))
    order = session.get_one(Order, row.order_id)
    at = row.delivered_at or now
    more = {"shipment": row.public_id, "delivered_at": at.isoformat()}
    yield _order(session, order, "order.delivered", f"order.delivered:{row.id}", at, more)


def _pick_up(session: Session, event: events.PickUpMoved, now: datetime) -> Iterator[News]:
    row = session.get_one(PickUp, uuid.UUID(event.pick_up_id))
    at = row.ready_at if event.how == "ready" else row.ended_at or now
    yield _fetched(session, row, f"order.{event.how}", at)


def _released(session: Session, event: events.BackOrderReleased, now: datetime) -> Iterator[News]:
    reference, pieces = back_orders.of_batch(session, uuid.UUID(event.batch))
    order = placing.by_public_id(session, reference.removeprefix("order:"))
    skus = {row.variant_id: row.sku for row in placing.lines_of(session, order.id)}
    named = [{"sku": skus[key], "quantity": many} for key, many in pieces.items() if key in skus]
    key = f"order.released:{event.batch}"
    yield _order(session, order, "order.released", key, now, {"lines": named})


def _fetched(session: Session, row: PickUp, kind: str, at: datetime) -> News:
    order = session.get_one(Order, row.order_id)
    place = session.get_one(Location, row.location_id)
    more = {"pick_up": row.public_id, "location": place.code}
    return _order(session, order, kind, f"{kind}:{row.id}", at, more)


def _changed(session: Session, event: events.OrderChanged, now: datetime) -> Iterator[News]:
    row = session.get_one(OrderChange, uuid.UUID(event.change_id))
    order = session.get_one(Order, row.order_id)
    at = row.asked_at if event.how in ("asked", "announced") else (row.done_at or now)
    key = f"order.changed:{row.id}:{event.how}"
    more = {"change": row.public_id, "how": event.how, "reason": row.reason}
    yield _order(session, order, "order.changed", key, at, more)


# --- bills and money --------------------------------------------------------------------------


def _invoice(session: Session, invoice: Invoice, kind: str, at: datetime) -> News:
    data = {
        "invoice": invoice.public_id,
        "number": invoice.number,
        "kind": invoice.kind,
        "account": number_of(session, invoice.payer_account_id),
        "issue_date": invoice.issue_date.isoformat(),
        "due_date": invoice.due_date.isoformat() if invoice.due_date else None,
        "total": money(invoice.total_minor, invoice.currency),
        "order": _order_id(session, invoice.order_id),
        "corrects": _number_corrected(session, invoice),
    }
    return News(kind, f"{kind}:{invoice.id}", invoice.channel_id, at, data)


def _number_corrected(session: Session, invoice: Invoice) -> str | None:
    if invoice.corrects_id is None:
        return None
    return session.get_one(Invoice, invoice.corrects_id).number


def _order_id(session: Session, order_id: uuid.UUID | None) -> str | None:
    return None if order_id is None else session.get_one(Order, order_id).public_id


def _issued(session: Session, event: events.InvoiceIssued, now: datetime) -> Iterator[News]:
    invoice = session.get_one(Invoice, uuid.UUID(event.invoice_id))
    if not invoice.is_external:
        yield _invoice(session, invoice, "invoice.issued", invoice.issued_at)


def _settled(session: Session, event: events.OpenItemsChanged, now: datetime) -> Iterator[News]:
    for key in settled.lately(session, uuid.UUID(event.account_id), now - _LATELY):
        invoice = session.get(Invoice, key)
        if invoice is None or invoice.is_external:
            continue
        yield _invoice(session, invoice, "invoice.paid", now)
        if invoice.order_id is not None and invoice.kind == "invoice":
            order = session.get_one(Order, invoice.order_id)
            yield _order(session, order, "order.paid", f"order.paid:{order.id}", now)


def _payment(session: Session, event: events.PaymentApplied, now: datetime) -> Iterator[News]:
    row = session.get_one(Payment, uuid.UUID(event.payment_id))
    data = {
        "payment": row.public_id,
        "number": row.number,
        "account": number_of(session, row.account_id),
        "amount": money(row.amount_minor, row.currency),
        "order": _order_id(session, row.order_id),
    }
    channel = _channel_of(session, row.order_id)
    yield News("payment.received", f"payment.received:{row.id}", channel, row.captured_at, data)


def _channel_of(session: Session, order_id: uuid.UUID | None) -> uuid.UUID | None:
    return None if order_id is None else session.get_one(Order, order_id).channel_id


def _refunded(session: Session, event: events.RefundMade, now: datetime) -> Iterator[News]:
    row = session.get_one(Refund, uuid.UUID(event.refund_id))
    payment = session.get_one(Payment, row.payment_id)
    data = {
        "payment": payment.public_id,
        "number": payment.number,
        "account": number_of(session, payment.account_id),
        "amount": money(row.amount_minor, row.currency),
        "order": _order_id(session, payment.order_id),
        "reason": row.reason,
    }
    channel = _channel_of(session, payment.order_id)
    yield News("refund.made", f"refund.made:{row.id}", channel, now, data)


def _dispute(session: Session, row: Dispute, kind: str, key: str, at: datetime) -> News:
    invoice = session.get_one(Invoice, row.invoice_id)
    data = {
        "dispute": row.public_id,
        "number": row.number,
        "account": number_of(session, row.account_id),
        "invoice": invoice.public_id,
        "invoice_number": invoice.number,
        "status": row.state,
        "reason": row.reason,
        "amount": money(row.amount_minor, invoice.currency),
        "outcome": row.outcome,
        "credited": money(row.credited_minor, invoice.currency),
    }
    return News(kind, key, invoice.channel_id, at, data)


def _disputed(session: Session, event: events.DisputeOpened, now: datetime) -> Iterator[News]:
    row = session.get_one(Dispute, uuid.UUID(event.dispute_id))
    yield _dispute(session, row, "dispute.opened", f"dispute.opened:{row.id}", row.opened_at)


def _decided(session: Session, event: events.DisputeClosed, now: datetime) -> Iterator[News]:
    row = session.get_one(Dispute, uuid.UUID(event.dispute_id))
    at = row.closed_at or now
    yield _dispute(session, row, "dispute.closed", f"dispute.closed:{row.id}", at)


# --- services, quotes, trials -----------------------------------------------------------------


def _service(
    session: Session, row: Subscription, kind: str, key: str, at: datetime, **more: Any
) -> News:
    data = {
        "subscription": row.public_id,
        "account": number_of(session, row.service_account_id),
        "payer": number_of(session, row.payer_account_id),
        "status": row.state,
        "activated_on": row.activated_on.isoformat() if row.activated_on else None,
        "ended_on": row.ended_on.isoformat() if row.ended_on else None,
        **more,
    }
    return News(kind, key, row.channel_id, at, data)


def _started(
    session: Session, event: events.SubscriptionActivated, now: datetime
) -> Iterator[News]:
    row = session.get_one(Subscription, uuid.UUID(event.subscription_id))
    yield _service(session, row, "subscription.started", f"subscription.started:{row.id}", now)


def _turned(session: Session, event: events.SubscriptionChanged, now: datetime) -> Iterator[News]:
    row = session.get_one(Subscription, uuid.UUID(event.subscription_id))
    key = f"subscription.changed:{row.id}:{event.revision}:{event.what}"
    more = {"what": event.what, "revision": event.revision}
    yield _service(session, row, "subscription.changed", key, now, **more)


def _over(session: Session, event: events.SubscriptionEnded, now: datetime) -> Iterator[News]:
    row = session.get_one(Subscription, uuid.UUID(event.subscription_id))
    more = {"reason": row.end_reason}
    yield _service(session, row, "subscription.ended", f"subscription.ended:{row.id}", now, **more)


def _quote(session: Session, row: Quote, kind: str, key: str, at: datetime, **more: Any) -> News:
    data = {
        "quote": row.public_id,
        "number": row.number,
        "account": number_of(session, row.account_id),
        "status": row.state,
        "value": money(row.value_minor, row.currency),
        **more,
    }
    return News(kind, key, row.channel_id, at, data)


def _asked(session: Session, event: events.QuoteRequested, now: datetime) -> Iterator[News]:
    row = session.get_one(Quote, uuid.UUID(event.quote_id))
    yield _quote(session, row, "quote.requested", f"quote.requested:{row.id}", row.requested_at)


def _offered(session: Session, event: events.QuoteSent, now: datetime) -> Iterator[News]:
    version = session.get_one(QuoteVersion, uuid.UUID(event.version_id))
    row = session.get_one(Quote, version.quote_id)
    more = {
        "version": version.number,
        "valid_through": version.valid_through.isoformat() if version.valid_through else None,
    }
    yield _quote(session, row, "quote.sent", f"quote.sent:{version.id}", now, **more)


def _closed(session: Session, event: events.QuoteClosed, now: datetime) -> Iterator[News]:
    row = session.get_one(Quote, uuid.UUID(event.quote_id))
    if event.how in ("accepted", "declined"):
        at = row.closed_at or now
        key = f"quote.{event.how}:{row.id}:{at.isoformat()}"
        yield _quote(session, row, f"quote.{event.how}", key, at, reason=row.close_reason)


def _trial(session: Session, row: Trial, kind: str, key: str, at: datetime, **more: Any) -> News:
    service = session.get(Subscription, row.subscription_id) if row.subscription_id else None
    data = {
        "trial": row.public_id,
        "kind": row.kind,
        "account": number_of(session, row.account_id),
        "status": row.state,
        "starts_on": row.starts_on.isoformat() if row.starts_on else None,
        "ends_on": row.ends_on.isoformat() if row.ends_on else None,
        "subscription": service.public_id if service else None,
        **more,
    }
    return News(kind, key, service.channel_id if service else None, at, data)


def _tried(session: Session, event: events.TrialStarted, now: datetime) -> Iterator[News]:
    row = session.get_one(Trial, uuid.UUID(event.trial_id))
    yield _trial(session, row, "trial.started", f"trial.started:{row.id}", now)


def _trial_over(session: Session, event: events.TrialEnded, now: datetime) -> Iterator[News]:
    row = session.get_one(Trial, uuid.UUID(event.trial_id))
    key = f"trial.ended:{row.id}:{event.how}"
    yield _trial(session, row, "trial.ended", key, row.closed_at or now, how=event.how)


#: Event -> the types that it may bring, and what puts them together.
OF: Table = {
    "OrderPlaced": (("order.placed", "order.paid"), _placed),
    "OrderApproved": (("order.approved",), _approved),
    "OrderShipped": (("order.shipped",), _shipped),
    "OrderDelivered": (("order.delivered",), _delivered),
    "BackOrderReleased": (("order.released",), _released),
    "PickUpMoved": (("order.ready", "order.collected"), _pick_up),
    "OrderChanged": (("order.changed",), _changed),
    "InvoiceIssued": (("invoice.issued",), _issued),
    "OpenItemsChanged": (("invoice.paid", "order.paid"), _settled),
    "PaymentApplied": (("payment.received",), _payment),
    "RefundMade": (("refund.made",), _refunded),
    "DisputeOpened": (("dispute.opened",), _disputed),
    "DisputeClosed": (("dispute.closed",), _decided),
    "SubscriptionActivated": (("subscription.started",), _started),
    "SubscriptionChanged": (("subscription.changed",), _turned),
    "SubscriptionEnded": (("subscription.ended",), _over),
    "QuoteRequested": (("quote.requested",), _asked),
    "QuoteSent": (("quote.sent",), _offered),
    "QuoteClosed": (("quote.accepted", "quote.declined"), _closed),
    "TrialStarted": (("trial.started",), _tried),
    "TrialEnded": (("trial.ended",), _trial_over),
    **collecting_news.OF,
}
