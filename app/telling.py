"""Whom each event is told to by mail: the handlers of ``app.handlers`` that only write, each within the
transaction that ends its job.
"""

import uuid

from sqlalchemy.orm import Session

from core import events
from flows import notify, notify_service, tell_chargeback, tell_dispute, tell_order, tell_quote
from flows.house import House


def statement(session: Session, house: House, event: events.StatementStored) -> None:
    notify.statement_stored(
        session, uuid.UUID(event.statement_id), event.sha256, house.links, house.clock.now()
    )


def order(session: Session, house: House, event: events.OrderPlaced) -> None:
    notify.order_placed(session, uuid.UUID(event.order_id), house.links, house.clock.now())


def parcel(session: Session, house: House, event: events.OrderShipped) -> None:
    tell_order.shipped(session, uuid.UUID(event.fulfilment_id), house.links, house.clock.now())


def approved(session: Session, house: House, event: events.OrderApproved) -> None:
    tell_order.approved(session, uuid.UUID(event.order_id), house.links, house.clock.now())


def delivered(session: Session, house: House, event: events.OrderDelivered) -> None:
    tell_order.delivered(session, uuid.UUID(event.fulfilment_id), house.links, house.clock.now())


def pick_up(session: Session, house: House, event: events.PickUpMoved) -> None:
    told = tell_order.ready if event.how == "ready" else tell_order.collected
    told(session, uuid.UUID(event.pick_up_id), house.links, house.clock.now())


def back_order(session: Session, house: House, event: events.BackOrderReleased) -> None:
    tell_order.released(session, uuid.UUID(event.batch), house.links, house.clock.now())


def change(session: Session, house: House, event: events.OrderChanged) -> None:
    change_id = uuid.UUID(event.change_id)
    tell_order.changed(session, change_id, event.how, house.links, house.clock.now())


def document(session: Session, house: House, event: events.DocumentStored) -> None:
    notify.document_stored(
        session, uuid.UUID(event.invoice_id), event.sha256, house.links, house.clock.now()
    )


def payment(session: Session, house: House, event: events.PaymentApplied) -> None:
    notify.payment_applied(session, uuid.UUID(event.payment_id), house.links, house.clock.now())


def refund(session: Session, house: House, event: events.RefundMade) -> None:
    notify.refunded(session, uuid.UUID(event.refund_id), house.links, house.clock.now())


def link(session: Session, house: House, event: events.LinkAsked) -> None:
    notify.link_asked(session, event.token_id, house.links, house.clock.now())


def service_started(session: Session, house: House, event: events.SubscriptionActivated) -> None:
    notify_service.started(
        session, uuid.UUID(event.subscription_id), house.links, house.clock.now()
    )


def service_changed(session: Session, house: House, event: events.SubscriptionChanged) -> None:
    notify_service.changed(session, event, house.links, house.clock.now())


def service_ended(session: Session, house: House, event: events.SubscriptionEnded) -> None:
    notify_service.ended(session, uuid.UUID(event.subscription_id), house.links, house.clock.now())


def quote_asked(session: Session, house: House, event: events.QuoteRequested) -> None:
    tell_quote.requested(session, uuid.UUID(event.quote_id), house.links, house.clock.now())


def quote(session: Session, house: House, event: events.QuoteStored) -> None:
    version_id = uuid.UUID(event.version_id)
    tell_quote.stored(session, version_id, event.sha256, house.links, house.clock.now())


def quote_message(session: Session, house: House, event: events.QuoteMessaged) -> None:
    tell_quote.messaged(session, uuid.UUID(event.message_id), house.links, house.clock.now())


def quote_closed(session: Session, house: House, event: events.QuoteClosed) -> None:
    quote_id = uuid.UUID(event.quote_id)
    tell_quote.closed(session, quote_id, event.how, house.links, house.clock.now())


def dispute(session: Session, house: House, event: events.DisputeOpened) -> None:
    tell_dispute.opened(session, uuid.UUID(event.dispute_id), house.links, house.clock.now())


def dispute_message(session: Session, house: House, event: events.DisputeMessaged) -> None:
    tell_dispute.messaged(session, uuid.UUID(event.message_id), house.links, house.clock.now())


def dispute_closed(session: Session, house: House, event: events.DisputeClosed) -> None:
    dispute_id = uuid.UUID(event.dispute_id)
    tell_dispute.closed(session, dispute_id, event.how, house.links, house.clock.now())


def chargeback(session: Session, house: House, event: events.ChargebackMoved) -> None:
    chargeback_id = uuid.UUID(event.chargeback_id)
    tell_chargeback.moved(session, chargeback_id, event.how, house.links, house.clock.now())


def method(session: Session, house: House, event: events.MethodStored) -> None:
    notify.method_stored(session, uuid.UUID(event.operation_id), house.links, house.clock.now())


def failed_charge(session: Session, house: House, event: events.ChargeFailed) -> None:
    notify.charge_failed(session, uuid.UUID(event.operation_id), house)
