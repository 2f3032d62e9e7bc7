"""Money that came to the bank and that nobody knows: held for no account until somebody says whose it is."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger import business, items, periods
from core.ledger.chart import CASH, UNAPPLIED, UNIDENTIFIED
from core.ledger.items import NewApplication, NewItem, Open
from core.ledger.journal import Posting, credit, debit, post
from core.ledger.models import OpenItem


@dataclass(frozen=True)
class Found:
    """Money on the bank's list without a payer: its own key, and what the bank says of it."""

    id: uuid.UUID
    legal_entity_id: uuid.UUID
    reference: str
    amount: Money
    received_on: date


def receive(session: Session, found: Found, now: datetime) -> uuid.UUID:
    """Cash against unidentified; answers the open item's key."""
    day = periods.open_day(session, found.legal_entity_id, found.received_on)
    entry = post(
        session,
        Posting(
            found.legal_entity_id,
            "transfer_received",
            day,
            "transfer",
            found.id,
            [debit(CASH, found.amount), credit(UNIDENTIFIED, found.amount)],
        ),
        now,
    )
    return items.open_item(
        session,
        entry,
        NewItem(
            legal_entity_id=found.legal_entity_id,
            account_id=None,
            ledger_code=UNIDENTIFIED,
            amount=found.amount,
            source_kind="transfer",
            source_id=found.id,
            number=found.reference,
            effective_date=day,
        ),
    )


def identify(
    session: Session,
    held: Open,
    account_id: uuid.UUID,
    wanted: Sequence[tuple[Open, Money]],
    on: date,
    now: datetime,
) -> Money:
    """All that is left of it is the account's: for the ``wanted`` bills first, the rest unapplied.

    Answers what stayed unapplied. ValueError when it is known already, or nothing is left of it.
    """
    if held.ledger_code != UNIDENTIFIED or held.open.minor <= 0:
        raise ValueError(f"{held.number} is not unidentified")
    applied, cleared, left = business.fit(account_id, held.open, wanted)
    sides = [held.settle(held.open), *cleared, credit(UNAPPLIED, left, account_id)]
    entry = post(
        session,
        Posting(held.legal_entity_id, "identified", on, held.source_kind, held.source_id, sides),
        now,
    )
    gone = NewApplication(held.open, "identified", held.source_id, on, credit_item_id=held.id)
    items.apply(session, entry, now, gone)
    for item, part in applied:
        came = NewApplication(part, held.source_kind, held.source_id, on, debit_item_id=item.id)
        items.apply(session, entry, now, came)
    if left:
        new = NewItem(
            legal_entity_id=held.legal_entity_id,
            account_id=account_id,
            ledger_code=UNAPPLIED,
            amount=left,
            source_kind=held.source_kind,
            source_id=held.source_id,
            number=held.number,
            effective_date=on,
        )
        items.open_item(session, entry, new)
    return left


def still_unknown(session: Session, legal_entity_id: uuid.UUID, limit: int = 50) -> list[Open]:
    """What nobody has claimed yet, the oldest first."""
    return items.still_open(
        session,
        OpenItem.legal_entity_id == legal_entity_id,
        OpenItem.account_id.is_(None),
        limit=limit,
    )
