"""``./shop restore``: a backup into a database, whole and proved, or not at all. See docs/backups.md."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from app import migrations
from app.backups import archive, restoring
from app.backups.restoring import Restored, Wish
from app.commands.progress import Progress
from app.commands.verify import line
from app.migrations.ops import CannotMigrate
from app.settings import Settings
from core.kernel.blobs import FolderBlobs
from core.kernel.clock import Clock
from core.kernel.db import Database


def run(argv: Sequence[str], settings: Settings, db: Database, clock: Clock, out: TextIO) -> int:
    """0 when the backup is the shop now (or, with --check, could be); 1 when nothing was changed."""
    asked = _parser().parse_args(argv)
    progress = Progress(sys.stderr, clock, {"rows": "rows"})
    try:
        if asked.check:
            return _check(asked, settings, progress, out)
        db.close()
        restored = restoring.restore(
            asked.file,
            settings.database_url,
            FolderBlobs(settings.data_dir / "blobs"),
            clock,
            settings.secret_key,
            Wish(asked.replace, asked.even_if_unproved, asked.other_secret_key),
            progress,
            lambda finding: print(line(finding), file=out, flush=True),
        )
    except CannotMigrate as error:
        print(error, file=out)
        return 1
    except OSError as error:
        print(f"{error.filename or asked.file}: {error.strerror}. Nothing was changed.", file=out)
        return 1
    finally:
        progress.end()
    _tell(restored, out)
    return 1 if restored.failed else 0


def _check(asked: argparse.Namespace, settings: Settings, progress: Progress, out: TextIO) -> int:
    head = archive.check(
        asked.file,
        archive.sealing_key(settings.secret_key),
        other_key=asked.other_secret_key,
        progress=lambda done, whole: progress("checking", done, whole),
    )
    restoring.refuse_unknown(asked.file, head)
    count = sum(table.rows for table in head.tables.values())
    print(
        f"{asked.file} is whole: a shop as of {head.made_at} ({head.dialect}, schema {head.revision}), "
        f"{count:,} rows, {head.documents - len(head.missing):,} documents.",
        file=out,
    )
    return 0


def _tell(restored: Restored, out: TextIO) -> None:
    head = restored.head
    newest = migrations.newest()
    moved = f", brought from schema {head.revision} to {newest}" if head.revision != newest else ""
    print(
        f"The shop is as it was at {head.made_at}{moved}: {restored.rows:,} rows, "
        f"{head.documents - len(head.missing):,} documents. Whoever was logged in logs in again.",
        file=out,
    )
    if restored.waiting:
        count = sum(restored.waiting.values())
        names = ", ".join(f"{name} {number}" for name, number in restored.waiting.items())
        print(
            f"{count} jobs wait, and a worker will do them: {names}. "
            "In a drill, start none: it would send mails and charge cards.",
            file=out,
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./shop restore",
        description="Bring a backup into the database of DATABASE_URL, of either kind, and its documents "
        "into DATA_DIR. Stop the shop and its workers before. It is proved at the end; when something "
        "does not hold, nothing was changed.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="what ./shop backup wrote")
    parser.add_argument(
        "--check", action="store_true", help="only read the file and prove it whole"
    )
    parser.add_argument(
        "--replace", action="store_true", help="remove the shop that is in the database"
    )
    parser.add_argument(
        "--even-if-unproved", action="store_true", help="keep it though ./shop verify fails"
    )
    parser.add_argument(
        "--other-secret-key",
        action="store_true",
        help="take a file that was made under another SECRET_KEY",
    )
    return parser
