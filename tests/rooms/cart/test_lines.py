"""Lines of a cart: put in, changed, taken out, held for a while and taken again."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from cart import lines
from cart.goods import MOST_OF_ONE, BadQuantity, TooMany
from cart.lines import CartClosed
from cart.models import Cart
from core.catalog.models import Product, Variant
from core.catalog.products import UnknownSku
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import NotFound
from core.prices.resolve import NoPrice
from core.stock.holds import OutOfStock
from tests.rooms.cart.trolley import HALF_AN_HOUR, Trolley, ends, held, reprice
from tests.together import together
from tests.world import World


@pytest.fixture
def cart(db: Database, clock: ManualClock, world: World) -> Trolley:
    return Trolley.take(db, clock, world)


@pytest.fixture
def other(db: Database, clock: ManualClock, world: World) -> Trolley:
    return Trolley.take(db, clock, world)


# --- putting in -----------------------------------------------------------------------------------


def test_what_is_put_in_is_held_for_half_an_hour(db, clock, world, cart):
    entry = cart.put(world.router, 2)
    assert (entry.sku, entry.kind, entry.currency) == (world.router.sku, "physical", "USD")
    assert (entry.line.quantity, entry.held_until) == (2, clock.now() + HALF_AN_HOUR)
    assert entry.line.price_trace["list"] == "web-usd"
    assert (held(db, world.router), ends(db)) == (2, [clock.now() + HALF_AN_HOUR])


def test_the_same_thing_again_is_the_same_line_held_anew(db, clock, world, cart):
    first = cart.put(world.router, 2)
    clock.advance(timedelta(minutes=10))
    second = cart.put(world.router, 3)
    assert second.line.public_id == first.line.public_id
    assert cart.rows() == [(world.router.variant_id, 5)]
    assert (held(db, world.router), ends(db)) == (5, [clock.now() + HALF_AN_HOUR])


def test_what_is_not_counted_is_not_held(db, world, cart):
    entry = cart.put(world.visit, 3)
    cart.put(world.plan)
    assert (entry.held_until, ends(db)) == (None, [])


def test_more_than_is_there_is_refused_and_the_line_stays_as_it_was(db, world, cart):
    cart.put(world.camera, 3)
    with pytest.raises(OutOfStock) as refused:
        cart.put(world.camera, 2)
    assert (refused.value.wanted, refused.value.available) == (5, 4)
    assert (cart.rows(), held(db, world.camera)) == ([(world.camera.variant_id, 3)], 3)


@pytest.mark.parametrize("quantity", [0, -1, -99])
def test_nothing_or_less_cannot_be_put_in(quantity, db, world, cart):
    for _ in range(2):
        with pytest.raises(BadQuantity) as refused:
            cart.put(world.router, quantity)
        assert refused.value.facts() == {"most": MOST_OF_ONE}
        if not cart.rows():
            cart.put(world.router, 5)
    assert (cart.rows(), held(db, world.router)) == ([(world.router.variant_id, 5)], 5)


def test_more_than_a_cart_takes_is_a_matter_for_a_quote(world, cart):
    cart.put(world.visit, MOST_OF_ONE)
    with pytest.raises(TooMany):
        cart.put(world.visit, 1)
    assert cart.rows() == [(world.visit.variant_id, MOST_OF_ONE)]


def test_what_nobody_sells_cannot_be_put_in(db, world, cart):
    with pytest.raises(UnknownSku):
        cart.put("FW-NEVER")
    reprice(db, world.visit, None)
    with pytest.raises(NoPrice) as refused:
        cart.put(world.visit)
    assert refused.value.facts() == {"sku": world.visit.sku}
    with db.transaction() as session:
        session.execute(
            update(Variant).where(Variant.id == world.router.variant_id).values(active=False)
        )
        session.execute(
            update(Product).where(Product.id == world.camera.product_id).values(active=False)
        )
    for goods in (world.router, world.camera):
        with pytest.raises(UnknownSku):
            cart.put(goods)
    assert cart.rows() == []


def test_one_shopper_pressing_in_many_windows_has_one_line(db, world, cart):
    outcomes = together([lambda: cart.put(world.router, 2).line.quantity] * 6)
    assert sorted(outcomes, key=str) == sorted([2, 4, 6, 8, 10, 12], key=str)
    assert (cart.rows(), held(db, world.router)) == ([(world.router.variant_id, 12)], 12)


# --- changing and taking out ----------------------------------------------------------------------


def test_another_quantity_is_held_instead(db, clock, world, cart):
    line = cart.put(world.camera, 4).line.public_id
    clock.advance(timedelta(minutes=5))
    entry = cart.set(line, 1)
    assert entry is not None
    assert (entry.line.quantity, entry.held_until) == (1, clock.now() + HALF_AN_HOUR)
    assert held(db, world.camera) == 1
    with pytest.raises(OutOfStock) as refused:
        cart.set(line, 5)
    assert refused.value.available == 4
    assert (cart.rows(), held(db, world.camera)) == ([(world.camera.variant_id, 1)], 1)


def test_zero_and_removing_let_the_pieces_go(db, world, cart):
    router, camera = cart.put(world.router, 2), cart.put(world.camera, 2)
    assert cart.set(router.line.public_id, 0) is None
    assert (held(db, world.router), held(db, world.camera)) == (0, 2)
    cart.remove(camera.line.public_id)
    assert (cart.rows(), held(db, world.camera)) == ([], 0)
    with pytest.raises(NotFound):
        cart.remove(camera.line.public_id)


def test_a_quantity_that_makes_no_sense_is_refused(world, cart):
    line = cart.put(world.visit, 2).line.public_id
    with pytest.raises(BadQuantity):
        cart.set(line, -1)
    with pytest.raises(TooMany):
        cart.set(line, MOST_OF_ONE + 1)
    assert cart.rows() == [(world.visit.variant_id, 2)]


def test_nobody_changes_the_line_of_another_cart(db, world, cart, other):
    line = cart.put(world.router).line.public_id
    for change in (lambda: other.set(line, 5), lambda: other.remove(line)):
        with pytest.raises(NotFound):
            change()
    assert (cart.rows(), held(db, world.router)) == ([(world.router.variant_id, 1)], 1)


def test_a_cart_that_is_being_paid_for_cannot_be_changed(db, world, cart):
    line = cart.put(world.router).line.public_id
    for state in ("checking_out", "ordered"):
        with db.transaction() as session:
            session.execute(update(Cart).values(state=state))
        for change in (
            lambda: cart.put(world.camera),
            lambda: cart.set(line, 2),
            lambda: cart.remove(line),
        ):
            with pytest.raises(CartClosed):
                change()
    assert cart.rows() == [(world.router.variant_id, 1)]


def test_a_cart_moves_only_from_the_state_that_is_meant(db, cart):
    with db.transaction() as session:
        key = lines.find(session, cart.public_id).id
        moves = [
            lines.move(session, key, "checking_out", "open"),
            lines.move(session, key, "open", "checking_out"),
            lines.move(session, key, "open", "ordered"),
        ]
    assert moves == [False, True, False]
    with db.reading() as session, pytest.raises(NotFound):
        lines.find(session, "0" * 32)


# --- lapsing and taking again ---------------------------------------------------------------------


def test_lapsed_lines_are_all_taken_again_or_none(db, clock, world, cart, other):
    cart.put(world.router, 2)
    cart.put(world.camera, 3)
    cart.put(world.visit)
    clock.advance(HALF_AN_HOUR)
    cart.hold_again()
    assert (held(db, world.router), held(db, world.camera)) == (2, 3)
    assert ends(db) == [clock.now() + HALF_AN_HOUR] * 2
    clock.advance(HALF_AN_HOUR)
    other.put(world.camera, 2)
    with pytest.raises(OutOfStock) as refused:
        cart.hold_again()
    assert (refused.value.sku, refused.value.available) == (world.camera.sku, 2)
    lapsed = {line.sku for line in cart.priced().lines if line.lapsed}
    assert lapsed == {world.router.sku, world.camera.sku}


def test_of_lapsed_lines_those_that_can_be_had_are_held(db, clock, world, cart, other):
    cart.put(world.camera, 3)
    cart.put(world.router, 2)
    clock.advance(HALF_AN_HOUR)
    other.put(world.camera, 2)
    cart.hold_what_is_left()
    assert {line.sku for line in cart.priced().lines if line.lapsed} == {world.camera.sku}
    assert (held(db, world.router), held(db, world.camera)) == (2, 2)
    assert len(cart.rows()) == 2


def test_pieces_are_counted_until_the_cart_is_ordered(db, world, cart):
    cart.put(world.router, 2)
    cart.put(world.visit, 3)
    for state, wanted in (("open", 5), ("checking_out", 5), ("ordered", 0)):
        with db.transaction() as session:
            session.execute(update(Cart).values(state=state))
        with db.reading() as session:
            assert lines.pieces(session, cart.public_id) == wanted
            assert lines.pieces(session, "0" * 32) == 0
