"""What passes between the processor and the bank besides payments: its fees, and what it pays out."""

import uuid
from datetime import date, datetime

from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger import periods
from core.ledger.chart import CASH, CLEARING, FEES
from core.ledger.journal import Posting, credit, debit, post


def take_fee(
    session: Session,
    legal_entity_id: uuid.UUID,
    fee_id: uuid.UUID,
    amount: Money,
    on: date,
    now: datetime,
) -> uuid.UUID:
    """The processor kept its fee (its balance transaction says how much): fees against clearing."""
    day = periods.open_day(session, legal_entity_id, on)
    sides = [debit(FEES, amount), credit(CLEARING, amount)]
    return post(
        session,
        Posting(legal_entity_id, "fee_taken", day, "processor_fee", fee_id, sides),
        now,
    )


def pay_out(
    session: Session,
    legal_entity_id: uuid.UUID,
    payout_id: uuid.UUID,
    amount: Money,
    on: date,
    now: datetime,
) -> uuid.UUID:
    """The processor paid out to the bank: cash against clearing; below zero it drew from the bank."""
    day = periods.open_day(session, legal_entity_id, on)
    sides = [debit(CASH, amount), credit(CLEARING, amount)]
    return post(session, Posting(legal_entity_id, "paid_out", day, "payout", payout_id, sides), now)
