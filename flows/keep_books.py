"""Whoever keeps the books closes periods and opens them again, tells rates, and makes an allowance."""

import uuid
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from core.kernel import audit
from core.kernel.clock import local_date
from core.kernel.money import Money
from core.ledger import periods, rates, writeoffs
from core.parties.models import LegalEntity
from flows.house import House
from flows.once import once


def close(house: House, legal_entity_id: uuid.UUID, through: date, by: str) -> None:
    """Close everything up to a day. Raises NotYetOver and ClosedAlready."""

    def work(session: Session) -> None:
        entity = session.get_one(LegalEntity, legal_entity_id)
        now = house.clock.now()
        periods.close(session, entity, through, by, now)
        subject = ("legal_entity", entity.code)
        audit.write(session, now, by, "period.closed", subject, through=through.isoformat())

    house.db.run_tx(work)


def reopen(house: House, close_id: uuid.UUID, by: str) -> date:
    """Take the last close back; answers its day. Raises StaleState."""

    def work(session: Session) -> date:
        now = house.clock.now()
        row = periods.reopen(session, close_id, by, now)
        entity = session.get_one(LegalEntity, row.legal_entity_id)
        through = row.through_date
        subject = ("legal_entity", entity.code)
        audit.write(session, now, by, "period.reopened", subject, through=through.isoformat())
        return through

    return house.db.run_tx(work)


def tell_rate(house: House, pair: tuple[str, str], on: date, rate: Decimal, by: str) -> None:
    """Write down what one unit of a currency was worth. ValueError for what is no rate."""

    def work(session: Session) -> None:
        now = house.clock.now()
        rates.tell(session, pair, on, rate, "desk", now)
        subject = ("currency_rate", f"{pair[0]}/{pair[1]}")
        audit.write(session, now, by, "rate.told", subject, on=on.isoformat(), rate=f"{rate:f}")

    house.db.run_tx(work)


def make_allowance(
    house: House, legal_entity_id: uuid.UUID, amount: Money, by: str, named: str = ""
) -> None:
    """Bad debt that is expected, on today's date; under one name once."""

    def make(session: Session) -> str:
        now = house.clock.now()
        entity = session.get_one(LegalEntity, legal_entity_id)
        today = local_date(now, entity.time_zone)
        writeoffs.make_allowance(session, entity.id, amount, today, now)
        subject = ("legal_entity", entity.code)
        audit.write(session, now, by, "allowance.made", subject, amount=str(amount))
        return ""

    asked = (legal_entity_id, amount)
    house.db.run_tx(lambda s: once(s, named, asked, house.clock.now(), lambda: make(s)))
