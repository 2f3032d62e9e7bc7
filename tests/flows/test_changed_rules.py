"""What staff change of taxes, deliveries and terms holds for the next order, whoever keeps what was."""

import pytest
from sqlalchemy import text

from cart.checkout import CheckoutIncomplete
from core.orders.models import Order
from flows import keep_consents
from flows.house import House
from flows.place_order import place
from tests.paying import fill_cart, wish
from tests.world import World


def order(house: House, world: World) -> Order:
    """One router by bill."""
    return place(house, wish(fill_cart(house, world.router.sku), "invoice")).order


def by_hand(house: House, statement: str) -> None:
    """Somebody writes into the database, past everything of ours."""
    with house.db.transaction() as session:
        session.execute(text(statement))


def test_an_order_is_taxed_as_the_rates_are_when_it_is_placed(house: House, world: World):
    first, again = order(house, world), order(house, world)
    assert first.tax_minor == again.tax_minor > 0
    by_hand(house, "UPDATE tax_rate SET rate_ppm = 100000")
    assert order(house, world).tax_minor == first.net_minor // 10
    by_hand(house, "DELETE FROM tax_rate")
    assert order(house, world).tax_minor == 0


def test_an_order_is_brought_at_what_that_costs_when_it_is_placed(house: House, world: World):
    by_hand(house, "UPDATE delivery_method SET free_from_minor = NULL")
    first = order(house, world)
    assert order(house, world).net_minor == first.net_minor
    by_hand(house, "UPDATE delivery_method SET price_minor = price_minor + 250")
    assert order(house, world).net_minor == first.net_minor + 250
    by_hand(house, "UPDATE delivery_method SET active = (1 = 0)")
    with pytest.raises(CheckoutIncomplete) as refused:
        order(house, world)
    assert [one.code for one in refused.value.requirements] == ["no_delivery"]


def test_an_order_agrees_to_what_is_asked_when_it_is_placed(house: House, world: World):
    order(house, world)
    keep_consents.put(house, "age", "required", "I am of age.", "", "test")
    with pytest.raises(CheckoutIncomplete) as refused:
        order(house, world)
    assert [one.field for one in refused.value.requirements] == ["consents.age"]
    keep_consents.end(house, "age", "test")
    assert order(house, world).number
