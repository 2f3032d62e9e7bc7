"""Whatever happens to a service, what stands billed is what was served, day by day, and nothing is left."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from core.kernel.ids import new_id
from core.kernel.money import nearest
from core.subscriptions import changing, ending, pausing
from core.subscriptions.changing import Wish
from core.subscriptions.errors import AlreadyThere, NotRunning, SameAgain
from core.subscriptions.timeline import Phase, Timeline
from invoices.billing import comparing
from invoices.billing.comparing import Charge, Difference, Facts
from invoices.billing.standing import Line
from invoices.why import Formula

ACCOUNT, PLAN = new_id(), new_id()


@dataclass
class Account:
    """A service and the lines that were billed of it, without a database."""

    timeline: Timeline
    lines: dict[uuid.UUID, list[Line]] = field(default_factory=dict)

    def difference(self, day: date) -> Difference:
        return comparing.compare([self.timeline], Facts([self.timeline], self.lines), day)

    def bill(self, day: date) -> None:
        found = self.difference(day)
        for repair in found.repairs:
            mine = self.lines[repair.line.phase_id]
            at = next(i for i, line in enumerate(mine) if line.id == repair.line.id)
            back = (repair.change.why.days or 0) if repair.change.why else 0
            mine[at] = replace(
                mine[at],
                repaired=mine[at].repaired + repair.rated,
                credited_net=mine[at].credited_net + repair.net,
                days_back=mine[at].days_back + back,
            )
            assert mine[at].left_net >= 0
        for charge in found.charges:
            self.lines.setdefault(charge.phase.id, []).append(_line(charge))
        assert not self.difference(day), "a second run is empty"


def _line(charge: Charge) -> Line:
    why = charge.change.why
    known = why.days is not None or why.formula is Formula.QUANTITY
    return Line(
        id=new_id(),
        invoice_id=new_id(),
        line_number=1,
        phase_id=charge.phase.id,
        index=charge.index,
        meter_id=None,
        currency="USD",
        rated=charge.change.amount.minor,
        net=charge.change.amount.minor,
        served=charge.served,
        days=why.days if known else 0,
    )


def service(on: date, micros: int) -> Timeline:
    phase = Phase(
        id=new_id(),
        number=0,
        kind="paid",
        variant_id=PLAN,
        sku="P",
        name="Plan",
        tax_category="internet",
        quantity=1,
        unit_price_micros=micros,
        interval="month",
        interval_count=1,
        starts_on=on,
        cycle_from=on,
    )
    return Timeline(
        id=new_id(),
        public_id="service",
        currency="USD",
        state="active",
        payer_account_id=ACCOUNT,
        service_account_id=ACCOUNT,
        activated_on=on,
        bill_day=on.day,
        ended_on=None,
        phases=(phase,),
    )


def should_stand(timeline: Timeline, day: date) -> int:
    """Day by day: every day of a period that was begun by ``day`` and is served, at its phase's price."""
    whole = 0
    for phase, span in timeline.spans():
        cycle, at = timeline.cycle(phase), span.start
        while at < span.end and at <= day:
            period = cycle.around(at)
            served = 0
            while at < period.end and at < span.end:
                served += not timeline.rests_on(at)
                at += timedelta(days=1)
            price = Fraction(phase.unit_price_micros * phase.quantity, 10_000)
            whole += nearest(price * served / period.days)
    return whole


def _change(timeline: Timeline, day: date, number: int) -> Timeline:
    wish = Wish(PLAN, "P", "Plan", "internet", 1 + number % 5, 9_990_000 + number * 70_000, "month")
    return changing.propose(timeline, wish, day)


def _change_at_turn(timeline: Timeline, day: date, number: int) -> Timeline:
    wish = Wish(PLAN, "P", "Plan", "internet", 2 + number % 5, 19_990_000, "month")
    return changing.propose(timeline, wish, changing.next_day(timeline, day), today=day)


def _to_the_year(timeline: Timeline, day: date, number: int) -> Timeline:
    wish = Wish(PLAN, "Y", "Year", "internet", 1, 199_000_000 + number, "year")
    return changing.propose(timeline, wish, day)


def _pause(timeline: Timeline, day: date, _: int) -> Timeline:
    return replace(pausing.proposed(timeline, day), state="paused")


def _resume(timeline: Timeline, day: date, _: int) -> Timeline:
    return replace(pausing.resumed(timeline, day), state="active")


def _end(timeline: Timeline, day: date, number: int) -> Timeline:
    return ending.proposed(timeline, day + timedelta(days=number % 40))


def _nothing(timeline: Timeline, _: date, __: int) -> Timeline:
    return timeline


ACTS = (_change, _change_at_turn, _to_the_year, _pause, _resume, _end, _nothing, _nothing)


@settings(max_examples=150)
@given(
    st.dates(date(2027, 12, 1), date(2028, 3, 31)),
    st.integers(0, 90_000_000),
    st.lists(st.tuples(st.integers(0, 45), st.sampled_from(ACTS), st.integers(0, 60)), max_size=8),
)
def test_what_stands_billed_is_what_was_served(begins, micros, acts):
    account = Account(service(begins, micros))
    day = begins
    account.bill(day)
    for days, act, number in acts:
        day += timedelta(days=days)
        if days:
            account.bill(day)  # the night before comes first
        try:
            account.timeline = act(account.timeline, day, number)
        except (AlreadyThere, NotRunning, SameAgain):
            continue
        account.bill(day)
    stands = sum(line.rated - line.repaired for mine in account.lines.values() for line in mine)
    assert stands == should_stand(account.timeline, day)
