"""Goods go out instead of what comes back: held, sent after or before, and paid by it to the cent."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from core.kernel import crash
from core.kernel.errors import StaleState
from core.kernel.money import Money
from core.ledger.chart import CUSTOMER_CREDIT
from core.notices.models import Notice
from core.orders import changing, exchanging, placing
from core.orders.fulfilment_models import OrderChange
from core.orders.models import Order
from core.stock import levels
from core.stock.holds import OutOfStock
from flows import ask_return, exchange, take_back, worth
from flows.add_goods import AwaitsPayment
from flows.exchange import NotOffered
from flows.house import House
from flows.take_back import Asked
from tests.changing import (
    assert_sound,
    bought,
    every,
    level,
    lines_of,
    number,
    on_terms,
    order_of,
    owed,
    paid_back,
    posted,
    ship,
    variant,
)
from tests.paying import drain, pass_time, usd
from tests.rooms.ledger.books import balance
from tests.rooms.web.looking import statements
from tests.sandbox_process import SandboxProcess
from tests.together import together
from tests.world import World


def _asked(
    house: House, order: Order, pieces: dict[int, int], instead: dict[int, str], **more: Any
):
    given = {"reason": "not_as_described", "refund_to": "usual", "once": "x1"} | more
    return Asked(order.public_id, pieces, actor="user:ada", instead=instead, **given)


def _state(house: House, change: OrderChange) -> str:
    with house.db.reading() as session:
        found = exchanging.of(session, change.id)
    assert found is not None
    return found.row.state


def _added(house: House, order: Order) -> dict[str, tuple[int, int, int]]:
    """What exchanges added: how many, how many left, how many were given up again."""
    return {
        line.sku: (line.quantity, line.fulfilled, line.cancelled)
        for line in lines_of(house, order)
        if line.change_id is not None
    }


def _subjects(house: House) -> list[str]:
    return [mail.subject for mail in every(house, Notice, Notice.template == "order_change")]


def test_the_same_again_costs_nothing_and_leaves_once_the_other_is_here(
    house: House, sandbox: SandboxProcess, world: World
):
    order = bought(house, sandbox, {"FW-RT-6": 2})
    router = number(house, order, "FW-RT-6")
    ship(house, order, {router: 2})
    assert order_of(house, order).lifecycle == "completed"
    before = level(house, world.router.level_id)
    change = ask_return.ask(house, _asked(house, order, {router: 1}, {router: "FW-RT-6"}))
    assert (_state(house, change), level(house, world.router.level_id)) == ("wanted", before)
    for _ in range(2):
        ask_return.accept(house, change.public_id, "user:ada")
    assert _state(house, change) == "held"
    assert level(house, world.router.level_id) == (before[0], before[1], before[2] + 1)
    drain(house)
    mails = every(house, Notice, Notice.template == "order_change")
    promised = "We keep this for you, and send it once yours is here"
    assert sum(promised in mail.text_body for mail in mails) == 1
    for _ in range(2):
        take_back.receive(house, change.public_id, {router: False}, "user:ada")
    assert _state(house, change) == "added"
    assert level(house, world.router.level_id) == (before[0], before[1] + 1, before[2])
    back, more = posted(house, change)
    assert back == more > usd(0)
    drain(house)
    assert (owed(house, order), paid_back(house, order)) == (0, 0)
    again = order_of(house, order)
    assert (again.lifecycle, again.fulfilment) == ("confirmed", "partial")
    (line,) = [one for one in lines_of(house, order) if one.change_id == change.id]
    ship(house, order, {line.line_number: 1}, "p2")
    assert order_of(house, order).lifecycle == "completed"
    assert_sound(house)
    # The replacement can come back as anything that was sent.
    take_back.take(
        house, _asked(house, order, {line.line_number: 1}, {}, once="x2"), {line.line_number: True}
    )
    assert_sound(house)
    assert paid_back(house, order) == back.minor


@pytest.mark.parametrize("price", ["189.00", "99.00"])
def test_another_kind_is_asked_for_or_given_back_to_the_cent(
    price: str, house: House, sandbox: SandboxProcess, world: World
):
    variant(house, world, "FW-RT-7", price, 5)
    order = bought(house, sandbox, {"FW-RT-6": 2})
    router = number(house, order, "FW-RT-6")
    ship(house, order, {router: 2})
    asked = _asked(house, order, {router: 1}, {router: "FW-RT-7"})
    change = take_back.take(house, asked, {router: True})
    assert take_back.take(house, asked, {router: True}).id == change.id
    drain(house)
    back, more = posted(house, change)
    difference = more.minor - back.minor
    assert owed(house, order) == max(difference, 0)
    assert paid_back(house, order) == max(-difference, 0)
    assert difference * (float(price) - 129) > 0
    line = number(house, order, "FW-RT-7")
    if difference > 0:
        with pytest.raises(AwaitsPayment):
            ship(house, order, {line: 1}, "p2")
    else:
        ship(house, order, {line: 1}, "p2")
    assert_sound(house)


def test_what_costs_the_same_today_costs_what_was_paid_though_that_was_less(
    house: House, sandbox: SandboxProcess, world: World
):
    variant(house, world, "FW-RT-BLACK", "129.00", 2)
    order = bought(house, sandbox, {"FW-RT-6": 1})
    router = number(house, order, "FW-RT-6")
    ship(house, order, {router: 1})
    asked = _asked(house, order, {router: 1}, {router: "FW-RT-BLACK"})
    change = take_back.take(house, asked, {})
    back, more = posted(house, change)
    assert back == more
    assert_sound(house)


def test_sent_before_it_is_billed_for_later_and_the_return_pays_for_it(
    house: House, sandbox: SandboxProcess, world: World
):
    order = bought(house, sandbox, {"FW-RT-6": 1})
    router = number(house, order, "FW-RT-6")
    ship(house, order, {router: 1})
    change = take_back.announce(
        house, _asked(house, order, {router: 1}, {router: "FW-RT-6"}, sends="before")
    )
    assert _added(house, order) == {"FW-RT-6": (1, 0, 0)}
    assert owed(house, order) == order.due_now_minor
    (line,) = [one for one in lines_of(house, order) if one.change_id is not None]
    ship(house, order, {line.line_number: 1}, "p2")
    assert_sound(house)
    take_back.receive(house, change.public_id, {router: True}, "user:ada")
    assert_sound(house)
    assert (owed(house, order), paid_back(house, order)) == (0, 0)


@pytest.mark.parametrize("called_off", [None, 1])
def test_single_pieces_sent_before_are_paid_to_the_cent_in_whichever_order_they_come_back(
    called_off: int | None, house: House, sandbox: SandboxProcess, world: World
):
    order = bought(house, sandbox, {"FW-RT-6": 3})
    assert order.tax_minor % 3, "the tax of three is not three times the tax of one"
    router = number(house, order, "FW-RT-6")
    ship(house, order, {router: 3})

    def announced(once: str) -> OrderChange:
        asked = _asked(house, order, {router: 1}, {router: "FW-RT-6"}, once=once, sends="before")
        return take_back.announce(house, asked)

    changes = [announced(f"b{at}") for at in range(3)]
    if called_off is not None:
        take_back.withdraw(house, changes.pop(called_off).public_id, "user:ada")
        changes.append(announced("again"))
    sent = sum(posted(house, change)[1].minor for change in changes)
    assert sent == order.due_now_minor
    for change in (changes[1], changes[2], changes[0]):
        with house.db.snapshot() as session:
            some = changing.pieces_of(session, change, placing.lines_of(session, order.id))
            (seen,) = worth.foresee(session, order, some, change.id)
        take_back.receive(house, change.public_id, {router: True}, "user:ada")
        back, more = posted(house, change)
        assert seen.amount == back == more
    drain(house)
    assert (owed(house, order), paid_back(house, order)) == (0, 0)
    with house.db.reading() as session:
        assert balance(session, CUSTOMER_CREDIT) == 0
    assert_sound(house)


def test_what_does_not_come_back_lets_the_other_go_or_is_billed_all_the_same(
    house: House, sandbox: SandboxProcess, world: World
):
    order = bought(house, sandbox, {"FW-RT-6": 4})
    router = number(house, order, "FW-RT-6")
    ship(house, order, {router: 4})
    before = level(house, world.router.level_id)

    def announced(once: str, sends: str = "after") -> OrderChange:
        asked = _asked(house, order, {router: 1}, {router: "FW-RT-6"}, once=once, sends=sends)
        return take_back.announce(house, asked)

    free, billed, early = announced("w1"), announced("w2"), announced("w3", "before")
    for _ in range(2):
        take_back.withdraw(house, free.public_id, "user:ada")
        take_back.withdraw(house, billed.public_id, "user:ada", billed=True)
        take_back.withdraw(house, early.public_id, "user:ada")
    assert [_state(house, one) for one in (free, billed, early)] == ["let_go", "added", "added"]
    assert level(house, world.router.level_id) == (before[0], before[1] + 1, before[2])
    drain(house)
    assert owed(house, order) == posted(house, billed)[1].minor
    assert {line.returned for line in lines_of(house, order)} == {0}
    assert_sound(house)
    with pytest.raises(StaleState):
        take_back.receive(house, free.public_id, {}, "user:ada")


def test_money_goes_back_instead_when_the_other_is_gone(
    house: House, sandbox: SandboxProcess, world: World
):
    held = variant(house, world, "FW-RT-LAST", "129.00", 1)
    order = bought(house, sandbox, {"FW-RT-6": 1})
    router = number(house, order, "FW-RT-6")
    ship(house, order, {router: 1})
    change = take_back.announce(house, _asked(house, order, {router: 1}, {router: "FW-RT-LAST"}))
    assert level(house, held) == (1, 0, 1)
    pass_time(house, sandbox, timedelta(days=31))
    # Its hold has lapsed, and somebody else has taken it.
    other = on_terms(house, {"FW-RT-LAST": 1})
    with pytest.raises(OutOfStock):
        take_back.receive(house, change.public_id, {}, "user:ada")
    for _ in range(2):
        take_back.money_instead(house, change.public_id, "user:ada")
    take_back.receive(house, change.public_id, {router: True}, "user:ada")
    assert_sound(house)
    assert paid_back(house, order) == order.due_now_minor
    assert order_of(house, other).lifecycle == "confirmed"
    with pytest.raises(StaleState):
        take_back.withdraw(house, change.public_id, "user:ada")


def test_a_customer_has_the_same_or_another_kind_of_it_and_nothing_else(
    house: House, sandbox: SandboxProcess, world: World
):
    order = bought(house, sandbox, {"FW-RT-6": 1})
    router = number(house, order, "FW-RT-6")
    ship(house, order, {router: 1})
    with pytest.raises(NotOffered):
        ask_return.ask(house, _asked(house, order, {router: 1}, {router: "FW-CAM-1"}))
    assert every(house, OrderChange) == []
    change = ask_return.ask(house, _asked(house, order, {router: 1}, {router: "FW-RT-6"}))
    ask_return.decline(house, change.public_id, "It is scratched.", "user:ada")
    assert _state(house, change) == "let_go"
    with house.db.transaction() as session:
        levels.shift(session, world.router.level_id, on_hand=0)
    assert_sound(house)


def test_what_may_be_had_instead_is_asked_for_at_once_for_all_that_was_ordered(
    house: House, sandbox: SandboxProcess, world: World
):
    order = bought(house, sandbox, {"FW-RT-6": 1, "FW-CAM-1": 1})

    def offered() -> tuple[dict[str, dict[str, Money | None]], int]:
        with house.db.snapshot() as session:
            lines = placing.lines_of(session, order.id)
            with statements(house.db) as asked:
                found = exchange.choices(session, house, order, lines)
        names = {line.id: line.sku for line in lines}
        words = {names[key]: {one.sku: one.more for one in its} for key, its in found.items()}
        return words, len(asked)

    few, asked = offered()
    assert few == {"FW-RT-6": {"FW-RT-6": None}, "FW-CAM-1": {"FW-CAM-1": None}}
    prices = {"FW-RT-7": "189.00", "FW-RT-BLACK": "129.00", "FW-RT-OLD": "99.00"}
    for sku, price in prices.items():
        variant(house, world, sku, price, 5)
    variant(house, world, "FW-CAM-2", "60.00", 5, of="camera")
    many, again = offered()
    assert many["FW-RT-6"] == {
        "FW-RT-6": None,
        "FW-RT-7": usd(6000),
        "FW-RT-BLACK": None,
        "FW-RT-OLD": usd(-3000),
    }
    assert set(many["FW-CAM-1"]) == {"FW-CAM-1", "FW-CAM-2"}
    assert again == asked == 2


_ADDED = ("add.written", "issue.written")
_HERE = ("memo.written", "return.credited", "add.billed", "exchange.here", "return.before_commit")
#: What each step passes: asked for, let come, here.
POINTS = {
    "after": (
        ("return.asked",),
        ("exchange.agreed", "return.accepted"),
        (*_ADDED, *_HERE),
    ),
    "before": (
        ("return.asked",),
        (*_ADDED, "add.billed", "exchange.agreed", "return.accepted"),
        _HERE,
    ),
}


@pytest.mark.parametrize("sends", POINTS)
def test_a_crash_at_any_point_of_an_exchange_leaves_its_step_undone_or_done_once(
    sends: str, house: House, sandbox: SandboxProcess, world: World
):
    variant(house, world, "FW-RT-7", "189.00", 5)
    order = bought(house, sandbox, {"FW-RT-6": 2})
    router = number(house, order, "FW-RT-6")
    ship(house, order, {router: 2})
    asked = _asked(house, order, {router: 1}, {router: "FW-RT-7"})
    steps: list[Callable[[], OrderChange]] = [
        lambda: ask_return.ask(house, asked),
        lambda: ask_return.accept(house, _key(house), "user:ada", sends),
        lambda: take_back.receive(house, _key(house), {router: True}, "user:ada"),
    ]
    for step, points in zip(steps, POINTS[sends], strict=True):
        for point in points:
            with crash.crash_at(point):
                step()
        change = step()
        assert step().id == change.id
    back, more = posted(house, change)
    drain(house)
    assert owed(house, order) == more.minor - back.minor > 0
    assert _added(house, order) == {"FW-RT-7": (1, 0, 0)}
    assert_sound(house)
    assert sorted(_subjects(house)) == sorted(
        [
            f"You asked to return something of order {order.number}",
            f"Your return for order {order.number}",
            f"Your return for order {order.number} is here",
        ]
    )


def _key(house: House) -> str:
    (change,) = every(house, OrderChange)
    return str(change.public_id)


def test_two_clerks_receive_and_call_off_at_once_and_one_of_it_happens(
    house: House, sandbox: SandboxProcess, world: World
):
    order = bought(house, sandbox, {"FW-RT-6": 1})
    router = number(house, order, "FW-RT-6")
    ship(house, order, {router: 1})
    change = take_back.announce(house, _asked(house, order, {router: 1}, {router: "FW-RT-6"}))
    key = change.public_id
    outcomes = together(
        [
            lambda: take_back.receive(house, key, {router: True}, "user:ada"),
            lambda: take_back.withdraw(house, key, "user:kim"),
            lambda: take_back.receive(house, key, {router: True}, "user:kim"),
        ]
    )
    done = [one for one in outcomes if not isinstance(one, Exception)]
    assert len({one.state for one in done if isinstance(one, OrderChange)}) == 1, outcomes
    assert_sound(house)
