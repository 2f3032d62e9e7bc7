"""Orders that a rule holds: nothing of them leaves or begins before somebody approves them; or they end."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import select, update

from app import worker
from cart.checkout import Details
from core.kernel import crash
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import Invalid
from core.ledger import gift_cards
from core.notices.models import Notice
from core.orders import held, placing
from core.orders.fulfilling import OrderHeld, OrderNotHeld, OrderNotOpen, Tracking
from core.orders.models import Order, OrderLine
from core.orders.provisioning import Provisioning
from core.orders.screening import REASONS, Facts, Rules, reasons
from core.prices.models import Plan
from core.subscriptions.models import Subscription
from flows import activate_service, approve_order, screen_order, ship_order, take_back
from flows.hold_service import Asked as Service
from flows.house import House
from flows.place_order import Wish, place
from flows.settle_payment import settle
from flows.ship_order import Parcel
from flows.take_back import Asked
from flows.verify import verify
from payments import operations
from payments.gateway import Gateway
from payments.models import Refund
from tests.giving import GIFT_SKU, sell_gift_cards
from tests.paying import CARD, fill_cart, gateway, processor, sandbox, wish
from tests.sandbox_process import SandboxProcess
from tests.shop import make_house
from tests.world import ADDRESS, World

__all__ = ["processor", "sandbox"]
ANY = Rules(amount_from=1)
KIM, ALEX = "user:kim", "user:alex"
PLAN = "FW-RIVER-100"


@pytest.fixture
def house(db: Database, clock: ManualClock, world: World, tmp_path: Path) -> House:
    return make_house(db, clock, tmp_path, cast(Gateway, None))


def hold(house: House, world: World, rules: Rules = ANY) -> None:
    screen_order.set_rules(house, world.channel_id, rules, KIM)


def ordered(house: House, *skus: str, email: str = "") -> Order:
    details = Details(email or "riley@example.com", dict(ADDRESS), "standard", "invoice")
    return again(house, place(house, Wish(fill_cart(house, *skus), details)).order)


def again(house: House, order: Order) -> Order:
    with house.db.reading() as session:
        return placing.by_public_id(session, order.public_id)


def lines_of(house: House, order: Order) -> dict[str, OrderLine]:
    with house.db.reading() as session:
        return {line.sku: line for line in placing.lines_of(session, order.id)}


def send(house: House, order: Order, sku: str, once: str = "p") -> None:
    number = lines_of(house, order)[sku].line_number
    ship_order.ship(house, Parcel(order.public_id, {number: 1}, Tracking(), KIM, once))


def mails(house: House, template: str) -> list[str]:
    with house.db.reading() as session:
        rows = session.scalars(select(Notice).where(Notice.template == template))
        return [row.text_body for row in rows]


def sound(house: House) -> None:
    worker.drain(house)
    assert [one for one in verify(house.db, house.clock) if not one.holds] == []


# --- which are held -------------------------------------------------------------------------------

PLAIN = Facts(10_000, False, "US", "US", 1)


@pytest.mark.parametrize(
    ("rules", "facts", "held_for"),
    [
        (Rules(), Facts(10**9, True, "US", "DE", 99), ()),
        (Rules(amount_from=10_000), PLAIN, ("amount",)),
        (Rules(amount_from=10_001), PLAIN, ()),
        (Rules(first_from=10_000), PLAIN, ()),
        (Rules(first_from=10_000), Facts(10_000, True, "US", "US", 1), ("first_order",)),
        (Rules(first_from=10_001), Facts(10_000, True, "US", "US", 1), ()),
        (Rules(other_country=True), Facts(1, False, "US", "DE", 1), ("other_country",)),
        (Rules(other_country=True), Facts(1, False, "", "DE", 1), ()),
        (Rules(most_a_day=2), Facts(1, False, "US", "US", 2), ()),
        (Rules(most_a_day=2), Facts(1, False, "US", "US", 3), ("many_orders",)),
        (Rules(1, 1, True, 1), Facts(1, True, "US", "DE", 2), tuple(REASONS)),
    ],
)
def test_each_rule_holds_what_it_says(rules: Rules, facts: Facts, held_for: tuple[str, ...]):
    assert reasons(rules, facts) == held_for
    assert Rules.of(rules.to_dict()) == rules


def test_the_facts_are_those_of_the_shop(house: House, world: World, clock: ManualClock):
    assert not ordered(house, "FW-RT-6").is_held, "without rules nothing is"
    hold(house, world, Rules(first_from=1, most_a_day=2))
    first = ordered(house, "FW-CAM-1", email="Ash@example.com")
    assert first.reasons == ("first_order",)
    hold(house, world, Rules(most_a_day=2))
    assert not ordered(house, "FW-CAM-1", email="ash@example.com").is_held
    assert ordered(house, "FW-CAM-1", email="ash@example.com").reasons == ("many_orders",)
    with pytest.raises(Invalid) as refused:
        hold(house, world, Rules(0, -1, most_a_day=0))
    assert set(refused.value.fields_) == {"amount_from", "first_from", "most_a_day"}


# --- held, and approved ---------------------------------------------------------------------------


def test_a_held_order_is_billed_and_goes_nowhere_until_it_is_approved(house: House, world: World):
    with house.db.transaction() as session:
        plan = select(Plan.id).where(Plan.variant_id == world.plan.variant_id)
        session.execute(
            update(Plan).where(Plan.id.in_(plan)).values(activation="at_once", features=["x"])
        )
    hold(house, world)
    order = ordered(house, "FW-RT-6", PLAN)
    assert (order.lifecycle, order.payment, order.fulfilment) == (
        "confirmed",
        "on_terms",
        "unfulfilled",
    )
    sound(house)
    assert "We check your order" in mails(house, "order")[0]
    assert len(mails(house, "bill")) == 1
    with pytest.raises(OrderHeld):
        send(house, order, "FW-RT-6")
    with house.db.reading() as session:
        service = session.scalars(select(Subscription)).one()
        assert service.state == "ordered"
        assert len(session.scalars(held.to_check()).all()) == 1
    asked = Service(service.public_id, KIM)
    with pytest.raises(OrderHeld):
        activate_service.activate(house, asked, house.clock.now().date())
    approve_order.approve(house, order.public_id, KIM)
    approve_order.approve(house, order.public_id, ALEX)
    assert (again(house, order).decided_by, again(house, order).fulfilment) == (KIM, "partial")
    with house.db.reading() as session:
        assert session.scalars(select(Subscription)).one().state == "active"
    sound(house)
    assert len(mails(house, "approved")) == 1
    send(house, order, "FW-RT-6")
    assert again(house, order).lifecycle == "completed"
    sound(house)


def test_a_system_outside_is_asked_once_it_is_approved(house: House, world: World):
    with house.db.transaction() as session:
        session.execute(
            update(Plan)
            .where(Plan.variant_id == world.plan.variant_id)
            .values(activation="by_system")
        )
    hold(house, world)
    order = ordered(house, PLAN)
    sound(house)
    with house.db.reading() as session:
        assert session.scalars(select(Provisioning)).all() == []
    approve_order.approve(house, order.public_id, KIM)
    sound(house)
    with house.db.reading() as session:
        assert session.scalars(select(Provisioning)).one().state == "failed", "nobody is connected"


def test_what_is_not_held_is_not_approved(house: House, world: World):
    order = ordered(house, "FW-RT-6")
    with pytest.raises(OrderNotHeld):
        approve_order.approve(house, order.public_id, KIM)


def test_what_staff_took_themselves_is_not_held(house: House, world: World):
    hold(house, world)
    order = ordered(house, "FW-RT-6")
    with house.db.transaction() as session:
        row = session.get_one(Order, order.id)
        assert screen_order.reasons(session, row, house.clock.now()) == ("amount",)
        row.taken_by = KIM
        assert screen_order.reasons(session, row, house.clock.now()) == ()


# --- or cancelled ---------------------------------------------------------------------------------


def test_cancelled_it_is_held_no_more_and_cannot_be_approved(house: House, world: World):
    hold(house, world)
    order = ordered(house, "FW-RT-6", "FW-CAM-1", PLAN)
    worker.drain(house)
    number = lines_of(house, order)["FW-CAM-1"].line_number
    part = Asked(order.public_id, {number: 1}, "other", "usual", KIM, "a")
    take_back.cancel(house, part)
    assert again(house, order).is_held, "something of it is left"
    take_back.cancel(house, Asked(order.public_id, None, "other", "usual", KIM, "b"))
    found = again(house, order)
    assert (found.lifecycle, found.is_held, found.decided_by) == ("cancelled", False, KIM)
    with pytest.raises(OrderNotOpen):
        approve_order.approve(house, order.public_id, KIM)
    sound(house)
    assert mails(house, "approved") == []
    assert len(mails(house, "order_change")) == 2


@pytest.mark.parametrize("decision", ["approved", "cancelled"])
def test_no_gift_card_is_told_before_and_a_cancelled_one_is_paid_back(
    decision: str,
    db: Database,
    clock: ManualClock,
    world: World,
    sandbox: SandboxProcess,
    tmp_path: Path,
):
    house = make_house(db, clock, tmp_path, gateway(sandbox))
    sell_gift_cards(house, world)
    hold(house, world)
    placed = place(house, wish(fill_cart(house, GIFT_SKU)))
    with db.reading() as session:
        operation = operations.of_order(session, placed.order_id)
    sandbox.pay(operation.redirect_url, CARD)
    settle(house, operation.id)
    sound(house)
    order = again(house, placed.order)
    assert order.is_held
    assert mails(house, "gift_card") == []
    if decision == "approved":
        approve_order.approve(house, order.public_id, KIM)
        assert again(house, order).lifecycle == "completed"
    else:
        take_back.cancel(house, Asked(order.public_id, None, "other", "usual", KIM, "a"))
    sound(house)
    with db.reading() as session:
        (card,) = gift_cards.of_order(session, order.id)
        refunds = session.scalars(select(Refund.amount_minor)).all()
    if decision == "approved":
        assert (card.card.state, refunds) == ("live", [])
        assert len(mails(house, "gift_card")) == 1
    else:
        assert (bool(card.balance), refunds) == (False, [card.card.worth_minor])
        assert mails(house, "gift_card") == []


# --- crashes and races ----------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["approve.decided", "approve.before_commit", "cancel.counted"])
def test_a_crash_leaves_it_held_and_the_same_again_ends_it(house: House, world: World, point: str):
    hold(house, world)
    order = ordered(house, "FW-RT-6", PLAN)
    worker.drain(house)

    def work() -> None:
        if point.startswith("approve"):
            approve_order.approve(house, order.public_id, KIM)
        else:
            take_back.cancel(house, Asked(order.public_id, None, "other", "usual", KIM, "a"))

    with crash.crash_at(point):
        work()
    assert again(house, order).is_held
    sound(house)
    work()
    assert not again(house, order).is_held
    sound(house)


def _both(*works: Callable[[], object]) -> list[Exception]:
    start, raised = threading.Barrier(len(works)), []

    def go(work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=go, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


def test_two_approve_and_one_sends_at_the_same_moment(house: House, world: World):
    """It is approved once; the parcel left after that, or was refused."""
    hold(house, world)
    order = ordered(house, "FW-RT-6")
    worker.drain(house)
    raised = _both(
        lambda: approve_order.approve(house, order.public_id, KIM),
        lambda: approve_order.approve(house, order.public_id, ALEX),
        lambda: send(house, order, "FW-RT-6"),
    )
    found = again(house, order)
    assert found.decided_by in (KIM, ALEX)
    assert [type(error) for error in raised] in ([], [OrderHeld])
    assert found.fulfilment == ("unfulfilled" if raised else "fulfilled")
    sound(house)
    assert len(mails(house, "approved")) == 1


def test_one_approves_and_one_cancels_at_the_same_moment(house: House, world: World):
    """Whoever is first decides; what was approved may be cancelled after it, as ever."""
    hold(house, world)
    order = ordered(house, "FW-RT-6")
    worker.drain(house)
    raised = _both(
        lambda: approve_order.approve(house, order.public_id, KIM),
        lambda: take_back.cancel(house, Asked(order.public_id, None, "other", "usual", ALEX, "a")),
    )
    found = again(house, order)
    assert [type(error) for error in raised] in ([], [OrderNotOpen])
    assert (found.lifecycle, found.decided_by) == ("cancelled", ALEX if raised else KIM)
    sound(house)
