"""What changed between the sums that somebody saw and the sums now, line by line, in words.

The sums that were shown travel with the form. They are only compared and shown again: what is charged never
comes from there.
"""

import json
from typing import Any, NamedTuple

from cart.priced import PricedCart
from core.kernel.money import Money

_LONGEST, _MOST, _LARGEST = 20_000, 120, 10**13


class Changed(NamedTuple):
    """A row that is another now; None: it was, or is, not there."""

    label: str
    was: Money | None
    now: Money | None


def rows(priced: PricedCart) -> list[tuple[str, str, int]]:
    """The sums as they are shown: key, words, minor units."""
    found = [
        (
            line.sku,
            f"{line.name} × {line.quantity}" if line.quantity > 1 else line.name,
            line.net.minor,
        )
        for line in priced.lines
    ]
    found += [(f"by:{way.code}", f"Delivery, {way.name}", way.price.minor) for way in priced.chosen]
    if priced.tax_taken_off:
        found.append(("off", "Less the tax that you do not pay", -priced.tax_taken_off.minor))
    return [*found, ("tax", "Tax", priced.tax_on_top.minor)]


def seen(priced: PricedCart) -> str:
    """For the form to carry."""
    return json.dumps(rows(priced), ensure_ascii=False, separators=(",", ":"))


def changes(told: str, priced: PricedCart) -> list[Changed]:
    """What is another than it was; nothing when the form does not say what it was."""
    before, currency = _read(told), priced.due_now.currency
    if before is None:
        return []
    now = {key: (label, minor) for key, label, minor in rows(priced)}
    found = []
    for key in dict.fromkeys([*before, *now]):
        was, is_ = before.get(key), now.get(key)
        if was is not None and is_ is not None and was == is_:
            continue
        if (was or ("", 0))[1] == 0 == (is_ or ("", 0))[1]:
            continue
        label = (is_ or was or ("", 0))[0]
        if was is not None and is_ is not None and was[0] != is_[0]:
            label = f"{is_[0]} (was {was[0]})"
        found.append(
            Changed(
                label,
                Money(was[1], currency) if was is not None else None,
                Money(is_[1], currency) if is_ is not None else None,
            )
        )
    return found


def _read(told: str) -> dict[str, tuple[str, int]] | None:
    if not told or len(told) > _LONGEST:
        return None
    try:
        raw: Any = json.loads(told)
    except (ValueError, RecursionError):
        return None
    if not isinstance(raw, list) or len(raw) > _MOST or not all(map(_is_row, raw)):
        return None
    return {key: (label[:200], minor) for key, label, minor in raw}


def _is_row(one: Any) -> bool:
    return (
        isinstance(one, list)
        and len(one) == 3
        and isinstance(one[0], str)
        and isinstance(one[1], str)
        and isinstance(one[2], int)
        and abs(one[2]) <= _LARGEST
    )
