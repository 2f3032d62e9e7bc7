"""The arithmetic of taxes: pure, on integers of minor units.

Taxes on top are rounded half up once per document (per tax and place) and shared out over the lines by
largest remainder, or once per line, as the legal entity says. Contained taxes are extracted jointly. A
compound tax is reckoned on the net and the taxes before it. A tax that somebody is relieved of keeps its
line, with its base and no amount.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.kernel.money import split

PPM = 1_000_000
EXEMPT, REVERSE_CHARGE = "exempt", "reverse_charge"


@dataclass(frozen=True)
class Tax:
    """One tax as it applies to a line. ``rate_ppm``: 6.5 % is 65000."""

    jurisdiction: str
    name: str
    rate_ppm: int
    #: The price contains it.
    inclusive: bool = False
    #: It is reckoned on the net and on the taxes that are not compound (and on compound ones before it,
    #: in the order of jurisdiction and name).
    compound: bool = False
    #: ``exempt`` or ``reverse_charge``: nothing is charged; ``reference`` says on what ground.
    relief: str = ""
    reference: str = ""


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

    @property
    def contained_minor(self) -> int:
        """Those that its price contains."""
        return sum(taxed.amount_minor for taxed in self.taxes if taxed.tax.inclusive)


def tax_lines(lines: Sequence[tuple[int, Sequence[Tax]]], rounding: str) -> list[TaxedLine]:
    """Tax lines of ``(amount_minor, taxes)``; ``rounding`` is ``document`` or ``line``.

    An amount contains its inclusive taxes; where one of them is not charged, the price is less by it.
    The order of lines does not matter for any sum.
    """
    sheet = _Sheet([amount for amount, _ in lines], [_ordered(taxes) for _, taxes in lines])
    sheet.extract(rounding == "document")
    sheet.put_on_top(rounding == "document")
    return [
        TaxedLine(net, tuple(found[slot] for slot in slots))
        for net, slots, found in zip(sheet.nets, sheet.slots, sheet.found, strict=True)
    ]


#: A tax on a line, and which of its like: the same tax may come twice.
_Slot = tuple[Tax, int]


def _ordered(taxes: Sequence[Tax]) -> tuple[_Slot, ...]:
    """Compound ones behind the others, in an order that no line can change."""
    simple = [tax for tax in taxes if not tax.compound]
    compound = sorted((tax for tax in taxes if tax.compound), key=_name)
    seen: Counter[Tax] = Counter()
    slots = []
    for tax in (*simple, *compound):
        slots.append((tax, seen[tax]))
        seen[tax] += 1
    return tuple(slots)


def _name(tax: Tax) -> tuple[Any, ...]:
    return (tax.jurisdiction, tax.name, tax.rate_ppm, tax.inclusive, tax.relief, tax.reference)


class _Sheet:
    """The lines while they are being worked out."""

    def __init__(self, amounts: list[int], slots: list[tuple[_Slot, ...]]) -> None:
        self.amounts, self.slots = amounts, slots
        self.nets = list(amounts)
        self.found: list[dict[_Slot, Taxed]] = [{} for _ in amounts]

    def extract(self, by_document: bool) -> None:
        """Take out what prices contain: net and all taxes jointly, so that they sum to the price.

        By document, lines that are taxed alike are extracted as one sum; a line gets what it adds to
        the sum so far, so that each part stays within a unit of the line's own and all sum exactly.
        """
        groups: dict[Any, list[int]] = {}
        for index, slots in enumerate(self.slots):
            if any(tax.inclusive for tax, _ in slots):
                groups.setdefault(frozenset(slots) if by_document else index, []).append(index)
        for members in groups.values():
            contained = [slot for slot in self.slots[members[0]] if slot[0].inclusive]
            charged = not any(tax.relief for tax, _ in contained)
            running, before = 0, [0] * (len(contained) + 1)
            for index in members:
                running += self.amounts[index]
                now = _parts(running, [tax for tax, _ in contained])
                own = [part - earlier for part, earlier in zip(now, before, strict=True)]
                before, self.nets[index] = now, own[0]
                if charged:
                    for slot, amount in zip(contained, own[1:], strict=True):
                        self._put(index, slot, amount)

    def put_on_top(self, by_document: bool) -> None:
        """Work out every tax that was not extracted, compound ones last."""
        members: dict[_Slot, list[int]] = {}
        for index, slots in enumerate(self.slots):
            for slot in slots:
                if slot not in self.found[index]:
                    members.setdefault(slot, []).append(index)
        for slot in sorted(members, key=lambda slot: (slot[0].compound, _name(slot[0]), slot[1])):
            tax, lines = slot[0], members[slot]
            exact = [self._base(index, tax) * tax.rate_ppm for index in lines]
            if tax.relief:
                amounts = [0] * len(lines)
            elif by_document:
                amounts = _spread(_nearest(sum(exact), PPM), exact, [*map(self._content, lines)])
            else:
                amounts = [_nearest(one, PPM) for one in exact]
            for index, amount in zip(lines, amounts, strict=True):
                self._put(index, slot, amount)

    def _put(self, index: int, slot: _Slot, amount: int) -> None:
        self.found[index][slot] = Taxed(slot[0], self._base(index, slot[0]), amount)

    def _base(self, index: int, tax: Tax) -> int:
        """What a tax of a line is reckoned on, when all before it are there."""
        before = sum(one.amount_minor for one in self.found[index].values())
        return self.nets[index] + (before if tax.compound else 0)

    def _content(self, index: int) -> Any:
        """Tells lines apart by what they are, not by where they stand or which way they go."""
        return -abs(self.amounts[index]), sorted(_name(tax) for tax, _ in self.slots[index])


def _nearest(numerator: int, denominator: int) -> int:
    """The nearest integer; halves away from zero."""
    size = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -size if numerator < 0 else size


def _parts(amount: int, taxes: Sequence[Tax]) -> list[int]:
    """Net and taxes that ``amount`` contains; they sum to it."""
    one, whole = PPM, PPM
    weights: list[int] = []
    for tax in taxes:
        if tax.compound:
            added = whole * tax.rate_ppm
            one, whole = one * PPM, whole * PPM + added
            weights = [*(weight * PPM for weight in weights), added]
        else:
            whole += tax.rate_ppm
            weights.append(tax.rate_ppm)
    net = _nearest(amount * one, whole)
    return [net, *split(amount - net, weights)]


def _spread(whole: int, exact_ppm: Sequence[int], contents: Sequence[Any]) -> list[int]:
    """Largest remainder around each line's own exact tax, so that a refund line stays negative.

    What is turned around has the same taxes, turned around; ties go by what the lines are, then to the
    earlier one.
    """
    places = range(len(exact_ppm))
    lead = min(places, key=lambda i: (-abs(exact_ppm[i]), contents[i], i))
    if (sum(exact_ppm), exact_ppm[lead]) < (0, 0):
        return [-part for part in _spread(-whole, [-part for part in exact_ppm], contents)]
    floors = [part // PPM for part in exact_ppm]
    remainders = [part % PPM for part in exact_ppm]
    order = sorted(places, key=lambda i: (-remainders[i], contents[i], i))
    for i in order[: whole - sum(floors)]:
        floors[i] += 1
    return floors
