"""Which pieces of a placed order a change set gives up, and what it adds, place by place. Reads only; for
``plan_change``."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from cart import additions
from cart.additions import SeveralPlaces, Wanted
from core.catalog.models import BUNDLE
from core.kernel.clock import Clock
from core.kernel.errors import Invalid
from core.orders import grouping
from core.orders.fulfilling import Some, TooManyPieces, WrongKind
from core.orders.grouping import Standing
from core.orders.models import Order, OrderLine
from core.orders.places import Place
from flows.edits import Edits

#: What can be changed of a line by number; what is given at once is there already.
_KINDS = ("physical", "service")


@dataclass
class Pieces:
    """What is given up, and what is added at each of the order's places, by its position among them."""

    removed: list[Some] = field(default_factory=list)
    wanted: dict[int, list[Wanted]] = field(default_factory=dict)

    def add(self, at: int, wanted: Wanted) -> None:
        """This goes there."""
        self.wanted.setdefault(at, []).append(wanted)


def pieces(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    spots: Sequence[Place],
    edits: Edits,
    clock: Clock,
) -> Pieces:
    """By what was typed. More of a line, and another thing of it, go where the line goes.

    Raises TooManyPieces, WrongKind, UnknownSku, SeveralPlaces for what is added and says not where, and
    Invalid for a line that is not there.
    """
    found = Pieces()
    known = {one.line.line_number: one for one in grouping.standing(lines)}
    for number in sorted({*edits.quantities, *edits.swaps}):
        standing = known.get(number)
        if standing is None or standing.line.kind == "delivery":
            raise TooManyPieces(number, "", "change", 0, 0)
        if any(one.kind not in _KINDS for one in standing.counted):
            raise WrongKind(number, standing.line.sku, "change")
        at = _where(spots, standing.counted[0].line_number)
        swap = edits.swaps.get(number)
        if swap is not None:
            _swap(session, order, standing, swap, at, found, clock)
        else:
            _count(standing, edits.quantities[number], at, found)
    for one in edits.added:
        if one.quantity:
            found.add(place_of(spots, one.place, one.sku), Wanted(one.sku, one.quantity))
    return found


def _swap(
    session: Session,
    order: Order,
    standing: Standing,
    swap: str,
    at: int,
    found: Pieces,
    clock: Clock,
) -> None:
    line, counted = standing.line, standing.counted
    waits = min(one.waiting * line.quantity // one.quantity for one in counted)
    if not waits:
        raise TooManyPieces(line.line_number, line.sku, "change", standing.left, 0)
    if swap != line.sku:
        found.removed += _given_up(line, counted, waits)
        price = additions.agreed(session, order, line, swap, clock)
        found.add(at, Wanted(swap, waits, price, line.price_trace))


def _count(standing: Standing, wanted: int, at: int, found: Pieces) -> None:
    line, counted = standing.line, standing.counted
    change = wanted - standing.left
    if change < 0:
        found.removed += _given_up(line, counted, -change)
    elif change:
        price = None if line.kind == BUNDLE else line.unit_price_micros
        found.add(at, Wanted(line.sku, change, price, line.price_trace))


# --- places ---------------------------------------------------------------------------------------


def place_of(spots: Sequence[Place], line: int | None, what: str) -> int:
    """Which of the places a line names; the only one needs no name. Raises SeveralPlaces, and Invalid for a
    line that is not there."""
    if line is not None:
        return _where(spots, line)
    standing = [at for at, place in enumerate(spots) if place.stands]
    if len(standing) > 1:
        raise SeveralPlaces(what)
    return standing[0] if standing else 0


def _where(spots: Sequence[Place], line: int) -> int:
    for at, place in enumerate(spots):
        if place.goes([line]):
            return at
    raise Invalid({"place": f"The order has no line {line}."})


# --- counting -------------------------------------------------------------------------------------


def _given_up(line: OrderLine, counted: Sequence[OrderLine], many: int) -> list[Some]:
    """So many of a line, or of a bundle's pieces as many as belong to them. Raises TooManyPieces."""
    found = [Some(one, one.quantity * many // line.quantity) for one in counted]
    for some in found:
        if some.quantity > some.line.waiting:
            possible = min(one.waiting * line.quantity // one.quantity for one in counted)
            raise TooManyPieces(line.line_number, line.sku, "cancel", many, possible)
    return found


def again(some: Some) -> Wanted:
    """The same at the price that it has."""
    line = some.line
    return Wanted(line.sku, some.quantity, line.unit_price_micros, line.price_trace)


def merged(one: Sequence[Some], more: Sequence[Some]) -> list[Some]:
    """Pieces of the same line together."""
    found: dict[int, Some] = {}
    for some in (*one, *more):
        known = found.get(some.line.line_number)
        quantity = some.quantity + (known.quantity if known else 0)
        found[some.line.line_number] = Some(some.line, quantity)
    return [found[number] for number in sorted(found)]
