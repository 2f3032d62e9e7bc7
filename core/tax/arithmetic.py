"""The arithmetic of taxes: pure, on integers of minor units.

Taxes on top are rounded half up once per document (per tax and place) and shared out over the lines by
largest remainder, or once per line, as the legal entity says. Inclusive taxes are extracted jointly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.kernel.money import round_half_up, split

PPM = 1_000_000


@dataclass(frozen=True)
class Tax:
    """One tax as it applies to a line. ``rate_ppm``: 6.5 % is 65000."""

    jurisdiction: str
    name: str
    rate_ppm: int
    inclusive: bool = False


@dataclass(frozen=True)
class Taxed:
    """One tax on one line: base and amount in minor units."""

    tax: Tax
    base_minor: int
    amount_minor: int


@dataclass(frozen=True)
class TaxedLine:
    """A line with its taxes: net, and what each tax takes."""

    net_minor: int
    taxes: tuple[Taxed, ...]

    @property
    def tax_minor(self) -> int:
        """All taxes of the line together."""
        return sum(taxed.amount_minor for taxed in self.taxes)


def tax_lines(lines: Sequence[tuple[int, Sequence[Tax]]], rounding: str) -> list[TaxedLine]:
    """Tax lines of ``(amount_minor, taxes)``; ``rounding`` is ``document`` or ``line``.

    An amount with inclusive taxes contains them. A line may not mix inclusive and exclusive taxes.
    """
    nets = [_net(amount, taxes) for amount, taxes in lines]
    exclusive = _shares(
        [
            (net, [tax for tax in taxes if not tax.inclusive])
            for net, (_, taxes) in zip(nets, lines, strict=True)
        ],
        rounding,
    )
    answer = []
    for index, (amount, taxes) in enumerate(lines):
        inclusive = [tax for tax in taxes if tax.inclusive]
        if inclusive and len(inclusive) != len(taxes):
            raise ValueError("a line mixes inclusive and exclusive taxes")
        if inclusive:
            parts = split(amount - nets[index], [tax.rate_ppm for tax in inclusive])
            taxed = [
                Taxed(tax, nets[index], part) for tax, part in zip(inclusive, parts, strict=True)
            ]
        else:
            taxed = exclusive[index]
        answer.append(TaxedLine(nets[index], tuple(taxed)))
    return answer


def _net(amount: int, taxes: Sequence[Tax]) -> int:
    rate = sum(tax.rate_ppm for tax in taxes if tax.inclusive)
    return amount if rate == 0 else round_half_up(Decimal(amount) * PPM / (PPM + rate))


def _shares(lines: Sequence[tuple[int, Sequence[Tax]]], rounding: str) -> list[list[Taxed]]:
    answer: list[list[Taxed]] = [[] for _ in lines]
    if rounding == "line":
        for index, (net, taxes) in enumerate(lines):
            answer[index] = [Taxed(tax, net, _portion(net, tax)) for tax in taxes]
        return answer
    for tax in dict.fromkeys(tax for _, taxes in lines for tax in taxes):
        members = [index for index, (_, taxes) in enumerate(lines) if tax in taxes]
        whole = _portion(sum(lines[index][0] for index in members), tax)
        parts = _spread(whole, [lines[index][0] * tax.rate_ppm for index in members])
        for index, part in zip(members, parts, strict=True):
            answer[index].append(Taxed(tax, lines[index][0], part))
    return answer


def _portion(net: int, tax: Tax) -> int:
    return round_half_up(Decimal(net) * tax.rate_ppm / PPM)


def _spread(whole: int, exact_ppm: Sequence[int]) -> list[int]:
    """Largest remainder around each line's own exact tax, so that a refund line stays negative.

    What is turned around has the same taxes, turned around.
    """
    if sum(exact_ppm) < 0:
        return [-part for part in _spread(-whole, [-part for part in exact_ppm])]
    floors = [part // PPM for part in exact_ppm]
    remainders = [part % PPM for part in exact_ppm]
    order = sorted(range(len(floors)), key=lambda i: (-remainders[i], i))
    missing = whole - sum(floors)
    for i in order[:missing]:
        floors[i] += 1
    return floors
