"""The long sweeps: every crash point with many random carts, and the random life of a whole shop.

They run under ``./shop test --long``. Each draws from a seed that stands in the test's name.
"""

import random
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from cart import lines
from cart.goods import MOST_OF_ONE
from core.kernel import crash
from core.kernel.errors import ShopError
from core.kernel.jobs import Job
from core.orders.models import Order
from core.parties.models import Channel
from core.stock import levels
from core.stock.models import StockLevel
from flows import reconcile
from flows.abandon_payment import abandon
from flows.house import House
from flows.pay_bill import pay_order
from flows.place_order import place
from flows.settle_payment import settle
from flows.verify import verify
from invoices.models import Invoice
from payments import operations
from payments.models import Payment, PaymentOperation, Refund
from tests.flows.test_crash_points import POINTS, SCENARIOS, _assert_once
from tests.paying import CARD, DECLINED, drain, pass_time, wish
from tests.sandbox_process import SandboxProcess
from tests.world import Goods, World

pytestmark = pytest.mark.long

SEEDS = range(20)
STEPS = 2_000
BETWEEN_PROOFS = 200


def random_cart(house: House, world: World, dice: random.Random) -> str:
    """A cart with something of one to four kinds."""
    everything = [world.router, world.camera, world.visit, world.plan]
    chosen = dice.sample(everything, dice.randint(1, len(everything)))
    wanted = [(goods.sku, dice.randint(1, 3)) for goods in chosen]
    now = house.clock.now()

    def work(session: Session) -> str:
        cart = lines.open_cart(session, session.scalars(select(Channel)).one(), now)
        for sku, pieces in wanted:
            lines.add(session, cart, sku, pieces, house.rules.hold_for, now)
        return cart.public_id

    return house.db.run_tx(work)


# --- every point, many carts ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("name", "point"), [(name, point) for name, points in POINTS.items() for point in points]
)
def test_a_crash_at_any_point_loses_and_doubles_nothing_whatever_is_in_the_cart(
    name: str, point: str, seed: int, house: House, sandbox: SandboxProcess, world: World
):
    """Half of the time the process dies once more on its way back, wherever that may be."""
    dice = random.Random(f"{name} {point} {seed}")
    cart_id = random_cart(house, world, dice)
    crashed: list[str] = []

    def die(passed: str) -> None:
        if passed == point and not crashed:
            crashed.append(passed)
            raise crash.SimulatedCrash(passed)

    def die_again(passed: str) -> None:
        if len(crashed) == 1 and dice.random() < 0.1:
            crashed.append(passed)
            raise crash.SimulatedCrash(passed)

    _go(name, house, sandbox, cart_id, die)
    assert crashed == [point]
    if dice.random() < 0.5:
        pass_time(house, sandbox, timedelta(minutes=2))
        _go(name, house, sandbox, cart_id, die_again)
    pass_time(house, sandbox, timedelta(minutes=2))
    SCENARIOS[name](house, sandbox, cart_id)
    _assert_once(house)


def _go(
    name: str,
    house: House,
    sandbox: SandboxProcess,
    cart_id: str,
    die: Callable[[str], None],
) -> None:
    with crash.armed(die):
        try:
            SCENARIOS[name](house, sandbox, cart_id)
        except crash.SimulatedCrash:
            return


# --- the life of a shop ---------------------------------------------------------------------------


