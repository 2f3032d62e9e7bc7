"""What of a line is disputed or credited, with its taxes; memos take it before tax. Pure."""

from invoices import correcting
from invoices.correcting import Creditable


def gross_of(line: Creditable, net: int, currency: str) -> int:
    """``net`` of the line with the taxes that go with it."""
    return net + sum(part.amount_minor for part in correcting.credit(line, net, currency))


def net_of(line: Creditable, gross: int, currency: str) -> int:
    """The net with which ``gross`` of the line is credited, its taxes being the rest; 0 when none can be.

    It is the most net that with its own taxes comes to no more than ``gross``, one unit of it at least: where
    rounding leaves out an amount, the taxes take the cent. All that is left of the line takes exactly what
    is left of its taxes, so less than that never takes the last of its net.
    """
    if gross >= line.left_total:
        return line.left_net
    low, high = 0, line.left_net
    while high - low > 1:
        middle = (low + high) // 2
        if gross_of(line, middle, currency) <= gross:
            low = middle
        else:
            high = middle
    return low or min(1, line.left_net - 1)
