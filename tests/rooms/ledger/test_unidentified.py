"""Money that nobody knows is held for nobody until somebody says whose it is. Credit pays old bills first."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import business, clearing, contested, credits, items, reversals, unidentified
from core.ledger.business import Receipt
from core.ledger.chart import (
    CASH,
    CLEARING,
    CUSTOMER_CREDIT,
    FEES,
    ORDER_DEPOSIT,
    RECEIVABLE,
    UNAPPLIED,
    UNIDENTIFIED,
)
from core.ledger.items import Open
from core.ledger.models import OpenItem
from core.ledger.tender_models import Tender
from core.ledger.unidentified import Found
from tests.rooms.ledger.books import DAY, document
from tests.rooms.ledger.counter import Counter

LATER = DAY + timedelta(days=3)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def found(counter: Counter, minor: int) -> Open:
    came = Found(new_id(), counter.world.legal_entity_id, "GIRO 4711", usd(minor), DAY)

    def work(session) -> Open:
        return items.get(session, unidentified.receive(session, came, counter.clock.now()))

    return counter.db.run_tx(work)


def test_money_that_nobody_knows_is_held_for_nobody(counter: Counter):
    held = found(counter, 7_000)
    assert (held.account_id, held.ledger_code, held.open) == (None, UNIDENTIFIED, usd(7_000))
    assert counter.balances(CASH, UNIDENTIFIED) == [7_000, -7_000]
    with counter.db.reading() as session:
        waiting = unidentified.still_unknown(session, counter.world.legal_entity_id)
    assert [one.id for one in waiting] == [held.id]


def test_identified_money_pays_the_bills_it_is_for_and_the_rest_is_unapplied(counter: Counter):
    held, owed = found(counter, 7_000), counter.bill(5_000)

    def tell(session) -> Money:
        fresh = items.get(session, held.id)
        wanted = [(owed, usd(5_000))]
        return unidentified.identify(
            session, fresh, counter.who, wanted, LATER, counter.clock.now()
        )

    assert counter.db.run_tx(tell) == usd(2_000)
    assert (counter.open(held), counter.open(owed)) == (0, 0)
    assert counter.balances(CASH, UNIDENTIFIED, UNAPPLIED, RECEIVABLE) == [7_000, 0, -2_000, 0]
    with pytest.raises(ValueError, match="not unidentified"):
        counter.db.run_tx(tell)


def test_only_unidentified_money_may_lack_an_account(counter: Counter):
    held = counter.deposit(100)
    with counter.db.reading() as session:
        row = session.scalars(select(OpenItem).where(OpenItem.id == held.id)).one()
    values = {column.key: getattr(row, column.key) for column in OpenItem.__table__.columns}
    nobodys = values | {"id": new_id(), "account_id": None}
    with (
        pytest.raises(DBAPIError, match=r"(?i)ck_open_item_whose"),
        counter.db.transaction() as session,
    ):
        session.execute(insert(OpenItem), [nobodys])


def test_a_transfer_to_the_bank_pays_bills_too(counter: Counter):
    owed = counter.bill(5_000)
    came = Receipt(
        new_id(),
        counter.world.legal_entity_id,
        counter.who,
        "GIRO 4712",
        usd(6_000),
        DAY,
        through=CASH,
        source_kind="transfer",
    )
    left = counter.db.run_tx(
        lambda s: business.receive_for_items(s, came, [(owed, usd(5_000))], counter.clock.now())
    )
    assert (left, counter.held()) == (usd(1_000), {UNAPPLIED: 1_000})
    assert counter.balances(CASH, CLEARING, RECEIVABLE) == [6_000, 0, 0]
    assert counter.days()[-1][0] == "transfer_received"


def test_fees_and_payouts_leave_processor_clearing(counter: Counter):
    counter.deposit(10_000)
    entity, now = counter.world.legal_entity_id, counter.clock.now()
    with counter.db.transaction() as session:
        clearing.take_fee(session, entity, new_id(), usd(320), DAY, now)
        clearing.pay_out(session, entity, new_id(), usd(9_680), LATER, now)
    assert counter.balances(CLEARING, FEES, CASH) == [0, 320, 9_680]


# --- credit ---------------------------------------------------------------------------------------


def credit_memo(counter: Counter, minor: int) -> None:
    memo = document(counter.world, counter.who, usd(minor), nets=[("revenue", usd(minor))])
    counter.db.run_tx(lambda s: business.credit_customer(s, memo, counter.clock.now()))


def use(counter: Counter) -> list[tuple[str, int]]:
    done = counter.db.run_tx(
        lambda s: credits.use_oldest_first(s, counter.who, LATER, counter.clock.now())
    )
    return [(one.held.ledger_code, one.amount.minor) for one in done]


def test_credit_pays_the_oldest_bill_first_and_leaves_deposits_alone(counter: Counter):
    second = counter.bill(8_000, due=DAY + timedelta(days=20))
    first = counter.bill(3_000, due=DAY + timedelta(days=10))
    counter.deposit(9_000)
    counter.pay(2_000)
    credit_memo(counter, 4_000)
    assert use(counter) == [(UNAPPLIED, 2_000), (CUSTOMER_CREDIT, 1_000), (CUSTOMER_CREDIT, 3_000)]
    assert (counter.open(first), counter.open(second)) == (0, 5_000)
    assert use(counter) == []
    assert counter.held() == {ORDER_DEPOSIT: 9_000}
    assert counter.balances(CUSTOMER_CREDIT, UNAPPLIED) == [0, 0]


def test_credit_skips_what_is_being_paid_and_what_is_contested(counter: Counter):
    busy, disputed = counter.bill(3_000), counter.bill(5_000)
    with counter.db.transaction() as session:
        session.add(
            Tender(
                account_id=counter.who,
                open_item_id=busy.id,
                kind="card",
                amount_minor=3_000,
                currency="USD",
                created_at=counter.clock.now(),
            )
        )
        contested.contest(
            session, disputed, usd(4_500), ("note", new_id()), DAY, counter.clock.now()
        )
    counter.pay(9_000)
    assert use(counter) == [(UNAPPLIED, 500)]
    assert (counter.open(busy), counter.open(disputed)) == (3_000, 4_500)


def test_credit_is_paid_out_from_the_bank(counter: Counter):
    counter.pay(2_000)
    key, now = new_id(), counter.clock.now()
    with counter.db.transaction() as session:
        (held,) = credits.free(session, counter.who)
        business.refund_credit(session, held, usd(2_000), key, DAY, now, through=CASH)
    assert (counter.held(), counter.balances(CASH, UNAPPLIED)) == ({}, [-2_000, 0])
    came_back = counter.db.run_tx(lambda s: reversals.refund_failed(s, key, LATER, now))
    assert (came_back, counter.balances(CASH, UNAPPLIED)) == (usd(2_000), [0, -2_000])
