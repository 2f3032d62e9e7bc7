"""The journal's business events, one by one: what each posts, and what each refuses."""

import uuid
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.money import Money
from core.ledger import business, items
from core.ledger.chart import (
    CLEARING,
    CONTRACT_LIABILITY,
    CUSTOMER_CREDIT,
    ORDER_DEPOSIT,
    RECEIVABLE,
    REVENUE,
    TAX_PAYABLE,
    UNAPPLIED,
)
from core.ledger.items import Open
from core.ledger.models import OpenItem
from core.parties import accounts
from tests.rooms.ledger.books import DAY, balance, document, item, receipt, sound, tell_rates
from tests.together import at_once
from tests.world import World, account


def usd(minor: int) -> Money:
    return Money(minor, "USD")


@pytest.fixture
def riley(db: Database, world: World, clock: ManualClock) -> uuid.UUID:
    return db.run_tx(lambda session: account(session, world, clock.now()).id)


@pytest.fixture
def casey(db: Database, world: World, clock: ManualClock) -> uuid.UUID:
    return db.run_tx(lambda session: account(session, world, clock.now(), name="Casey").id)


@pytest.fixture
def bill(db: Database, world: World, clock: ManualClock, riley: uuid.UUID):
    """Issues an invoice and answers its open item."""

    def issue(minor: int = 10_000, who: uuid.UUID = riley) -> Open:
        def work(session: Session) -> Open:
            issued = document(world, who, usd(minor))
            return item(session, business.charge(session, issued, clock.now()))

        return db.run_tx(work)

    return issue


@pytest.fixture
def deposit(db: Database, world: World, clock: ManualClock, riley: uuid.UUID):
    """Takes money for an order and answers what is held."""

    def take(minor: int = 10_000) -> Open:
        def work(session: Session) -> Open:
            came = receipt(world, riley, usd(minor))
            key = business.receive_for_order(session, came, uuid.uuid4(), clock.now())
            return item(session, key)

        return db.run_tx(work)

    return take


def now_open(db: Database, one: Open) -> int:
    with db.reading() as session:
        return items.get(session, one.id).open.minor


def posted(db: Database, *codes: str) -> list[int]:
    with db.reading() as session:
        sound(session)
        return [balance(session, code) for code in codes]


# --- issuing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD"])
def test_an_invoice_is_owed_and_stands_against_what_is_to_be_delivered(
    currency: str, db: Database, world: World, clock: ManualClock, riley: uuid.UUID
):
    def work(session: Session) -> Open:
        tell_rates(session, clock.now())
        issued = document(world, riley, Money(10_000, currency), 650)
        return item(session, business.charge(session, issued, clock.now()))

    owed = db.run_tx(work)
    assert (owed.amount, owed.open) == (Money(10_650, currency), Money(10_650, currency))
    assert (owed.side, owed.ledger_code) == ("debit", RECEIVABLE)
    assert posted(db, RECEIVABLE, CONTRACT_LIABILITY, TAX_PAYABLE) == [10_650, -10_000, -650]


def test_a_credit_memo_takes_back_revenue_and_tax_and_can_be_used(
    db: Database, world: World, clock: ManualClock, riley: uuid.UUID
):
    def work(session: Session) -> Open:
        memo = document(world, riley, usd(500), 33, nets=[(REVENUE, usd(500))])
        return item(session, business.credit_customer(session, memo, clock.now()))

    held = db.run_tx(work)
    assert (held.side, held.ledger_code, held.open) == ("credit", CUSTOMER_CREDIT, usd(533))
    assert posted(db, REVENUE, TAX_PAYABLE, CUSTOMER_CREDIT) == [500, 33, -533]


def test_a_document_of_nothing_leaves_nothing(
    db: Database, world: World, clock: ManualClock, riley: uuid.UUID
):
    def work(session: Session) -> list[uuid.UUID | None]:
        nothing = document(world, riley, usd(0))
        return [
            business.charge(session, nothing, clock.now()),
            business.credit_customer(session, nothing, clock.now()),
        ]

    assert db.run_tx(work) == [None, None]
    with db.reading() as session:
        assert items.find(session) == []


