"""A plan that was ordered: its subscription waits for activation, and period 0 is the order's."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.kernel.ids import new_id
from core.orders.models import Order, OrderLine
from core.subscriptions.models import Subscription, SubscriptionPhase

_INTERVAL = {"monthly": "month", "yearly": "year"}


def begin(session: Session, order: Order, lines: Sequence[OrderLine], now: datetime) -> None:
    """Write a subscription with its first phase for each plan line; the line carries it, and period 0."""
    for line in lines:
        if line.charge_kind == "one_off" or line.variant_id is None:
            continue
        subscription = Subscription(
            id=new_id(),
            legal_entity_id=order.legal_entity_id,
            channel_id=order.channel_id,
            currency=order.currency,
            payer_account_id=line.payer_account_id or order.payer_account_id,
            service_account_id=line.service_account_id or order.service_account_id,
            service_location=line.service_location,
            term_months=line.term_months,
            state="ordered",
            ordered_at=now,
        )
        session.add(subscription)
        session.flush()
        session.add(
            SubscriptionPhase(
                subscription_id=subscription.id,
                number=0,
                kind="paid",
                variant_id=line.variant_id,
                quantity=line.quantity,
                unit_price_micros=line.unit_price_micros,
                price_trace=line.price_trace,
                interval=_INTERVAL[line.charge_kind],
                agreed_at=now,
                agreed_by=f"order:{order.public_id}",
            )
        )
        line.subscription_id, line.period_index = subscription.id, 0
    session.flush()
