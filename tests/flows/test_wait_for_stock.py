"""Whoever waits for what is gone is asked in turn, and what is offered to them nobody else can have."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select

from cart import lines
from cart.models import Cart
from core.kernel import crash
from core.kernel.errors import Invalid, NotFound
from core.kernel.jobs import Job
from core.notices.models import Notice
from core.parties.models import Channel
from core.stock import holds, levels, waiting
from core.stock.holds import OutOfStock
from core.stock.models import Hold, StockWait
from core.stock.proofs import levels_are_true
from flows import release_hold, wait_for_stock
from flows.house import House
from flows.wait_for_stock import OfferOver
from tests.paying import fill_cart
from tests.world import World

ADA, BEN, CAL = "ada@example.com", "ben@example.com", "cal@example.com"


@pytest.fixture
def gone(house: House, world: World) -> list[str]:
    """All cameras are in carts; answers the carts."""
    return [fill_cart(house, world.camera.sku) for _ in range(_free(house, world))]


def _free(house: House, world: World) -> int:
    key = world.camera.variant_id
    with house.db.reading() as session:
        return levels.available(session, [key], house.clock.now())[key]


def _ask(house: House, world: World, email: str) -> None:
    with house.db.reading() as session:
        channel = session.get_one(Channel, world.channel_id)
    wait_for_stock.ask(house, channel, world.camera.sku, email)


def _place(house: House, email: str) -> StockWait:
    with house.db.reading() as session:
        query = select(StockWait).where(StockWait.email == email)
        return session.scalars(query.order_by(StockWait.asked_at.desc())).first()


def _wait(house: House, world: World, *emails: str) -> None:
    """They ask, one after the other, and say that it was they."""
    for email in emails:
        _ask(house, world, email)
        wait_for_stock.confirm(house, _place(house, email).public_id)
        house.clock.advance(timedelta(seconds=1))  # type: ignore[attr-defined]


def _states(house: House, *emails: str) -> list[str]:
    return [_place(house, email).state for email in emails]


def _mails(house: House, template: str) -> list[str]:
    with house.db.reading() as session:
        query = select(Notice.to_address).where(Notice.template == template)
        return list(session.scalars(query.order_by(Notice.created_at, Notice.id)))


def _work(house: House) -> None:
    """What the job does for each event that waits."""
    with house.db.transaction() as session:
        jobs = session.scalars(select(Job).where(Job.name == "StockFreed", Job.state == "ready"))
        for job in jobs.all():
            wait_for_stock.offer(session, house, uuid.UUID(job.payload["variant_id"]))
            job.state = "done"


def _let_one_go(house: House, cart: str) -> None:
    with house.db.reading() as session:
        owner = session.scalars(select(Cart.id).where(Cart.public_id == cart)).one()
        hold = session.scalars(select(Hold).where(Hold.owner_id == owner)).one()
    release_hold.release(house, hold.id, "user:kim")


def test_only_who_says_by_mail_that_it_was_they_is_in_the_line(house, world, gone):
    _ask(house, world, ADA)
    _ask(house, world, f" {ADA.upper()}")
    assert _mails(house, "wait_asked") == [ADA], "one mail a day, however often it is asked"
    _let_one_go(house, gone[0])
    _work(house)
    assert (_states(house, ADA), _mails(house, "back_in_stock")) == (["asked"], [])
    with pytest.raises(Invalid):
        _ask(house, world, "no address")
    wait = _place(house, ADA)
    with house.db.reading() as session, pytest.raises(NotFound):
        wait_for_stock.look(session, house, wait.public_id, "0" * 32)


def test_what_comes_free_is_offered_to_the_first_and_only_they_can_have_it(house, world, gone):
    _wait(house, world, ADA, BEN)
    _let_one_go(house, gone[0])
    with crash.crash_at("offer.before_commit"):
        _work(house)
    assert _states(house, ADA, BEN) == ["waiting", "waiting"]
    _work(house)
    assert _states(house, ADA, BEN) == ["offered", "waiting"]
    assert _mails(house, "back_in_stock") == [ADA]
    assert _free(house, world) == 0
    with pytest.raises(OutOfStock):
        fill_cart(house, world.camera.sku)

    def take(public_id: str) -> str:
        def work(session):
            channel = session.get_one(Channel, world.channel_id)
            cart = lines.open_cart(session, channel, house.clock.now())
            wait_for_stock.take(session, house, cart, public_id, house.clock.now())
            return cart.public_id

        return house.db.run_tx(work)

    with crash.crash_at("wait.before_put"):
        take(_place(house, ADA).public_id)
    assert _states(house, ADA) == ["offered"]
    take(_place(house, ADA).public_id)
    assert _states(house, ADA, BEN) == ["taken", "waiting"]
    assert _free(house, world) == 0
    with pytest.raises(OfferOver):
        take(_place(house, ADA).public_id)
    with house.db.snapshot() as session:
        assert levels_are_true(session, house.clock.now()).offenders == ()


def test_who_does_not_take_it_in_time_makes_room_for_the_next_without_any_sweeper(
    house, world, gone
):
    _wait(house, world, ADA, BEN, CAL)
    _let_one_go(house, gone[0])
    _work(house)
    house.clock.advance(house.rules.offer_for)
    assert wait_for_stock.offer_all(house) > 0
    states = _states(house, ADA, BEN, CAL)
    assert states[0] == "let_go"
    assert states[1] == "offered"
    wait_for_stock.confirm(house, _place(house, ADA).public_id)
    assert _states(house, ADA) == ["waiting"]
    wait_for_stock.leave(house, _place(house, BEN).public_id)
    _work(house)
    assert _states(house, BEN) == ["left"]
    house.db.run_tx(lambda s: holds.lapse(s, house.clock.now()))
    with house.db.snapshot() as session:
        assert levels_are_true(session, house.clock.now()).offenders == ()


def test_staff_let_go_what_is_kept_and_addresses_are_not_kept_for_good(house, world, gone):
    _wait(house, world, ADA, BEN)
    _ask(house, world, CAL)
    _let_one_go(house, gone[0])
    _work(house)
    with house.db.reading() as session:
        hold = session.scalars(
            select(Hold).where(Hold.owner_kind == "offer", Hold.state == "active")
        ).one()
    release_hold.release(house, hold.id, "user:kim")
    _work(house)
    assert _states(house, ADA, BEN) == ["let_go", "offered"]
    before = house.clock.now() + timedelta(seconds=1)
    house.db.run_tx(lambda session: waiting.forget(session, before))
    with house.db.reading() as session:
        assert set(session.scalars(select(StockWait.email))) == {BEN}


def test_goods_that_come_in_go_to_those_who_wait_in_turn(house, world, gone):
    _wait(house, world, ADA, BEN, CAL)
    key = world.camera.variant_id
    house.db.run_tx(lambda s: levels.receive(s, key, world.location_id, 2, house.clock.now()))
    _work(house)
    assert _states(house, ADA, BEN, CAL) == ["offered", "offered", "waiting"]
