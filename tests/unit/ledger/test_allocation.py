"""A payment over what is owed: nothing lost, nothing overpaid, in the order that was asked for."""

import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.money import Money
from core.ledger.allocation import Allocation, as_named, oldest_first, pro_rata

DAY = date(2026, 3, 1)


@dataclass(frozen=True)
class Item:
    open: Money
    due_date: date | None
    contested: Money = field(default_factory=lambda: usd(0))
    effective_date: date = DAY
    id: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def uncontested(self) -> Money:
        return self.open - self.contested


def usd(minor: int) -> Money:
    return Money(minor, "USD")


@st.composite
def items(draw: st.DrawFn) -> Item:
    """Some of them contested, wholly or in part."""
    minor = draw(st.integers(0, 10**6))
    due = draw(st.one_of(st.none(), st.integers(-60, 60).map(lambda n: DAY + timedelta(days=n))))
    contested = draw(st.one_of(st.just(0), st.integers(0, minor)))
    return Item(usd(minor), due, usd(contested))


ITEMS = st.lists(items(), max_size=8)
PAID = st.integers(0, 6 * 10**6).map(usd)


def got(done: Allocation[Item], owed: list[Item]) -> list[int]:
    by_id = {item.id: part.minor for item, part in done.parts}
    assert len(by_id) == len(done.parts)
    return [by_id.get(item.id, 0) for item in owed]


def age(item: Item) -> date:
    return item.due_date or item.effective_date


@given(PAID, ITEMS, st.data())
def test_every_way_spends_what_it_can_and_overpays_nothing(paid, owed, data):
    named = data.draw(
        st.lists(
            st.tuples(st.sampled_from(owed), st.one_of(st.none(), st.integers(0, 10**6))),
            max_size=4,
        )
        if owed
        else st.just([])
    )
    wanted = [(item.id, None if most is None else usd(most)) for item, most in named]
    whole = sum(item.uncontested.minor for item in owed)
    for done in (oldest_first(paid, owed), pro_rata(paid, owed), as_named(paid, owed, wanted)):
        parts = got(done, owed)
        assert all(0 <= part <= item.open.minor for part, item in zip(parts, owed, strict=True))
        assert min(paid.minor, whole) <= sum(parts) <= paid.minor
        assert done.unapplied == paid - usd(sum(parts))
        assert all(part for _, part in done.parts)


@given(PAID, ITEMS)
def test_what_is_contested_is_paid_only_where_the_payer_names_it(paid, owed):
    whole = sum(item.uncontested.minor for item in owed)
    for way in (oldest_first, pro_rata):
        parts = got(way(paid, owed), owed)
        assert all(a <= b.uncontested.minor for a, b in zip(parts, owed, strict=True))
        assert sum(parts) == min(paid.minor, whole)
    if owed:
        named = as_named(paid, owed, [(owed[-1].id, None)])
        assert got(named, owed)[-1] == min(paid, owed[-1].open).minor


@given(PAID, ITEMS)
def test_oldest_first_begins_no_item_before_the_older_ones_are_paid(paid, owed):
    parts = got(oldest_first(paid, owed), owed)
    for item, part in zip(owed, parts, strict=True):
        if part:
            assert all(
                got_ == one.uncontested.minor
                for one, got_ in zip(owed, parts, strict=True)
                if age(one) < age(item)
            )


@given(PAID, ITEMS)
def test_pro_rata_gives_each_its_share_within_one_minor_unit(paid, owed):
    whole = sum(item.uncontested.minor for item in owed)
    spent = min(paid.minor, whole)
    for item, part in zip(owed, got(pro_rata(paid, owed), owed), strict=True):
        exact = Fraction(spent * item.uncontested.minor, whole) if whole else Fraction(0)
        assert abs(part - exact) < 1


@given(PAID, ITEMS)
def test_whoever_names_nothing_pays_the_oldest(paid, owed):
    assert as_named(paid, owed, []) == oldest_first(paid, owed)


@given(PAID, ITEMS, st.integers(0, 2 * 10**6))
def test_paying_more_never_gives_an_item_less_oldest_first(paid, owed, more):
    less, all_ = (got(oldest_first(sum_, owed), owed) for sum_ in (paid, paid + usd(more)))
    assert all(a <= b for a, b in zip(less, all_, strict=True))


def bills(*minor: int) -> list[Item]:
    return [Item(usd(one), DAY + timedelta(days=at)) for at, one in enumerate(minor)]


def test_what_is_named_comes_first_up_to_the_sum_stated():
    owed = bills(4_000, 6_000, 10_000)
    named = [(owed[2].id, usd(2_500)), (owed[1].id, None)]
    assert got(as_named(usd(9_000), owed, named), owed) == [500, 6_000, 2_500]
    twice = [(owed[2].id, usd(2_500)), (owed[2].id, usd(1_000))]
    assert got(as_named(usd(3_500), owed, twice), owed) == [0, 0, 3_500]


def test_an_item_that_another_payment_is_under_way_for_is_left_out():
    owed = bills(4_000, 6_000)
    done = oldest_first(usd(5_000), owed, skip={owed[0].id})
    assert got(done, owed) == [0, 5_000]


def test_what_has_no_due_date_is_as_old_as_its_own_day():
    owed = [Item(usd(100), DAY + timedelta(days=1)), Item(usd(100), None)]
    assert got(oldest_first(usd(100), owed), owed) == [0, 100]


def test_equal_days_keep_their_order():
    owed = [Item(usd(100), DAY), Item(usd(100), DAY)]
    assert got(oldest_first(usd(150), owed), owed) == [100, 50]
    assert got(pro_rata(usd(1), owed), owed) == [1, 0]


@pytest.mark.parametrize(
    "way", [oldest_first, pro_rata, lambda paid, owed: as_named(paid, owed, [])]
)
def test_another_currency_and_less_than_nothing_are_refused(way):
    with pytest.raises(ValueError, match="is not paid in EUR"):
        way(Money(100, "EUR"), bills(100))
    with pytest.raises(ValueError, match="below zero"):
        way(usd(-1), bills(100))


def test_only_what_is_owed_can_be_named():
    with pytest.raises(KeyError):
        as_named(usd(100), bills(100), [(uuid.uuid4(), None)])


def test_a_part_that_is_named_leaves_the_contested_rest_alone():
    owed = [Item(usd(1_000), DAY, usd(400))]
    assert got(as_named(usd(2_000), owed, [(owed[0].id, usd(100))]), owed) == [600]
    assert got(as_named(usd(2_000), owed, [(owed[0].id, usd(700))]), owed) == [700]
    assert got(as_named(usd(2_000), owed, [(owed[0].id, usd(5_000))]), owed) == [1_000]
