"""What of a line is disputed or credited, with its taxes; memos take it before tax. Pure."""

from invoices import correcting
from invoices.correcting import Creditable


def gross_of(line: Creditable, net: int, currency: str) -> int:
    """``net`` of the line with the taxes that go with it."""
    return net + sum(part.amount_minor for part in correcting.credit(line, net, currency))


def net_of(line: Creditable, gross: int, currency: str) -> int:
    """The most net that with its taxes comes to no more than ``gross``; 0 when none does.

    All that is left of the line takes exactly what is left of its taxes. In between rounding may leave out
    an amount: then it is the next one below, never above.
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
    return low