# --- paying bills ---------------------------------------------------------------------------------


def pay(
    db: Database,
    world: World,
    clock: ManualClock,
    who: uuid.UUID,
    minor: int,
    *wanted: tuple[Open, int],
) -> int:
    """A payment; answers what of it is left."""
    asked = [(one, usd(most)) for one, most in wanted]

    def work(session: Session) -> int:
        came = receipt(world, who, usd(minor))
        return business.receive_for_items(session, came, asked, clock.now()).minor

    return db.run_tx(work)


def test_a_payment_clears_the_bills_it_is_for(db, world, clock, riley, bill):
    first, second = bill(10_000), bill(2_000)
    assert pay(db, world, clock, riley, 12_000, (first, 10_000), (second, 2_000)) == 0
    assert (now_open(db, first), now_open(db, second)) == (0, 0)
    assert posted(db, CLEARING, RECEIVABLE, UNAPPLIED) == [12_000, 0, 0]


def test_a_payment_takes_no_more_than_is_open_and_keeps_the_rest(db, world, clock, riley, bill):
    """Somebody else paid a part meanwhile."""
    owed = bill(10_000)
    assert pay(db, world, clock, riley, 4_000, (owed, 4_000)) == 0
    with db.reading() as session:
        fresh = items.get(session, owed.id)
    assert pay(db, world, clock, riley, 10_000, (fresh, 10_000)) == 4_000
    assert now_open(db, owed) == 0
    assert posted(db, CLEARING, RECEIVABLE, UNAPPLIED) == [14_000, 0, -4_000]
    with db.reading() as session:
        (kept,) = items.held_for(session, [riley])
    assert (kept.ledger_code, kept.open, kept.order_id) == (UNAPPLIED, usd(4_000), None)


def test_a_payment_for_what_is_paid_already_is_kept_whole(db, world, clock, riley, bill):
    owed = bill(10_000)
    pay(db, world, clock, riley, 10_000, (owed, 10_000))
    with db.reading() as session:
        fresh = items.get(session, owed.id)
    assert pay(db, world, clock, riley, 10_000, (fresh, 10_000)) == 10_000
    assert posted(db, RECEIVABLE, UNAPPLIED) == [0, -10_000]


def test_a_bill_that_is_named_twice_is_paid_once(db, world, clock, riley, bill):
    owed = bill(10_000)
    assert pay(db, world, clock, riley, 15_000, (owed, 8_000), (owed, 7_000)) == 5_000
    assert now_open(db, owed) == 0
    assert posted(db, UNAPPLIED) == [-5_000]


def test_a_payment_that_is_smaller_than_its_bills_pays_the_first_first(
    db, world, clock, riley, bill
):
    first, second = bill(10_000), bill(2_000)
    assert pay(db, world, clock, riley, 11_000, (first, 10_000), (second, 2_000)) == 0
    assert (now_open(db, first), now_open(db, second)) == (0, 1_000)


def test_nobody_pays_what_another_owes_or_what_is_owed_to_them(
    db, world, clock, riley, casey, bill, deposit
):
    for other in (bill(1_000, casey), deposit(1_000)):
        with pytest.raises(ValueError, match="nothing that account"):
            pay(db, world, clock, riley, 1_000, (other, 1_000))
    assert posted(db, UNAPPLIED) == [0]


# --- using and refunding what is held -------------------------------------------------------------


def test_money_for_an_order_is_earmarked_until_it_is_used(db, clock, deposit, bill):
    held, owed = deposit(10_000), bill(10_000)
    assert (held.ledger_code, held.order_id is not None) == (ORDER_DEPOSIT, True)
    db.run_tx(lambda s: business.use_credit(s, held, owed, usd(10_000), DAY, clock.now()))
    assert (now_open(db, held), now_open(db, owed)) == (0, 0)
    assert posted(db, CLEARING, ORDER_DEPOSIT, RECEIVABLE) == [10_000, 0, 0]


def test_credit_of_one_account_may_settle_what_another_owes(
    db, world, clock, riley, casey, deposit, bill
):
    held, owed = deposit(3_000), bill(10_000, casey)
    db.run_tx(lambda s: business.use_credit(s, held, owed, usd(3_000), DAY, clock.now()))
    with db.reading() as session:
        sound(session)
        assert balance(session, ORDER_DEPOSIT, riley) == 0
        assert balance(session, RECEIVABLE, casey) == 7_000


