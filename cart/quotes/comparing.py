"""Two versions side by side: which lines came, went or changed, and how the sums moved. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True)
class Cell:
    """A line as one version has it."""

    quantity: Decimal
    price: Decimal | None
    amount: Decimal
    about: str = ""


@dataclass(frozen=True)
class ComparedLine:
    """One line in both versions; None where it is not."""

    group: str
    name: str
    before: Cell | None
    after: Cell | None

    @property
    def change(self) -> str:
        """``added``, ``removed``, ``changed`` or empty."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "changed" if self.before != self.after else ""

    @property
    def difference(self) -> Decimal:
        """How much more the later version takes for it."""
        before = self.before.amount if self.before is not None else ZERO
        after = self.after.amount if self.after is not None else ZERO
        return after - before


@dataclass(frozen=True)
class ComparedSum:
    """A sum in both versions."""

    label: str
    before: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        """How much more the later version takes."""
        return self.after - self.before


#: A line of a version: its group, its name, what tells it from others of that name, and its cell.
Row = tuple[str, str, str, Cell]


def lines(before: Sequence[Row], after: Sequence[Row]) -> list[ComparedLine]:
    """Lines that are the same thing at the same place stand side by side, in the later version's order."""
    left = list(before)
    found = []
    for group, name, key, cell in after:
        match = next((row for row in left if (row[0], row[2]) == (group, key)), None)
        if match is not None:
            left.remove(match)
        found.append(ComparedLine(group, name, match[3] if match is not None else None, cell))
    for group, name, _, cell in left:
        gone = ComparedLine(group, name, cell, None)
        last = max((at for at, one in enumerate(found) if one.group == group), default=None)
        if last is None:
            found.append(gone)
        else:
            found.insert(last + 1, gone)
    return found


def sums(
    before: Sequence[tuple[str, Decimal]], after: Sequence[tuple[str, Decimal]]
) -> list[ComparedSum]:
    """Sums by their label; one that a version has not is zero there."""
    old, new = dict(before), dict(after)
    labels = list(dict.fromkeys([label for label, _ in (*after, *before)]))
    return [ComparedSum(label, old.get(label, ZERO), new.get(label, ZERO)) for label in labels]
