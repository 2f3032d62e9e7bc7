"""Staff let go what is held for a cart or a quote."""

import uuid

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cart import lines
from cart.models import Cart
from core.kernel import crash
from core.kernel.audit import AuditEntry
from core.kernel.clock import ManualClock
from core.kernel.errors import NotFound
from core.stock import levels
from core.stock.models import Hold
from flows import release_hold
from flows.house import House
from flows.place_order import place
from flows.release_hold import OrderIsPaid
from tests.paying import buy, fill_cart, wish
from tests.sandbox_process import SandboxProcess
from tests.world import World


def _holds(house: House) -> list[Hold]:
    with house.db.reading() as session:
        return list(session.scalars(select(Hold).order_by(Hold.id)))


def _free(house: House, world: World) -> int:
    key = world.camera.variant_id
    with house.db.reading() as session:
        return levels.available(session, [key], house.clock.now())[key]


def test_others_can_have_at_once_what_was_let_go(house: House, world: World):
    fill_cart(house, world.camera.sku)
    [hold] = _holds(house)
    assert _free(house, world) == 3
    with crash.crash_at("release_hold.before_commit"):
        release_hold.release(house, hold.id, "user:kim")
    assert _free(house, world) == 3
    assert release_hold.release(house, hold.id, "user:kim") == 1
    assert _free(house, world) == 4
    assert _holds(house)[0].state == "released"
    with pytest.raises(NotFound):
        release_hold.release(house, hold.id, "user:kim")
    with house.db.reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.act == "hold.released")).one()
    assert (entry.actor, entry.detail) == ("user:kim", {"pieces": 1, "of": "cart"})


def test_a_hold_that_has_lapsed_or_never_was_is_not_let_go(
    house: House, clock: ManualClock, world: World
):
    fill_cart(house, world.camera.sku)
    [hold] = _holds(house)
    clock.advance(house.rules.hold_for)
    for key in (hold.id, uuid.uuid4()):
        with pytest.raises(NotFound):
            release_hold.release(house, key, "user:kim")


def test_what_an_order_being_paid_waits_for_stays(
    house: House, sandbox: SandboxProcess, world: World
):
    buy(house, world.camera.sku)
    [hold] = _holds(house)
    with pytest.raises(OrderIsPaid):
        release_hold.release(house, hold.id, "user:kim")
    assert _free(house, world) == 3


def test_what_became_an_orders_meanwhile_stays_and_nothing_is_written(
    house: House, sandbox: SandboxProcess, world: World, monkeypatch: pytest.MonkeyPatch
):
    cart = fill_cart(house, world.camera.sku)
    [seen] = _holds(house)
    place(house, wish(cart))
    monkeypatch.setattr(release_hold, "look", lambda *_: seen)
    with pytest.raises(NotFound):
        release_hold.release(house, seen.id, "user:kim")
    assert [hold.state for hold in _holds(house)] == ["active"]
    with house.db.reading() as session:
        acts = session.scalars(select(AuditEntry.act)).all()
    assert "hold.released" not in acts


def test_its_shopper_takes_it_again_while_it_is_there(house: House, world: World):
    cart = fill_cart(house, world.camera.sku)
    release_hold.release(house, _holds(house)[0].id, "user:kim")

    def again(session: Session) -> None:
        found = session.scalars(select(Cart).where(Cart.public_id == cart)).one()
        lines.hold_again(session, found, house.rules.hold_for, house.clock.now())

    house.db.run_tx(again)
    assert _free(house, world) == 3
