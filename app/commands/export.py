"""``./shop export``: the books as CSV. See docs/reports.md."""

import argparse
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from app.commands.progress import Progress
from app.commands.verify import day
from app.settings import Settings
from core.kernel.clock import Clock
from core.kernel.db import Database
from core.kernel.errors import NotFound
from core.parties import accounts
from flows import export
from flows.export import Asked

WHAT = ("journal", "general-journal", "trial-balance", "ageing")
#: Files of what happened between two days; the others are of how things stand on one.
_SPANS = ("journal", "general-journal")


def run(argv: Sequence[str], settings: Settings, db: Database, clock: Clock, out: TextIO) -> int:
    """Write the file; 2 when it was asked the wrong way, NotFound for an unknown legal entity."""
    parser = _parser()
    given = parser.parse_args(argv)
    if given.what in _SPANS and given.as_of:
        parser.error(f"{given.what} takes --from and --to")
    if given.what not in _SPANS and (given.first or given.to):
        parser.error(f"{given.what} takes --as-of")
    if given.first and given.to and given.first > given.to:
        parser.error("--from is after --to")
    asked = Asked(given.what, given.first, given.to or given.as_of, _entity(db, given.legal_entity))
    progress = Progress(sys.stderr, clock, {"journal": "postings"})

    def told(entity: str, done: int, whole: int) -> None:
        progress("journal", done, whole)

    part = given.out.with_name(f"{given.out.name}.part")
    try:
        with part.open("wb") as file:
            rows = export.write(db, asked, clock.now(), file, told)
        part.replace(given.out)
    except OSError as error:
        print(f"{given.out} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    finally:
        part.unlink(missing_ok=True)
    progress.end()
    print(f"{rows:,} rows in {given.out}.", file=out)
    return 0


def _entity(db: Database, code: str | None) -> uuid.UUID | None:
    if code is None:
        return None
    with db.reading() as session:
        for entity in accounts.legal_entities(session):
            if entity.code == code:
                return entity.id
    raise NotFound(f"legal entity “{code}”")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./shop export", description="Write the books as CSV. Nothing in them is changed."
    )
    parser.add_argument("what", choices=WHAT)
    parser.add_argument(
        "--from", dest="first", type=day, metavar="DATE", help="leave out earlier days"
    )
    parser.add_argument(
        "--to", type=day, metavar="DATE", help="leave out later days; today otherwise"
    )
    parser.add_argument("--as-of", type=day, metavar="DATE", help="how it was on that day")
    parser.add_argument(
        "--legal-entity", metavar="CODE", help="only that one's books; everybody's otherwise"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write")
    return parser
