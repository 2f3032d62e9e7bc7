"""A file of stock is looked at line by line, and done as a whole or not at all."""

import pytest

from core.kernel import crash
from core.kernel.errors import Invalid
from core.stock.models import StockLevel
from core.stock.proofs import levels_are_true
from flows import import_stock
from flows.house import House
from flows.import_stock import LineRefused, StockMoved
from tests.paying import fill_cart
from tests.world import World


def _on_hand(house: House, world: World) -> tuple[int, int]:
    with house.db.snapshot() as session:
        assert levels_are_true(session, house.clock.now()).offenders == ()
        camera = session.get_one(StockLevel, world.camera.level_id)
        return camera.on_hand, session.get_one(StockLevel, world.router.level_id).on_hand


def _file(world: World, *lines: str) -> str:
    text = "SKU, location ,reason,pieces,note,ignored\r\n" + "\r\n".join(lines)
    return text.replace("CAM", world.camera.sku).replace("ROUTER", world.router.sku)


def test_it_is_looked_at_and_then_done_once(house, world):
    text = _file(world, "CAM,harbor,received,5,by van,x", "", "ROUTER,Harbor Lane,,20,,")
    looked = import_stock.look(house, text)
    assert [(one.line.number, one.before, one.after, one.wrong) for one in looked.changes] == [
        (2, 4, 9, ""),
        (4, 27, 20, ""),
    ]
    assert _on_hand(house, world) == (4, 27)
    with crash.crash_at("import_stock.before_commit"):
        import_stock.apply(house, text, looked.mark, "user:kim", "one")
    assert _on_hand(house, world) == (4, 27)
    for _ in range(2):
        assert import_stock.apply(house, text, looked.mark, "user:kim", "one") == 2
    assert _on_hand(house, world) == (9, 20)
    with pytest.raises(StockMoved):
        import_stock.apply(house, text, looked.mark, "user:kim", "two")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("NOTHING,harbor,received,1,,", "Nothing with this SKU"),
        ("CAM,moon,received,1,,", "no place"),
        ("CAM,harbor,eaten,1,,", "The reason is one of"),
        ("CAM,harbor,received,-1,,", "whole number"),
        ("CAM,harbor,received,=1+1,,", "whole number"),
        ("CAM,harbor,lost,5,,", "Only 4 are on hand"),
        ("ROUTER,harbor,received,1,,", "in the file twice"),
    ],
)
def test_what_is_wrong_with_a_line_is_told_and_nothing_is_done(line, why, house, world):
    text = _file(world, "ROUTER,,found,1,,", line)
    looked = import_stock.look(house, text)
    assert [bool(one.wrong) for one in looked.changes] == [False, True]
    assert why in looked.changes[1].wrong
    with pytest.raises(Invalid):
        import_stock.apply(house, text, None, "user:kim", "one")
    assert _on_hand(house, world) == (4, 27)


def test_below_what_is_held_no_line_of_it_is_done(house, world):
    fill_cart(house, world.camera.sku)
    text = _file(world, "ROUTER,,found,1,,", "CAM,,counted,0,,")
    with pytest.raises(LineRefused) as refused:
        import_stock.apply(house, text, None, "user:kim", "one")
    assert (refused.value.line, refused.value.sku) == (3, world.camera.sku)
    assert _on_hand(house, world) == (4, 27)


@pytest.mark.parametrize("text", ["", "a,b\n1,2", "sku\nX", 'sku,pieces\n"', "sku,pieces\n"])
def test_what_is_no_such_file_says_what_is_missing(text, house):
    assert import_stock.look(house, text).wrong
