"""Rate limits, counted in the shop's own database so that all processes count together."""

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits.storage import Storage
from sqlalchemy import delete

from core.kernel import counters
from core.kernel.counters import RateCounter
from core.kernel.db import Database
from web.context import WebSettings, house, web_settings


class DatabaseStorage(Storage):
    """Counters of fixed windows in ``rate_counter``; each commits on its own."""

    STORAGE_SCHEME = ["counterfoil"]

    def __init__(
        self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any
    ) -> None:
        super().__init__(uri, wrap_exceptions)

    @property
    def base_exceptions(self) -> type[Exception]:
        return Exception

    @property
    def _db(self) -> Database:
        return house().db

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = house().clock.now()
        ends_at = now + timedelta(seconds=expiry)
        return self._db.run_tx(
            lambda session: counters.count(session, key[:255], now, ends_at, amount),
            beside=True,
        )

    def get(self, key: str) -> int:
        row = self._row(key)
        return row.count if row is not None else 0

    def get_expiry(self, key: str) -> float:
        row = self._row(key)
        return row.ends_at.timestamp() if row is not None else house().clock.now().timestamp()

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        self._db.run_tx(lambda session: session.execute(delete(RateCounter)))
        return None

    def clear(self, key: str) -> None:
        self._db.run_tx(
            lambda session: session.execute(delete(RateCounter).where(RateCounter.key == key[:255]))
        )

    def _row(self, key: str) -> RateCounter | None:
        with self._db.reading() as session:
            row = session.get(RateCounter, key[:255])
        return row if row is not None and row.ends_at > house().clock.now() else None


limiter = Limiter(
    key_func=get_remote_address,
    storage_uri="counterfoil://",
    headers_enabled=False,
    default_limits=[],
    strategy="fixed-window",
)


def install(app: Flask) -> None:
    """Count the requests of views that name a limit."""
    limiter.init_app(app)
    # A view with a limit counts by itself. Limits of the whole application, for which the library would
    # look at every request, there are none.
    app.before_request_funcs[None].remove(limiter._check_request_limit)


def wait_seconds() -> int:
    """How long until the limit that this request went over begins anew."""
    current = limiter.current_limit
    if current is None:
        return 60
    return max(1, math.ceil(current.reset_at - house().clock.now().timestamp()))


def limit(name: str, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Limit a view by the setting ``rate_<name>``, per address; ``methods`` narrows it."""

    def rate() -> str:
        settings: WebSettings = web_settings()
        return str(getattr(settings, f"rate_{name}"))

    return limiter.shared_limit(rate, scope=name, **options)
