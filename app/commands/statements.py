"""``./shop statements``: make the statements that are due. See docs/statements.md."""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from typing import TextIO

from app.commands.progress import Progress
from app.settings import Settings
from core.kernel.clock import FIRST_ZONE, local_date
from flows import make_statements
from flows.house import House

#: What stands in place of a number for an account that is to have its own statements.
ITSELF = "itself"


def run(argv: Sequence[str], settings: Settings, house: House, out: TextIO) -> int:
    """0 when every account that is due has its statement, 1 when one got none or nobody has NUMBER."""
    parser = _parser()
    asked = parser.parse_args(argv)
    if asked.addressed_to is not None:
        if asked.account is None:
            parser.error("--addressed-to wants --account, too")
        return _address(house, asked.account, asked.addressed_to, out)
    today = local_date(house.clock.now(), FIRST_ZONE)
    as_of = asked.as_of or today
    if as_of > today:
        print(f"--as-of {as_of} lies ahead of us", file=out)
        return 1
    if asked.preview:
        return _preview(house, as_of, asked.account, out)
    progress = Progress(sys.stderr, house.clock, {make_statements.STAGE: "accounts"})
    report = make_statements.run(house, as_of, account_number=asked.account, progress=progress)
    progress.end()
    print(f"Accounts that were due {report.accounts:>8,}", file=out)
    print(f"Statements made        {report.made:>8,}", file=out)
    print(f"Accounts without one   {len(report.parked):>8,}", file=out)
    for words in report.parked:
        print(f"  {words}", file=out)
    return 1 if report.parked else 0


def _address(house: House, number: str, to: str, out: TextIO) -> int:
    make_statements.address(house, number, None if to == ITSELF else to)
    whose = "has statements of its own" if to == ITSELF else f"stands on the statements of {to}"
    print(f"From now on account {number} {whose}.", file=out)
    return 0


def _preview(house: House, as_of: date, account: str | None, out: TextIO) -> int:
    count = 0
    for due, document in make_statements.preview(house, as_of, account_number=account):
        count += 1
        print(
            f"{due.number}  {document.period_start} to {document.period_end}  {due.currency}"
            f"  previous {document.opening:,}  payments {document.payments:,}"
            f"  adjustments {document.adjustments:,}  charges {document.charges:,}"
            f"  closing {document.closing:,}  to pay {document.amount_due:,}",
            file=out,
        )
    print(f"{count:,} would be made; nothing was written.", file=out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./shop statements",
        description="Make the statement of each account whose bill day has come. A second run makes "
        "nothing; a run that was stopped goes on where it stopped.",
    )
    parser.add_argument(
        "--as-of", type=_day, metavar="DATE", help="bill days up to DATE (default: today)"
    )
    parser.add_argument("--account", metavar="NUMBER", help="only the statements of this account")
    parser.add_argument(
        "--addressed-to",
        metavar="NUMBER",
        help="make nothing: from now on --account stands on the statements of this account, "
        f"which it stands under; “{ITSELF}” gives it statements of its own",
    )
    parser.add_argument(
        "--preview", action="store_true", help="say what would be made; write nothing"
    )
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-12-01") from None
