"""Orders: written once per cart, moved along their tables, numbered without a gap."""

import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import NotFound, StaleState
from core.kernel.ids import new_id
from core.orders import placing, proofs
from core.orders.models import PAYMENT, Order
from tests.rooms.orders import desk
from tests.together import at_once
from tests.world import World, account


@pytest.fixture
def payer(db: Database, world: World, clock: ManualClock) -> uuid.UUID:
    """Riley's account."""
    return db.run_tx(lambda session: account(session, world, clock.now()).id)


@pytest.fixture
def placed(db: Database, world: World, clock: ManualClock, payer: uuid.UUID):
    """Writes pending orders down and answers their keys."""

    def place(**more) -> uuid.UUID:
        return db.run_tx(lambda s: desk.write(s, world, payer, clock.now(), **more).id)

    return place


def stored(db: Database, order_id: uuid.UUID) -> Order:
    with db.reading() as session:
        return session.get_one(Order, order_id)


def confirming(order_id: uuid.UUID, clock: ManualClock) -> Callable[[Session], str | None]:
    def work(session: Session) -> str | None:
        order = placing.lock(session, order_id)
        placing.confirm(session, order, "paid", clock.now())
        return order.number

    return work


def cancelling(order_id: uuid.UUID, clock: ManualClock) -> Callable[[Session], None]:
    return lambda s: placing.cancel(s, placing.lock(s, order_id), "came_back", clock.now())


# --- writing --------------------------------------------------------------------------------------


def test_an_order_is_the_sum_of_its_lines(db, world, clock, payer):
    with db.transaction() as session:
        order = desk.write(session, world, payer, clock.now(), (world.router, 2), (world.camera, 1))
        order_id, public_id = order.id, order.public_id
    order = stored(db, order_id)
    with db.reading() as session:
        lines = placing.lines_of(session, order_id)
        taxes = placing.taxes_of(session, order_id)
        assert placing.by_public_id(session, public_id).id == order_id
        with pytest.raises(NotFound):
            placing.by_public_id(session, "0" * 32)
    assert [(one.line_number, one.sku, one.quantity) for one in lines] == [
        (1, world.router.sku, 2),
        (2, world.camera.sku, 1),
    ]
    assert [one.net_minor for one in lines] == [25_800, 5_900]
    assert [one.tax_minor for one in lines] == [1_677, 384]
    assert (order.net_minor, order.tax_minor, order.due_now_minor) == (31_700, 2_061, 33_761)
    assert {line.id: [tax.amount_minor for tax in taxes[line.id]] for line in lines} == {
        lines[0].id: [1_677],
        lines[1].id: [384],
    }
    assert (order.lifecycle, order.payment, order.fulfilment) == (
        "pending",
        "awaiting",
        "unfulfilled",
    )
    assert (order.number, order.placed_at) == (None, None)


def test_a_cart_becomes_one_order(db, placed):
    cart = new_id()
    order_id = placed(cart_id=cart)
    with pytest.raises(IntegrityError):
        placed(cart_id=cart)
    with db.reading() as session:
        found = placing.of_cart(session, cart)
    assert found is not None
    assert found.id == order_id


# --- states ---------------------------------------------------------------------------------------


def test_confirming_gives_a_number_and_a_time(db, clock, placed):
    order_id = placed()
    assert db.run_tx(confirming(order_id, clock)) == "O-10001"
    order = stored(db, order_id)
    assert (order.lifecycle, order.payment, order.number) == ("confirmed", "paid", "O-10001")
    assert order.placed_at == clock.now()


def test_an_order_is_confirmed_once(db, clock, placed):
    order_id = placed()
    db.run_tx(confirming(order_id, clock))
    with pytest.raises(StaleState) as stale:
        db.run_tx(confirming(order_id, clock))
    assert stale.value.code == "stale_state"
    assert stored(db, order_id).number == "O-10001"
    assert db.run_tx(confirming(placed(), clock)) == "O-10002"


def test_cancelling_frees_the_cart_for_another_attempt(db, clock, placed):
    cart = new_id()
    first = placed(cart_id=cart)
    db.run_tx(cancelling(first, clock))
    order = stored(db, first)
    assert (order.lifecycle, order.payment, order.cancel_reason) == (
        "cancelled",
        "released",
        "came_back",
    )
    assert (order.cart_id, order.from_cart_id, order.cancelled_at) == (None, cart, clock.now())
    second = placed(cart_id=cart)
    with db.reading() as session:
        found = placing.of_cart(session, cart)
    assert found is not None
    assert found.id == second


