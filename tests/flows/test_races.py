"""Several hands on one cart, one bill, one order at the same time: the money is right whoever is first."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app import worker
from cart import lines
from cart.checkout import Details
from cart.lines import CartClosed
from core.kernel import audit
from core.kernel.errors import ShopError
from core.kernel.jobs import Job
from core.kernel.numbering import NumberSeries
from core.ledger import items
from core.ledger.models import OpenItem
from core.orders.models import Order
from core.parties import accounts, users
from core.parties.accounts import NewAccount
from core.parties.models import Account
from core.stock import holds
from core.stock.models import StockLevel
from flows import place_order, reconcile
from flows.abandon_payment import abandon
from flows.house import House
from flows.pay_bill import PayWish, pay, pay_order
from flows.place_order import Wish, place
from flows.settle_payment import settle
from flows.verify import verify
from invoices.models import Invoice
from payments.models import Payment, PaymentOperation, Refund
from tests.paying import CARD, come_back, drain, fill_cart, order, pass_time, usd, wish
from tests.sandbox_process import SandboxProcess
from tests.together import until_it_waits
from tests.world import ADDRESS, World


def _all(house: House, model):
    with house.db.reading() as session:
        return session.scalars(select(model)).all()


def _at_once(*works: Callable[[], object]) -> list[Exception]:
    """Run all of them at the same moment; what they raised."""
    start, raised = threading.Barrier(len(works)), []

    def go(work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=go, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


def _assert_sound(house: House) -> None:
    drain(house)
    assert [job.last_error for job in _all(house, Job) if job.state != "done"] == []
    assert [f for f in verify(house.db, house.clock, blobs=house.blobs) if not f.holds] == []


def _riley(house: House) -> tuple[UUID, UUID]:
    """Somebody with a log-in and an account: their keys."""
    now = house.clock.now()

    def write(session) -> tuple[UUID, UUID]:
        channel, entity = accounts.channel_by_code(session, "web")
        user = users.add(session, "riley@example.com", "Riley Moreno", None, now)
        own = accounts.open_account(
            session, entity, channel, NewAccount("Riley Moreno", user.email), now
        )
        accounts.join(session, user.id, own.id, "owner", now)
        return user.id, own.id

    return house.db.run_tx(write)


def _by(wanted: Wish, user_id: UUID | None) -> Wish:
    return Wish(wanted.cart_id, wanted.details, user_id=user_id)


# --- one bill ---------------------------------------------------------------------------------------


def test_two_visits_that_pay_one_bill_at_once_clear_it_once_and_keep_the_rest(
    house: House, sandbox: SandboxProcess, world: World
):
    """By the order's link and in the portal: two visits, both paid, both told of at the same moment."""
    riley, own = _riley(house)
    placed = place(house, _by(wish(fill_cart(house, world.router.sku), "invoice"), riley))
    drain(house)
    (invoice,) = _all(house, Invoice)
    for url in (pay_order(house, placed.order_id), pay(house, PayWish(riley, [invoice.id]))):
        sandbox.pay(url, CARD)
    visits = [row.id for row in _all(house, PaymentOperation)]
    assert len(visits) == 2
    raised = _at_once(*[lambda key=key: settle(house, key) for key in visits * 2])
    assert raised == []
    with house.db.reading() as session:
        assert items.of_sources(session, [invoice.id])[invoice.id].open == usd(0)
        (kept,) = items.held_for(session, [own])
    assert (kept.ledger_code, kept.open) == ("unapplied", usd(invoice.total_minor))
    assert len(_all(house, Payment)) == 2
    _assert_sound(house)


def test_who_orders_on_an_account_that_is_locked_waits_before_it_has_locked_anything(
    house: House, world: World
):
    """Whoever takes money for the account has it locked, and wants pieces and a number next."""
    riley, own = _riley(house)
    cart_id = fill_cart(house, world.router.sku)
    with ThreadPoolExecutor(1) as pool:
        with house.db.transaction() as session:
            accounts.lock(session, own)
            going = pool.submit(place, house, _by(wish(cart_id, "invoice"), riley))
            until_it_waits(session, going)
            for hot in (StockLevel, NumberSeries):
                session.execute(select(hot).with_for_update(nowait=True)).all()
        assert going.result(timeout=20).order.lifecycle == "confirmed"
    _assert_sound(house)


