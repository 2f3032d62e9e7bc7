"""``./shop bill``: bill what is due of all services. See docs/billing.md."""

import argparse
import multiprocessing
import sys
import time
import uuid
from collections.abc import Sequence
from datetime import date
from typing import TextIO

from app.commands.progress import Progress
from app.settings import Settings
from core.kernel.money import Money
from flows import run_billing
from flows.house import House
from flows.run_billing import STAGE, Asked, Tell
from invoices.billing import runs
from invoices.billing.models import PREVIEW, BillRun

#: How often a run that others work on is looked at, in seconds.
_LOOK_EVERY = 0.5


def run(argv: Sequence[str], settings: Settings, house: House, out: TextIO) -> int:
    """0 when every account that is due was billed, 1 when one was parked or waits for its taxes."""
    asked = _parser().parse_args(argv)
    wish = Asked(
        asked.as_of or run_billing.today(house),
        "system",
        is_preview=asked.preview,
        account_number=asked.account,
    )
    progress = Progress(sys.stderr, house.clock, {STAGE: "accounts"})
    if asked.workers > 1:
        run_id = _by_several(settings, house, wish, asked.workers, progress)
    else:
        run_id = run_billing.run(house, wish, progress=progress)
    progress.end()
    return _report(house, run_id, out)


def _by_several(
    settings: Settings, house: House, wish: Asked, workers: int, progress: Tell
) -> uuid.UUID:
    """The chunks are done by as many processes, each with a house of its own."""
    run_id = run_billing.start(house, wish)
    context = multiprocessing.get_context("spawn")
    helpers = [
        context.Process(target=work, args=(settings, run_id), daemon=True) for _ in range(workers)
    ]
    for helper in helpers:
        helper.start()
    while any(helper.is_alive() for helper in helpers):
        progress(STAGE, *run_billing.counted(house, run_id))
        time.sleep(_LOOK_EVERY)
    run_billing.finish(house, run_id)
    progress(STAGE, *run_billing.counted(house, run_id))
    return run_id


def work(settings: Settings, run_id: uuid.UUID) -> None:
    """One of several: do chunks until nobody has one left. A process begins here."""
    from app.wiring import build

    house = build(settings)
    try:
        while run_billing.take(house, run_id):
            pass
    finally:
        house.db.close()


def _report(house: House, run_id: uuid.UUID, out: TextIO) -> int:
    with house.db.snapshot() as session:
        done = session.get_one(BillRun, run_id)
        totals = runs.totals(session, done)
        parked = runs.without_bill(session, run_id)
    changed = totals.changed
    would = " would be" if done.kind == PREVIEW else ""
    print(f"By {done.as_of}: accounts looked at {done.accounts:,}", file=out)
    for currency, total in totals.by_currency.items():
        billed, credited = (
            Money(minor, currency).decimal() for minor in (total.billed_minor, total.credited_minor)
        )
        print(f"{currency}  {total.invoices:,} invoices{would}: {billed:,}", file=out)
        if total.memos:
            print(f"{currency}  {total.memos:,} credit memos{would}: {credited:,}", file=out)
    print(
        f"Against last time: {changed.new:,} new, {changed.more:,} more, {changed.less:,} less, "
        f"{changed.same:,} the same, {changed.gone:,} gone",
        file=out,
    )
    for number, kind, reason in parked:
        print(f"  {number}  {kind}: {reason}", file=out)
    if done.kind == PREVIEW:
        print("Nothing was billed: this was a preview.", file=out)
    return 1 if totals.parked or totals.waiting else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./shop bill",
        description="Bill every service that is due. A second run bills nothing; a run that was "
        "stopped goes on where it stopped. Each account is billed up to its own day.",
    )
    parser.add_argument("--as-of", type=_day, metavar="DATE", help="up to DATE (default: today)")
    parser.add_argument("--account", metavar="NUMBER", help="only what this account pays for")
    parser.add_argument(
        "--preview", action="store_true", help="say what would be billed; write no bill"
    )
    parser.add_argument(
        "--workers", type=_count, default=1, metavar="N", help="in so many processes (default: 1)"
    )
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-12-01") from None


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 64")
    return int(text)
