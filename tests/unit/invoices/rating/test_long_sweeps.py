"""Long sweeps of the rating, under ``./shop test --long``: every anchor, long lives of subscriptions."""

import random
from calendar import monthrange
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.kernel.calendar import Cycle, Period
from core.kernel.money import Money
from core.revenue.schedules import by_equal_months, by_service_days
from invoices.rating.changes import Billed, Wanted, compare
from invoices.rating.due import Terms, lines_due, wanted
from invoices.rating.proration import Recurring, Service, prorate

pytestmark = pytest.mark.long

ZERO = Money.zero("USD")
SEEDS = range(40)
STEPS = 250


@pytest.mark.parametrize("months", [1, 3, 6, 12])
def test_every_anchor_of_four_years_keeps_its_day_for_sixty(months: int):
    first = date(2023, 1, 1)
    for step in range(4 * 365 + 1):
        anchor = first + timedelta(days=step)
        cycle, before = Cycle.anchored(anchor, months), None
        for index in range(-120 // months, 720 // months):
            found = cycle.bill_day(index)
            length = monthrange(found.year, found.month)[1]
            assert found.day == min(anchor.day, length)
            assert before is None or 28 * months <= (found - before).days <= 31 * months
            assert cycle.index_of(found) == index
            assert cycle.index_of(found - timedelta(days=1)) == index - 1
            before = found


class Life:
    """A subscription whose plan, end and pauses change at random; bill runs come on random days."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.day = date(2024, 1, 1) + timedelta(days=dice.randrange(400))
        cycle = Cycle.on_day(dice.randint(1, 31), self.day, dice.choice([1, 1, 1, 3, 12]))
        self.terms = Terms("plan", self.price(), cycle, self.day, in_advance=dice.random() < 0.8)
        self.have: list[Billed] = []
        self.goodwill = ZERO

    def price(self) -> Recurring:
        quantity = self.dice.choice([Decimal(1), Decimal(3), Decimal("2.5")])
        return Recurring(self.dice.randrange(0, 2 * 10**9), "USD", quantity)

    def step(self) -> None:
        act = self.dice.choice(
            [self.wait, self.wait, self.reprice, self.end, self.go_on, self.rest, self.be_kind]
        )
        act()
        self.bill()

    def wait(self) -> None:
        self.day += timedelta(days=self.dice.randrange(45))

    def reprice(self) -> None:
        self.terms = replace(self.terms, price=self.price())

    def end(self) -> None:
        ends = self.day + timedelta(days=self.dice.randrange(-60, 60))
        self.terms = replace(self.terms, ends=max(ends, self.terms.starts))

    def go_on(self) -> None:
        self.terms = replace(self.terms, ends=None)

    def rest(self) -> None:
        start = self.day + timedelta(days=self.dice.randrange(-40, 20))
        pause = Period(start, start + timedelta(days=self.dice.randrange(1, 20)))
        self.terms = replace(self.terms, pauses=(*self.terms.pauses[-3:], pause))

    def be_kind(self) -> None:
        """A credit of another kind, never more than is left."""
        if not self.have:
            return
        at = self.dice.randrange(len(self.have))
        one = self.have[at]
        gift = Money(self.dice.randint(0, one.left.minor), "USD")
        self.have[at] = replace(one, adjusted=one.adjusted + gift)
        self.goodwill += gift

    def bill(self) -> None:
        aims = {line.key: line for line in self.aims()}
        for change in lines_due(self.terms, self.have, self.day):
            if change.repairs is None:
                aim, line = aims[change.key], f"line {len(self.have) + 1}"
                new = Billed(line, change.key, aim.price, aim.service, change.amount, ZERO, ZERO)
                self.have.append(new)
            else:
                (at,) = [n for n, one in enumerate(self.have) if one.line == change.repairs]
                one = self.have[at]
                assert -change.amount <= one.left
                self.have[at] = replace(one, repaired=one.repaired - change.amount)
        assert lines_due(self.terms, self.have, self.day) == ()

    def aims(self) -> list[Wanted]:
        ends = [line.service.served.end for line in self.have]
        reached = max([self.day, *ends])
        return wanted(self.terms, reached)

    def holds(self) -> None:
        due = {line.key: line.rated.amount.minor for line in self.aims()}
        keys = {line.key for line in self.have}
        asked = sum(due.get(key, 0) for key in keys)
        stands = sum(line.stands.minor for line in self.have)
        assert asked <= stands <= asked + self.goodwill.minor
        assert all(line.left.minor >= 0 for line in self.have)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_subscription_of_many_changes_is_billed_what_its_last_terms_say(seed: int):
    life = Life(random.Random(f"rating {seed}"))
    for _ in range(STEPS):
        life.step()
        life.holds()


def test_schedules_of_every_length_end_exactly():
    dice = random.Random("schedules")
    for days in range(1, 1_500):
        starts = date(2024, 1, 1) + timedelta(days=dice.randrange(1_500))
        amount = Money(dice.randrange(-(10**7), 10**9), "USD")
        served = Period(starts, starts + timedelta(days=days))
        for schedule in (
            by_service_days(amount, served),
            by_equal_months(amount, starts, 1 + days % 120),
        ):
            assert sum(earned.amount.minor for earned in schedule) == amount.minor


def test_every_part_of_every_month_and_year_sums_with_what_is_given_back():
    dice = random.Random("parts")
    for months in (1, 12):
        for month in range(48):
            period = Cycle.anchored(date(2023, 1, 31), months).period(month)
            price = Recurring(dice.randrange(10**10), "USD")
            one = Wanted("plan", price, Service.whole(period))
            line = Billed("line", "plan", price, one.service, one.rated.amount, ZERO, ZERO)
            for step in range(period.days + 1):
                cut = one.service.before(period.start + timedelta(days=step))
                changes = compare([line], [Wanted("plan", price, cut)])
                taken = sum(change.amount.minor for change in changes)
                assert line.amount.minor + taken == prorate(price, cut).amount.minor
