"""How long a printed document takes: ``python -m bench.pdf``.

CPU time of one warm process, so that other work on the machine counts little; memory is the
process's peak, measured in a process of its own for the long invoice.
"""

import argparse
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

from invoices import pdf
from invoices.document import InvoiceDocument
from tests.rooms.invoices.documents import BILL, FERNWAY, PAID, long_invoice

WARM = 10


def cpu_ms(document: InvoiceDocument, rounds: int) -> list[float]:
    """CPU milliseconds of each of ``rounds`` prints, after some that don't count."""
    times = []
    for each in range(WARM + rounds):
        start = time.process_time()
        pdf.render(document, theme=FERNWAY)
        if each >= WARM:
            times.append((time.process_time() - start) * 1000)
    return times


def long_one(rows: int) -> tuple[float, float, int]:
    """CPU seconds, peak MiB and size of an invoice of so many lines."""
    document = long_invoice(rows)
    pdf.render(PAID, theme=FERNWAY)
    start = time.process_time()
    size = len(pdf.render(document, theme=FERNWAY).bytes)
    took = time.process_time() - start
    return took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, size


def alone(work: Callable[[int], tuple[float, float, int]], rows: int) -> tuple[float, float, int]:
    """The answer of ``work`` in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, (rows,))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=50)
    arguments.add_argument("--rows", type=int, default=3000)
    chosen = arguments.parse_args()
    print(pdf.renderer_version())
    short = replace(BILL, lines=BILL.lines[3:5], message="")
    for name, document in (
        ("one page, paid", PAID),
        ("one page with stub and code", short),
        ("two pages with stub and code", BILL),
    ):
        times = cpu_ms(document, chosen.rounds)
        middle = statistics.median(times)
        print(
            f"{name:30} {middle:7.1f} ms CPU (least {min(times):.1f}), {1000 / middle:5.1f} a second"
        )
    took, peak, size = alone(long_one, chosen.rows)
    print(
        f"{chosen.rows} rows {'':20} {took:7.1f} s CPU, peak {peak:.0f} MiB, {size / 1024:.0f} KiB"
    )


if __name__ == "__main__":
    main()
