"""Exchange between two currencies, through the currency-clearing account.

Each currency balances on its own against currency clearing. In the functional currency clearing is even:
both sides are worth the same, and what was given may have been carried at another amount, which is the
realised difference.
"""

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from core.kernel.ids import new_id
from core.kernel.money import Money, round_half_up
from core.ledger import items, rates
from core.ledger.chart import CASH, CURRENCY_CLEARING
from core.ledger.items import NewApplication, NewItem, Open
from core.ledger.journal import Posting, Side, credit, post


@dataclass(frozen=True)
class Exchange:
    """What was given for what, on a day, as the bank says."""

    given: Money
    taken: Money
    on: date


def exchange_cash(
    session: Session, legal_entity_id: uuid.UUID, done: Exchange, now: datetime
) -> uuid.UUID:
    """Our own money in one currency becomes another. Raises NoRate."""
    worth = _worth(session, legal_entity_id, done)
    return post(
        session,
        Posting(
            legal_entity_id,
            "currency_exchanged",
            done.on,
            "exchange",
            new_id(),
            [
                credit(CASH, done.given),
                Side(CURRENCY_CLEARING, done.given, functional=worth),
                Side(CURRENCY_CLEARING, -done.taken, functional=-worth),
                Side(CASH, done.taken, functional=worth),
            ],
        ),
        now,
    )


def exchange_held(session: Session, held: Open, done: Exchange, now: datetime) -> Open:
    """A customer's credit in one currency becomes credit in another, to be used for bills in that.

    ValueError for more than is held, or when nothing changes its currency. Raises NoRate.
    """
    if held.side != "credit" or not 0 < done.given.minor <= held.open.minor:
        raise ValueError(f"cannot exchange {done.given}: {held.open} held")
    if done.given.currency != held.open.currency or done.taken.minor <= 0:
        raise ValueError(f"cannot exchange {done.given} of {held.open} for {done.taken}")
    worth, key = _worth(session, held.legal_entity_id, done), new_id()
    sides = [
        held.settle(done.given),
        Side(CURRENCY_CLEARING, -done.given, functional=-worth),
        Side(CURRENCY_CLEARING, done.taken, functional=worth),
        Side(held.ledger_code, -done.taken, held.account_id, -worth),
    ]
    posting = Posting(
        held.legal_entity_id, "currency_exchanged", done.on, held.source_kind, held.source_id, sides
    )
    entry = post(session, posting, now)
    gone = NewApplication(done.given, "exchange", key, done.on, credit_item_id=held.id)
    items.apply(session, entry, now, gone)
    new = NewItem(
        legal_entity_id=held.legal_entity_id,
        account_id=held.account_id,
        ledger_code=held.ledger_code,
        amount=done.taken,
        source_kind="exchange",
        source_id=key,
        number=held.number,
        effective_date=done.on,
        order_id=held.order_id,
    )
    return items.get(session, items.open_item(session, entry, new))


def _worth(session: Session, legal_entity_id: uuid.UUID, done: Exchange) -> int:
    """What both are worth: whichever stands in the functional currency, or what was taken, at its rate."""
    if done.given.currency == done.taken.currency:
        raise ValueError(f"{done.given} for {done.taken} is no exchange")
    functional = rates.functional_currency(session, legal_entity_id)
    if done.given.currency == functional:
        return done.given.minor
    return in_functional(session, done.taken, functional, done.on)


def in_functional(session: Session, amount: Money, functional: str, day: date) -> int:
    """An amount in minor units of the functional currency, half up. Raises NoRate."""
    rate = rates.rate_on(session, amount.currency, functional, day)
    return round_half_up(amount.decimal() * rate / Money(1, functional).decimal())
