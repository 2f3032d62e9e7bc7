"""Staff bring in a file of what came, went or was counted: looked at first, then done as a whole or not."""

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from core.kernel import audit, crash, idempotency
from core.kernel.errors import Invalid, ShopError
from core.kernel.ids import token_hash
from core.stock import adjusting, sheets
from core.stock.adjusting import Adjustment
from core.stock.sheets import Looked
from flows.house import House

_SCOPE = "stock-file"


@dataclass(eq=False)
class LineRefused(ShopError):
    """One line cannot be done, so none is."""

    code: ClassVar[str] = "line_refused"
    text: ClassVar[str] = "Line {line}, {sku}: {why}"
    line: int
    sku: str
    why: str


@dataclass(eq=False)
class StockMoved(ShopError):
    """A level of the file is not what it was when the file was looked at."""

    code: ClassVar[str] = "stock_moved"
    text: ClassVar[str] = "Somebody changed this stock in the meantime. Look again at what changes."


def look(house: House, text: str) -> Looked:
    """What it would change."""
    with house.db.snapshot() as session:
        return sheets.look(session, text)


def apply(house: House, text: str, mark: str | None, actor: str, once: str) -> int:
    """Do it; says how many levels changed. ``mark`` is what was looked at; None: as it is now.

    Raises Invalid for a file with something wrong in it, StockMoved, LineRefused, KeyReused. Asked again
    under the same name it answers the same.
    """

    def work(session: Session) -> int:
        now = house.clock.now()
        known = idempotency.begin(session, _SCOPE, once, token_hash(text), now)
        if known is not None:
            return int(known.body["changed"])
        found = sheets.look(session, text)
        if not found.is_sound:
            raise Invalid({"file": found.wrong or "Some lines cannot be done: see below."})
        if mark is not None and mark != found.mark:
            raise StockMoved
        done = sum(_adjust(session, house, one, actor) for one in _in_order(found))
        subject = ("stock", "file")
        audit.write(session, now, actor, "stock.imported", subject, lines=len(found.changes))
        idempotency.finish(session, _SCOPE, once, 200, {"changed": done})
        crash.point("import_stock.before_commit")
        return done

    return house.db.run_tx(work)


def _in_order(found: Looked) -> list[sheets.Change]:
    """Levels are met in the order of their keys."""
    return sorted(found.changes, key=lambda one: str(one.level_id))


def _adjust(session: Session, house: House, one: sheets.Change, actor: str) -> bool:
    assert one.level_id is not None
    line = one.line
    asked = Adjustment(one.level_id, line.reason, line.pieces, one.before, note=line.note)
    try:
        return bool(adjusting.adjust(session, asked, actor, house.clock.now()).by)
    except ShopError as error:
        raise LineRefused(line.number, line.sku, str(error)) from None
