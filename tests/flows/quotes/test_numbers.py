"""Numbers that staff choose for a quote: held while it is valid, the order's when it is accepted."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from cart.quotes.refusals import NumberGone
from cart.quotes.wanting import Wanted
from core.kernel.errors import Invalid
from core.orders.models import Order, OrderLine
from core.stock import named, picking
from core.stock.adjusting import Adjustment
from core.stock.models import Hold, LogicalResource
from core.stock.numbers import NumberTaken
from core.stock.pools import Terms
from flows import accept_quote, adjust_stock, draft_quote, keep_numbers, release_hold, send_quote
from flows.abandon_payment import abandon
from flows.house import House
from flows.settle_payment import settle
from flows.verify import verify
from payments import operations
from tests.paying import CARD, drain
from tests.quoting import ANN, DEPOT, MILL, Quoting, stand_at
from tests.rooms.web.looking import statements
from tests.sandbox_process import SandboxProcess
from tests.world import World

FIRST, SECOND, THIRD, FOURTH = (f"020 7946 010{n}" for n in (1, 2, 3, 4))


@pytest.fixture
def pool(house: House, world: World) -> uuid.UUID:
    """River 100 comes with one of four numbers; customers are given theirs."""
    made = keep_numbers.open_pool(house, world.plan.sku, "number", Terms(False, 30), ANN)
    keep_numbers.add(house, made, [FIRST, SECOND, THIRD, FOURTH], "", ANN, "first")
    return made


def states(house: House, pool: uuid.UUID) -> dict[str, str]:
    with house.db.reading() as session:
        rows = picking.listing(session, pool, house.clock.now())
        return {row.resource.value: row.state for row in rows}


def held(house: House, pool: uuid.UUID) -> list[str]:
    return sorted(value for value, state in states(house, pool).items() if state != "free")


def plan(world: World, *numbers: str, pieces: int = 1, site: int = 0) -> Wanted:
    return Wanted(sku=world.plan.sku, quantity=pieces, numbers=numbers, site=site)


def given(house: House, order_id: uuid.UUID) -> list[list[str]]:
    """The numbers of each of an order's plans, line by line."""
    with house.db.reading() as session:
        query = select(OrderLine.id).where(OrderLine.order_id == order_id, OrderLine.kind == "plan")
        lines = session.scalars(query.order_by(OrderLine.line_number)).all()
        found = named.of_lines(session, lines)
        return [[one.value for one in found.get(line, [])] for line in lines]


def sound(house: House) -> None:
    drain(house)
    found = verify(house.db, house.clock, blobs=house.blobs)
    assert [one for one in found if not one.holds] == []


def test_it_is_held_from_when_it_is_sent_and_the_orders_when_it_is_accepted(
    house: House, world: World, pool: uuid.UUID
):
    quoting = Quoting.ask(house, world)
    quoting.write(plan(world, "02079460103"))
    assert held(house, pool) == [], "nobody outside has seen it yet"
    quoting.send()
    assert states(house, pool)[THIRD] == "reserved"
    document = quoting.version().document
    assert document is not None
    assert document["lines"][0]["description"].startswith(THIRD)
    with pytest.raises(NumberTaken) as refused:
        Quoting.ask(house, world).ready(plan(world, THIRD))
    assert refused.value.value == THIRD
    placed = quoting.accept()
    assert given(house, placed.order_id) == [[THIRD]]
    assert held(house, pool) == [THIRD]
    sound(house)


def test_each_line_has_its_own_and_what_was_not_chosen_is_given(
    house: House, world: World, pool: uuid.UUID
):
    """What is given to the first place is not what was chosen for the second."""
    quoting = Quoting.ask(house, world).ready(
        plan(world, THIRD, pieces=2, site=0),
        plan(world, FIRST, site=1),
        sites=(DEPOT, MILL),
    )
    assert held(house, pool) == [FIRST, THIRD]
    placed = quoting.accept()
    assert given(house, placed.order_id) == [[SECOND, THIRD], [FIRST]]
    sound(house)


