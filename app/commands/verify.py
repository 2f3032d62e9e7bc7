"""``./shop verify``: the books prove themselves. See docs/verify.md."""

import argparse
from collections.abc import Sequence
from datetime import date
from typing import TextIO

from app.settings import Settings
from core.kernel.blobs import FolderBlobs
from core.kernel.clock import Clock
from core.kernel.db import Database
from flows.verify import Finding, verify


def run(argv: Sequence[str], settings: Settings, db: Database, clock: Clock, out: TextIO) -> int:
    """Print each line with its figure; 1 when one of them fails."""
    asked = _parser().parse_args(argv)
    blobs = FolderBlobs(settings.data_dir / "blobs") if asked.documents else None
    failed = 0
    for finding in verify(db, clock, as_of=asked.as_of, blobs=blobs):
        failed += not finding.holds
        print(line(finding), file=out, flush=True)
        for word in finding.offenders:
            print(f"      {word}", file=out)
    print(f"{failed} of 12 FAILED" if failed else "All of it holds.", file=out)
    return 1 if failed else 0


def line(finding: Finding) -> str:
    """One line of the list, as it is printed."""
    verdict = ("ok" if finding.holds else "FAILED") if finding.proved else "—"
    return f"{finding.number:>2}  {verdict:<6}  {finding.claim}: {finding.figure}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./shop verify", description="Prove that the books are whole. Nothing is written."
    )
    parser.add_argument("--as-of", type=day, metavar="DATE", help="leave out what is dated later")
    parser.add_argument(
        "--documents", action="store_true", help="read every stored document whole, too"
    )
    return parser


def day(text: str) -> date:
    """A date of the command line."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2010-12-31") from None