class Life:
    """Shoppers come, fill carts, pay or go away; workers work; time goes by. All of it at random."""

    def __init__(
        self, house: House, sandbox: SandboxProcess, world: World, dice: random.Random
    ) -> None:
        self.house, self.sandbox, self.world, self.dice = house, sandbox, world, dice
        self.carts: list[str] = []
        self.orders: list[uuid.UUID] = []
        #: Pages of the processor that somebody has open, also long after their time.
        self.pages: list[str] = []
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def step(self) -> None:
        acts: list[tuple[int, Callable[[], None]]] = [
            (16, self.fill_cart),
            (6, self.change_cart),
            (18, self.place_by_card),
            (8, self.place_on_terms),
            (14, self.pay),
            (3, self.pay_with_a_bad_card),
            (10, self.come_back),
            (5, self.come_back_unpaid),
            (6, self.pay_a_bill),
            (14, self.work),
            (3, self.reconcile),
            (12, self.wait_a_little),
            (2, self.wait_long),
            (3, self.pay_and_be_slow_while_others_buy),
            (6, self.receive_goods),
        ]
        (act,) = self.dice.choices([act for _, act in acts], [weight for weight, _ in acts])
        try:
            act()
            self.done[act.__name__] += 1
        except ShopError as error:
            self.refused[error.code] += 1

    def one_of(self, found: list) -> object:
        """A recent one most of the time, any other now and then."""
        recent = found[-8:] if self.dice.random() < 0.8 else found
        return self.dice.choice(recent)

    # --- shoppers ---

    def fill_cart(self) -> None:
        self.carts.append(random_cart(self.house, self.world, self.dice))

    def change_cart(self) -> None:
        if not self.carts:
            return
        cart_id, house = str(self.one_of(self.carts)), self.house
        goods = self.dice.choice([self.world.router, self.world.camera, self.world.visit])
        pieces, now = self.dice.randint(1, 3), house.clock.now()

        def work(session: Session) -> None:
            cart = lines.lock_open(session, cart_id)
            lines.add(session, cart, goods.sku, pieces, house.rules.hold_for, now)

        house.db.run_tx(work)

    def place_by_card(self) -> None:
        self._place("card")

    def place_on_terms(self) -> None:
        self._place("invoice")

    def _place(self, method: str) -> None:
        if not self.carts:
            return
        placed = place(self.house, wish(str(self.one_of(self.carts)), method))
        self.orders.append(placed.order_id)
        if placed.redirect_url is not None:
            self.pages.append(placed.redirect_url)

    def pay(self) -> None:
        if self.pages:
            self.sandbox.pay(str(self.one_of(self.pages)), CARD)

    def pay_with_a_bad_card(self) -> None:
        if self.pages:
            self.sandbox.pay(str(self.one_of(self.pages)), DECLINED)

    def pay_and_be_slow_while_others_buy(self) -> None:
        """The tab is closed after paying, and when the holds have lapsed all goods are sold."""
        if not self.carts:
            return
        house, now = self.house, self.house.clock.now()

        def fill(session: Session, goods: Goods, pieces: int) -> str:
            cart = lines.open_cart(session, session.scalars(select(Channel)).one(), now)
            lines.add(session, cart, goods.sku, pieces, house.rules.hold_for, house.clock.now())
            return cart.public_id

        goods = self.dice.choice([self.world.router, self.world.camera])
        placed = place(house, wish(house.db.run_tx(lambda session: fill(session, goods, 1))))
        self.orders.append(placed.order_id)
        assert placed.redirect_url is not None
        self.sandbox.pay(placed.redirect_url, CARD)
        pass_time(house, self.sandbox, timedelta(hours=1))
        now = house.clock.now()
        with house.db.reading() as session:
            left = levels.available(session, [goods.variant_id], now)[goods.variant_id]
        if 0 < left <= MOST_OF_ONE:
            rest = house.db.run_tx(lambda session: fill(session, goods, left))
            self.orders.append(place(house, wish(rest, "invoice")).order_id)

    def come_back(self) -> None:
        found = self._operation()
        if found is not None:
            settle(self.house, found.id)

    def come_back_unpaid(self) -> None:
        found = self._operation()
        if found is not None and found.order_id is not None:
            abandon(self.house, found.order_id, "came_back")

    def _operation(self) -> PaymentOperation | None:
        if not self.orders:
            return None
        key = self.one_of(self.orders)
        assert isinstance(key, uuid.UUID)
        with self.house.db.reading() as session:
            return operations.of_order(session, key)

    def pay_a_bill(self) -> None:
        if self.orders:
            key = self.one_of(self.orders)
            assert isinstance(key, uuid.UUID)
            self.pages.append(pay_order(self.house, key))

    # --- the house ---

    def work(self) -> None:
        drain(self.house)

    def reconcile(self) -> None:
        assert reconcile.run(self.house).problems == ()

    def wait_a_little(self) -> None:
        pass_time(self.house, self.sandbox, timedelta(minutes=self.dice.randint(1, 12)))

    def wait_long(self) -> None:
        pass_time(self.house, self.sandbox, timedelta(hours=self.dice.randint(1, 30)))

    def receive_goods(self) -> None:
        goods = self.dice.choice([self.world.router, self.world.camera])
        pieces, now = self.dice.randint(1, 12), self.house.clock.now()
        place_id = self.world.location_id
        self.house.db.run_tx(
            lambda session: levels.receive(session, goods.variant_id, place_id, pieces, now)
        )

    def close_the_day(self) -> None:
        """Everybody has gone home, and all that was begun comes to its end."""
        for _ in range(4):
            pass_time(self.house, self.sandbox, timedelta(hours=3))
            self.reconcile()
            self.work()


def against(house: House) -> list[object]:
    """What speaks against the books, each stored document read whole."""
    found = verify(house.db, house.clock, blobs=house.blobs)
    return [(finding.claim, finding.offenders) for finding in found if not finding.holds]


def count(house: House, model: type, *where: ColumnElement[bool]) -> int:
    query: Select[int] = select(func.count()).select_from(model).where(*where)
    with house.db.reading() as session:
        return session.execute(query).scalar_one()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_shop_that_lives_for_two_thousand_steps_keeps_true_books(
    seed: int, house: House, sandbox: SandboxProcess, world: World
):
    life = Life(house, sandbox, world, random.Random(seed))
    for number in range(1, STEPS + 1):
        life.step()
        if number % BETWEEN_PROOFS == 0:
            assert against(house) == [], f"after {number} steps: {life.done} {life.refused}"
    life.close_the_day()
    assert against(house) == []

    # Nothing is left to do, and everything that may happen has happened.
    assert count(house, Order, Order.lifecycle == "pending") == 0
    assert count(house, PaymentOperation, PaymentOperation.state.in_(operations.OPEN_STATES)) == 0
    assert count(house, Order, Order.payment == "refund_due") == 0
    assert count(house, Job, Job.state != "done") == 0
    assert count(house, Invoice) == count(house, Order, Order.lifecycle == "confirmed")
    for model in (Payment, Refund, Invoice):
        assert count(house, model) > 0
    assert {"out_of_stock", "cart_closed", "nothing_to_pay"} <= set(life.refused)
    with house.db.reading() as session:
        for level in session.scalars(select(StockLevel)):
            assert 0 <= level.allocated + level.held <= level.on_hand
