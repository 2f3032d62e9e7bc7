"""``./shop stock SKU``: what is there of a thing, and noting what was counted."""

import argparse
from collections.abc import Sequence
from typing import TextIO

from app.commands.table import ruled
from app.settings import Settings
from core.kernel.errors import NotFound
from core.kernel.ids import new_public_id
from core.stock import listing
from core.stock.adjusting import MOST, Adjustment
from core.stock.listing import Row
from flows import adjust_stock
from flows.house import House

_COLUMNS = ("place", "on hand", "sold", "held", "beyond that", "can be had")


def run(argv: Sequence[str], settings: Settings, house: House, out: TextIO) -> int:
    """0 when it was told or noted; 1 when no such thing is counted, or the place must be named first.

    Raises BelowPromised when fewer would be left than are sold or held, unless told to do it even so.
    """
    parser = _parser()
    asked = parser.parse_args(argv)
    if asked.set is not None and not 0 < len(asked.reason.strip()) <= 200:
        parser.error("--set needs --reason, at most 200 characters")
    rows = _rows(house, asked.sku)
    if not rows:
        print(f"Nothing is counted under the SKU {asked.sku}.", file=out)
        return 1
    if asked.set is not None:
        level = _at(rows, asked.at)
        if level is None:
            places = ", ".join(sorted(row.code for row in rows))
            print(f"Say where with --at: {asked.sku} is counted at {places}.", file=out)
            return 1
        print(_counted(house, level, asked), file=out)
        rows = _rows(house, asked.sku)
    for line in ruled([_COLUMNS, *map(_row, rows)]):
        print(line, file=out)
    return 0


def _rows(house: House, sku: str) -> list[Row]:
    with house.db.reading() as session:
        return listing.of_sku(session, sku, house.clock.now())


def _at(rows: list[Row], place: str | None) -> Row | None:
    """The level that is meant; None when several could be."""
    if place is None:
        return rows[0] if len(rows) == 1 else None
    found = next((row for row in rows if row.code == place), None)
    if found is None:
        raise NotFound(f"level of {rows[0].sku} at {place}")
    return found


def _counted(house: House, row: Row, asked: argparse.Namespace) -> str:
    told = Adjustment(
        row.level.id,
        "counted",
        asked.set,
        seen=row.level.on_hand,
        even_so=asked.even_so,
        note=" ".join(asked.reason.split()),
    )
    done = adjust_stock.adjust(house, told, "system", new_public_id())
    said = f"{done.on_hand} are on hand at {row.code} now ({done.by:+d})."
    if done.raised_to is not None:
        said += f" More are sold or held: the limit for back-orders is {done.raised_to} now."
    return said


def _row(row: Row) -> tuple[str, ...]:
    level = row.level
    beyond = level.backorder_limit + level.preorder_limit
    counts = (level.on_hand, level.allocated, row.held, beyond, row.available)
    return (row.code, *map(str, counts))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./shop stock", description="What is there of a thing, or note what was counted."
    )
    parser.add_argument("sku", metavar="SKU")
    parser.add_argument("--set", type=_pieces, metavar="N", help="so many were counted")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; needed with --set")
    parser.add_argument("--at", metavar="PLACE", help="the place's code, where there are several")
    parser.add_argument(
        "--even-so", action="store_true", help="also when fewer are left than are sold or held"
    )
    return parser


def _pieces(text: str) -> int:
    if not text.isdecimal() or int(text) > MOST:
        raise argparse.ArgumentTypeError(f"a whole number up to {MOST:,}")
    return int(text)
