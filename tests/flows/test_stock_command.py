"""``./shop stock``: what is there of a thing, and noting what was counted."""

from io import StringIO
from pathlib import Path

import pytest

from app.commands import stock
from app.settings import load
from core.kernel.audit import AuditEntry
from core.kernel.errors import NotFound
from core.stock import levels
from core.stock.adjusting import BelowPromised
from core.stock.models import Location, StockLevel, StockMovement
from flows.house import House
from tests.flows.test_commands import environment
from tests.paying import fill_cart
from tests.world import World


@pytest.fixture
def run(house: House, tmp_path: Path):
    settings = load(environment(house.db.url, tmp_path))

    def run(*argv: str) -> tuple[int, list[str]]:
        out = StringIO()
        return stock.run(argv, settings, house, out), out.getvalue().splitlines()

    return run


def _camera(house: House, world: World) -> StockLevel:
    with house.db.reading() as session:
        return session.get_one(StockLevel, world.camera.level_id)


def test_it_tells_what_is_there_of_a_thing_and_what_can_be_had(run, house: House, world: World):
    fill_cart(house, world.camera.sku)
    code, (head, _, row) = run(world.camera.sku)
    assert code == 0
    assert head.split("  ")[0] == "place"
    assert row.split() == ["harbor", "4", "0", "1", "0", "3"]
    assert run("FW-NOTHING") == (1, ["Nothing is counted under the SKU FW-NOTHING."])


def test_what_was_counted_is_noted_with_its_reason(run, house: House, world: World):
    code, lines = run(world.camera.sku, "--set", "9", "--reason", "Found  behind the shelf")
    assert (code, lines[0]) == (0, "9 are on hand at harbor now (+5).")
    assert lines[-1].split() == ["harbor", "9", "0", "0", "0", "9"]
    with house.db.reading() as session:
        moved = session.query(StockMovement).filter_by(reference="counted").one()
        assert (moved.on_hand, moved.actor, moved.note) == (5, "system", "Found behind the shelf")
        assert session.query(AuditEntry).filter_by(act="stock.adjusted").count() == 1


def test_fewer_than_are_held_only_when_told_even_so(run, house: House, world: World):
    fill_cart(house, world.camera.sku)
    with pytest.raises(BelowPromised):
        run(world.camera.sku, "--set", "0", "--reason", "Stolen")
    assert _camera(house, world).on_hand == 4
    code, lines = run(world.camera.sku, "--set", "0", "--reason", "Stolen", "--even-so")
    assert code == 0
    assert "the limit for back-orders is 1" in lines[0]
    assert _camera(house, world).on_hand == 0


def test_where_there_are_several_places_one_is_named(run, house: House, world: World):
    with house.db.transaction() as session:
        session.add(mill := Location(code="mill", name="Mill Street"))
        session.flush()
        levels.receive(session, world.camera.variant_id, mill.id, 2, house.clock.now())
    asked = (world.camera.sku, "--set", "3", "--reason", "Counted")
    code, lines = run(*asked)
    assert (code, lines) == (1, ["Say where with --at: FW-CAM-1 is counted at harbor, mill."])
    assert run(*asked, "--at", "mill")[0] == 0
    with pytest.raises(NotFound):
        run(*asked, "--at", "moon")
    assert [line.split()[:2] for line in run(world.camera.sku)[1][2:]] == [
        ["harbor", "4"],
        ["mill", "3"],
    ]


@pytest.mark.parametrize("wrong", [("--set", "3"), ("--set", "x"), ("--set", "-1"), ()])
def test_what_is_asked_the_wrong_way_is_told(run, world: World, wrong: tuple[str, ...]):
    argv = (world.camera.sku, *wrong) if wrong else ()
    with pytest.raises(SystemExit) as end:
        run(*argv)
    assert end.value.code == 2
