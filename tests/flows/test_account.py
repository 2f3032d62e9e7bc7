"""What an account owes, when its history is long, in several currencies, or holds more than bills."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import business, items, rates
from core.ledger.business import Document, Receipt
from core.ledger.chart import CONTRACT_LIABILITY
from core.ledger.models import OpenItem
from core.parties import accounts
from flows import account as flow
from flows.house import House
from flows.pay_bill import NothingToPay, PayWish, pay
from tests.world import World, account, user

TODAY = date(2026, 11, 17)


def _document(world: World, account_id: uuid.UUID, number: str, amount: Money) -> Document:
    return Document(
        id=new_id(),
        legal_entity_id=world.legal_entity_id,
        account_id=account_id,
        number=number,
        issue_date=TODAY,
        due_date=TODAY,
        nets=[(CONTRACT_LIABILITY, amount)],
        tax=Money.zero(amount.currency),
    )


def _pay_all(session: Session, world: World, account_id: uuid.UUID, clock: ManualClock) -> None:
    for number, item in enumerate(items.owed_by(session, [account_id])):
        receipt = Receipt(
            new_id(), world.legal_entity_id, account_id, f"P-{number}", item.open, TODAY
        )
        business.receive_for_items(session, receipt, [(item, item.open)], clock.now())


@contextmanager
def _loaded() -> Iterator[list[OpenItem]]:
    """The items that are read from the database."""
    seen: list[OpenItem] = []

    def note(item: OpenItem, context: object) -> None:
        seen.append(item)

    event.listen(OpenItem, "load", note)
    try:
        yield seen
    finally:
        event.remove(OpenItem, "load", note)


def test_of_a_long_history_only_what_is_open_is_read(
    db: Database, world: World, clock: ManualClock
):
    def write(session: Session) -> uuid.UUID:
        owner = account(session, world, clock.now())
        for number in range(20):
            paid = _document(world, owner.id, f"1{number}", Money(500, "USD"))
            business.charge(session, paid, clock.now())
        _pay_all(session, world, owner.id, clock)
        business.charge(session, _document(world, owner.id, "200", Money(700, "USD")), clock.now())
        return owner.id

    owner_id = db.run_tx(write)
    with _loaded() as seen, db.snapshot() as session:
        (owed,) = items.owed_by(session, [owner_id])
        assert items.held_for(session, [owner_id]) == []
    assert (owed.number, owed.open) == ("200", Money(700, "USD"))
    assert len(seen) == 1


def test_amounts_of_another_currency_stay_out_of_the_sum(
    db: Database, world: World, clock: ManualClock
):
    def write(session: Session) -> uuid.UUID:
        owner = account(session, world, clock.now())
        rates.tell(session, ("EUR", "USD"), TODAY, Decimal("1.1"), "test", clock.now())
        for number, amount in (("100", Money(500, "USD")), ("101", Money(900, "EUR"))):
            business.charge(session, _document(world, owner.id, number, amount), clock.now())
        return owner.id

    owner_id = db.run_tx(write)
    with db.snapshot() as session:

        def seen(currency: str) -> flow.Overview:
            return flow.overview(session, [owner_id], currency, TODAY)

        assert [i.number for i in seen("USD").owed] == ["100"]
        assert [one.open for one in seen("USD").owes] == [Money(500, "USD")]
        assert [i.number for i in seen("EUR").owed] == ["101"]


def test_a_credit_memo_is_nothing_to_be_paid(house: House, world: World, clock: ManualClock):
    def write(session: Session) -> tuple[uuid.UUID, uuid.UUID]:
        owner = account(session, world, clock.now())
        somebody = user(session, clock.now(), email="riley@example.com")
        accounts.join(session, somebody.id, owner.id, "owner", clock.now())
        memo = _document(world, owner.id, "C1", Money(500, "USD"))
        business.credit_customer(session, memo, clock.now())
        return somebody.id, memo.id

    user_id, memo_id = house.db.run_tx(write)
    with pytest.raises(NothingToPay):
        pay(house, PayWish(user_id, [memo_id]))
