"""How often redirects were followed: gathered by each process, written down together now and then.

Whoever comes by an old address reads. However often strangers ask, a process writes at most once in
``every``, and no more rows than there are redirects (docs/adr/0009-nothing-on-get.md).
"""

import threading
import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta


class Tally:
    """The counts of one process that are not written down yet."""

    def __init__(self, every: timedelta) -> None:
        self._every = every
        self._lock = threading.Lock()
        self._counts: Counter[uuid.UUID] = Counter()
        self._next: datetime | None = None

    def add(self, redirect_id: uuid.UUID, now: datetime) -> Mapping[uuid.UUID, int]:
        """Count one; answers what is to be written down now, which is mostly nothing.

        The first after a pause is written at once, those of the moment behind it with the next one.
        """
        with self._lock:
            self._counts[redirect_id] += 1
            if self._next is not None and self._next - self._every <= now < self._next:
                return {}
            self._next = now + self._every
            due, self._counts = self._counts, Counter()
            return due

    def put_back(self, due: Mapping[uuid.UUID, int]) -> None:
        """They could not be written down: they go with the next."""
        with self._lock:
            self._counts.update(due)
