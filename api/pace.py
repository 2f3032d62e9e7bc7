"""How often a program may ask: limits by address, from the settings, counted over all processes.

Counting each request in the database would make every read a write. So a process takes requests from
the shared count in small lots and spends them by itself: no more than the limit ever pass, and what a
process has not spent when the window ends (2 % of the limit at most) is lost. Windows begin at whole
minutes, hours and days.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

from flask import current_app, g, request

from api.problems import TooManyRequests
from core.kernel import counters
from web.context import house, web_settings

View = TypeVar("View", bound=Callable[..., Any])
_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
#: A process takes so much of a limit at a time; small limits are counted one by one.
_LOTS = 50
#: More addresses than this are forgotten; they only take a new lot then.
_MOST = 20_000


@dataclass(slots=True)
class _Lot:
    """Requests of one address within one window that this process may still let pass."""

    ends_at: datetime
    left: int
    spent: bool = False


class Lots:
    """The lots of one process."""

    def __init__(self) -> None:
        self._lots: dict[tuple[str, str], _Lot] = {}
        self._lock = threading.Lock()

    def take(self, name: str, address: str) -> None:
        """Let one request pass. Raises TooManyRequests when the window's are used up."""
        rate = str(getattr(web_settings(), f"rate_{name}"))
        now = house().clock.now()
        with self._lock:
            lot = self._lots.get((name, address))
            if lot is not None and lot.ends_at > now and not lot.spent and lot.left > 0:
                lot.left -= 1
                return
        if lot is None or lot.ends_at <= now or not lot.spent:
            lot = self._fetch(name, address, rate, now)
        if lot.spent:
            wait = int((lot.ends_at - now).total_seconds()) + 1
            g.retry_after = wait
            raise TooManyRequests(rate, wait)

    def _fetch(self, name: str, address: str, rate: str, now: datetime) -> _Lot:
        """Another lot from the shared count; one request of it passes now."""
        most, seconds = _read(rate)
        size = max(1, most // _LOTS)
        ends_at = _end(now, seconds)
        count = house().db.run_tx(
            lambda session: counters.count(session, f"{name}:{address}"[:255], now, ends_at, size),
            beside=True,
        )
        granted = min(size, most - (count - size))
        lot = _Lot(ends_at, granted - 1) if granted > 0 else _Lot(ends_at, 0, spent=True)
        with self._lock:
            before = self._lots.get((name, address))
            if before is not None and before.ends_at == ends_at:
                lot.left += before.left  # another thread fetched one meanwhile
            if len(self._lots) >= _MOST:
                self._lots.clear()
            self._lots[name, address] = lot
        return lot


def _lots() -> Lots:
    found: Lots = current_app.extensions.setdefault("counterfoil.lots", Lots())
    return found


def limit(name: str) -> Callable[[View], View]:
    """Limit a view by the setting ``rate_<name>``, per address."""

    def mark(view: View) -> View:
        @wraps(view)
        def limited(*args: Any, **values: Any) -> Any:
            _lots().take(name, request.remote_addr or "")
            return view(*args, **values)

        return cast(View, limited)

    return mark


@lru_cache(maxsize=32)
def _read(rate: str) -> tuple[int, int]:
    """``600 per minute`` → 600 and 60 seconds."""
    count, _, unit = rate.split()
    return int(count), _SECONDS[unit]


def _end(now: datetime, seconds: int) -> datetime:
    """When the window of ``now`` ends."""
    begun = int(now.timestamp()) // seconds * seconds
    return datetime.fromtimestamp(begun, UTC) + timedelta(seconds=seconds)
