"""Money that came to the bank: for an account's bills, or for nobody until somebody says whose it is."""

import uuid
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from core.kernel import audit
from core.kernel.clock import local_date
from core.kernel.errors import NotFound, StaleState
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import business, credits, items, unidentified
from core.ledger.business import Receipt
from core.ledger.chart import CASH
from core.ledger.unidentified import Found
from core.parties import accounts
from core.parties.models import LegalEntity
from flows.house import House
from flows.once import once


@dataclass(frozen=True)
class Transfer:
    """A line of the bank's list. ``account_number`` is empty when nobody knows whose it is."""

    reference: str
    amount: Money
    received_on: date
    account_number: str = ""
    #: Names the form that it was written on: sent twice, it came once.
    once: str = ""


def record(house: House, legal_entity_id: uuid.UUID, transfer: Transfer, by: str) -> Money | None:
    """Write a transfer down. For an account it pays the oldest bills first.

    Answers what stayed unapplied, None when nobody knows whose it is. NotFound for no such account.
    """

    def work(session: Session) -> Money | None:
        said = once(
            session,
            transfer.once,
            (legal_entity_id, transfer),
            house.clock.now(),
            lambda: _record(session, house, legal_entity_id, transfer, by),
        )
        return Money(int(said), transfer.amount.currency) if said else None

    return house.db.run_tx(work)


def _record(
    session: Session, house: House, legal_entity_id: uuid.UUID, transfer: Transfer, by: str
) -> str:
    now, key, left = house.clock.now(), new_id(), ""
    if transfer.account_number:
        left = str(_for_account(session, house, transfer, key).minor)
    else:
        found = Found(
            key, legal_entity_id, transfer.reference, transfer.amount, transfer.received_on
        )
        unidentified.receive(session, found, now)
    subject = ("transfer", str(key))
    audit.write(session, now, by, "transfer.recorded", subject, amount=str(transfer.amount))
    return left


def _for_account(session: Session, house: House, transfer: Transfer, key: uuid.UUID) -> Money:
    account = accounts.lock(session, accounts.by_number(session, transfer.account_number).id)
    wanted, _ = credits.oldest_first(credits.payable(session, account.id), transfer.amount)
    receipt = Receipt(
        key,
        account.legal_entity_id,
        account.id,
        transfer.reference,
        transfer.amount,
        transfer.received_on,
        through=CASH,
        source_kind="transfer",
    )
    return business.receive_for_items(session, receipt, wanted, house.clock.now())


def identify(house: House, item_id: uuid.UUID, account_number: str, by: str) -> Money:
    """It is this account's: it pays the oldest bills first. Answers what stayed unapplied.

    NotFound for no such account in the same books, StaleState when somebody else has identified it.
    """

    def work(session: Session) -> Money:
        now = house.clock.now()
        account = accounts.lock(session, accounts.by_number(session, account_number).id)
        held = next(iter(items.some(session, [item_id])), None)
        if held is None or held.legal_entity_id != account.legal_entity_id:
            raise NotFound("unknown money")
        entity = session.get_one(LegalEntity, held.legal_entity_id)
        wanted, _ = credits.oldest_first(credits.payable(session, account.id), held.open)
        today = local_date(now, entity.time_zone)
        if held.account_id is not None or not held.open:
            raise StaleState("unknown money", "unknown")
        left = unidentified.identify(session, held, account.id, wanted, today, now)
        subject = ("transfer", str(held.source_id))
        audit.write(session, now, by, "transfer.identified", subject, account=account.number)
        return left

    return house.db.run_tx(work)


def use_credit(house: House, account_id: uuid.UUID, by: str) -> int:
    """Customer credit and unapplied money pay the oldest bills; answers to how many bills some went."""

    def work(session: Session) -> int:
        now = house.clock.now()
        account = accounts.lock(session, account_id)
        entity = session.get_one(LegalEntity, account.legal_entity_id)
        today = local_date(now, entity.time_zone)
        used = credits.use_oldest_first(session, account.id, today, now)
        if used:
            audit.write(session, now, by, "credit.used", ("account", account.number))
        return len({one.owed.id for one in used})

    return house.db.run_tx(work)


def pay_out(
    house: House,
    account_id: uuid.UUID,
    item_id: uuid.UUID,
    amount: Money,
    by: str,
    named: str = "",
) -> None:
    """Credit goes back from the bank; under one name once. StaleState for more than is free."""

    def pay(session: Session) -> str:
        now = house.clock.now()
        account = accounts.lock(session, account_id)
        held = next((one for one in credits.free(session, account.id) if one.id == item_id), None)
        if held is None or amount > held.open:
            raise StaleState("credit", "free")
        entity = session.get_one(LegalEntity, account.legal_entity_id)
        today = local_date(now, entity.time_zone)
        whole = items.get(session, item_id)
        business.refund_credit(session, whole, amount, new_id(), today, now, through=CASH)
        subject = ("account", account.number)
        audit.write(session, now, by, "credit.paid_out", subject, amount=str(amount))
        return ""

    asked = (account_id, item_id, amount)
    house.db.run_tx(lambda s: once(s, named, asked, house.clock.now(), lambda: pay(s)))
