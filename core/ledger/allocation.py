"""Which open amounts a payment settles: oldest first, as the payer said, or pro rata. Pure.

What fits nowhere is answered as ``unapplied``: it becomes the payer's own money. The parts are in the form
that ``core.ledger.business.receive_for_items`` takes.
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
    by_age = sorted((item for item in owed if item.id not in skip), key=_age)
    return _allocated(amount, owed, _fill(amount, [(item, item.open) for item in by_age]))


def as_named(
    amount: Money, owed: Sequence[Item], named: Sequence[tuple[uuid.UUID, Money | None]]
) -> Allocation[Item]:
    """What the payer named, in that order and up to the sum stated (None: all of it); the rest oldest first.

    A sum that is more than what is open of the item goes on with the rest. KeyError for an item that is
    not among ``owed``.
    """
    by_id = {item.id: item for item in owed}
    first = [
        (by_id[key], by_id[key].open if most is None else min(most, by_id[key].open))
        for key, most in named
    ]
    by_age = [(item, item.open) for item in sorted(owed, key=_age)]
    return _allocated(amount, owed, _fill(amount, [*first, *by_age]))


def pro_rata(amount: Money, owed: Sequence[Item]) -> Allocation[Item]:
    """Every item in proportion to what is open of it, by largest remainder; ties go to the earlier."""
    currency = amount.currency
    whole = Money(sum(_open(item, currency).minor for item in owed), currency)
    there = min(amount, whole)
    if there.minor < 0:
        raise ValueError("a payment below zero")
    if not there:
        return _allocated(amount, owed, {})
    shares = there.split([item.open.minor for item in owed])
    return _allocated(
        amount, owed, {item.id: share for item, share in zip(owed, shares, strict=True)}
    )


def _age(item: Owed) -> date:
    return item.due_date or item.effective_date


def _open(item: Owed, currency: str) -> Money:
    if item.open.currency != currency:
        raise ValueError(f"{item.open} is not paid in {currency}")
    return item.open


def _fill(amount: Money, wanted: Sequence[tuple[Item, Money]]) -> dict[uuid.UUID, Money]:
    """Each in its turn, as much as is wanted, is still open and is still there."""
    found: dict[uuid.UUID, Money] = {}
    if amount.minor < 0:
        raise ValueError("a payment below zero")
    zero, left = Money.zero(amount.currency), amount
    for item, most in wanted:
        has = found.get(item.id, zero)
        part = min(most, _open(item, amount.currency) - has, left)
        if part.minor > 0:
            found[item.id] = has + part
            left -= part
    return found


def _allocated(
    amount: Money, owed: Sequence[Item], found: dict[uuid.UUID, Money]
) -> Allocation[Item]:
    parts = tuple((item, found[item.id]) for item in owed if found.get(item.id))
    used = sum(part.minor for _, part in parts)
    return Allocation(parts, amount - Money(used, amount.currency))