# --- one cart ---------------------------------------------------------------------------------------


def test_a_tab_that_was_overtaken_by_another_is_not_told_that_it_has_ordered(
    house: House, sandbox: SandboxProcess, world: World, monkeypatch: pytest.MonkeyPatch
):
    """The first attempt is given up for other wishes, and begun again before these are written."""
    cart_id = fill_cart(house, world.router.sku)
    first = wish(cart_id)
    place(house, first)

    def overtaken(house: House, order_id: UUID, reason: str) -> bool:
        given_up = abandon(house, order_id, reason)
        place(house, first)
        return given_up

    monkeypatch.setattr(place_order, "abandon", overtaken)
    with pytest.raises(CartClosed):
        place(house, wish(cart_id, email="june@example.com"))
    monkeypatch.undo()
    placed = place(house, first)
    assert placed.redirect_url is not None
    sandbox.pay(placed.redirect_url, CARD)
    assert come_back(house, placed) == "succeeded"
    _assert_sound(house)


def test_two_tabs_with_other_wishes_at_once_leave_one_order_to_be_paid(
    house: House, sandbox: SandboxProcess, world: World
):
    cart_id = fill_cart(house, world.router.sku)
    place(house, wish(cart_id))
    raised = _at_once(
        *[
            lambda who=who: place(house, wish(cart_id, email=f"{who}@example.com"))
            for who in ("june", "kim", "sam")
        ]
    )
    assert all(isinstance(error, ShopError) for error in raised)
    open_orders = [row for row in _all(house, Order) if row.lifecycle != "cancelled"]
    assert len(open_orders) <= 1
    _assert_sound(house)


