"""A bundle in a quote is its pieces, at exactly what they cost in it."""

import pytest
from sqlalchemy import select

from cart import lines
from cart.quotes.wanting import Wanted
from core.kernel.errors import Invalid
from core.parties.models import Channel
from core.subscriptions.models import Subscription, SubscriptionPhase
from flows import ask_quote
from flows.house import House
from tests.packs import Inside, pack
from tests.quoting import Quoting, contact
from tests.world import Goods, World


@pytest.fixture
def bundle(house: House, world: World) -> Goods:
    with house.db.transaction() as session:
        inside = [
            Inside(world.router, weight=2),
            Inside(world.visit, weight=1),
            Inside(world.plan, weight=1),
        ]
        prices = {"one_off": "149.00", "monthly": "42.00"}
        return pack(session, world, house.clock.now(), inside, prices)


def sums(quoting: Quoting) -> dict[str, int]:
    """What the lines come to by charge kind, before delivery."""
    found: dict[str, int] = {}
    for line in quoting.lines():
        if line.kind != "delivery":
            priced = (line.net_minor or 0) + (line.contained_minor or 0)
            found[line.charge_kind] = found.get(line.charge_kind, 0) + priced
    return found


def test_a_line_behind_a_bundle_is_named_as_it_was_typed(house: House, world: World, bundle: Goods):
    quoting = Quoting.ask(house, world)
    with pytest.raises(Invalid) as refused:
        quoting.write(Wanted(sku=bundle.sku), Wanted(sku="NO-SUCH"))
    assert list(refused.value.fields_) == ["lines-1.sku"]


def test_a_cart_with_a_bundle_is_quoted_accepted_and_served(
    house: House, world: World, bundle: Goods
):
    with house.db.transaction() as session:
        channel = session.scalars(select(Channel)).one()
        cart = lines.open_cart(session, channel, house.clock.now())
        lines.add(session, cart, bundle.sku, 2, house.rules.hold_for, house.clock.now())
        cart_id = cart.public_id
    quoting = Quoting(house, world, ask_quote.of_cart(house, cart_id, contact()))
    wanted = [line.sku for line in quoting.offer().lines]
    assert wanted == [world.router.sku, world.visit.sku, world.plan.sku]
    quoting.ready(Wanted(sku=bundle.sku, quantity=2))
    assert sums(quoting) == {"one_off": 29_800, "monthly": 8_400}
    placed = quoting.accept("terms")
    ordered = [line for line in quoting.order_lines(placed.order_id) if line.kind != "delivery"]
    assert sum(line.priced_minor for line in ordered) == 29_800 + 8_400
    with house.db.reading() as session:
        (phase,) = session.scalars(
            select(SubscriptionPhase).join(
                Subscription, Subscription.id == SubscriptionPhase.subscription_id
            )
        )
    assert (phase.quantity, phase.unit_price_micros) == (2, 42_000_000)


def test_a_bundle_has_no_price_of_its_own(house: House, world: World, bundle: Goods):
    quoting = Quoting.ask(house, world)
    with pytest.raises(Invalid) as refused:
        quoting.write(Wanted(sku=bundle.sku, price_micros=1_000_000))
    assert list(refused.value.fields_) == ["lines-0.price"]
