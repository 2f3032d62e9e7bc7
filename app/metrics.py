"""Metrics for Prometheus, summed over all server processes when a folder for them is set.

The server's start makes the folder and names it in the environment, before this module is imported.
"""

import os
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

requests = Counter("shop_requests", "Requests answered", ["route", "method", "status"])
seconds = Histogram(
    "shop_request_seconds",
    "Time to answer",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)


def of_jobs(counts: Mapping[str, int], waiting_seconds: float) -> bytes:
    """How many jobs are in each state, and for how long the oldest that is due has waited, as text."""
    lines = ["# HELP shop_jobs Jobs by state", "# TYPE shop_jobs gauge"]
    lines += [f'shop_jobs{{state="{state}"}} {count}' for state, count in sorted(counts.items())]
    lines += [
        "# HELP shop_jobs_waiting_seconds Since when the oldest job that is due waits",
        "# TYPE shop_jobs_waiting_seconds gauge",
        f"shop_jobs_waiting_seconds {waiting_seconds:.1f}",
    ]
    return ("\n".join(lines) + "\n").encode()


def exposition() -> bytes:
    """The text that Prometheus reads."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no types here
    return generate_latest(registry)