def test_paid_and_given_up_at_once_is_either_an_order_or_nothing_charged(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = place(house, wish(fill_cart(house, world.camera.sku)))
    _at_once(
        lambda: sandbox.pay(placed.redirect_url, CARD),
        lambda: abandon(house, placed.order_id, "came_back"),
        lambda: come_back(house, placed),
    )
    come_back(house, placed)
    paid = len(_all(house, Payment))
    assert order(house, placed.order_id).lifecycle == ("confirmed" if paid else "cancelled")
    assert _all(house, Refund) == []
    _assert_sound(house)


@pytest.mark.parametrize("logs_in", [True, False])
def test_an_order_begun_before_logging_in_or_out_goes_to_whoever_places_it(
    logs_in: bool, house: House, sandbox: SandboxProcess, world: World
):
    riley, own = _riley(house)
    cart_id = fill_cart(house, world.router.sku)
    before, after = (None, riley) if logs_in else (riley, None)
    first = place(house, _by(wish(cart_id), before))
    second = place(house, _by(wish(cart_id), after))
    assert order(house, first.order_id).lifecycle == "cancelled"
    assert (order(house, second.order_id).payer_account_id == own) is logs_in
    assert place(house, _by(wish(cart_id), after)) == second
    sandbox.pay(second.redirect_url, CARD)
    assert come_back(house, second) == "succeeded"
    _assert_sound(house)


def test_a_visit_past_its_time_gives_way_to_a_new_one(
    house: House, sandbox: SandboxProcess, world: World
):
    """Before the reconciler has seen it: the shopper is not sent to a page that is closed."""
    cart_id = fill_cart(house, world.camera.sku)
    first = place(house, wish(cart_id))
    pass_time(house, sandbox, house.rules.payment_for + timedelta(seconds=1))
    second = place(house, wish(cart_id))
    assert second.redirect_url != first.redirect_url
    sandbox.pay(second.redirect_url, CARD)
    assert come_back(house, second) == "succeeded"
    _assert_sound(house)


# --- rows of which there is one ---------------------------------------------------------------------


def test_an_account_number_that_is_taken_gives_way_to_the_next(
    house: House, world: World, monkeypatch: pytest.MonkeyPatch
):
    drawn = iter(["100000001", "100000001", "100000001", "100000002"])
    monkeypatch.setattr(accounts, "new_number", lambda: next(drawn))
    for _ in range(2):
        place(house, wish(fill_cart(house, world.visit.sku), "invoice"))
    assert sorted(row.number for row in _all(house, Account)) == ["100000001", "100000002"]


def test_two_first_rounds_of_the_reconciler_at_once_do_not_fall_over_each_other(
    house: House, sandbox: SandboxProcess, world: World
):
    assert _at_once(*[lambda: reconcile.run(house) for _ in range(4)]) == []


# --- everything at once -----------------------------------------------------------------------------


class _Hands:
    """One thread that does whatever a shopper, a worker and a processor may do, in any order."""

    def __init__(self, house: House, sandbox: SandboxProcess, world: World, seed: int) -> None:
        self.house, self.sandbox, self.random = house, sandbox, random.Random(seed)
        self.skus = [world.camera.sku, world.router.sku, world.visit.sku, world.plan.sku]
        self.wrong: list[str] = []

    def go(self, carts: list[str], user_id: UUID, times: int) -> None:
        self.carts, self.user_id = carts, user_id
        often = [self.place, self.pay, self.settle] * 4
        seldom = [self.abandon, self.pay_bill, self.pay_bill, self.add, self.other_cart]
        behind = [self.sweep, self.seal, self.reconcile, self.work, self.work, self.work]
        for _ in range(times):
            act = self.random.choice([*often, *seldom, *behind])
            try:
                act()
            except ShopError:
                pass  # somebody was faster: that is what the sentence is for
            except Exception as error:
                self.wrong.append(f"{act.__name__}: {type(error).__name__}: {error}")

    def _one(self, model, *where):
        with self.house.db.reading() as session:
            found = session.scalars(select(model).where(*where)).all()
        return self.random.choice(found) if found else None

    def place(self) -> None:
        address = {**ADDRESS, "region": self.random.choice(["OH", "OH", "IN"])}
        method = self.random.choice(["card", "card", "card", "invoice"])
        details = Details("riley@example.com", address, None, method)
        who = self.random.choice([None, self.user_id])
        place(self.house, Wish(self.random.choice(self.carts), details, user_id=who))

    def pay(self) -> None:
        if row := self._one(PaymentOperation, PaymentOperation.redirect_url.is_not(None)):
            self.sandbox.pay(row.redirect_url, CARD)

    def settle(self) -> None:
        if row := self._one(PaymentOperation, PaymentOperation.kind == "checkout"):
            settle(self.house, row.id)

    def abandon(self) -> None:
        if row := self._one(Order):
            abandon(self.house, row.id, "came_back")

    def pay_bill(self) -> None:
        if row := self._one(Order, Order.lifecycle == "confirmed"):
            pay_order(self.house, row.id)

    def add(self) -> None:
        cart_id, sku = self.random.choice(self.carts), self.random.choice(self.skus)
        hold_for, now = self.house.rules.hold_for, self.house.clock.now()
        self.house.db.run_tx(
            lambda session: lines.add(
                session, lines.lock_open(session, cart_id), sku, 1, hold_for, now
            )
        )

    def other_cart(self) -> None:
        place_ = self.random.randrange(len(self.carts))
        self.carts[place_] = fill_cart(self.house, *self.random.sample(self.skus, 2))

    def sweep(self) -> None:
        later = self.house.clock.now() + timedelta(minutes=self.random.choice([0, 31]))
        self.house.db.run_tx(lambda session: holds.lapse(session, later))

    def seal(self) -> None:
        self.house.db.run_tx(lambda session: audit.seal(session, self.house.clock.now()))

    def reconcile(self) -> None:
        reconcile.run(self.house)

    def work(self) -> None:
        worker.work(self.house, f"worker {self.random.random()}")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_whatever_many_hands_do_at_once_the_books_are_right_and_nothing_is_left(
    seed: int, house: House, sandbox: SandboxProcess, world: World
):
    riley, _ = _riley(house)
    all_hands = [_Hands(house, sandbox, world, seed * 10 + number) for number in range(6)]
    carts = [fill_cart(house, *all_hands[0].random.sample(all_hands[0].skus, 2)) for _ in range(3)]
    _at_once(*[lambda hands=hands: hands.go(carts, riley, 60) for hands in all_hands])
    assert [word for hands in all_hands for word in hands.wrong] == []
    for _ in range(2):
        pass_time(house, sandbox, timedelta(hours=1))
        assert reconcile.run(house).problems == ()
        drain(house)
    with house.db.reading() as session:
        left = select(func.count()).select_from(Order).where(Order.lifecycle == "pending")
        assert session.scalar(left) == 0
        assert session.scalar(select(func.count()).select_from(OpenItem)) > 0
    _assert_sound(house)
