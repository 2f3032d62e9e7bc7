"""A bundle in the cart is one line: it holds what its pieces need, all of it or nothing."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.orm import Session

from cart.lines import Entry
from core.catalog.models import Variant
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.money import Money
from core.prices.models import BundlePrice
from core.prices.resolve import NoPrice
from core.stock.holds import OutOfStock
from tests import packs
from tests.packs import Inside
from tests.rooms.cart.trolley import HALF_AN_HOUR, Trolley, ends, held
from tests.together import at_once
from tests.world import Goods, World

OHIO = {"country": "US", "region": "OH"}


def usd(minor: int) -> Money:
    return Money(minor, "USD")


@pytest.fixture
def cart(db: Database, clock: ManualClock, world: World) -> Trolley:
    return Trolley.take(db, clock, world)


@pytest.fixture
def home(db: Database, clock: ManualClock, world: World) -> Goods:
    """Line, router and visit."""
    return db.run_tx(lambda session: packs.home(session, world, clock.now()))


@pytest.fixture
def watch(db: Database, clock: ManualClock, world: World) -> Goods:
    """Two cameras and a router; there are four cameras."""
    inside = [Inside(world.camera, quantity=2), Inside(world.router)]
    return db.run_tx(
        lambda session: packs.pack(
            session, world, clock.now(), inside, {"one_off": "199.99"}, sku="FW-WATCH", name="Watch"
        )
    )


def test_it_is_one_line_with_its_pieces_and_what_it_saves(world, cart, home):
    entry = cart.put(home, 2)
    assert (entry.kind, entry.line.quantity, entry.line.unit_price_micros) == (
        "bundle",
        2,
        191_000_000,
    )
    priced = cart.priced(OHIO)
    (line,) = priced.lines
    assert (line.net, priced.goods, line.price.unit_price) == (usd(38_200),) * 2 + (usd(19_100),)
    pieces = [(s.piece.component.sku, s.quantity, s.amount.minor) for s in line.shares]
    assert pieces == [("FW-RT-6", 2, 20_340), ("FW-VISIT", 2, 9_460), ("FW-RIVER-100", 2, 8_400)]
    assert [(c.charge_kind, c.saving.minor) for c in line.charges] == [
        ("one_off", 8_000),
        ("monthly", 600),
    ]


def test_each_piece_is_taxed_as_what_it_is_and_delivered_if_it_is_goods(world, cart, home):
    cart.put(home)
    cart.put(world.visit)
    priced = cart.priced(OHIO)
    assert [taxed.tax_minor for taxed in priced.taxed] == [661, 0, 0, 0, 0]
    assert priced.ships
    assert priced.due_now == usd(19_100 + 6_000 + 661)
    assert priced.tax == usd(661)


def test_a_piece_may_have_a_tax_category_of_its_own_in_the_bundle(db, clock, world, cart):
    inside = [Inside(world.router, tax_category="internet"), Inside(world.visit)]
    odd = db.run_tx(
        lambda session: packs.pack(session, world, clock.now(), inside, {"one_off": "100.00"})
    )
    cart.put(odd)
    assert cart.priced(OHIO).tax == usd(0)


def test_each_plan_in_it_recurs_and_nothing_else(cart, home):
    cart.put(home, 3)
    (again,) = cart.priced(OHIO).recurring
    assert (again.amount, again.interval, again.name) == (usd(12_600), "month", "River 100")


# --- holds ----------------------------------------------------------------------------------------


def test_its_goods_are_held_as_often_as_it_is_wanted(db, clock, world, cart, watch):
    line = cart.put(watch)
    assert (held(db, world.camera), held(db, world.router)) == (2, 1)
    assert line.held_until == clock.now() + HALF_AN_HOUR
    cart.put(watch)
    assert (held(db, world.camera), held(db, world.router)) == (4, 2)
    cart.set(line.line.public_id, 1)
    assert (held(db, world.camera), held(db, world.router)) == (2, 1)
    cart.remove(line.line.public_id)
    assert (held(db, world.camera), held(db, world.router)) == (0, 0)
    assert ends(db) == []


def test_of_one_that_is_too_much_nothing_is_held(db, world, cart, watch):
    with pytest.raises(OutOfStock) as refused:
        cart.put(watch, 3)
    assert (refused.value.sku, refused.value.wanted, refused.value.available) == (
        world.camera.sku,
        6,
        4,
    )
    assert (held(db, world.camera), held(db, world.router)) == (0, 0)
    cart.put(watch, 2)
    with pytest.raises(OutOfStock):
        cart.put(watch)
    assert (held(db, world.camera), held(db, world.router)) == (4, 2)


def test_two_bundles_and_a_single_that_share_a_thing_are_held_together(
    db, clock, world, cart, watch
):
    other = db.run_tx(
        lambda session: packs.pack(
            session, world, clock.now(), [Inside(world.camera)], {"one_off": "50.00"}, sku="FW-ONE"
        )
    )
    cart.put(watch)
    cart.put(other)
    cart.put(world.camera)
    assert held(db, world.camera) == 4
    for wish in (world.camera, other, watch):
        with pytest.raises(OutOfStock):
            cart.put(wish)
    clock.advance(HALF_AN_HOUR)
    cart.hold_again()
    assert held(db, world.camera) == 4


def test_after_a_lapse_all_of_it_is_taken_again_or_the_line_says_so(db, clock, world, cart, watch):
    cart.put(watch, 2)
    clock.advance(HALF_AN_HOUR)
    (line,) = cart.priced().lines
    assert (line.lapsed, line.held_until) == (True, None)
    rival = Trolley.take(db, clock, world)
    rival.put(world.camera)
    with pytest.raises(OutOfStock):
        cart.hold_again()
    cart.hold_what_is_left()
    assert cart.priced().lines[0].lapsed
    rival.remove(rival.priced().lines[0].public_id)
    cart.hold_again()
    (line,) = cart.priced().lines
    assert line.held_until == clock.now() + HALF_AN_HOUR
    assert (held(db, world.camera), held(db, world.router)) == (4, 2)


def test_a_line_is_held_only_when_each_of_its_things_is(db, world, cart, home):
    """Something was put into the bundle while it lay in the cart."""
    cart.put(home)
    assert not cart.priced().lines[0].lapsed
    with db.transaction() as session:
        packs.put_inside(session, home.variant_id, [Inside(world.camera)])
    assert cart.priced().lines[0].lapsed
    cart.hold_again()
    assert not cart.priced().lines[0].lapsed
    assert held(db, world.camera) == 1


def test_one_without_goods_needs_no_hold(db, clock, world, cart):
    inside = [Inside(world.visit), Inside(world.plan)]
    prices: dict[str, str | int] = {"one_off": "50.00", "monthly": "40.00"}
    calm = db.run_tx(lambda session: packs.pack(session, world, clock.now(), inside, prices))
    assert cart.put(calm).held_until is None
    (line,) = cart.priced().lines
    assert (line.needs_stock, line.lapsed) == (False, False)
    assert cart.set(line.public_id, 2) is not None
    assert not cart.priced().ships


# --- prices ---------------------------------------------------------------------------------------


def test_a_changed_price_is_told_by_charge_kind(db, cart, home):
    cart.put(home)
    assert cart.priced().lines[0].price_was is None
    with db.transaction() as session:
        # As much as before at once, but more of it each month.
        for kind, micros in (("one_off", 146_000_000), ("monthly", 45_000_000)):
            session.execute(
                update(BundlePrice)
                .where(BundlePrice.charge_kind == kind)
                .values(unit_price_micros=micros)
            )
    (line,) = cart.priced().lines
    assert line.net == usd(19_100)
    assert dict(line.prices_were) == {"one_off": usd(14_900), "monthly": usd(4_200)}
    cart.put(home)
    assert not cart.priced().lines[0].prices_were


def test_one_that_is_no_longer_sold_whole_cannot_be_ordered(db, world, cart, home):
    cart.put(home)
    with db.transaction() as session:
        session.execute(
            update(Variant).where(Variant.id == world.visit.variant_id).values(active=False)
        )
    priced = cart.priced()
    assert (priced.lines, priced.unpriced) == ((), (home.sku,))
    with pytest.raises(NoPrice):
        cart.put(home)


PIECE = st.tuples(
    st.sampled_from(["router", "camera", "visit", "plan"]), st.integers(1, 3), st.integers(0, 999)
)


@given(
    pieces=st.lists(PIECE, min_size=1, unique_by=lambda piece: piece[0]),
    once=st.integers(0, 999_999_999),
    monthly=st.integers(0, 999_999_999),
    quantity=st.integers(1, 20),
)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_it_holds_its_taxed_pieces_are_its_price(
    pieces, once, monthly, quantity, db: Database, clock: ManualClock, world: World
):
    """For each charge kind, with taxes and all."""
    cart = Trolley.take(db, clock, world)
    inside = [Inside(getattr(world, name), few, weight) for name, few, weight in pieces]

    def work(session: Session) -> Goods:
        sku = f"FW-{cart.public_id[:8]}"
        prices: dict[str, str | int] = {"one_off": once, "monthly": monthly}
        return packs.pack(session, world, clock.now(), inside, prices, sku=sku)

    goods = db.run_tx(work)
    try:
        cart.put(goods, quantity)
    except OutOfStock:
        return
    priced = cart.priced(OHIO)
    (line,) = priced.lines
    nets: dict[str, int] = {}
    for share, taxed in zip(line.shares, priced.taxed, strict=False):
        kind = share.piece.charge_kind
        nets[kind] = nets.get(kind, 0) + taxed.net_minor
    assert nets == {charge.charge_kind: charge.together.minor for charge in line.charges}
    assert line.net.minor == sum(nets.values())
    cart.remove(line.public_id)


# --- many hands -----------------------------------------------------------------------------------


def test_of_many_who_want_bundles_and_singles_no_more_get_them_than_there_are(
    db: Database, clock: ManualClock, world: World, watch: Goods
):
    """Four cameras: in twos by the bundle, one by one, and by another bundle."""
    solo = db.run_tx(
        lambda session: packs.pack(
            session, world, clock.now(), [Inside(world.camera)], {"one_off": "50.00"}, sku="FW-ONE"
        )
    )
    wishes = [watch, world.camera, solo, world.camera, watch, solo] * 2
    carts = [Trolley.take(db, clock, world) for _ in wishes]

    def shopper(cart: Trolley, wish: Goods):
        def work(session: Session) -> Entry:
            return cart.put_in(session, wish)

        return work

    outcomes = at_once(db, [shopper(cart, wish) for cart, wish in zip(carts, wishes, strict=True)])
    wrong = [one for one in outcomes if not isinstance(one, Entry | OutOfStock)]
    assert wrong == []
    took = [
        2 if wish is watch else 1
        for wish, one in zip(wishes, outcomes, strict=True)
        if isinstance(one, Entry)
    ]
    # What is left is less than anybody who was refused has asked for.
    assert sum(took) in (3, 4)
    assert held(db, world.camera) == sum(took)
    assert held(db, world.router) == sum(each == 2 for each in took)
    clock.advance(HALF_AN_HOUR + timedelta(minutes=1))
    late = Trolley.take(db, clock, world)
    late.put(watch, 2)
    assert held(db, world.camera) == 4
