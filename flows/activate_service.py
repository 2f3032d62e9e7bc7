"""A service begins: staff activate it when it works; digital ones begin with their order."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy.orm import Session

from core.entitlements import granting
from core.orders.models import OrderLine
from core.prices import plans
from core.subscriptions import activating, reading, states
from core.subscriptions.models import Subscription
from flows import hold_service, ship_order
from flows.hold_service import Asked
from flows.house import House


def activate(house: House, asked: Asked, on: date) -> Subscription:
    """Begin it on a day, today or lately. Raises NotFound, AlreadyThere, WrongDay, StaleState, OrderHeld, and
    AwaitsPayment for what was added to its order later and is not paid.

    Its periods are billed from that day on by the next bill run; the first was its order's.
    """

    def work(session: Session) -> Subscription:
        row, now = hold_service.hold(session, house, asked), house.clock.now()
        ship_order.may_begin(session, row.id)
        activate_within(session, row, on, asked.actor, now)
        ship_order.activated(session, row.id, asked.actor, now)
        return row

    return house.db.run_tx(work)


def activate_within(
    session: Session, row: Subscription, on: date, actor: str, now: datetime
) -> Subscription:
    """The same in the caller's transaction, with the service in hand: it runs, and may be used."""
    activating.activate(session, row, on, actor, now)
    granting.grant(session, row, states.today(session, row, now), actor, now)
    return row


def at_once(
    session: Session, lines: Iterable[OrderLine], actor: str, now: datetime
) -> list[OrderLine]:
    """Begin what needs nobody to connect it: the plans of an order that becomes certain; answers their
    lines."""
    begun: list[OrderLine] = []
    found = [line for line in lines if line.subscription_id and line.variant_id]
    if not found:
        return begun
    known = plans.of_variants(session, [line.variant_id for line in found if line.variant_id])
    for line in found:
        plan = known.get(line.variant_id) if line.variant_id else None
        if plan is None or plan.activation != "at_once" or line.subscription_id is None:
            continue
        row = reading.lock(session, line.subscription_id)
        activate_within(session, row, states.today(session, row, now), actor, now)
        begun.append(line)
    return begun
