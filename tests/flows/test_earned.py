"""What is earned: goods when they are sent, visits when they are done, services by their days; and what a
memo takes back of it, in whichever order it comes."""

import itertools
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cart import lines as cart_lines
from core.kernel import crash
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.money import to_micros
from core.ledger import periods, rates
from core.ledger.chart import (
    CONTRACT_ASSET,
    CONTRACT_LIABILITY,
    CURRENCY_DIFFERENCE,
    REVENUE,
)
from core.ledger.models import JournalEntry, JournalLine
from core.ledger.rates import NoRate
from core.orders.fulfilling import Tracking
from core.orders.models import Order, OrderLine
from core.parties.models import Channel, LegalEntity
from core.revenue.models import Obligation, RevenueSchedule
from core.subscriptions.models import Subscription
from flows import (
    activate_service,
    change_service,
    correct_invoice,
    earn,
    end_services,
    issue_invoice,
    run_billing,
    ship_order,
    take_back,
)
from flows.correct_invoice import Correction
from flows.hold_service import Asked as AskedService
from flows.house import House
from flows.place_order import place
from flows.ship_order import Done, Parcel
from flows.take_back import Asked
from flows.verify import verify
from invoices import drafts
from invoices.drafts import Draft, DraftLine
from invoices.earned import orders as earned
from invoices.models import Invoice, InvoiceLine
from payments.gateway import Gateway
from tests import packs
from tests import world as worlds
from tests.books import Books
from tests.paying import drain, wish
from tests.shop import make_house
from tests.world import World

DAY = timedelta(days=1)
TODAY = date(2026, 11, 17)
ROUTER, CAMERA, VISIT, PLAN = 12_900, 5_900, 6_000, 4_500


@pytest.fixture
def house(db: Database, clock: ManualClock, world: World, tmp_path: Path) -> House:
    """Sold on terms alone: nobody pays here."""
    return make_house(db, clock, tmp_path, cast(Gateway, None))


def _order(house: House, **pieces: int) -> Order:
    """An order on terms that is not billed yet."""
    now = house.clock.now()

    def fill(session: Session) -> str:
        cart = cart_lines.open_cart(session, session.scalars(select(Channel)).one(), now)
        for sku, count in pieces.items():
            cart_lines.add(session, cart, sku.replace("_", "-"), count, house.rules.hold_for, now)
        return cart.public_id

    placed = place(house, wish(house.db.run_tx(fill), "invoice"))
    with house.db.reading() as session:
        return session.get_one(Order, placed.order_id)


def _line(house: House, order: Order, sku: str) -> OrderLine:
    with house.db.reading() as session:
        return session.scalars(
            select(OrderLine).where(OrderLine.order_id == order.id, OrderLine.sku == sku)
        ).one()


def _number(house: House, order: Order, sku: str) -> int:
    return _line(house, order, sku).line_number


def _bill(house: House, order: Order) -> Invoice:
    return house.db.run_tx(lambda session: issue_invoice.for_order(session, house, order.id))


def _ship(house: House, order: Order, sku: str, pieces: int, once: str = "s1") -> None:
    numbers = {_number(house, order, sku): pieces}
    ship_order.ship(house, Parcel(order.public_id, numbers, Tracking(), "user:ada", once))


def _asked(house: House, order: Order, sku: str, pieces: int, once: str) -> Asked:
    numbers = {_number(house, order, sku): pieces}
    return Asked(order.public_id, numbers, "changed_mind", "kept", "user:ada", once)


def _courtesy(house: House, order: Order, sku: str, minor: int, kind: str = "credit") -> None:
    """So much of a line is given back, or charged in addition; billed first."""
    bill, number = _bill(house, order), _number(house, order, sku)
    reason = "goodwill" if kind == "credit" else "more_used"
    once = f"{kind}-{order.public_id[:20]}-{minor}"
    act = correct_invoice.credit if kind == "credit" else correct_invoice.debit
    act(house, Correction(bill.public_id, {number: minor}, reason, once, "user:ada"))


