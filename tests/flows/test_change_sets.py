"""A placed order becomes another: what is shown before is what is posted, and stock and books stay right."""

import pytest

from flows import change_order
from flows.add_goods import AwaitsPayment
from flows.house import House
from flows.plan_change import Edits
from tests import changing
from tests.changing import (
    assert_sound,
    bought,
    level,
    lines_of,
    number,
    owed,
    paid_back,
    posted,
    seen,
    ship,
)
from tests.paying import drain, usd
from tests.sandbox_process import SandboxProcess
from tests.world import World


def test_several_edits_are_one_set_and_only_the_difference_is_asked_for(
    house: House, sandbox: SandboxProcess, world: World
):
    before = level(house, world.router.level_id)
    big = changing.variant(house, world, "FW-RT-6E", "189.00", 5)
    order = bought(house, sandbox, {"FW-RT-6": 2, "FW-CAM-1": 1})
    router, camera = number(house, order, "FW-RT-6"), number(house, order, "FW-CAM-1")
    edits = Edits({camera: 2}, {router: "FW-RT-6E"})
    plan, wish = seen(house, order, edits)
    assert plan.back > usd(0)
    assert plan.difference == plan.more - plan.back > usd(0)
    change = change_order.change(house, wish)
    assert change_order.change(house, wish).id == change.id
    assert posted(house, change) == (plan.back, plan.more)
    assert level(house, world.router.level_id) == before
    assert level(house, big) == (5, 2, 0)
    assert level(house, world.camera.level_id) == (4, 2, 0)
    drain(house)
    assert owed(house, order) == plan.difference.minor
    assert paid_back(house, order) == 0
    found = {(line.sku, line.change_id is not None): line for line in lines_of(house, order)}
    assert found["FW-RT-6", False].cancelled == 2
    assert found["FW-RT-6E", True].quantity == 2
    with pytest.raises(AwaitsPayment):
        ship(house, order, {found["FW-RT-6E", True].line_number: 1})
    ship(house, order, {camera: 1}, "p2")
    assert_sound(house)
