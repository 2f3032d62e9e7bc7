"""``./shop backup``: the whole shop into one file, while it runs. See docs/backups.md."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from app.backups import taking
from app.commands.progress import Progress
from app.settings import Settings
from core.kernel.blobs import FolderBlobs
from core.kernel.clock import Clock
from core.kernel.db import Database


def run(argv: Sequence[str], settings: Settings, db: Database, clock: Clock, out: TextIO) -> int:
    """0 when the file is whole and on the disk; 1 when it isn't, or when a document was missing."""
    path = _parser().parse_args(argv).file
    progress = Progress(sys.stderr, clock, {"rows": "rows"})
    try:
        taken = taking.take(
            path, db, FolderBlobs(settings.data_dir / "blobs"), clock, settings.secret_key, progress
        )
    except FileExistsError:
        print(f"{path} is there already. Choose another name; nothing was written.", file=out)
        return 1
    except OSError as error:
        print(f"{path} cannot be written: {error.strerror}.", file=out)
        return 1
    progress.end()
    head = taken.head
    print(
        f"{path} holds the shop as of {head.made_at}: {taken.rows:,} rows, "
        f"{head.documents - len(head.missing):,} documents, {taken.size / 1e6:,.1f} MB. "
        "It was read back whole.",
        file=out,
    )
    for sha256 in head.missing:
        print(f"NOT THERE: the document {sha256}, which the database names.", file=out)
    return 1 if head.missing else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./shop backup",
        description="Write the database and every document into one new file, as of one moment. "
        "The shop may run meanwhile. Settings and their secrets are not inside: keep those apart.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a file that is not there yet")
    return parser