def _books(house: House, order: Order) -> dict[str, int]:
    """Contract liability, contract asset and revenue of an order's payer, who is a guest with one order."""
    with house.db.reading() as session:
        query = select(JournalLine.ledger_code, func.sum(JournalLine.amount_minor))
        query = query.where(JournalLine.account_id == order.payer_account_id)
        found = dict(session.execute(query.group_by(JournalLine.ledger_code)).all())
    codes = {"owed": CONTRACT_LIABILITY, "asset": CONTRACT_ASSET, "earned": REVENUE}
    sign = {"owed": -1, "asset": 1, "earned": -1}
    return {name: sign[name] * int(found.get(code, 0)) for name, code in codes.items()}


def _said(owed: int = 0, earned_: int = 0, asset: int = 0) -> dict[str, int]:
    return {"owed": owed, "asset": asset, "earned": earned_}


def _assert_sound(house: House) -> None:
    drain(house)
    assert earn.run(house).problems == []
    before = _entries(house)
    earn.run(house)
    assert _entries(house) == before, "looked at again there is nothing to do"
    assert [one for one in verify(house.db, house.clock) if not one.holds] == []


def _entries(house: House, kind: str = "earned") -> int:
    with house.db.reading() as session:
        query = select(func.count()).where(JournalEntry.kind == kind)
        return session.scalar(query) or 0


# --- goods and work -------------------------------------------------------------------------------


def test_goods_are_earned_when_they_are_sent_with_the_delivery_and_once(house: House, world: World):
    order = _order(house, FW_RT_6=3, FW_VISIT=1)
    drain(house)
    whole = 3 * ROUTER + VISIT
    assert _books(house, order) == _said(owed=whole)
    _ship(house, order, "FW-RT-6", 1)
    _ship(house, order, "FW-RT-6", 1)
    assert _books(house, order) == _said(whole - ROUTER, ROUTER)
    _ship(house, order, "FW-RT-6", 2, "s2")
    assert _books(house, order) == _said(VISIT, whole - VISIT)
    numbers = {_number(house, order, "FW-VISIT"): 1}
    ship_order.provide(house, Done(order.public_id, numbers, "user:ada", "d1"))
    assert _books(house, order) == _said(0, whole)
    assert _entries(house) == 3
    _assert_sound(house)


def test_what_leaves_before_its_bill_is_an_asset_that_the_bill_clears(house: House, world: World):
    order = _order(house, FW_CAM_1=2, FW_VISIT=1)
    _ship(house, order, "FW-CAM-1", 1)
    assert _books(house, order) == _said(0, CAMERA, CAMERA)
    assert [one for one in verify(house.db, house.clock) if not one.holds] == []
    _bill(house, order)
    assert _books(house, order) == _said(CAMERA + VISIT, CAMERA)
    _assert_sound(house)


def test_bill_parcel_and_memos_in_any_order_end_with_the_same_books(house: House, world: World):
    steps = {
        "bill": _bill,
        "ship": lambda house, order: _ship(house, order, "FW-RT-6", 1),
        "cancel": lambda house, order: take_back.cancel(
            house, _asked(house, order, "FW-RT-6", 1, "x1")
        ),
        "courtesy": lambda house, order: _courtesy(house, order, "FW-RT-6", 1_001),
        "surcharge": lambda house, order: _courtesy(house, order, "FW-RT-6", 500, "debit"),
    }
    ends = set()
    for way in list(itertools.permutations(steps))[::10]:
        order = _order(house, FW_RT_6=3, FW_VISIT=1)
        for name in way:
            steps[name](house, order)
        ends.add(tuple(_books(house, order).items()))
    left = 2 * ROUTER - 1_001 + 500
    earned_ = (left + 1) // 2
    assert ends == {tuple(_said(left - earned_ + VISIT, earned_).items())}
    _assert_sound(house)


