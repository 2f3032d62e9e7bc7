"""Numbers and keys from the shelf to a customer and back: chosen, held, given, at rest, free again."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from cart import choosing, lines, merging, pricing
from cart.models import Cart
from core.catalog.models import Product, Variant
from core.kernel.audit import AuditEntry
from core.kernel.errors import Invalid
from core.kernel.money import to_micros
from core.notices.models import Notice
from core.orders.models import Order, OrderLine
from core.parties.models import Channel, LegalEntity
from core.prices.models import Price
from core.stock import holds, named, picking
from core.stock.adjusting import Adjustment, Numbered
from core.stock.models import LogicalResource, StockLevel
from core.stock.numbers import NumberTaken
from core.stock.picks import AllAreChosen
from core.stock.pools import HasNumbers, NotForNumbers, NumberInUse, Terms
from core.subscriptions.models import Subscription
from flows import (
    activate_service,
    adjust_stock,
    bill_account,
    change_service,
    keep_numbers,
    run_billing,
    take_back,
)
from flows.abandon_payment import abandon
from flows.follow_order import follow
from flows.hold_service import Asked as AskedService
from flows.house import House
from flows.place_order import Placed, place
from flows.take_back import Asked
from flows.verify import verify
from invoices.models import Invoice
from payments.models import Refund
from tests.paying import CARD, come_back, drain, order, pass_time, wish
from tests.sandbox_process import SandboxProcess
from tests.world import World

STAFF = "user:staff"
FIRST, SECOND, THIRD = "020 7946 0101", "020 7946 0102", "020 7946 0103"
KEY = "FERN-0000-EXAMPLE-1"


@pytest.fixture
def pool(house: House, world: World) -> uuid.UUID:
    """River 100 comes with one of three numbers, which is chosen."""
    made = keep_numbers.open_pool(house, world.plan.sku, "number", Terms(True, 30), STAFF)
    assert keep_numbers.add(house, made, [FIRST, SECOND, THIRD], "", STAFF, "first") == 3
    return made


@pytest.fixture
def keys(house: House, world: World) -> uuid.UUID:
    """A key to a program, which is given once and to nobody again."""

    def work(session) -> None:
        product = Product(
            slug="guard", name="Guard", picture="", created_at=house.clock.now(), position=9
        )
        session.add(product)
        session.flush()
        variant = Variant(
            product_id=product.id,
            sku="FW-GUARD",
            name="Guard",
            kind="digital",
            tax_category="backup",
        )
        session.add(variant)
        session.flush()
        micros = to_micros("20.00")
        session.add(
            Price(
                price_list_id=world.price_list_id, variant_id=variant.id, unit_price_micros=micros
            )
        )

    house.db.run_tx(work)
    made = keep_numbers.open_pool(house, "FW-GUARD", "licence_key", Terms(False, None), STAFF)
    keep_numbers.add(house, made, [KEY], "", STAFF, "keys")
    return made


def cart_with(house: House, sku: str, number: str = "") -> str:
    def work(session) -> str:
        now = house.clock.now()
        cart = lines.open_cart(session, session.scalars(select(Channel)).one(), now)
        lines.add(session, cart, sku, 1, house.rules.hold_for, now, number)
        return cart.public_id

    return house.db.run_tx(work)


def bought(house: House, sandbox: SandboxProcess, sku: str, number: str = "") -> Placed:
    placed = place(house, wish(cart_with(house, sku, number)))
    sandbox.pay(placed.redirect_url, CARD)
    assert come_back(house, placed) == "succeeded"
    drain(house)
    return placed


def states(house: House) -> dict[str, str]:
    """Each number with the state that it has now."""
    with house.db.reading() as session:
        pools = session.scalars(select(LogicalResource.pool_id).distinct()).all()
        now = house.clock.now()
        rows = [row for key in pools for row in picking.listing(session, key, now)]
    return {row.resource.value: row.state for row in rows}


def shown(house: House, placed: Placed) -> list[str]:
    """What the page of an order says."""
    with house.db.reading() as session:
        named = follow(session, session.get_one(Order, placed.order_id)).named
    return [value for found in named.values() for value in found]


def in_cart(house: House, cart_id: str) -> Sequence[tuple[str, bool]]:
    """What the page of a cart says: each number, and whether it is kept."""
    with house.db.snapshot() as session:
        cart = lines.find(session, cart_id)
        channel = session.scalars(select(Channel)).one()
        entity = session.get_one(LegalEntity, channel.legal_entity_id)
        found = pricing.price(session, cart, channel, entity, house.delivery, house.clock.now())
    return [(one.value, one.kept) for line in found.lines for one in line.numbers]


def every(house: House, model, *where):
    with house.db.reading() as session:
        return session.scalars(select(model).where(*where)).all()


def proven(house: House) -> None:
    assert [one for one in verify(house.db, house.clock) if one.offenders] == []


def test_a_chosen_number_is_the_customers_until_the_service_ends_and_rests_before_the_next_one(
    house: House, world: World, sandbox: SandboxProcess, pool: uuid.UUID
):
    placed = place(house, wish(cart_with(house, world.plan.sku, SECOND)))
    assert (states(house)[SECOND], shown(house, placed)) == ("reserved", [SECOND])
    with pytest.raises(NumberTaken):
        cart_with(house, world.plan.sku, SECOND)
    sandbox.pay(placed.redirect_url, CARD)
    assert come_back(house, placed) == "succeeded"
    drain(house)
    assert states(house) == {FIRST: "free", SECOND: "assigned", THIRD: "free"}
    assert shown(house, placed) == [SECOND]
    (bill,) = every(house, Invoice)
    assert [item["description"] for item in bill.document["lines"]] == [SECOND]
    (mail,) = every(house, Notice, Notice.template == "order")
    assert SECOND in mail.text_body
    proven(house)

    (service,) = every(house, Subscription)
    asked = AskedService(service.public_id, STAFF, None, None)
    today = house.clock.now().date()
    activate_service.activate(house, asked, today)
    pass_time(house, sandbox, timedelta(days=5))
    change_service.end(house, asked, "moving", "", at_period_end=False)
    assert (states(house)[SECOND], shown(house, placed)) == ("quarantined", [])
    with pytest.raises(NumberTaken):
        cart_with(house, world.plan.sku, SECOND)
    proven(house)

    # Nobody has to sweep: on the day it is free to whoever reads or takes it.
    pass_time(house, sandbox, timedelta(days=30))
    assert states(house)[SECOND] == "free"
    cart = cart_with(house, world.plan.sku, SECOND)
    assert in_cart(house, cart) == [(SECOND, True)]
    proven(house)


def begun(house: House, world: World, sandbox: SandboxProcess, count: int) -> AskedService:
    """A service with so many of the pool's first numbers, which runs."""

    def fill(session) -> str:
        now = house.clock.now()
        cart = lines.open_cart(session, session.scalars(select(Channel)).one(), now)
        lines.add(session, cart, world.plan.sku, count, house.rules.hold_for, now)
        return cart.public_id

    placed = place(house, wish(house.db.run_tx(fill)))
    sandbox.pay(placed.redirect_url, CARD)
    assert come_back(house, placed) == "succeeded"
    drain(house)
    (service,) = every(house, Subscription)
    asked = AskedService(service.public_id, STAFF, None, None)
    activate_service.activate(house, asked, house.clock.now().date())
    return asked


