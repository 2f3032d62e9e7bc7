"""Faults on demand: what can go wrong between a shop and its processor, switched on by tests."""

import fnmatch
import threading
from dataclasses import dataclass
from typing import Any

from payments.sandbox.errors import ApiError

ON_REQUESTS = frozenset(
    {
        "timeout",  # wait, then hang up; nothing was done
        "drop_after_success",  # do it, then hang up without an answer
        "slow",  # do it, then wait before answering
        "500",  # answer 500; nothing was done, nothing is kept
        "stored_500",  # answer 500 and keep that answer under the key
        "429",  # too many requests; nothing was done
        "key_in_use",  # another request with this key is still running
        "malformed",  # do it, then answer what is no JSON
    }
)
ON_WEBHOOKS = frozenset(
    {"hold_webhooks", "duplicate_webhooks", "reverse_webhooks", "lose_webhooks"}
)


@dataclass
class Fault:
    """One switch; it goes off after ``times`` uses."""

    kind: str
    path: str = "/v1/*"
    method: str = "*"
    times: int = 1
    delay_seconds: float = 0.0
    after_success: bool = False


class Faults:
    """The switches that are on. Kept in memory: a restart begins without any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: list[Fault] = []

    def switch_on(self, asked: dict[str, Any]) -> Fault:
        known = {"kind", "path", "method", "times", "delay_seconds", "after_success"}
        if asked.get("kind") not in ON_REQUESTS | ON_WEBHOOKS or set(asked) - known:
            kinds = ", ".join(sorted(ON_REQUESTS | ON_WEBHOOKS))
            raise ApiError(f"A fault has a kind ({kinds}), path, method, times, delay_seconds.")
        fault = Fault(**asked)
        with self._lock:
            self._on.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._on.clear()

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [vars(fault).copy() for fault in self._on]

    def on_request(self, method: str, path: str) -> Fault | None:
        return self._take(
            lambda fault: (
                fault.kind in ON_REQUESTS
                and fault.method in ("*", method)
                and fnmatch.fnmatchcase(path, fault.path)
            )
        )

    def on_webhook(self) -> Fault | None:
        return self._take(lambda fault: fault.kind in ON_WEBHOOKS)

    def _take(self, fits: Any) -> Fault | None:
        with self._lock:
            for fault in self._on:
                if fits(fault):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._on.remove(fault)
                    return fault
        return None
