"""Handlers of what becomes of orders: services that a system begins, what their days bring and earn, gift
cards that end, asking afterwards.

``app.handlers`` has the table.
"""

import uuid

from sqlalchemy.orm import Session

from core import events
from core.orders.fulfilment_models import OrderChange
from flows import ask_after as asking
from flows import begin_added, earn, end_services, provision_service, sell_gift_cards
from flows.house import House


def provision(house: House, event: events.ProvisionWanted) -> None:
    """A try that was refused is a state; the next one is called for by the clock, or by a person."""
    key = uuid.UUID(event.provisioning_id)
    provision_service.provision(house, key, event.round, event.tries)


def round_(house: House, _: object) -> None:
    """What is to be tried again is called for, and what waited for its bill begins."""
    begin_added.run(house)
    provision_service.run(house)


def follow(
    session: Session,
    house: House,
    event: events.SubscriptionActivated | events.SubscriptionEnded,
) -> None:
    """A service that began or ended otherwise is not asked for any more."""
    key = uuid.UUID(event.subscription_id)
    provision_service.follow(session, key, "system", house.clock.now())


def services(house: House, _: object) -> None:
    """A service that could not be brought to today stands in the log; the next round tries again."""
    end_services.run(house)


def earn_days(house: House, _: object) -> None:
    """A payer whose revenue could not be earned stands in the log; the next round tries again."""
    earn.run(house)


def ask_after(house: House, _: object) -> None:
    """Whoever has had everything for some days is asked whether all was well."""
    asking.run(house)


def return_cards(house: House, event: events.OrderChanged) -> None:
    """The gift cards of what was cancelled end, and their worth goes back."""
    if event.how == "cancelled":
        with house.db.reading() as session:
            order_id = session.get_one(OrderChange, uuid.UUID(event.change_id)).order_id
        sell_gift_cards.take_back(house, order_id)
