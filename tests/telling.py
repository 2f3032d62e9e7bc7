"""Everything of a shop that an event could be about, put together as the messages that programs get."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart.quotes.models import Quote, QuoteVersion
from core import events
from core.hooks.deliveries import News
from core.kernel.jobs import Job
from core.orders.fulfilment_models import Fulfilment, OrderChange
from core.orders.models import Order
from core.orders.pickup_models import PickUp
from core.parties.models import Account
from core.stock.back_order_models import BackOrderRelease
from core.subscriptions.models import Subscription
from core.subscriptions.trial_models import Trial
from flows.house import House
from flows.tell_programs import OF
from invoices.disputes.models import Dispute
from invoices.models import Invoice
from payments.automatic_models import AutoPayRule
from payments.chargebacks import ChargebackRow
from payments.dunning.cases import TOLD
from payments.dunning.models import DunningAct
from payments.models import Payment, PaymentOperation, Refund


def everything(session: Session, now: datetime) -> Iterator[News]:
    """Each row as if what it stands for had just happened."""
    for event in (*_events(session), *_collecting(session)):
        yield from OF[event.NAME][1](session, event, now)


def happened(house: House, *names: str) -> list[tuple[str, dict[str, Any]]]:
    """What programs would be told of these events of the house, in their order: type and data."""
    with house.db.snapshot() as session:
        jobs = session.scalars(
            select(Job).where(Job.name.in_(names), Job.handler == "tell_programs").order_by(Job.id)
        )
        found = [events.load(job.name, job.payload_version, job.payload) for job in jobs]
        return [
            (news.kind, dict(news.data))
            for event in found
            for news in OF[event.NAME][1](session, event, house.clock.now())
        ]


def _collecting(session: Session) -> Iterator[Any]:
    for key in session.scalars(select(ChargebackRow.id)):
        for how in ("warned", "opened", "answered", "closed"):
            yield events.ChargebackMoved(str(key), how)
    for key in session.scalars(select(AutoPayRule.id)):
        yield events.AutoPayMoved(str(key), "started")
        yield events.AutoPayMoved(str(key), "stopped")
    for key in session.scalars(select(DunningAct.id).where(DunningAct.kind.in_(TOLD))):
        yield events.CaseMoved(str(key))


def _events(session: Session) -> Iterator[Any]:
    def keys(model: Any, *where: Any) -> list[str]:
        return [str(key) for key in session.scalars(select(model.id).where(*where))]

    for event, model, where in (
        (events.OrderPlaced, Order, [Order.number.is_not(None)]),
        (events.OrderApproved, Order, [Order.held_at.is_not(None)]),
        (events.OrderShipped, Fulfilment, []),
        (events.OrderDelivered, Fulfilment, [Fulfilment.kind == "parcel"]),
        (events.InvoiceIssued, Invoice, []),
        (events.OpenItemsChanged, Account, []),
        (events.PaymentApplied, Payment, []),
        (events.ChargeFailed, PaymentOperation, [PaymentOperation.kind == "charge"]),
        (events.RefundMade, Refund, []),
        (events.DisputeOpened, Dispute, []),
        (events.SubscriptionActivated, Subscription, []),
        (events.SubscriptionEnded, Subscription, []),
        (events.QuoteRequested, Quote, []),
        (events.QuoteSent, QuoteVersion, []),
        (events.TrialStarted, Trial, []),
    ):
        for key in keys(model, *where):
            yield event(key)
    for key in keys(OrderChange):
        yield events.OrderChanged(key, "received")
    for batch in session.scalars(select(BackOrderRelease.batch).distinct()):
        yield events.BackOrderReleased(str(batch))
    for key in keys(PickUp):
        yield events.PickUpMoved(key, "ready")
        yield events.PickUpMoved(key, "collected")
    for key in keys(Dispute):
        yield events.DisputeClosed(key, "resolved")
    for key in keys(Subscription):
        yield events.SubscriptionChanged(key, "plan", 2)
    for key in keys(Quote):
        yield events.QuoteClosed(key, "accepted")
        yield events.QuoteClosed(key, "declined")
    for key in keys(Trial):
        yield events.TrialEnded(key, "lapsed")