def _lapses(house: House, quoting: Quoting) -> None:
    stand_at(house, quoting.version().expires_at)


def _is_declined(house: House, quoting: Quoting) -> None:
    accept_quote.decline(house, quoting.public_id, 1, "price", "", "Pat Rowan")


def _is_withdrawn(house: House, quoting: Quoting) -> None:
    send_quote.withdraw(house, quoting.public_id, "mistake", "", ANN)


@pytest.mark.parametrize("ends", [_lapses, _is_declined, _is_withdrawn])
def test_it_is_free_when_the_quote_is_over(
    house: House, world: World, pool: uuid.UUID, ends: Callable[[House, Quoting], None]
):
    quoting = Quoting.ask(house, world).ready(plan(world, SECOND), days=5)
    assert held(house, pool) == [SECOND]
    ends(house, quoting)
    assert held(house, pool) == []
    other = Quoting.ask(house, world).ready(plan(world, SECOND))
    assert held(house, pool) == [SECOND]
    assert given(house, other.accept().order_id) == [[SECOND]]
    sound(house)


def test_the_next_version_holds_what_it_chose_and_lets_the_others_go(
    house: House, world: World, pool: uuid.UUID
):
    quoting = Quoting.ask(house, world).ready(plan(world, FIRST, SECOND, pieces=2))
    draft_quote.another(house, quoting.public_id, ANN)
    assert quoting.offer().lines[0].numbers == (FIRST, SECOND), "it begins as the last one was"
    quoting.ready(plan(world, SECOND, FOURTH, pieces=2))
    assert held(house, pool) == [SECOND, FOURTH]
    assert given(house, quoting.accept().order_id) == [[SECOND, FOURTH]]
    sound(house)


def test_who_comes_back_unpaid_finds_it_held_and_has_it_when_they_pay(
    house: House, sandbox: SandboxProcess, world: World, pool: uuid.UUID
):
    quoting = Quoting.ask(house, world).ready(plan(world, FOURTH, pieces=2))
    placed = quoting.accept("card")
    assert held(house, pool) == [FIRST, FOURTH], "the other one is given at once"
    assert abandon(house, placed.order_id, "came_back")
    assert held(house, pool) == [FOURTH]
    again = quoting.accept("card")
    sandbox.pay(again.redirect_url, CARD)
    with house.db.reading() as session:
        operation = operations.of_order(session, again.order_id)
    assert operation is not None
    settle(house, operation.id)
    assert given(house, again.order_id) == [[FIRST, FOURTH]]
    with house.db.reading() as session:
        assert len(session.scalars(select(Order)).all()) == 2
    sound(house)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (Wanted(sku="FW-RT-6", numbers=(FIRST,)), "Only what is sold by numbers has some."),
        (Wanted(name="A day", price_micros=1, numbers=(FIRST,)), "Only what is sold by numbers"),
        (Wanted(sku="PLAN", numbers=("12",)), "12 is not one that can be chosen here."),
        (Wanted(sku="PLAN", numbers=(FIRST, SECOND)), "It has only 1 to choose."),
        (Wanted(sku="PLAN", quantity=2, numbers=(FIRST, "020-7946-0101")), "is chosen twice."),
    ],
)
def test_what_cannot_be_chosen_is_said_at_its_line(
    house: House, world: World, pool: uuid.UUID, line: Wanted, text: str
):
    sku = world.plan.sku if line.sku == "PLAN" else line.sku
    wrong = Wanted(
        sku=sku,
        name=line.name,
        quantity=line.quantity,
        price_micros=line.price_micros,
        numbers=line.numbers,
    )
    with pytest.raises(Invalid) as refused:
        Quoting.ask(house, world).write(plan(world, FOURTH), wrong)
    assert text in refused.value.fields_["lines-1.numbers"]


