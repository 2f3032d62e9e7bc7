"""Ports that nobody listens on, below those that the system hands out by itself."""

import random
import socket

_FIRST, _LAST = 20_000, 32_000


def free_ports(count: int = 1) -> int:
    """The first of ``count`` free ports in a row on the loopback interface."""
    draw = random.SystemRandom()
    while True:
        start = draw.randrange(_FIRST, _LAST)
        if all(_is_free(port) for port in range(start, start + count)):
            return start


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
