"""Usage: what was used of a meter in a period, at its tiers, compared with what was billed for it.

Billed in arrears. Usage that is told late is charged as the difference, usage that is corrected downwards is
given back, no more than is left of its lines; asked again, nothing is left to do. Pure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from core.kernel.money import Money, total
from invoices.rating.changes import Change
from invoices.rating.rated import Rated
from invoices.rating.tiers import Tier, graduated, package, volume
from invoices.why import Formula, Why


@dataclass(frozen=True)
class Pricing:
    """What units cost: by ``graduated``, ``volume`` or ``package``; so many of each period are free.

    A package has one tier, whose ``up_to`` is its size.
    """

    model: str
    tiers: tuple[Tier, ...]
    currency: str
    free: Decimal = Decimal(0)

    @classmethod
    def of(cls, model: str, free: str, tiers: Sequence[Sequence[Any]], currency: str) -> "Pricing":
        """As a plan's usage price keeps it: ``[[up_to, unit_price_micros, flat_micros], …]``."""
        read = tuple(
            Tier(None if up_to is None else Decimal(up_to), int(micros), int(flat))
            for up_to, micros, flat in tiers
        )
        return cls(model, read, currency, Decimal(free))

    def rate(self, units: Decimal) -> Rated:
        """What so many units of one period cost. ValueError for tiers that have a gap."""
        if self.model == "package":
            (tier,) = self.tiers
            size = int(tier.up_to or 0)
            return package(units, size, tier.unit_price_micros, self.currency, free=self.free)
        return _BY_TIERS[self.model](units, self.tiers, self.currency, free=self.free)


_BY_TIERS: Mapping[str, Callable[..., Rated]] = {"graduated": graduated, "volume": volume}


@dataclass(frozen=True)
class WantedUsage:
    """What a period's usage should be billed at; ``key`` names phase, meter and period."""

    key: str
    rated: Rated


@dataclass(frozen=True)
class BilledUsage:
    """A line of usage; ``repaired`` was taken back by earlier comparisons, ``adjusted`` otherwise."""

    line: str
    key: str
    amount: Money
    repaired: Money
    adjusted: Money

    @property
    def stands(self) -> Money:
        """What the comparison goes by."""
        return self.amount - self.repaired

    @property
    def left(self) -> Money:
        """The most that can still be taken back; never below zero."""
        return max(self.stands - self.adjusted, Money.zero(self.amount.currency))


def compare(have: Sequence[BilledUsage], wanted: Sequence[WantedUsage]) -> tuple[Change, ...]:
    """What is to be posted so that what is billed is what was used; repairs come first.

    What is billed and not wanted is taken back whole; the newest line (the last) gives first.
    """
    aims = {one.key: one for one in wanted}
    if len(aims) != len(wanted):
        raise ValueError("the same usage is wanted twice")
    lines: dict[str, list[BilledUsage]] = {}
    for one in have:
        lines.setdefault(one.key, []).append(one)
    repairs = [change for key, mine in lines.items() for change in _repairs(mine, aims.get(key))]
    charges = [change for key, aim in aims.items() for change in _charges(aim, lines.get(key, []))]
    return (*repairs, *charges)


def _charges(aim: WantedUsage, mine: Sequence[BilledUsage]) -> list[Change]:
    zero = Money.zero(aim.rated.amount.currency)
    stands = total((one.stands for one in mine), zero.currency)
    missing = aim.rated.amount - stands
    if missing <= zero:
        return []
    return [Change(aim.key, missing, _less(aim.rated.why, stands, missing))]


def _repairs(mine: Sequence[BilledUsage], aim: WantedUsage | None) -> list[Change]:
    currency = mine[0].amount.currency
    stands = total((one.stands for one in mine), currency)
    too_much = stands - (aim.rated.amount if aim else Money.zero(currency))
    found = []
    for one in reversed(mine):
        take = min(too_much, one.stands)
        if take.minor <= 0:
            continue
        # With nothing more to take below, this line's own reason tells the whole of it.
        why = _taken(one, aim, stands, take, is_all=take == too_much)
        too_much, stands = too_much - take, stands - take
        if one.left < take:
            take = one.left
            why = replace(why, amount=-take.decimal(), residue=Decimal(0), limit=take.decimal())
        if take:
            found.append(Change(one.key, -take, why, one.line))
    return found


def _taken(
    one: BilledUsage, aim: WantedUsage | None, stands: Money, take: Money, *, is_all: bool
) -> Why:
    if aim is None or not is_all:
        return Why(Formula.CREDIT, -take.decimal(), of=one.amount.decimal(), source=one.line)
    return _less(aim.rated.why, stands, -take)


def _less(why: Why, stands: Money, amount: Money) -> Why:
    """The tiers of all that was used, less what stands billed for it already."""
    return replace(why, amount=amount.decimal(), before=stands.decimal()) if stands else why