def test_one_number_is_not_chosen_for_two_lines_nor_is_a_key_for_any(
    house: House, world: World, pool: uuid.UUID
):
    quoting = Quoting.ask(house, world)
    with pytest.raises(Invalid) as refused:
        quoting.write(plan(world, FIRST), plan(world, FIRST))
    assert refused.value.fields_ == {"lines-1.numbers": f"{FIRST} is chosen twice."}
    keys = keep_numbers.open_pool(house, world.visit.sku, "licence_key", Terms(False, None), ANN)
    keep_numbers.add(house, keys, ["FERN-0000"], "", ANN, "keys")
    with pytest.raises(Invalid) as refused:
        quoting.write(Wanted(sku=world.visit.sku, numbers=("FERN-0000",)))
    assert "lines-0.numbers" in refused.value.fields_


def _withdraw(house: House, value: str) -> None:
    with house.db.reading() as session:
        query = select(LogicalResource.id).where(LogicalResource.value == value)
        key = session.scalars(query).one()
    keep_numbers.withdraw(house, key, "", ANN)


def _let_go(house: House) -> None:
    """Staff let go the one hold of numbers that there is."""
    with house.db.reading() as session:
        query = select(Hold.id).where(Hold.numbered, Hold.state == "active")
        key = session.scalars(query).one()
    release_hold.release(house, key, ANN)


def test_one_that_is_sold_no_more_does_not_keep_its_quote_from_being_answered(
    house: House, sandbox: SandboxProcess, world: World, pool: uuid.UUID
):
    """The order's hold is over before anybody gives the order up, and staff withdraw the number."""
    quoting = Quoting.ask(house, world).ready(plan(world, FIRST))
    placed = quoting.accept("card")
    stand_at(house, house.clock.now() + timedelta(hours=6))
    _withdraw(house, FIRST)
    assert abandon(house, placed.order_id, "came_back")
    with pytest.raises(NumberGone) as refused:
        quoting.accept()
    assert refused.value.value == FIRST
    accept_quote.decline(house, quoting.public_id, 1, "other", "", "Pat Rowan")
    assert quoting.quote.state == "declined"
    sound(house)


def test_one_that_staff_let_go_is_the_quotes_again_or_somebody_elses(
    house: House, world: World, pool: uuid.UUID
):
    mine, other = Quoting.ask(house, world), Quoting.ask(house, world)
    mine.ready(plan(world, FIRST))
    _let_go(house)
    other.ready(plan(world, FIRST))
    with pytest.raises(NumberGone):
        mine.accept()
    _let_go(house)
    assert given(house, mine.accept().order_id) == [[FIRST]]
    with pytest.raises(NumberGone):
        other.accept()
    sound(house)


def test_it_is_held_again_also_where_other_pieces_are_gone(
    house: House, sandbox: SandboxProcess, world: World, pool: uuid.UUID
):
    quoting = Quoting.ask(house, world)
    quoting.ready(plan(world, FIRST), Wanted(sku=world.camera.sku, quantity=1))
    placed = quoting.accept("card")
    stand_at(house, house.clock.now() + timedelta(hours=6))
    assert world.camera.level_id is not None
    none = Adjustment(world.camera.level_id, "counted", 0)
    adjust_stock.adjust(house, none, ANN, "none")
    assert abandon(house, placed.order_id, "came_back")
    assert held(house, pool) == [FIRST]
    sound(house)


def test_many_are_chosen_in_as_few_statements_as_two(house: House, world: World, pool: uuid.UUID):
    many = [f"020 7946 {at}" for at in range(2000, 2300)]
    given_out = [f"020 7945 {at}" for at in range(2000, 2300)]
    keep_numbers.add(house, pool, [*many, *given_out], "", ANN, "many")
    # One before them: what the processes keep has been read.
    Quoting.ask(house, world).ready(plan(world, THIRD)).accept()
    counted = []
    for numbers in ([FIRST, SECOND], many):
        quoting = Quoting.ask(house, world)
        with statements(house.db) as sent:
            quoting.ready(plan(world, *numbers, pieces=len(many)))
            placed = quoting.accept()
        (mine,) = given(house, placed.order_id)
        assert len(mine) == len(many)
        assert set(mine) >= set(numbers)
        counted.append(len(sent))
    # The two have others beside them, which are looked for and remembered.
    assert counted[1] <= counted[0] <= counted[1] + 2
    sound(house)
