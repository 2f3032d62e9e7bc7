"""The lines of an order, put together: each with its bundle's pieces, and what changes added apart from what
it was placed with. Pure."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from core.orders.models import OrderLine


def as_placed(lines: Sequence[OrderLine]) -> list[OrderLine]:
    """The lines that an order was placed with: those that its totals are of."""
    return [line for line in lines if line.change_id is None]


def added(lines: Sequence[OrderLine], change_id: uuid.UUID | None = None) -> list[OrderLine]:
    """The lines that changes added, or one of them."""
    return [
        line for line in lines if line.change_id is not None and change_id in (None, line.change_id)
    ]


@dataclass(frozen=True)
class Standing:
    """A line that stands by itself, with its pieces when it is a bundle; then they alone count."""

    line: OrderLine
    pieces: Sequence[OrderLine] = ()

    @property
    def counted(self) -> Sequence[OrderLine]:
        """What counts of it."""
        return self.pieces or (self.line,)

    @property
    def left(self) -> int:
        """How many there are without what was cancelled: of a bundle, how many are whole."""
        return min(
            (one.quantity - one.cancelled) * self.line.quantity // one.quantity
            for one in self.counted
        )

    @property
    def priced_minor(self) -> int:
        """What it costs as it was priced: with the tax that its prices contain."""
        return sum(line.priced_minor for line in self.counted)

    @property
    def tax_minor(self) -> int:
        """All of its taxes."""
        return sum(line.tax_minor for line in self.counted)


def left(lines: Sequence[OrderLine]) -> list[tuple[OrderLine, int]]:
    """What there is of an order now, without deliveries: lines that stand by themselves, and how many. Of one
    that is wholly cancelled all that it was."""
    goods = [one for one in standing(lines) if one.line.kind != "delivery"]
    found = [(one.line, one.left) for one in goods if one.left]
    return found or [(one.line, one.line.quantity) for one in goods]


def standing(lines: Sequence[OrderLine]) -> list[Standing]:
    """The lines of an order that stand by themselves, in their order, each with its pieces."""
    pieces: dict[uuid.UUID, list[OrderLine]] = {}
    for line in lines:
        if line.parent_id is not None:
            pieces.setdefault(line.parent_id, []).append(line)
    return [Standing(one, pieces.get(one.id, ())) for one in lines if one.parent_id is None]
