"""What the stock refuses, of whichever kind: the roof knows it by this name."""

from core.kernel.errors import ShopError


class StockRefused(ShopError):
    """What cannot be done with a level, a pool or a number as it is now."""
