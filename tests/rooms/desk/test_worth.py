"""Lists say what an order comes to now; its own page says what it was as it was placed as well."""

import csv
import io

from core.kernel.money import Money
from core.orders.models import Order
from flows import take_back
from flows.edits import Added, Edits
from flows.take_back import Asked
from flows.verify import verify
from tests.changing import changed
from tests.rooms.web.looking import Page, statements
from tests.rooms.web.stage import KIM, RILEY, Stage


def _again(stage: Stage, order: Order) -> Order:
    return stage.row(Order, Order.id == order.id)


def _words(minor: int) -> str:
    return f"{Money(minor, 'USD').decimal():,}"


def _worth(order: Order) -> str:
    return _words(order.worth_minor)


def _row(stage: Stage, order: Order) -> dict[str, str]:
    file = stage.browser(KIM).get(f"/desk/orders.csv?q={order.number}").get_data(as_text=True)
    (row,) = csv.DictReader(io.StringIO(file))
    return row


def test_a_change_is_in_every_list_and_what_it_was_stays_on_its_page(stage: Stage):
    order = stage.order_on_terms(stage.world.router.sku, who=RILEY)
    assert order.worth_minor == order.due_now_minor
    edits = Edits(added=[Added(stage.world.router.sku, 2), Added(stage.world.visit.sku)])
    plan, _ = changed(stage.house, order, edits)
    now = _again(stage, order)
    assert now.worth_minor == order.due_now_minor + plan.difference.minor
    assert now.due_now_minor == order.due_now_minor
    was = _words(order.due_now_minor)
    kim, riley = stage.browser(KIM), stage.browser(RILEY)
    shown = Page(kim.get(f"/desk/orders?q={order.number}")).text
    assert _worth(now) in shown
    assert was not in shown
    assert "3 × Wi-Fi 6 router" not in shown, "each line stands by itself"
    assert "2 × Wi-Fi 6 router" in shown
    row = _row(stage, order)
    assert (row["due_now"], row["worth"]) == (
        str(Money(order.due_now_minor, "USD").decimal()),
        str(Money(now.worth_minor, "USD").decimal()),
    )
    assert _worth(now) in Page(riley.get("/account/orders")).text
    page = Page(kim.get(f"/desk/orders/{order.public_id}")).text
    assert "Worth now" in page
    assert was in page
    assert _worth(now) in page
    link = stage.house.links.order(order.public_id).removeprefix(stage.house.links.base_url)
    public = Page(stage.browser().get(link)).text
    assert "Worth now" in public
    assert was in public


def test_what_is_given_up_or_comes_back_is_worth_less_and_a_sort_goes_by_that(stage: Stage):
    who = stage.newcomer()
    large = stage.order_on_terms(*[stage.world.router.sku] * 4, who=who)
    small = stage.order_on_terms(*[stage.world.router.sku] * 3, who=who)
    asked = Asked(large.public_id, {1: 3}, "changed_mind", "usual", "user:kim", "worth-1")
    take_back.cancel(stage.house, asked)
    kim = stage.browser(KIM)
    text = kim.get(f"/desk/orders?sort=-due&q={large.email}").get_data(as_text=True)
    assert 0 < text.index(small.public_id) < text.index(large.public_id)
    text = kim.get(f"/desk/orders?sort=due&q={large.email}").get_data(as_text=True)
    assert 0 < text.index(large.public_id) < text.index(small.public_id)
    whole = Asked(large.public_id, None, "changed_mind", "usual", "user:kim", "worth-2")
    take_back.cancel(stage.house, whole)
    assert _again(stage, large).worth_minor == 0
    stage.drain()
    found = verify(stage.db, stage.clock, blobs=stage.house.blobs)
    assert [line.offenders for line in found if line.number == 3] == [()]


def test_a_list_asks_as_often_however_many_orders_were_changed(stage: Stage):
    kim = stage.browser(KIM)
    kim.get("/desk/orders")
    with statements(stage.db) as before:
        kim.get("/desk/orders")
    for at in range(3):
        order = stage.order_on_terms(stage.world.router.sku, who=RILEY)
        edits = Edits(added=[Added(stage.world.router.sku)])
        changed(stage.house, order, edits, once=f"many-{at}")
    with statements(stage.db) as after:
        kim.get("/desk/orders")
    assert len(after) == len(before)
