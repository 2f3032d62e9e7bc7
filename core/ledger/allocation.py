"""Which open amounts a payment settles: oldest first, as the payer said, or pro rata. Pure.

What fits nowhere is answered as ``unapplied``: it becomes the payer's own money. What is contested is paid
only where the payer names it. The parts are in the form that ``core.ledger.business`` takes.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, Protocol, TypeVar

from core.kernel.money import Money


class Owed(Protocol):
    """An open item (``core.ledger.items.Open``), as far as it matters here."""

    @property
    def id(self) -> uuid.UUID: ...

    @property
    def open(self) -> Money: ...

    @property
    def uncontested(self) -> Money: ...

    @property
    def due_date(self) -> date | None: ...

    @property
    def effective_date(self) -> date: ...


Item = TypeVar("Item", bound=Owed)


@dataclass(frozen=True)
class Allocation(Generic[Item]):
    """So much of a payment for each item that gets some, in the items' order, and what is left of it."""

    parts: tuple[tuple[Item, Money], ...]
    unapplied: Money


def oldest_first(
    amount: Money, owed: Sequence[Item], *, skip: Collection[uuid.UUID] = ()
) -> Allocation[Item]:
    """Each item in full before the next, the earliest due first; equal days keep their order.

    ``skip`` leaves out items that another payment is under way for.
    """
    return _fill(amount, owed, [], skip)


def as_named(
    amount: Money, owed: Sequence[Item], named: Sequence[tuple[uuid.UUID, Money | None]]
) -> Allocation[Item]:
    """What the payer named, in that order and up to the sum stated (None: all of it); the rest oldest first.

    What is named is paid up to what is open of it, contested or not; a sum that is more goes on with the
    rest. KeyError for an item that is not among ``owed``.
    """
    by_id = {item.id: item for item in owed}
    return _fill(amount, owed, [(by_id[key], most) for key, most in named], ())


def pro_rata(amount: Money, owed: Sequence[Item]) -> Allocation[Item]:
    """Every item in proportion to what is open and uncontested of it, by largest remainder.

    Ties go to the earlier.
    """
    currency = _currency(amount, owed)
    whole = Money(sum(item.uncontested.minor for item in owed), currency)
    there = min(amount, whole)
    if not there:
        return _allocated(amount, owed, {})
    shares = there.split([item.uncontested.minor for item in owed])
    return _allocated(
        amount, owed, {item.id: share for item, share in zip(owed, shares, strict=True)}
    )


def _age(item: Owed) -> date:
    return item.due_date or item.effective_date


def _currency(amount: Money, owed: Sequence[Owed]) -> str:
    """The one currency of everything; ValueError where there are two, or less than nothing is paid."""
    if amount.minor < 0:
        raise ValueError(f"a payment below zero: {amount}")
    for item in owed:
        if item.open.currency != amount.currency:
            raise ValueError(f"{item.open} is not paid in {amount.currency}")
    return amount.currency


def _fill(
    amount: Money,
    owed: Sequence[Item],
    named: Sequence[tuple[Item, Money | None]],
    skip: Collection[uuid.UUID],
) -> Allocation[Item]:
    """What is named in its turn, then the rest by age: each as much as is wanted, open and still there."""
    zero, left = Money.zero(_currency(amount, owed)), amount
    wanted = [(item, most, item.open) for item, most in named]
    by_age = sorted((item for item in owed if item.id not in skip), key=_age)
    wanted += [(item, None, item.uncontested) for item in by_age]
    found: dict[uuid.UUID, Money] = {}
    for item, most, limit in wanted:
        has = found.get(item.id, zero)
        part = min(limit - has, left) if most is None else min(most, limit - has, left)
        if part.minor > 0:
            found[item.id] = has + part
            left -= part
    return _allocated(amount, owed, found)


def _allocated(
    amount: Money, owed: Sequence[Item], found: dict[uuid.UUID, Money]
) -> Allocation[Item]:
    parts = tuple((item, found[item.id]) for item in owed if found.get(item.id))
    used = sum(part.minor for _, part in parts)
    return Allocation(parts, amount - Money(used, amount.currency))
