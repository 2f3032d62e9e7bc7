"""What the shop's templates are given about bundles and plans: pieces, savings, when billing begins."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from core.kernel.money import Money, total
from core.prices.bundles import Bundle, KindPrice, Share
from web.filters import sign

EACH = {"month": "a month", "year": "a year"}
FIRST = {"month": "first month", "year": "first year"}
#: Of a charge kind: the head of its rows.
_HEADS = {"one_off": "Once", "monthly": "Each month", "yearly": "Each year"}
_BILLED = {
    "by_hand": "billed from the day it works",
    "at_once": "billed from today",
}


class Part(NamedTuple):
    """What is paid once, or each month: (name, by itself, in the bundle), and the sums of several rows."""

    head: str
    rows: list[tuple[str, Money, Money]]
    sums: tuple[Money, Money] | None


class PieceRow(NamedTuple):
    """A piece below its bundle."""

    name: str
    amount: Money
    note: str


def billed(activation: str | None) -> str:
    """When a plan's billing begins: ``billed from the day it works``."""
    return _BILLED[activation or "by_hand"]


def first_period(interval: str | None, activation: str | None) -> str:
    """Of a plan: ``The first month, billed from the day it works``; empty for what is paid once."""
    return f"The {FIRST[interval]}, {billed(activation)}" if interval else ""


def counted(name: str, quantity: int) -> str:
    """A name with how many, when there are several."""
    return name if quantity == 1 else f"{name} × {quantity}"


def pieces(shares: Iterable[Share]) -> list[PieceRow]:
    """The pieces of a bundle in a cart, each with its part of the price."""
    return [
        PieceRow(
            counted(share.piece.component.name, share.quantity),
            share.amount,
            first_period(share.piece.alone.interval, share.piece.alone.activation),
        )
        for share in shares
    ]


def saving(charges: Sequence[KindPrice]) -> str:
    """What is kept by not buying apart, in words; empty when nothing is."""
    if not charges:
        return ""
    now = total((charge.saving for charge in charges), charges[0].together.currency)
    told = [f"{sign(now)} now"] if now else []
    told += [
        f"{sign(charge.saving)} {EACH[charge.interval]}"
        for charge in charges
        if charge.interval and charge.saving
    ]
    return f"You keep {' and '.join(told)} against buying it apart." if told else ""


def were(prices: Iterable[tuple[str, Money]]) -> str:
    """What a bundle cost before, in words: ``$149.00 once and $42.00 a month``."""
    each = {"one_off": "once", "monthly": "a month", "yearly": "a year"}
    return " and ".join(f"{sign(price)} {each[kind]}" for kind, price in prices)


def contents(bundle: Bundle) -> dict[str, Any]:
    """One bundle as its page and the home page show it: what is in it, now and again, and what is kept."""
    shares, charges = bundle.shares(1), bundle.charges(1)
    again = [
        (share.amount, share.piece.alone.interval, share.piece.component.name)
        for share in shares
        if share.piece.alone.interval
    ]
    return {
        "parts": [_part(charge, shares) for charge in charges],
        "pictures": [share.piece.component.picture for share in shares][:3],
        "due_now": bundle.due_now(1),
        "again": again,
        "saving": saving(charges),
    }


def _part(charge: KindPrice, shares: Sequence[Share]) -> Part:
    mine = [share for share in shares if share.piece.charge_kind == charge.charge_kind]
    rows = [
        (counted(share.piece.component.name, share.quantity), share.apart, share.amount)
        for share in mine
    ]
    sums = (charge.apart, charge.together) if len(rows) > 1 else None
    return Part(_HEADS[charge.charge_kind], rows, sums)