def test_what_comes_back_is_earned_no_more_and_what_is_kept_of_it_is(house: House, world: World):
    order = _order(house, FW_RT_6=2)
    drain(house)
    _ship(house, order, "FW-RT-6", 1)
    back = _asked(house, order, "FW-RT-6", 1, "r1")
    take_back.announce(house, back)
    assert _books(house, order) == _said(ROUTER, ROUTER), "it is still with its customer"
    change = take_back.announce(house, back)
    take_back.receive(house, change.public_id, {}, "user:ada")
    assert _books(house, order) == _said(ROUTER)
    _ship(house, order, "FW-RT-6", 1, "s2")
    _courtesy(house, order, "FW-RT-6", 900)
    assert _books(house, order) == _said(0, ROUTER - 900)
    _assert_sound(house)


def test_a_bundles_pieces_are_earned_by_what_each_sells_for_by_itself(house: House, world: World):
    inside = [packs.Inside(world.router, weight=1), packs.Inside(world.camera, weight=9)]
    house.db.run_tx(
        lambda session: packs.pack(
            session, world, house.clock.now(), inside, {"one_off": "94.00"}, sku="FW-DUO"
        )
    )
    order = _order(house, FW_DUO=1)
    drain(house)
    router = round(9_400 * ROUTER / (ROUTER + CAMERA))
    _ship(house, order, "FW-RT-6", 1)
    assert _books(house, order) == _said(9_400 - router, router)
    assert _line(house, order, "FW-RT-6").net_minor == 940, "billed by weight all the same"
    take_back.cancel(house, _asked(house, order, "FW-CAM-1", 1, "x1"))
    assert _books(house, order) == _said(0, 940), "what is left is the router's"
    _assert_sound(house)


def test_an_entry_that_is_not_written_whole_is_not_written(house: House, world: World):
    order = _order(house, FW_RT_6=1)
    drain(house)
    for point in ("earn.posted", "earn.written", "ship.before_commit"):
        with crash.crash_at(point):
            _ship(house, order, "FW-RT-6", 1)
        assert (_entries(house), _books(house, order)["earned"]) == (0, 0)
    _ship(house, order, "FW-RT-6", 1)
    assert _books(house, order)["owed"] == 0
    _assert_sound(house)


