"""What a quote holds while it is valid, and what becomes of it when it is paid by card, or not."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from cart.quotes import refusals
from cart.quotes.wanting import Wanted
from core.kernel.errors import Invalid
from core.kernel.jobs import Job
from core.orders.models import Order
from core.parties.models import Channel
from core.stock import holds, levels
from core.stock.holds import OutOfStock
from core.stock.models import Hold, StockWait
from flows import accept_quote, draft_quote, place_order, reconcile, send_quote, wait_for_stock
from flows.abandon_payment import abandon
from flows.house import House
from flows.settle_payment import settle
from flows.verify import verify
from payments import operations
from payments.models import Payment
from tests.paying import CARD, drain, fill_cart, pass_time, wish
from tests.quoting import ANN, Quoting, stand_at
from tests.sandbox_process import SandboxProcess
from tests.world import World


def _free(house: House, world: World) -> int:
    with house.db.reading() as session:
        found = levels.available(session, [world.router.variant_id], house.clock.now())
    return found.get(world.router.variant_id, 0)


def _sound(house: House) -> None:
    drain(house)
    with house.db.reading() as session:
        left = session.scalars(select(Job.last_error).where(Job.state != "done")).all()
    assert left == []
    assert [one for one in verify(house.db, house.clock, blobs=house.blobs) if not one.holds] == []


# --- stock ----------------------------------------------------------------------------------------


def test_stock_is_held_while_it_is_valid_and_free_again_after(house: House, world: World):
    before = _free(house, world)
    quoting = Quoting.ask(house, world).ready(Wanted(sku=world.router.sku, quantity=20), days=5)
    assert _free(house, world) == before - 20
    with pytest.raises(OutOfStock):
        Quoting.ask(house, world).ready(Wanted(sku=world.router.sku, quantity=20))
    ends = quoting.version().expires_at
    assert ends is not None
    stand_at(house, ends)
    assert _free(house, world) == before
    with house.db.transaction() as session:
        holds.lapse(session, house.clock.now())
    assert [one for one in verify(house.db, house.clock) if not one.holds] == []


def test_a_new_version_takes_the_holds_of_the_one_before(house: House, world: World):
    before = _free(house, world)
    quoting = Quoting.ask(house, world).ready(Wanted(sku=world.router.sku, quantity=20))
    quoting.another(Wanted(sku=world.router.sku, quantity=25))
    assert _free(house, world) == before - 25
    send_quote.withdraw(house, quoting.public_id, "no_stock", "", ANN)
    assert _free(house, world) == before


def test_what_is_accepted_is_sold_from_what_was_held(house: House, world: World):
    before = _free(house, world)
    quoting = Quoting.ask(house, world).ready(Wanted(sku=world.router.sku, quantity=20))
    quoting.accept()
    assert _free(house, world) == before - 20
    with house.db.reading() as session:
        states = session.scalars(select(Hold.state)).all()
    assert states == ["allocated"]
    _sound(house)


# --- by card --------------------------------------------------------------------------------------


def test_by_card_it_is_an_order_once_it_is_paid(
    house: House, sandbox: SandboxProcess, world: World
):
    quoting = Quoting.ask(house, world).ready()
    placed = quoting.accept("card")
    assert placed.redirect_url is not None
    assert quoting.quote.state == "sent"
    # Pressed again it is the same page; the house cannot take it from under them.
    assert quoting.accept("card") == placed
    with pytest.raises(refusals.QuoteBeingPaid):
        send_quote.withdraw(house, quoting.public_id, "mistake", "", ANN)
    draft_quote.another(house, quoting.public_id, ANN)
    quoting.write(Wanted(sku=world.router.sku))
    with pytest.raises(refusals.QuoteBeingPaid):
        quoting.send()
    sandbox.pay(placed.redirect_url, CARD)
    _settle(house, placed)
    assert quoting.quote.state == "accepted"
    assert quoting.version(2).state == "dropped"
    _sound(house)
    with house.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Payment)) == 1


def _settle(house: House, placed: place_order.Placed) -> str:
    with house.db.reading() as session:
        operation = operations.of_order(session, placed.order_id)
    assert operation is not None
    return settle(house, operation.id)


def test_who_comes_back_unpaid_can_accept_again_another_way(
    house: House, sandbox: SandboxProcess, world: World
):
    before = _free(house, world)
    quoting = Quoting.ask(house, world).ready(Wanted(sku=world.router.sku, quantity=20))
    placed = quoting.accept("card")
    assert abandon(house, placed.order_id, "came_back")
    assert quoting.quote.state == quoting.version().state == "sent"
    assert _free(house, world) == before - 20
    again = quoting.accept("card")
    assert again.order_id != placed.order_id
    # They change their mind while the page is open: it is ended, and the bill comes by mail.
    by_bill = quoting.accept("terms")
    assert by_bill.redirect_url is None
    states = [row.lifecycle for row in quoting.orders()]
    assert states == ["cancelled", "cancelled", "confirmed"]
    assert [row.quote_version_id for row in quoting.orders()[:2]] == [None, None]
    _sound(house)


def test_an_answer_that_is_refused_gives_up_no_payment(
    house: House, sandbox: SandboxProcess, world: World
):
    quoting = Quoting.ask(house, world).ready(payment="card")
    old = quoting.version().number
    quoting.another(payment="card")
    placed = quoting.accept("card")
    with pytest.raises(refusals.QuoteSuperseded):
        accept_quote.decline(house, quoting.public_id, old, "price", "", "Pat Rowan")
    with pytest.raises(refusals.PaymentNotOffered):
        quoting.accept("terms")
    assert [row.lifecycle for row in quoting.orders()] == ["pending"]
    assert placed.redirect_url is not None
    sandbox.pay(placed.redirect_url, CARD)
    assert _settle(house, placed) == "succeeded"
    assert quoting.quote.state == "accepted"
    _sound(house)


def test_a_payment_page_that_ran_out_leaves_the_quote_as_it_was(
    house: House, sandbox: SandboxProcess, world: World
):
    before = _free(house, world)
    quoting = Quoting.ask(house, world).ready(Wanted(sku=world.router.sku, quantity=5))
    quoting.accept("card")
    pass_time(house, sandbox, timedelta(hours=2))
    reconcile.run(house)
    assert quoting.quote.state == "sent"
    assert _free(house, world) == before - 5
    quoting.accept("terms")
    _sound(house)


def test_a_quote_that_ended_while_it_was_paid_is_the_customers(
    house: House, sandbox: SandboxProcess, world: World
):
    quoting = Quoting.ask(house, world).ready(days=1)
    ends = quoting.version().expires_at
    assert ends is not None
    pass_time(house, sandbox, ends - house.clock.now() - timedelta(minutes=5))
    placed = quoting.accept("card")
    pass_time(house, sandbox, timedelta(minutes=10))
    assert placed.redirect_url is not None
    sandbox.pay(placed.redirect_url, CARD)
    _settle(house, placed)
    assert quoting.quote.state == "accepted"
    _sound(house)


def test_a_quote_that_ended_before_it_was_paid_lets_its_stock_go(
    house: House, sandbox: SandboxProcess, world: World
):
    before = _free(house, world)
    quoting = Quoting.ask(house, world).ready(days=1)
    ends = quoting.version().expires_at
    assert ends is not None
    pass_time(house, sandbox, ends - house.clock.now() - timedelta(minutes=5))
    placed = quoting.accept("card")
    pass_time(house, sandbox, timedelta(minutes=10))
    abandon(house, placed.order_id, "came_back")
    assert _free(house, world) == before
    with pytest.raises(refusals.QuoteExpired):
        quoting.accept()


def test_whoever_waits_hears_of_the_stock_of_a_quote_that_ended_while_it_was_not_paid(
    house: House, sandbox: SandboxProcess, world: World
):
    """The order still held it when the quote was over."""
    quoting = Quoting.ask(house, world)
    quoting.ready(Wanted(sku=world.camera.sku, quantity=4), days=1)
    ends = quoting.version().expires_at
    assert ends is not None
    pass_time(house, sandbox, ends - house.clock.now() - timedelta(minutes=5))
    placed = quoting.accept("card")
    _somebody_waits(house, world)
    pass_time(house, sandbox, timedelta(minutes=10))
    with house.db.reading() as session:
        held = session.scalars(select(Hold.expires_at).where(Hold.state == "active")).all()
    assert held
    assert min(held) > house.clock.now()
    abandon(house, placed.order_id, "came_back")
    with house.db.reading() as session:
        query = select(Job.payload).where(Job.name == "StockFreed", Job.state == "ready")
        told = session.scalars(query).all()
    assert [one["variant_id"] for one in told] == [str(world.camera.variant_id)]


def _somebody_waits(house: House, world: World) -> None:
    with house.db.reading() as session:
        channel = session.get_one(Channel, world.channel_id)
    wait_for_stock.ask(house, channel, world.camera.sku, "ada@example.com")
    with house.db.reading() as session:
        place = session.scalars(select(StockWait.public_id)).one()
    wait_for_stock.confirm(house, place)
    drain(house)


def test_what_was_sold_meanwhile_is_said_when_the_hold_had_lapsed(
    house: House, sandbox: SandboxProcess, world: World
):
    """The house's own trouble: the stock that was held is written off; accepting says so."""
    quoting = Quoting.ask(house, world).ready(Wanted(sku=world.camera.sku, quantity=4))
    with house.db.transaction() as session:
        session.execute(text("UPDATE hold SET expires_at = :then"), {"then": "2026-01-01 00:00:00"})
    for _ in range(4):
        place_order.place(house, wish(fill_cart(house, world.camera.sku), "invoice"))
    with pytest.raises(OutOfStock):
        quoting.accept()
    assert quoting.quote.state == "sent"
    assert [row for row in quoting.orders() if row.quote_version_id is not None] == []


def test_declining_on_the_way_to_pay_gives_the_visit_up(
    house: House, sandbox: SandboxProcess, world: World
):
    quoting = Quoting.ask(house, world).ready()
    quoting.accept("card")
    accept_quote.decline(house, quoting.public_id, 1, "timing", "", "Pat")
    assert quoting.quote.state == "declined"
    (order,) = quoting.orders()
    assert isinstance(order, Order)
    assert order.lifecycle == "cancelled"
    with pytest.raises(Invalid):
        accept_quote.decline(house, quoting.public_id, 1, "because", "", "Pat")
