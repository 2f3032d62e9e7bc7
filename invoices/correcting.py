"""What a memo may take of an issued line, and the tax that goes with it. Pure.

A memo copies the line's *own* tax lines in proportion, rounded half up on all that was credited so far, so
that many small credits never take more than one large one; the credit that takes the last of the net takes
the last of the tax. Lines below zero work the same, turned around.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import ClassVar

from core.kernel.errors import ShopError
from core.kernel.money import Money, round_half_up
from invoices.content import TaxPart

PPM = 1_000_000


@dataclass(eq=False)
class MoreThanTheLine(ShopError):
    """A credit is more than what is left of its line."""

    code: ClassVar[str] = "more_than_the_line"
    text: ClassVar[str] = "Line {line_number} has {left} left to credit, not {asked}."
    line_number: int
    left: Money
    asked: Money


@dataclass(frozen=True)
class Creditable:
    """A line of an issued document with what was credited of it before: its net, and of each tax
    (base, amount) in the order of ``taxes``."""

    line_number: int
    net_minor: int
    taxes: tuple[TaxPart, ...]
    credited_net: int = 0
    credited: tuple[tuple[int, int], ...] = ()

    @property
    def left_net(self) -> int:
        """The net that can still be credited."""
        return self.net_minor - self.credited_net

    @property
    def left_tax(self) -> int:
        """The tax that can still be credited."""
        before = sum(amount for _, amount in self.credited)
        return sum(part.amount_minor for part in self.taxes) - before

    @property
    def left_total(self) -> int:
        """Both together."""
        return self.left_net + self.left_tax

    def bears(self, net: int) -> bool:
        """May so much net be credited? It has the line's sign, and is no more than what is left."""
        return 0 < net <= self.left_net if self.left_net > 0 else self.left_net <= net < 0


def credit(
    line: Creditable, net: int, currency: str, gross: int | None = None
) -> tuple[TaxPart, ...]:
    """The taxes that go with crediting ``net`` of the line. MoreThanTheLine when it does not bear it.

    ``gross``, for a line above zero: what both shall come to, to the cent; what rounding leaves out or has
    too much goes to or from the largest tax that bears it. The next credit of the line makes up for it.
    """
    if not line.bears(net):
        left, asked = Money(line.left_net, currency), Money(net, currency)
        raise MoreThanTheLine(line.line_number, left, asked)
    before = line.credited or ((0, 0),) * len(line.taxes)
    so_far = line.credited_net + net
    parts = [
        replace(
            part,
            base_minor=_portion(part.base_minor, so_far, line.net_minor) - base,
            amount_minor=_step(part.amount_minor, amount, so_far, line.net_minor),
        )
        for part, (base, amount) in zip(line.taxes, before, strict=True)
    ]
    if gross is not None:
        rest = [part.amount_minor - was for part, (_, was) in zip(line.taxes, before, strict=True)]
        parts = _to_the_cent(parts, rest, gross - net)
    return tuple(parts)


def _step(whole: int, before: int, part: int, of: int) -> int:
    """The part of a tax that was not credited before; none where a cent of it went ahead."""
    step = _portion(whole, part, of) - before
    return step if step * whole > 0 else 0


def _to_the_cent(parts: Sequence[TaxPart], left: Sequence[int], wanted: int) -> list[TaxPart]:
    """The taxes so that they come to ``wanted``, none below nothing nor above what is left of it."""
    amounts = [part.amount_minor for part in parts]
    missing = wanted - sum(amounts)
    for place in sorted(range(len(parts)), key=lambda place: -amounts[place]):
        most = left[place] - amounts[place] if missing > 0 else -amounts[place]
        moved = min(missing, most) if missing > 0 else max(missing, most)
        amounts[place] += moved
        missing -= moved
    return [replace(part, amount_minor=amount) for part, amount in zip(parts, amounts, strict=True)]


def _portion(whole: int, part: int, of: int) -> int:
    return round_half_up(Decimal(whole * part) / of)


def percent_of(lines: Sequence[Creditable], ppm: int) -> list[int]:
    """``ppm`` of what is left of each line's net, rounded half up on their running sum: they come to
    that part of the whole, and each has its line's sign."""
    running, answer = 0, []
    for line in lines:
        before = round_half_up(Decimal(running * ppm) / PPM)
        running += line.left_net
        answer.append(round_half_up(Decimal(running * ppm) / PPM) - before)
    return answer


def percent_total(lines: Sequence[Creditable], ppm: int, currency: str) -> int:
    """What ``percent_of`` comes to with its taxes."""
    return sum(
        net + sum(part.amount_minor for part in credit(line, net, currency))
        for line, net in zip(lines, percent_of(lines, ppm), strict=True)
        if net
    )