def test_what_was_given_before_anybody_kept_count_is_earned_by_the_next_round(
    house: House, world: World, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as before:
        before.setattr(earned, "settle", lambda *_: None)
        order = _order(house, FW_RT_6=2)
        drain(house)
        _ship(house, order, "FW-RT-6", 1)
        back = _order(house, FW_CAM_1=1)
        drain(house)
        _ship(house, back, "FW-CAM-1", 1)
        take_back.take(house, _asked(house, back, "FW-CAM-1", 1, "r1"), {})
    today = house.clock.now().date()
    house.db.run_tx(
        lambda session: periods.close(
            session,
            session.get_one(LegalEntity, world.legal_entity_id),
            today - DAY,
            "user:ada",
            house.clock.now(),
        )
    )
    found = {one.number: one for one in verify(house.db, house.clock)}
    assert all(one.holds for one in found.values())
    assert "2 to be looked at" in found[11].figure
    report = earn.run(house)
    assert (report.orders, report.problems) == (2, [])
    assert _books(house, order) == _said(ROUTER, ROUTER)
    assert _books(house, back) == _said()
    assert earn.run(house).orders == 0
    _assert_sound(house)


# --- in another currency --------------------------------------------------------------------------


def test_what_was_billed_is_earned_at_its_bills_rate_and_an_asset_as_it_was(
    house: House, world: World, clock: ManualClock
):
    def worth(code: str) -> int:
        with house.db.reading() as session:
            query = select(func.sum(JournalLine.functional_minor))
            return int(session.scalar(query.where(JournalLine.ledger_code == code)) or 0)

    def tell(rate: str) -> None:
        now = house.clock.now()
        pair = ("USD", "EUR")
        house.db.run_tx(lambda s: rates.tell(s, pair, now.date(), Decimal(rate), "bank", now))

    with house.db.transaction() as session:
        session.execute(update(LegalEntity).values(functional_currency="EUR"))
    billed, early = _order(house, FW_CAM_1=3), _order(house, FW_RT_6=1)
    _ship(house, early, "FW-RT-6", 1)
    assert _entries(house) == 0, "nobody told a rate: it waits for its bill"
    with pytest.raises(NoRate):
        _bill(house, early)
    tell("0.9137")
    _bill(house, billed)
    for once in ("s1", "s2", "s3"):
        clock.advance(DAY)
        tell(f"0.8{once[1]}")
        _ship(house, billed, "FW-CAM-1", 1, once)
    assert (worth(CONTRACT_LIABILITY), worth(CURRENCY_DIFFERENCE)) == (0, 0)
    late = _order(house, FW_VISIT=1)
    numbers = {_number(house, late, "FW-VISIT"): 1}
    ship_order.provide(house, Done(late.public_id, numbers, "user:ada", "d1"))
    assert worth(CONTRACT_ASSET) == round(VISIT * Decimal("0.83"))
    clock.advance(DAY)
    tell("0.90")
    _bill(house, late)
    assert (worth(CONTRACT_LIABILITY), worth(CONTRACT_ASSET)) == (0, 0)
    assert worth(CURRENCY_DIFFERENCE) == -round(VISIT * Decimal("0.07"))


# --- services -------------------------------------------------------------------------------------


@pytest.fixture
def service(house: House, world: World) -> tuple[Order, Subscription]:
    """A line for 45.00 a month that was ordered and billed, and has not begun."""
    order = _order(house, FW_RIVER_100=1)
    drain(house)
    with house.db.reading() as session:
        return order, session.scalars(select(Subscription)).one()


def _pass(house: House, clock: ManualClock, days: int) -> None:
    """Day by day what the clock brings."""
    for _ in range(days):
        clock.advance(DAY)
        end_services.run(house)
        run_billing.by_the_clock(house)
        drain(house)
        earn.run(house)


def test_a_service_is_earned_by_its_days_from_the_day_that_it_begins(
    house: House, clock: ManualClock, service: tuple[Order, Subscription]
):
    order, plan = service
    earn.run(house)
    assert _books(house, order) == _said(PLAN)
    activate_service.activate(house, AskedService(plan.public_id, "user:ada"), TODAY)
    earn.run(house)
    assert _books(house, order) == _said(PLAN)
    _pass(house, clock, 13)
    assert _books(house, order)["earned"] == 0, "the last day of November is not over"
    _pass(house, clock, 1)
    assert _books(house, order)["earned"] == round(PLAN * 14 / 30)
    _pass(house, clock, 16)  # the first period is over, the second is billed
    assert _books(house, order) == _said(PLAN, PLAN)
    _pass(house, clock, 15)
    assert _books(house, order)["earned"] == PLAN + round(PLAN * 15 / 31)
    assert _entries(house) == 3
    _assert_sound(house)


def test_days_that_are_credited_are_not_earned_whenever_the_memo_comes(
    house: House, clock: ManualClock, service: tuple[Order, Subscription]
):
    order, plan = service
    asked = AskedService(plan.public_id, "user:ada")
    activate_service.activate(house, asked, TODAY)
    earn.run(house)
    _courtesy(house, order, "FW-RIVER-100", 600)
    _pass(house, clock, 14)
    assert _books(house, order)["earned"] == round((PLAN - 600) * 14 / 30)
    change_service.end(house, asked, "other", "", at_period_end=False)
    _pass(house, clock, 1)
    with house.db.reading() as session:
        memos = session.scalar(
            select(func.sum(Invoice.net_minor)).where(Invoice.kind == "credit_memo")
        )
    assert memos > 600, "the days after the end are credited"
    _pass(house, clock, 40)
    assert _books(house, order) == _said(0, PLAN - memos)
    _assert_sound(house)


def test_a_written_line_is_earned_by_the_days_that_it_names_and_a_memo_reaches_it(
    house: House, clock: ManualClock, world: World
):
    def write(session: Session) -> Invoice:
        payer = worlds.account(session, world, clock.now())
        lines = (
            DraftLine(
                "Support in winter",
                unit_price_micros=to_micros("91.00"),
                period_start=date(2026, 12, 1),
                period_end=date(2027, 3, 1),
            ),
            DraftLine("A survey to come", unit_price_micros=to_micros("20.00")),
        )
        row = drafts.start(session, payer.id, Draft(lines), "user:ada", clock.now())
        printing = correct_invoice.printing(house.links)
        return drafts.issue(session, row.public_id, 1, printing, "user:ada", clock.now())

    bill = house.db.run_tx(write)

    def revenue() -> int:
        with house.db.reading() as session:
            query = select(func.sum(JournalLine.amount_minor))
            return -(session.scalar(query.where(JournalLine.ledger_code == REVENUE)) or 0)

    earn.run(house)
    clock.advance(timedelta(days=50))  # 6 January
    earn.run(house)
    assert revenue() == 3_100
    asked = Correction(bill.public_id, {1: 500}, "more_used", "d1", "user:ada")
    more = correct_invoice.debit(house, asked)
    assert revenue() == round(9_600 * 31 / 91)
    asked = Correction(more.public_id, None, "wrong", "c1", "user:ada")
    correct_invoice.credit(house, asked)
    assert revenue() == 3_100
    clock.advance(timedelta(days=90))
    earn.run(house)
    assert revenue() == 9_100, "nobody said that the survey was done"
    _assert_sound(house)


# --- schedules ------------------------------------------------------------------------------------


def test_a_schedule_ends_at_its_allocation_and_is_never_rewritten(house: House, world: World):
    order = _order(house, FW_RT_6=3)
    drain(house)
    for once in ("s1", "s2", "s3"):
        _ship(house, order, "FW-RT-6", 1, once)
    _courtesy(house, order, "FW-RT-6", 1_000)
    key = _line(house, order, "FW-RT-6").id
    with house.db.reading() as session:
        row = session.scalars(select(Obligation).where(Obligation.order_line_id == key)).one()
        steps = session.scalars(
            select(RevenueSchedule)
            .where(RevenueSchedule.obligation_id == row.id)
            .order_by(RevenueSchedule.number)
        ).all()
        line = session.get_one(InvoiceLine, row.invoice_line_id)
    assert [one.amount_minor for one in steps] == [ROUTER, ROUTER, ROUTER, -1_000]
    assert row.allocated_minor == row.earned_minor == line.net_minor - 1_000
    with pytest.raises(Exception, match="append-only"), house.db.transaction() as session:
        session.execute(update(RevenueSchedule).values(amount_minor=1))
    assert {one.earned_on for one in steps} == {TODAY}


def test_whoever_changes_what_is_earned_behind_our_back_is_found(
    house: House, clock: ManualClock, world: World, tmp_path: Path
):
    books = Books(house.db, clock, world, tmp_path)
    order = _order(house, FW_RT_6=2)
    drain(house)
    _ship(house, order, "FW-RT-6", 1)

    def failing() -> list[int]:
        return [one.number for one in verify(house.db, house.clock) if not one.holds]

    assert failing() == []
    for table, which, change, back, claims in (
        ("obligation", "allocated_minor > 0", "earned_minor = earned_minor - 1", "+ 1", [6, 11]),
        ("obligation", "steps > 0", "allocated_minor = allocated_minor + 2", "- 2", [6, 11]),
        ("revenue_schedule", "number > 0", "amount_minor = amount_minor + 1", "- 1", [6]),
        ("revenue_schedule", "number > 0", "number = number + 1", "- 1", [6]),
        ("order_line", "quantity = 2", "fulfilled = fulfilled + 1", "- 1", [9, 11]),
    ):
        books.tamper(f"UPDATE {table} SET {change} WHERE {which}")
        assert failing() == claims, change
        column = change.split(" = ")[0]
        books.tamper(f"UPDATE {table} SET {column} = {column} {back} WHERE {which}")
    assert failing() == []