def named_on_bills(house: House) -> list[list[str]]:
    """What the bills say beside their lines, the first bill first."""
    bills = sorted(every(house, Invoice, Invoice.kind == "invoice"), key=lambda one: one.issued_at)
    return [[item["description"] for item in bill.document["lines"]] for bill in bills]


@pytest.mark.parametrize("by", ["night", "one"])
def test_each_periods_bill_names_the_number_that_the_service_has_then(
    house: House, world: World, sandbox: SandboxProcess, pool: uuid.UUID, by: str
):
    def bill() -> None:
        pass_time(house, sandbox, timedelta(days=31))
        if by == "night":
            run_billing.by_the_clock(house)
        else:
            bill_account.bill(house, service.payer_account_id, house.clock.now().date(), STAFF)
        drain(house)

    asked = begun(house, world, sandbox, 1)
    (service,) = every(house, Subscription)
    bill()
    assert named_on_bills(house) == [[FIRST], [f"{FIRST} · 4 Chestnut Row"]]
    written = [bill.document for bill in every(house, Invoice)]
    change_service.end(house, asked, "moving", "", at_period_end=False)
    assert states(house)[FIRST] == "quarantined"
    assert [bill.document for bill in every(house, Invoice, Invoice.kind == "invoice")] == written
    proven(house)