def test_what_is_confirmed_is_not_cancelled_and_what_is_cancelled_not_confirmed(db, clock, placed):
    sold, gone = placed(), placed()
    db.run_tx(confirming(sold, clock))
    db.run_tx(cancelling(gone, clock))
    for work in (cancelling(sold, clock), cancelling(gone, clock), confirming(gone, clock)):
        with pytest.raises(StaleState):
            db.run_tx(work)
    assert (stored(db, sold).lifecycle, stored(db, sold).payment) == ("confirmed", "paid")
    assert (stored(db, gone).lifecycle, stored(db, gone).number) == ("cancelled", None)


@pytest.mark.parametrize("before", PAYMENT)
def test_a_payment_moves_along_its_table_only(before, db, placed):
    order_id = placed()
    for after in PAYMENT:
        with db.transaction() as session:
            session.execute(update(Order).where(Order.id == order_id).values(payment=before))

        def move(session: Session, to: str = after) -> None:
            placing.set_payment(session, placing.lock(session, order_id), to)

        if after in PAYMENT[before]:
            db.run_tx(move)
            assert stored(db, order_id).payment == after
        else:
            with pytest.raises(StaleState):
                db.run_tx(move)
            assert stored(db, order_id).payment == before


@pytest.mark.parametrize("column", ["lifecycle", "payment", "fulfilment"])
def test_the_database_knows_no_other_state(column, db, placed):
    order_id = placed()
    with pytest.raises(DBAPIError), db.transaction() as session:
        session.execute(update(Order).where(Order.id == order_id).values({column: "lost"}))
    assert getattr(stored(db, order_id), column) in ("pending", "awaiting", "unfulfilled")


def test_a_number_is_used_once(db, clock, placed):
    first, second = placed(), placed()
    db.run_tx(confirming(first, clock))
    with pytest.raises(IntegrityError), db.transaction() as session:
        session.execute(
            text('UPDATE "order" SET number = :n WHERE number IS NULL'), {"n": "O-10001"}
        )
    assert stored(db, second).number is None


# --- numbers, many at once ------------------------------------------------------------------------


def test_two_clerks_confirm_without_a_gap_and_without_a_double(db, clock, placed):
    keys = [placed() for _ in range(12)]
    outcomes = at_once(db, [confirming(key, clock) for key in keys])
    assert sorted(str(number) for number in outcomes) == [f"O-{10_001 + n}" for n in range(12)]
    with db.reading() as session:
        assert proofs.numbers_have_no_gap(session).offenders == ()


def test_of_many_who_confirm_the_same_order_one_does(db, clock, placed):
    key, other = placed(), placed()
    outcomes = at_once(db, [confirming(key, clock)] * 6)
    assert [each for each in outcomes if isinstance(each, str)] == ["O-10001"]
    assert sum(isinstance(each, StaleState) for each in outcomes) == 5
    assert db.run_tx(confirming(other, clock)) == "O-10002"


def test_confirming_and_cancelling_at_once_do_not_both_happen(db, clock, placed):
    for _ in range(4):
        key = placed()
        outcomes = at_once(db, [confirming(key, clock), cancelling(key, clock)])
        assert sum(isinstance(each, StaleState) for each in outcomes) == 1
        order = stored(db, key)
        assert (order.lifecycle, order.payment) in [
            ("confirmed", "paid"),
            ("cancelled", "released"),
        ]
        assert (order.number is None) == (order.lifecycle == "cancelled")
    with db.reading() as session:
        assert proofs.numbers_have_no_gap(session).offenders == ()


def test_who_fails_after_taking_a_number_gives_it_back(db, clock, placed):
    first, second = placed(), placed()

    def fail(session: Session) -> None:
        confirming(first, clock)(session)
        raise RuntimeError("the lights went out")

    with pytest.raises(RuntimeError):
        db.run_tx(fail)
    assert stored(db, first).number is None
    assert db.run_tx(confirming(second, clock)) == "O-10001"


def test_a_cart_that_two_make_an_order_of_becomes_one(db, world, clock, payer):
    cart = new_id()

    def place(session: Session) -> str:
        return desk.write(session, world, payer, clock.now(), cart_id=cart).public_id

    outcomes = at_once(db, [place] * 4)
    assert sum(isinstance(each, IntegrityError) for each in outcomes) == 3
    with db.reading() as session:
        assert len(session.scalars(select(Order)).all()) == 1