@pytest.mark.parametrize("minor", [-1, 0, 5_001])
def test_more_than_is_held_or_owed_is_not_used(minor: int, db, clock, deposit, bill):
    for held, owed in ((deposit(5_000), bill(9_000)), (deposit(9_000), bill(5_000))):
        with pytest.raises(ValueError, match="cannot apply"):
            db.run_tx(
                partial(
                    business.use_credit,
                    held=held,
                    owed=owed,
                    amount=usd(minor),
                    on=DAY,
                    now=clock.now(),
                )
            )
    assert posted(db, ORDER_DEPOSIT, RECEIVABLE) == [-14_000, 14_000]


def test_a_debt_is_no_credit_and_a_credit_no_debt(db, clock, deposit, bill):
    held, owed = deposit(), bill()
    for giver, taker in ((owed, held), (held, held), (owed, owed)):
        with pytest.raises(ValueError, match="cannot apply"):
            db.run_tx(
                partial(
                    business.use_credit,
                    held=giver,
                    owed=taker,
                    amount=usd(100),
                    on=DAY,
                    now=clock.now(),
                )
            )
    with pytest.raises(ValueError, match="cannot refund"):
        db.run_tx(
            lambda s: business.refund_credit(s, owed, usd(100), uuid.uuid4(), DAY, clock.now())
        )


def test_what_is_held_goes_back_up_to_what_is_there(db, clock, deposit):
    held = deposit(5_000)
    for minor in (-1, 0, 5_001):
        with pytest.raises(ValueError, match="cannot refund"):
            db.run_tx(
                partial(
                    business.refund_credit,
                    held=held,
                    amount=usd(minor),
                    refund_id=uuid.uuid4(),
                    on=DAY,
                    now=clock.now(),
                )
            )
    db.run_tx(lambda s: business.refund_credit(s, held, usd(5_000), uuid.uuid4(), DAY, clock.now()))
    assert now_open(db, held) == 0
    assert posted(db, CLEARING, ORDER_DEPOSIT) == [0, 0]


def test_two_currencies_never_mix(db, world, clock, riley, bill):
    owed = bill()
    with pytest.raises(ValueError, match="do not mix"):
        db.run_tx(
            lambda s: business.receive_for_items(
                s,
                receipt(world, riley, Money(1_000, "JPY")),
                [(owed, Money(1_000, "JPY"))],
                clock.now(),
            )
        )
    assert now_open(db, owed) == 10_000


# --- the past, and many at once -------------------------------------------------------------------


def test_a_balance_can_be_read_as_of_any_day(db, world, clock, riley, bill):
    owed, later = bill(10_000), DAY + timedelta(days=10)

    def work(session: Session) -> None:
        came = receipt(world, riley, usd(6_000), on=later)
        business.receive_for_items(session, came, [(owed, usd(6_000))], clock.now())

    db.run_tx(work)
    day = timedelta(days=1)
    with db.reading() as session:
        asked = {
            on: [one.open.minor for one in items.owed_by(session, [riley], on)]
            for on in (DAY - day, DAY, later - day, later)
        }
    assert asked == {DAY - day: [], DAY: [10_000], later - day: [10_000], later: [4_000]}


def test_a_bill_that_many_pay_at_once_is_paid_once(db, world, clock, riley, bill):
    owed = bill(10_000)

    def work(session: Session) -> int:
        accounts.lock(session, riley)
        fresh = items.get(session, owed.id)
        came = receipt(world, riley, usd(10_000))
        wanted = [(fresh, usd(10_000))]
        return business.receive_for_items(session, came, wanted, clock.now()).minor

    assert sorted(map(str, at_once(db, [work] * 6))) == ["0"] + ["10000"] * 5
    assert now_open(db, owed) == 0
    assert posted(db, RECEIVABLE, UNAPPLIED) == [0, -50_000]
    with db.reading() as session:
        assert len(items.find(session, OpenItem.ledger_code == UNAPPLIED)) == 5
