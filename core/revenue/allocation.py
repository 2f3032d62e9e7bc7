"""A contract's price over its obligations, by relative standalone selling price (ASC 606-10-32-28 to 31).

Pure. Never confused with billing weights, which share out tax and refunds.
"""

from collections.abc import Sequence

from core.kernel.money import Money


def by_standalone_price(price: Money, standalone: Sequence[Money]) -> list[Money]:
    """``price × standalone price ÷ sum of all standalone prices``, by largest remainder.

    The shares sum exactly to the price; a tie goes to the earlier. ValueError where no standalone price is
    above zero: then there is nothing to share by, and whoever asks has to estimate first.
    """
    if not any(one.minor > 0 for one in standalone):
        raise ValueError("no obligation has a standalone selling price")
    if any(one.currency != price.currency for one in standalone):
        raise ValueError("standalone prices in another currency")
    return price.split([one.minor for one in standalone])