def test_of_many_numbers_a_bill_names_three_and_says_how_many_more(
    house: House, world: World, sandbox: SandboxProcess, pool: uuid.UUID
):
    more = [f"020 7946 02{at:02}" for at in range(7)]
    keep_numbers.add(house, pool, more, "", STAFF, "more")
    begun(house, world, sandbox, 10)
    pass_time(house, sandbox, timedelta(days=31))
    run_billing.by_the_clock(house)
    drain(house)
    (_, (line,)) = named_on_bills(house)
    assert line.startswith(f"{FIRST}, {SECOND}, {THIRD} and 7 more · ")
    proven(house)


def test_who_chooses_nothing_is_given_one_and_may_still_choose(
    house: House, world: World, pool: uuid.UUID
):
    cart = cart_with(house, world.plan.sku)
    assert in_cart(house, cart) == [(FIRST, True)]

    def choose(session, number: str, instead_of: str = "") -> None:
        found, now = lines.lock_open(session, cart), house.clock.now()
        (line,) = [line for line, _, _ in lines.contents(session, found)]
        hold_for = house.rules.hold_for
        choosing.choose(session, found, line.public_id, number, hold_for, now, instead_of)

    house.db.run_tx(lambda session: choose(session, THIRD, FIRST))
    assert in_cart(house, cart) == [(THIRD, True)]
    assert states(house) == {FIRST: "free", SECOND: "free", THIRD: "reserved"}
    cart_with(house, world.plan.sku, SECOND)
    with pytest.raises(NumberTaken):
        house.db.run_tx(lambda session: choose(session, SECOND))
    assert in_cart(house, cart) == [(THIRD, True)]


def test_a_number_pressed_twice_is_one_and_another_one_is_two(
    house: House, world: World, pool: uuid.UUID
):
    cart = cart_with(house, world.plan.sku, FIRST)

    def more(session, number: str) -> int:
        found, now = lines.lock_open(session, cart), house.clock.now()
        hold_for = house.rules.hold_for
        return lines.add(session, found, world.plan.sku, 1, hold_for, now, number).quantity

    assert house.db.run_tx(lambda session: more(session, "02079460101")) == 1
    assert house.db.run_tx(lambda session: more(session, THIRD)) == 2
    assert in_cart(house, cart) == [(FIRST, True), (THIRD, True)]

    def choose(session, number: str, instead_of: str) -> None:
        found, now = lines.lock_open(session, cart), house.clock.now()
        (line,) = [line for line, _, _ in lines.contents(session, found)]
        hold_for = house.rules.hold_for
        choosing.choose(session, found, line.public_id, number, hold_for, now, instead_of)

    for instead_of in ("", SECOND):  # which it has not: both of its numbers were chosen
        with pytest.raises(AllAreChosen):
            house.db.run_tx(partial(choose, number=SECOND, instead_of=instead_of))
    assert in_cart(house, cart) == [(FIRST, True), (THIRD, True)]
    house.db.run_tx(lambda session: choose(session, SECOND, FIRST))
    assert in_cart(house, cart) == [(SECOND, True), (THIRD, True)]


