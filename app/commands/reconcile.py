"""``./shop reconcile``: ask the processor for what no webhook and no return page has told us.

The worker does the same every two minutes; this is for whoever wants to see it happen.
"""

import argparse
from collections.abc import Sequence
from typing import TextIO

from app.settings import Settings
from flows import reconcile
from flows.house import House


def run(argv: Sequence[str], settings: Settings, house: House, out: TextIO) -> int:
    """0 when all is well, 1 when something could not be settled or the processor did not answer."""
    argparse.ArgumentParser(
        prog="./shop reconcile",
        description="Ask the processor about payments whose end we have not heard, and read its list "
        "of events from where we stopped. Exit code 1 when there are problems.",
    ).parse_args(argv)
    report = reconcile.run(house)
    print(f"Events new to us     {report.events:>6}", file=out)
    print(f"Payments looked at   {report.looked_at:>6}", file=out)
    print(f"Settled just now     {report.settled:>6}", file=out)
    print(f"Problems             {len(report.problems):>6}", file=out)
    for problem in report.problems:
        print(f"  {problem}", file=out)
    return 1 if report.problems else 0
