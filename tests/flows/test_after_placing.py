"""What becomes of a placed order: parcels, cancellations and returns, with their stock and their money."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cart import lines as cart_lines
from core.kernel import crash
from core.kernel.errors import ShopError, StaleState
from core.kernel.jobs import Job
from core.ledger import tenders
from core.notices.models import Notice
from core.orders.changing import AskedAlready
from core.orders.fulfilling import OrderNotOpen, TooManyPieces, Tracking, WrongKind
from core.orders.fulfilment_models import Fulfilment, OrderChange
from core.orders.models import Order, OrderLine
from core.parties.models import Channel
from core.stock import levels
from core.stock.models import StockLevel
from core.stock.sold import NotOnHand
from core.subscriptions.models import Subscription
from flows import activate_service, ask_return, change_service, ship_order, take_back
from flows.give_back import Back, give_back
from flows.hold_service import Asked as AskedService
from flows.house import House
from flows.place_order import Placed, place
from flows.ship_order import Done, Parcel
from flows.take_back import Asked
from flows.verify import verify
from invoices.models import Invoice
from payments.models import Payment, Refund
from tests.giving import credit_left, member, wish_with
from tests.paying import CARD, come_back, drain, pass_time, usd, wish
from tests.sandbox_process import SandboxProcess
from tests.together import together
from tests.world import World

UPS = Tracking("UPS", "1Z999AA10123456784")


def _all(house: House, model, *where):
    with house.db.reading() as session:
        return session.scalars(select(model).where(*where)).all()


def _cart(house: House, **pieces: int) -> str:
    now = house.clock.now()

    def work(session) -> str:
        cart = cart_lines.open_cart(session, session.scalars(select(Channel)).one(), now)
        for sku, count in pieces.items():
            cart_lines.add(session, cart, sku.replace("_", "-"), count, house.rules.hold_for, now)
        return cart.public_id

    return house.db.run_tx(work)


def _bought(house: House, sandbox: SandboxProcess, **pieces: int) -> Order:
    """An order that was paid by card, with its bill."""
    placed = place(house, wish(_cart(house, **pieces)))
    sandbox.pay(placed.redirect_url, CARD)
    assert come_back(house, placed) == "succeeded"
    drain(house)
    return _order(house, placed)


def _order(house: House, placed: Placed | Order) -> Order:
    key = placed.order_id if isinstance(placed, Placed) else placed.id
    (found,) = _all(house, Order, Order.id == key)
    return found


def _lines(house: House, order: Order) -> dict[str, OrderLine]:
    return {line.sku: line for line in _all(house, OrderLine, OrderLine.order_id == order.id)}


def _level(house: House, world: World, what: str = "router") -> tuple[int, int, int]:
    (level,) = _all(house, StockLevel, StockLevel.id == getattr(world, what).level_id)
    return level.on_hand, level.allocated, level.held


def _ship(house: House, order: Order, pieces: dict[str, int], once: str = "p1") -> Fulfilment:
    known = _lines(house, order)
    numbers = {known[sku].line_number: count for sku, count in pieces.items()}
    return ship_order.ship(house, Parcel(order.public_id, numbers, UPS, "user:ada", once))


def _asked(house: House, order: Order, pieces: dict[str, int] | None, **more) -> Asked:
    known = _lines(house, order)
    numbers = (
        None if pieces is None else {known[sku].line_number: count for sku, count in pieces.items()}
    )
    given_ = {"reason": "changed_mind", "refund_to": "usual", "once": "c1"} | more
    return Asked(order.public_id, numbers, actor="user:ada", **given_)


def _refunded(house: House, order: Order) -> int:
    (payment,) = _all(house, Payment, Payment.order_id == order.id)
    return house.gateway.get_payment(payment.gateway_id).amount_refunded.minor


def _mails(house: House, template: str) -> list[Notice]:
    return _all(house, Notice, Notice.template == template)


def _assert_sound(house: House) -> None:
    drain(house)
    assert [job.last_error for job in _all(house, Job) if job.state != "done"] == []
    found = verify(house.db, house.clock, blobs=house.blobs)
    assert [finding for finding in found if not finding.holds] == []


# --- parcels --------------------------------------------------------------------------------------


def test_two_parcels_take_their_pieces_out_of_the_stock_and_tell_the_customer(
    house: House, sandbox: SandboxProcess, world: World
):
    before = _level(house, world)
    order = _bought(house, sandbox, FW_RT_6=3, FW_CAM_1=1)
    assert (order.lifecycle, order.fulfilment) == ("confirmed", "unfulfilled")
    first = _ship(house, order, {"FW-RT-6": 2})
    assert _ship(house, order, {"FW-RT-6": 2}).id == first.id
    assert _order(house, order).fulfilment == "partial"
    assert _level(house, world) == (before[0] - 2, 1, 0)
    drain(house)
    (mail,) = _mails(house, "parcel")
    assert mail.subject == f"On its way: order {order.number}"
    assert "https://www.ups.com/track?tracknum=1Z999AA10123456784" in mail.text_body
    assert "Wi-Fi 6 router × 2" in mail.text_body
    assert "Porch camera" in mail.text_body
    _ship(house, order, {"FW-RT-6": 1, "FW-CAM-1": 1}, "p2")
    done = _order(house, order)
    assert (done.lifecycle, done.fulfilment) == ("completed", "fulfilled")
    assert [line.fulfilled for line in _lines(house, order).values()] == [3, 1, 1]
    with pytest.raises(TooManyPieces) as raised:
        _ship(house, order, {"FW-RT-6": 1}, "p3")
    assert (raised.value.wanted, raised.value.possible) == (1, 0)
    _assert_sound(house)
    assert len(_mails(house, "parcel")) == 2


def test_what_is_not_on_hand_does_not_leave_and_what_is_not_placed_neither(
    house: House, sandbox: SandboxProcess, world: World
):
    order = _bought(house, sandbox, FW_CAM_1=2)
    with house.db.transaction() as session:
        level = session.get_one(StockLevel, world.camera.level_id)
        level.backorder_limit, taken = 9, level.on_hand - 1
        level.on_hand = 1
    with pytest.raises(NotOnHand) as raised:
        _ship(house, order, {"FW-CAM-1": 2})
    assert (raised.value.wanted, raised.value.on_hand) == (2, 1)
    assert _lines(house, order)["FW-CAM-1"].fulfilled == 0
    with house.db.transaction() as session:
        session.get_one(StockLevel, world.camera.level_id).on_hand += taken
        session.get_one(StockLevel, world.camera.level_id).backorder_limit = 0
    waiting = _order(house, place(house, wish(_cart(house, FW_CAM_1=1))))
    with pytest.raises(OrderNotOpen):
        _ship(house, waiting, {"FW-CAM-1": 1})
    assert _order(house, waiting).lifecycle == "pending"


def test_a_visit_is_done_a_plan_is_provided_by_activating_it_and_neither_is_sent(
    house: House, sandbox: SandboxProcess, world: World
):
    order = _bought(house, sandbox, FW_VISIT=1, FW_RIVER_100=1)
    known = _lines(house, order)
    visit, plan = known["FW-VISIT"].line_number, known["FW-RIVER-100"].line_number
    with pytest.raises(WrongKind):
        _ship(house, order, {"FW-VISIT": 1})
    with pytest.raises(WrongKind):
        ship_order.provide(house, Done(order.public_id, {plan: 1}, "user:ada", "d0"))
    ship_order.provide(house, Done(order.public_id, {visit: 1}, "user:ada", "d1"))
    assert _order(house, order).fulfilment == "partial"
    (service,) = _all(house, Subscription)
    today = house.clock.now().date()
    activate_service.activate(house, AskedService(service.public_id, "user:ada"), today)
    done = _order(house, order)
    assert (done.lifecycle, done.fulfilment) == ("completed", "fulfilled")
    _assert_sound(house)


# --- cancelling -----------------------------------------------------------------------------------


def test_a_whole_order_is_cancelled_before_it_left_and_the_card_gets_all_of_it(
    house: House, sandbox: SandboxProcess, world: World
):
    before = _level(house, world)
    order = _bought(house, sandbox, FW_RT_6=2, FW_RIVER_100=1)
    take_back.cancel(house, _asked(house, order, None))
    take_back.cancel(house, _asked(house, order, None))
    assert _level(house, world) == before
    _assert_sound(house)
    done = _order(house, order)
    assert (done.lifecycle, done.fulfilment) == ("cancelled", "unfulfilled")
    assert _refunded(house, order) == order.due_now_minor
    assert [row.state for row in _all(house, Subscription)] == ["ended"]
    assert len(_all(house, OrderChange)) == 1
    (mail,) = _mails(house, "order_change")
    assert mail.subject == f"Order {order.number} is cancelled"
    with pytest.raises(OrderNotOpen):
        _ship(house, order, {"FW-RT-6": 1})
    with pytest.raises(OrderNotOpen):
        take_back.cancel(house, _asked(house, order, None, once="again"))


def test_single_pieces_are_cancelled_and_come_to_exactly_the_line(
    house: House, sandbox: SandboxProcess, world: World
):
    order = _bought(house, sandbox, FW_CAM_1=3)
    line = _lines(house, order)["FW-CAM-1"]
    for at in range(2):
        take_back.cancel(house, _asked(house, order, {"FW-CAM-1": 1}, once=f"c{at}"))
    _ship(house, order, {"FW-CAM-1": 1})
    with pytest.raises(TooManyPieces):
        take_back.cancel(house, _asked(house, order, {"FW-CAM-1": 1}, once="late"))
    done = _order(house, order)
    assert (done.lifecycle, done.fulfilment) == ("completed", "fulfilled")
    take_back.take(house, _asked(house, order, {"FW-CAM-1": 1}, once="r1"), {})
    _assert_sound(house)
    assert _refunded(house, order) == line.net_minor + line.tax_minor


def test_an_order_on_terms_owes_less_and_nothing_is_paid_back(house: House, world: World):
    placed = place(house, wish(_cart(house, FW_RT_6=1, FW_CAM_1=1), "invoice"))
    order = _order(house, placed)
    # Before the bill was written: it is written with the cancellation, as it was ordered.
    take_back.cancel(house, _asked(house, order, {"FW-CAM-1": 1}))
    _assert_sound(house)
    (memo,) = _all(house, Invoice, Invoice.kind == "credit_memo")
    line = _lines(house, order)["FW-CAM-1"]
    assert memo.total_minor == line.net_minor + line.tax_minor
    assert memo.reason == "cancelled"
    assert _all(house, Refund) == []
    (mail,) = _mails(house, "order_change")
    assert "lower" in mail.text_body


def test_a_plan_that_its_customer_ends_before_it_began_is_cancelled_on_the_order(
    house: House, sandbox: SandboxProcess, world: World
):
    order = _bought(house, sandbox, FW_RIVER_100=1, FW_VISIT=1)
    (service,) = _all(house, Subscription)
    asked = AskedService(service.public_id, "user:riley")
    change_service.end(house, asked, "other", "", at_period_end=False)
    plan = _lines(house, order)["FW-RIVER-100"]
    assert plan.cancelled == 1
    assert _order(house, order).lifecycle == "confirmed"
    _assert_sound(house)
    assert _refunded(house, order) == plan.net_minor + plan.tax_minor


# --- returning ------------------------------------------------------------------------------------


def test_a_return_is_announced_comes_and_goes_back_to_the_shelf(
    house: House, sandbox: SandboxProcess, world: World
):
    before = _level(house, world)
    order = _bought(house, sandbox, FW_RT_6=2, FW_CAM_1=1)
    with pytest.raises(TooManyPieces):
        take_back.announce(house, _asked(house, order, {"FW-RT-6": 1}))
    _ship(house, order, {"FW-RT-6": 2, "FW-CAM-1": 1})
    routers = _asked(house, order, {"FW-RT-6": 1}, reason="damaged")
    announced = take_back.announce(house, routers)
    assert take_back.announce(house, routers).id == announced.id
    camera = take_back.announce(house, _asked(house, order, {"FW-CAM-1": 1}, once="c2"))
    take_back.withdraw(house, camera.public_id, "user:ada")
    with pytest.raises(StaleState):
        take_back.receive(house, camera.public_id, {}, "user:ada")
    drain(house)
    assert _refunded(house, order) == 0
    line = _lines(house, order)["FW-RT-6"]
    again = {line.line_number: True}
    take_back.receive(house, announced.public_id, again, "user:ada")
    take_back.receive(house, announced.public_id, again, "user:ada")
    with pytest.raises(StaleState):
        take_back.withdraw(house, announced.public_id, "user:ada")
    assert _level(house, world)[0] == before[0] - 1
    _assert_sound(house)
    assert _refunded(house, order) == (line.net_minor + line.tax_minor + 1) // 2
    told = [mail.subject for mail in _mails(house, "order_change")]
    number = order.number
    assert f"Your return for order {number}" in told
    assert f"The return for order {number} is called off" in told
    assert f"Your return for order {number} is here" in told


def test_a_customer_asks_to_return_something_and_is_answered(
    house: House, sandbox: SandboxProcess, world: World
):
    order = _bought(house, sandbox, FW_RT_6=2, FW_VISIT=1)
    wish_ = _asked(house, order, {"FW-RT-6": 1}, reason="damaged")
    with pytest.raises(TooManyPieces):
        ask_return.ask(house, wish_)
    _ship(house, order, {"FW-RT-6": 2})
    with pytest.raises(WrongKind):
        ask_return.ask(house, _asked(house, order, {"FW-VISIT": 1}))
    with crash.crash_at("return.asked"):
        ask_return.ask(house, wish_)
    asked = ask_return.ask(house, wish_)
    assert ask_return.ask(house, wish_).id == asked.id
    with pytest.raises(AskedAlready):
        ask_return.ask(house, _asked(house, order, {"FW-RT-6": 1}, once="c2"))
    for too_early in (
        lambda: take_back.receive(house, asked.public_id, {}, "user:ada"),
        lambda: take_back.withdraw(house, asked.public_id, "user:ada"),
    ):
        with pytest.raises(StaleState):
            too_early()
    assert _lines(house, order)["FW-RT-6"].returned == 0
    _assert_sound(house)

    with crash.crash_at("return.declined"):
        ask_return.decline(house, asked.public_id, "It is scratched.", "user:ada")
    for _ in range(2):
        ask_return.decline(house, asked.public_id, "It is scratched.", "user:ada")
    with pytest.raises(StaleState):
        ask_return.accept(house, asked.public_id, "user:ada")
    again = ask_return.ask(house, _asked(house, order, {"FW-RT-6": 2}, once="c3"))
    with crash.crash_at("return.accepted"):
        ask_return.accept(house, again.public_id, "user:ada")
    for _ in range(2):
        ask_return.accept(house, again.public_id, "user:ada")
    assert _lines(house, order)["FW-RT-6"].returned == 2
    with pytest.raises(StaleState):
        ask_return.decline(house, again.public_id, "Too late.", "user:ada")
    _assert_sound(house)
    assert _refunded(house, order) == 0
    take_back.receive(house, again.public_id, {}, "user:ada")
    _assert_sound(house)
    line = _lines(house, order)["FW-RT-6"]
    assert _refunded(house, order) == line.net_minor + line.tax_minor
    (no,) = [mail for mail in _mails(house, "order_change") if "Our answer" in mail.subject]
    assert "It is scratched." in no.text_body
    assert "It is scratched." in no.html_body
    told = [mail.subject for mail in _mails(house, "order_change")]
    assert told.count(f"You asked to return something of order {order.number}") == 2
    assert told.count(f"Your return for order {order.number}") == 1


def test_what_came_back_meanwhile_cannot_be_accepted_any_more(
    house: House, sandbox: SandboxProcess, world: World
):
    order = _bought(house, sandbox, FW_RT_6=1)
    _ship(house, order, {"FW-RT-6": 1})
    asked = ask_return.ask(house, _asked(house, order, {"FW-RT-6": 1}))
    take_back.take(house, _asked(house, order, {"FW-RT-6": 1}, once="r1"), {})
    with pytest.raises(TooManyPieces):
        ask_return.accept(house, asked.public_id, "user:ada")
    ask_return.decline(house, asked.public_id, "It is here already.", "user:ada")
    _assert_sound(house)


def test_the_money_goes_where_it_is_said(house: House, sandbox: SandboxProcess, world: World):
    riley = member(house, credit_minor=5000)
    placed = place(house, wish_with(house, "FW-RT-6", who=riley, use_credit=True))
    sandbox.pay(placed.redirect_url, CARD)
    assert come_back(house, placed) == "succeeded"
    drain(house)
    order = _order(house, placed)
    _ship(house, order, {"FW-RT-6": 1})
    asked = _asked(house, order, {"FW-RT-6": 1}, refund_to="credit")
    take_back.take(house, asked, {})
    _assert_sound(house)
    line = _lines(house, order)["FW-RT-6"]
    worth = line.net_minor + line.tax_minor
    assert (credit_left(house, riley), _refunded(house, order)) == (5000, worth - 5000)


def test_kept_as_credit_is_kept(house: House, sandbox: SandboxProcess, world: World):
    order = _bought(house, sandbox, FW_RT_6=1)
    take_back.cancel(house, _asked(house, order, None, refund_to="kept"))
    _assert_sound(house)
    assert _refunded(house, order) == 0
    with house.db.reading() as session:
        free = tenders.spendable(session, order.payer_account_id, "USD")
    assert sum(row.available.minor for row in free) == order.due_now_minor


# --- all at once, and in any order ----------------------------------------------------------------


def test_sending_and_cancelling_at_once_never_do_both(
    house: House, sandbox: SandboxProcess, world: World
):
    order = _bought(house, sandbox, FW_RT_6=1)
    outcomes = together(
        [
            lambda: _ship(house, order, {"FW-RT-6": 1}),
            lambda: take_back.cancel(house, _asked(house, order, None)),
            lambda: _ship(house, order, {"FW-RT-6": 1}, "p2"),
        ]
    )
    assert sum(not isinstance(one, Exception) for one in outcomes) == 1, outcomes
    _assert_sound(house)


def _sweep(house: House, order: Order) -> dict[str, Callable[[], object]]:
    return {
        "ship": lambda: _ship(house, order, {"FW-RT-6": 2}),
        "cancel": lambda: take_back.cancel(house, _asked(house, order, {"FW-RT-6": 1})),
        "return": lambda: take_back.take(
            house, _asked(house, order, {"FW-RT-6": 1}, once="r1"), {1: True}
        ),
    }


POINTS = {
    "ship": ("ship.written", "ship.before_commit"),
    "cancel": ("cancel.counted", "memo.written", "cancel.before_commit"),
    "return": (
        "return.announced",
        "memo.written",
        "return.credited",
        "return.before_commit",
    ),
}


@pytest.mark.parametrize("act", POINTS)
def test_a_crash_at_any_point_of_an_act_leaves_it_undone_or_done_once(
    act: str, house: House, sandbox: SandboxProcess, world: World
):
    order = _bought(house, sandbox, FW_RT_6=3)
    acts = _sweep(house, order)
    for earlier in POINTS:
        if earlier == act:
            break
        acts[earlier]()
    passed: list[str] = []
    for point in POINTS[act]:
        with crash.crash_at(point):
            acts[act]()
    with crash.armed(passed.append):
        acts[act]()
        drain(house)
    assert set(POINTS[act]) <= set(passed)
    for point in ("give_back.before_commit", "refund.prepared", "refund.asked"):
        assert (point in passed) == (act != "ship")
    _assert_sound(house)
    assert len(_all(house, Refund)) == {"ship": 0, "cancel": 1, "return": 2}[act]


@pytest.mark.parametrize("point", ["give_back.before_commit", "refund.prepared", "refund.asked"])
def test_a_crash_on_the_way_of_the_money_pays_back_once(
    point: str, house: House, sandbox: SandboxProcess, world: World
):
    order = _bought(house, sandbox, FW_RT_6=1)
    take_back.cancel(house, _asked(house, order, None))
    with crash.crash_at(point):
        drain(house)
    pass_time(house, sandbox, timedelta(minutes=5))
    _assert_sound(house)
    assert _refunded(house, order) == order.due_now_minor
    assert _order(house, order).payment == "refunded"


# --- any sequence ---------------------------------------------------------------------------------

#: Which act, of which line of the order (a router and a camera), how many pieces, where the money goes.
_STEP = st.tuples(
    st.sampled_from(
        "ship cancel cancel_all ask accept decline announce receive withdraw refund".split()
    ),
    st.sampled_from([1, 2]),
    st.integers(1, 3),
    st.sampled_from(["usual", "credit", "kept"]),
)


def _do(house: House, order: Order, at: int, step: tuple[str, int, int, str]) -> None:
    act, number, pieces, way = step
    asked = Asked(order.public_id, {number: pieces}, "other", way, "user:ada", f"s{at}")
    if act == "ship":
        parcel = Parcel(order.public_id, {number: pieces}, UPS, "user:ada", f"s{at}")
        ship_order.ship(house, parcel)
    elif act == "cancel":
        take_back.cancel(house, asked)
    elif act == "cancel_all":
        take_back.cancel(house, replace(asked, pieces=None))
    elif act == "announce":
        take_back.announce(house, asked)
    elif act == "ask":
        ask_return.ask(house, asked)
    elif act == "refund":
        back = Back(order.id, usd(pieces * 1000), f"s{at}-{order.id.hex}"[:60], "goodwill")
        give_back(house, back)
    else:
        waiting = [
            row
            for row in _all(house, OrderChange, OrderChange.order_id == order.id)
            if row.kind == "return"
        ]
        if waiting and act == "receive":
            change = waiting[pieces % len(waiting)]
            take_back.receive(house, change.public_id, {number: True}, "user:ada")
        elif waiting and act == "accept":
            ask_return.accept(house, waiting[pieces % len(waiting)].public_id, "user:ada")
        elif waiting and act == "decline":
            change = waiting[pieces % len(waiting)]
            ask_return.decline(house, change.public_id, "No.", "user:ada")
        elif waiting:
            take_back.withdraw(house, waiting[pieces % len(waiting)].public_id, "user:ada")


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_STEP, min_size=3, max_size=9), st.sampled_from(["card", "invoice"]))
def test_no_sequence_sends_or_gives_back_more_than_there_was(
    house: House, sandbox: SandboxProcess, world: World, steps: list, method: str
):
    placed = place(house, wish(_cart(house, FW_RT_6=2, FW_CAM_1=1), method))
    if method == "card":
        sandbox.pay(placed.redirect_url, CARD)
        come_back(house, placed)
    order = _order(house, placed)
    for at, step in enumerate(steps):
        with suppress(ShopError):
            _do(house, order, at, step)
        drain(house)
    for line in _all(house, OrderLine, OrderLine.order_id == order.id):
        assert 0 <= line.fulfilled + line.cancelled <= line.quantity
        assert 0 <= line.returned <= line.fulfilled
    if method == "card":
        assert _refunded(house, order) <= order.due_now_minor
    _assert_sound(house)
    # What waits of this order would keep the next example from having enough.
    if _order(house, order).lifecycle == "confirmed":
        take_back.cancel(house, replace(_asked(house, order, None), once="end"))
    with house.db.transaction() as session:
        for goods in (world.router, world.camera):
            now = house.clock.now()
            levels.receive(session, goods.variant_id, world.location_id, 3, now)