def test_a_lapsed_number_is_taken_again_or_the_cart_says_that_it_is_gone(
    house: House, world: World, sandbox: SandboxProcess, pool: uuid.UUID
):
    cart = cart_with(house, world.plan.sku, SECOND)

    def again(session) -> None:
        found = lines.lock_open(session, cart)
        lines.hold_again(session, found, house.rules.hold_for, house.clock.now())

    pass_time(house, sandbox, house.rules.hold_for)
    assert in_cart(house, cart) == [(SECOND, False)]
    house.db.run_tx(again)
    assert in_cart(house, cart) == [(SECOND, True)]
    pass_time(house, sandbox, house.rules.hold_for)
    cart_with(house, world.plan.sku, SECOND)
    with pytest.raises(NumberTaken):
        house.db.run_tx(again)
    with pytest.raises(NumberTaken):
        place(house, wish(cart))
    assert in_cart(house, cart) == [(SECOND, False)]
    proven(house)


def test_an_order_given_up_gives_its_number_back_to_its_cart(
    house: House, world: World, pool: uuid.UUID
):
    cart = cart_with(house, world.plan.sku, THIRD)
    placed = place(house, wish(cart))
    assert in_cart(house, cart) == [(THIRD, True)]
    assert abandon(house, placed.order_id, "came_back")
    assert states(house)[THIRD] == "reserved"
    assert in_cart(house, cart) == [(THIRD, True)]
    assert place(house, wish(cart)).order_id != placed.order_id
    proven(house)


def test_money_that_comes_too_late_for_a_number_goes_back(
    house: House, world: World, sandbox: SandboxProcess, pool: uuid.UUID
):
    placed = place(house, wish(cart_with(house, world.plan.sku, FIRST)))
    sandbox.pay(placed.redirect_url, CARD)
    pass_time(house, sandbox, house.rules.payment_for + house.rules.payment_grace)
    cart_with(house, world.plan.sku, FIRST)
    come_back(house, placed)
    drain(house)
    assert order(house, placed.order_id).lifecycle == "cancelled"
    (refund,) = every(house, Refund)
    assert refund.amount_minor == order(house, placed.order_id).due_now_minor
    proven(house)


def test_a_plan_that_never_began_rests_its_number_when_it_is_cancelled(
    house: House, world: World, sandbox: SandboxProcess, pool: uuid.UUID
):
    placed = bought(house, sandbox, world.plan.sku, FIRST)
    take_back.cancel(house, Asked(placed.public_id, None, "changed_mind", "usual", STAFF, "c1"))
    assert states(house)[FIRST] == "quarantined"
    proven(house)
    (row,) = every(house, LogicalResource, LogicalResource.value == FIRST)
    keep_numbers.release(house, row.id, STAFF)
    keep_numbers.withdraw(house, row.id, "Ported away", STAFF)
    assert states(house)[FIRST] == "withdrawn"
    keep_numbers.restore(house, row.id, STAFF)
    assert states(house)[FIRST] == "free"
    with pytest.raises(NumberInUse):
        keep_numbers.restore(house, row.id, STAFF)
    proven(house)


def test_a_key_is_seen_by_its_buyer_alone_and_only_once_it_is_paid(
    house: House, world: World, sandbox: SandboxProcess, keys: uuid.UUID
):
    placed = place(house, wish(cart_with(house, "FW-GUARD")))
    assert (states(house)[KEY], shown(house, placed)) == ("reserved", [])
    sandbox.pay(placed.redirect_url, CARD)
    assert come_back(house, placed) == "succeeded"
    drain(house)
    assert shown(house, placed) == [KEY]
    with house.db.reading() as session:
        (line,) = session.scalars(select(OrderLine).where(OrderLine.sku == "FW-GUARD"))
        assert [one.value for one in named.of_lines(session, [line.id])[line.id]] == [KEY]
    told = [str(row.document) for row in every(house, Invoice)]
    told += [row.text_body + row.html_body for row in every(house, Notice)]
    told += [str(row.detail) for row in every(house, AuditEntry)]
    assert told
    assert not any(KEY in text for text in told)
    with house.db.reading() as session:
        row = session.scalars(select(LogicalResource).where(LogicalResource.value == KEY)).one()
        for words, found in (
            (KEY[:-1], []),
            (KEY, [row.id]),
        ):  # nor is it guessed, letter by letter
            listed = picking.listing(session, row.pool_id, house.clock.now(), words=words)
            assert [one.resource.id for one in listed] == found
    with pytest.raises(NumberInUse) as refused:
        keep_numbers.withdraw(house, row.id, "", STAFF)
    assert KEY not in str(refused.value.facts()) + str(refused.value)
    taken = Asked(placed.public_id, {line.line_number: 1}, "other", "usual", STAFF, "r1")
    take_back.take(house, taken, {})
    assert (states(house)[KEY], shown(house, placed)) == ("withdrawn", [])
    proven(house)


