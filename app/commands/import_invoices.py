"""``./shop import-invoices``: bring another system's invoices in as history. See docs/import.md."""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TextIO

from app.commands.progress import Progress
from app.settings import Settings
from core.kernel.clock import Clock, local_date
from core.kernel.db import Database
from core.kernel.errors import ShopError
from flows import import_invoices
from flows.import_invoices import Checked, SettledOn
from invoices import history_mapping
from invoices.history_spool import Spool

_UNITS = {"Comparing": "lines", "Writing": "lines"}


def run(argv: Sequence[str], settings: Settings, db: Database, clock: Clock, out: TextIO) -> int:
    """0 when everything is in the books (or was already), 1 when the file was not taken."""
    asked = _parser().parse_args(argv)
    progress = Progress(sys.stderr, clock, _UNITS)
    try:
        return _run(asked, db, clock, out, progress)
    except ShopError as error:
        progress.end()
        print(error, file=out)
        return 1


def _run(
    asked: argparse.Namespace, db: Database, clock: Clock, out: TextIO, progress: Progress
) -> int:
    mapping = history_mapping.load(asked.columns)
    today = local_date(clock.now(), mapping.legal_entity.time_zone)
    if isinstance(asked.settled_on, date) and asked.settled_on > today:
        print(f"--settled-on {asked.settled_on} lies ahead of us", file=out)
        return 1
    settled_on = _settled_on(asked.settled_on)
    with Spool(mapping) as spool:
        checked = import_invoices.check(db, spool, asked.file, mapping, clock.now(), progress)
        progress.end()
        for bad in spool.bad():
            where = f"{asked.file}: row {bad.row}" + (f", {bad.column}" if bad.column else "")
            print(f"{where}: {bad.reason}", file=out)
        if checked.bad_rows and (checked.is_broken or not asked.skip_bad):
            print(_refusal(checked), file=out)
            return 1
        import_invoices.write(db, spool, asked.file.name, mapping, settled_on, clock, progress)
        progress.end()
    print(_told(checked), file=out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./shop import-invoices",
        description="Bring another system's invoices in as history. The whole file is checked first.",
    )
    parser.add_argument("file", type=Path, metavar="FILE.csv", help="one row for each line")
    parser.add_argument(
        "--columns", type=Path, required=True, metavar="MAP.toml", help="what the file means"
    )
    parser.add_argument(
        "--settled-on",
        type=_settling,
        default="never",
        metavar="issue|DATE|never",
        help="when the invoices were paid there: on their own date, on DATE, or never (default)",
    )
    parser.add_argument(
        "--skip-bad", action="store_true", help="leave out the whole documents of bad rows"
    )
    return parser


def _settling(text: str) -> str | date:
    if text in ("issue", "never"):
        return text
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither issue nor never nor a date such as 2010-12-31"
        ) from None


def _settled_on(asked: str | date) -> SettledOn:
    """A document that is younger than the date was settled on its own."""
    if isinstance(asked, date):
        return lambda issued: max(issued, asked)
    return (lambda issued: issued) if asked == "issue" else (lambda issued: None)


def _refusal(checked: Checked) -> str:
    rows = "1 row cannot" if checked.bad_rows == 1 else f"{checked.bad_rows:,} rows cannot"
    if checked.is_broken:
        return f"{rows} be taken, and rows cannot be told apart: nothing was written."
    return (
        f"{rows} be taken: nothing was written. With --skip-bad the {_count(checked.left_out)} "
        f"they belong to {'is' if checked.left_out == 1 else 'are'} left out."
    )


def _told(checked: Checked) -> str:
    lines = [
        f"{checked.rows:,} rows read; {_count(checked.documents)} added: "
        f"{checked.invoices:,} invoices, {checked.credit_memos:,} credit memos, "
        f"{checked.notes:,} notes, with {checked.lines:,} lines."
    ]
    if checked.here:
        lines.append(f"{_count(checked.here)} here already, unchanged.")
    if checked.bad_rows:
        lines.append(f"{_count(checked.left_out)} left out for {checked.bad_rows:,} bad rows.")
    return "\n".join(lines)


def _count(documents: int) -> str:
    return "1 document" if documents == 1 else f"{documents:,} documents"
