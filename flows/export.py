"""The books as CSV: what of them, from when to when, written piece by piece from one snapshot.

``./shop export`` and the desk's downloads use it. The same books give the same bytes.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import IO

from sqlalchemy.orm import Session

from core.kernel import sheet
from core.kernel.clock import local_date
from core.kernel.db import Database
from core.ledger import exports
from core.ledger.book import Wanted
from core.ledger.cuts import Cut
from core.ledger.exports import Row
from core.parties import accounts
from core.parties.models import LegalEntity
from invoices import reading as invoices
from payments import reading as payments

#: What can be exported, and the head of each file.
HEADS = {
    "journal": exports.JOURNAL,
    "general-journal": exports.GENERAL_JOURNAL,
    "trial-balance": exports.TRIAL_BALANCE,
    "ageing": exports.AGEING,
    "account": exports.HISTORY,
}
#: Told now and then: legal entity, done, whole.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Asked:
    """Which file. Days are effective ones, both included.

    ``until`` None is today, where the legal entity is. ``legal_entity_id`` None is all, by their codes.
    """

    what: str
    first: date | None = None
    until: date | None = None
    legal_entity_id: uuid.UUID | None = None
    wanted: Wanted = field(default_factory=Wanted)
    #: Key and number, for the file of one account.
    account: tuple[uuid.UUID, str] | None = None


def write(db: Database, asked: Asked, now: datetime, file: IO[bytes], told: Progress) -> int:
    """Write the file; answers the number of its rows without the head. Memory stays as it is."""
    rows = 0

    def counted(found: Iterator[Row]) -> Iterator[Row]:
        nonlocal rows
        for row in found:
            rows += 1
            yield row

    with db.snapshot(large=True) as session:
        found = counted(_rows(session, asked, now, told))
        for piece in sheet.pieces(HEADS[asked.what], found):
            file.write(piece)
    return rows


def _rows(session: Session, asked: Asked, now: datetime, told: Progress) -> Iterator[Row]:
    for entity in accounts.legal_entities(session):
        if asked.legal_entity_id in (None, entity.id):
            day = asked.until or local_date(now, entity.time_zone)
            yield from _of(session, entity, asked, day, told)


def _of(
    session: Session, entity: LegalEntity, asked: Asked, day: date, told: Progress
) -> Iterator[Row]:
    cut = Cut(entity.id, as_of=day)
    wanted = replace(asked.wanted, first=asked.first)
    if asked.what == "journal":
        yield from exports.journal(
            *(session, entity, cut, wanted, _numbers),
            lambda done, whole: told(entity.code, done, whole),
        )
    elif asked.what == "general-journal":
        yield from exports.general_journal(session, entity, cut, asked.first)
    elif asked.what == "trial-balance":
        yield from exports.trial_balance(session, entity, cut)
    elif asked.what == "ageing":
        yield from exports.aged(session, entity, cut, day)
    elif asked.account is not None:
        yield from exports.history(session, entity, asked.account, cut, _numbers)


@dataclass(frozen=True)
class Source:
    """What an entry stands for, as people know it. ``kind`` is ``invoice`` or ``payment``."""

    kind: str
    number: str
    public_id: str


def sources(session: Session, keys: Sequence[uuid.UUID]) -> dict[uuid.UUID, Source]:
    """The documents and payments whose keys these are; others are left out."""
    found = {key: Source("payment", *one) for key, one in payments.names(session, keys).items()}
    return found | {
        key: Source("invoice", *one) for key, one in invoices.names(session, keys).items()
    }


def _numbers(session: Session, keys: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    return {key: source.number for key, source in sources(session, keys).items()}