def test_what_has_numbers_is_counted_by_them_alone(house: House, world: World, pool: uuid.UUID):
    (level,) = every(house, StockLevel, StockLevel.variant_id == world.plan.variant_id)
    assert (level.on_hand, level.allocated, level.held) == (3, 0, 0)
    with pytest.raises(Numbered):
        adjust_stock.adjust(house, Adjustment(level.id, "found", 1), STAFF, "a1")
    with pytest.raises(HasNumbers):
        keep_numbers.open_pool(house, world.plan.sku, "number", Terms(), STAFF)
    with pytest.raises(NotForNumbers):
        keep_numbers.open_pool(house, world.router.sku, "number", Terms(), STAFF)
    with pytest.raises(Invalid):
        keep_numbers.set_terms(house, pool, Terms(True, -1), STAFF)
    keep_numbers.set_terms(house, pool, Terms(False, 7), STAFF)
    with house.db.reading() as session:
        assert picking.page(session, world.plan.variant_id, house.clock.now()) == []
    proven(house)


def test_a_file_is_looked_at_and_added_as_a_whole_or_not_at_all(
    house: House, world: World, pool: uuid.UUID
):
    bad = "value,note\n020 7946 0104,\n02079460104,\n020-7946-0101,\n ,x\n"
    found = keep_numbers.look(house, pool, bad)
    assert [(one.number, one.wrong) for one in found.lines] == [
        (2, ""),
        (3, "It stands in the file twice."),
        (4, "It is there already."),
        (5, "There is no number in it."),
    ]
    with pytest.raises(Invalid):
        keep_numbers.apply(house, pool, bad, found.mark, STAFF, "f1")
    good = "note,value\nNew block,020 7946 0104\n,'020 7946 0105\n"
    found = keep_numbers.look(house, pool, good)
    assert found.is_sound
    with pytest.raises(Invalid):
        keep_numbers.apply(house, pool, good, "another", STAFF, "f2")
    assert keep_numbers.apply(house, pool, good, found.mark, STAFF, "f3") == 2
    assert keep_numbers.apply(house, pool, good, found.mark, STAFF, "f3") == 2
    assert len(states(house)) == 5
    assert keep_numbers.look(house, pool, "digits\n1\n").wrong != ""
    proven(house)


def test_a_cart_that_is_poured_into_another_brings_its_number(
    house: House, world: World, pool: uuid.UUID
):
    source, target = cart_with(house, world.plan.sku, FIRST), cart_with(house, world.router.sku)

    def pour(session) -> None:
        carts = [lines.lock_open(session, one) for one in (source, target)]
        merging.pour(session, carts[0], carts[1], house.rules.hold_for, house.clock.now())

    house.db.run_tx(pour)
    assert in_cart(house, target) == [(FIRST, True)]
    third = cart_with(house, world.plan.sku, SECOND)
    source = third
    house.db.run_tx(pour)
    assert in_cart(house, target) == [(FIRST, True), (SECOND, True)]
    (cart,) = every(house, Cart, Cart.public_id == target)
    house.db.run_tx(lambda s: holds.release(s, holds.Owner("cart", cart.id)))
    assert set(states(house).values()) == {"free"}
    proven(house)
