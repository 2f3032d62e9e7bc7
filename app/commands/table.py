"""A table of words for a terminal."""

import itertools
from collections.abc import Sequence


def ruled(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Lines with the columns under each other, the first of them a head with a rule below."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = itertools.chain(rows[:1], [tuple("-" * width for width in widths)], rows[1:])
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in lines]
