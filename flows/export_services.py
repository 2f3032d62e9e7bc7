"""The desk's list of services as a file: one row each, read some at a time, so that memory stays as it is."""

from collections.abc import Iterator
from datetime import datetime
from typing import IO

from sqlalchemy.orm import Session

from core.kernel import sheet
from core.kernel.db import Database
from core.kernel.money import extend
from core.kernel.sheet import Cell
from core.subscriptions import reading
from flows import see_services
from flows.see_services import Seen

HEAD = (
    "id",
    "plan",
    "quantity",
    "state",
    "customer",
    "account",
    "paid_by_account",
    "since",
    "ends_on",
    "next_bill",
    "next_amount",
    "price",
    "interval",
    "currency",
)
_CHUNK = 500


def write(
    db: Database, file: IO[bytes], now: datetime, *, state: str = "", sku: str = "", words: str = ""
) -> None:
    """Write what ``reading.listing`` chooses, all of it, as of one snapshot."""
    with db.snapshot(large=True) as session:
        rows = _rows(session, now, state, sku, words)
        for piece in sheet.pieces(HEAD, map(_row, rows)):
            file.write(piece)


def _rows(session: Session, now: datetime, state: str, sku: str, words: str) -> Iterator[Seen]:
    before = None
    while True:
        found = reading.listing(
            session, state=state, sku=sku, words=words, before=before, limit=_CHUNK
        )
        yield from see_services.seen(session, found, now)
        if len(found) < _CHUNK:
            return
        before = (found[-1].ordered_at, found[-1].id)
        session.expunge_all()


def _row(seen: Seen) -> tuple[Cell, ...]:
    phase, timeline = seen.phase, seen.timeline
    price = extend(phase.unit_price_micros, phase.quantity, timeline.currency)
    return (
        sheet.code(seen.row.public_id),
        sheet.words(phase.name),
        sheet.code(phase.quantity),
        sheet.code(timeline.state),
        sheet.words(seen.service_account.name),
        sheet.code(seen.service_account.number),
        sheet.code(seen.payer.number),
        sheet.day(timeline.activated_on),
        sheet.day(timeline.ended_on),
        sheet.day(seen.next_on),
        sheet.amount(seen.next_amount) if seen.next_amount is not None else sheet.EMPTY,
        sheet.amount(price),
        sheet.code(phase.interval),
        sheet.code(timeline.currency),
    )
