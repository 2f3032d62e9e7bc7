"""How many of a thing are bought at once: in steps, from so many on, up to so many."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Limits:
    """Multiples of ``step``, at least ``least`` of it, at most ``most``; pure."""

    step: int = 1
    least: int = 1
    most: int | None = None

    @classmethod
    def of(cls, row: Any) -> "Limits":
        """Of a variant, or a row with its columns."""
        return cls(row.quantity_step, row.quantity_least, row.quantity_most)

    @property
    def smallest(self) -> int:
        """The fewest that can be bought."""
        return -(-max(self.least, 1) // self.step) * self.step

    def largest(self, cap: int) -> int:
        """The most that can be bought where ``cap`` is the end; 0 when that is too few."""
        found = min(cap, self.most or cap) // self.step * self.step
        return found if found >= self.smallest else 0

    def nearest(self, quantity: int, cap: int) -> tuple[int, ...]:
        """What could be bought instead, below and above; one or two numbers."""
        below = self.largest(min(quantity, cap))
        above = max(-(-quantity // self.step) * self.step, self.smallest)
        return tuple(n for n in (below, above) if n and n <= self.largest(cap))


#: As many as the buyer likes.
ANY_NUMBER = Limits()
