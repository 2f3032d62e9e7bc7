"""What the readers of both containers answer."""

from typing import NamedTuple


class Broken(Exception):
    """It does not hold what its container promises."""


class Track(NamedTuple):
    """What is shown: how it is encoded and how large it is."""

    codec: str
    width: int
    height: int
