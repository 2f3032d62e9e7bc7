"""A service from its order to its last day: what is agreed, what may be used, what is billed, who is told."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import select

from app import worker
from core.entitlements import asking, locking
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import Forbidden, NotFound, StaleState
from core.kernel.jobs import Job
from core.kernel.money import Money
from core.notices.models import Notice
from core.orders import placing
from core.parties.models import Account
from core.prices.models import Plan
from core.subscriptions import reading
from core.subscriptions.errors import AlreadyThere, NoSuchMeter, NotRunning, OtherFamily, TermRuns
from core.subscriptions.models import Subscription
from flows import (
    activate_service,
    bill_account,
    change_service,
    confirm_order,
    end_services,
    record_usage,
)
from flows.change_service import BillMoved, NotBillable
from flows.hold_service import Asked
from flows.house import House
from flows.record_usage import Told
from flows.wish_service import Wanted
from invoices.billing import parking
from invoices.models import Invoice
from payments.gateway import Gateway
from tests import serving
from tests import world as worlds
from tests.rooms.orders import desk as orders
from tests.serving import BY, Plans
from tests.shop import make_house
from tests.world import World

DAY = timedelta(days=1)
TODAY = date(2026, 11, 17)


@dataclass
class Street:
    """Riley's account with a line, at Fernway's."""

    house: House
    clock: ManualClock
    world: World
    plans: Plans
    account: Account
    public_id: str

    @property
    def asked(self) -> Asked:
        """By staff."""
        return Asked(self.public_id, BY)

    def by(self, **accounts: bool) -> Asked:
        """By a customer who may change what the account has, or only see it."""
        return Asked(
            self.public_id, "user:riley", {self.account.id: accounts.get("may_change", True)}
        )

    def row(self) -> Subscription:
        with self.house.db.reading() as session:
            return reading.by_public_id(session, self.public_id)

    def invoices(self) -> list[Invoice]:
        with self.house.db.reading() as session:
            return list(session.scalars(select(Invoice).order_by(Invoice.issued_at, Invoice.id)))

    def may_use(self, feature: str = "internet") -> bool:
        with self.house.db.reading() as session:
            return asking.may_use(session, self.account.id, feature).allowed

    def mails(self) -> list[str]:
        """The subjects of what was written about services, after the worker was there."""
        worker.drain(self.house)
        with self.house.db.reading() as session:
            assert not session.scalars(select(Job).where(Job.state == "dead")).all()
            rows = session.scalars(
                select(Notice).where(Notice.template == "service").order_by(Notice.id)
            )
            return [row.subject for row in rows]

    def pass_days(self, days: int) -> date:
        self.clock.advance(timedelta(days=days))
        return TODAY + timedelta(days=(self.clock.now().date() - TODAY).days)


@pytest.fixture
def street(db: Database, clock: ManualClock, world: World, tmp_path: Path) -> Street:
    """A line that was ordered, paid for by nobody, and begins today."""
    house = make_house(db, clock, tmp_path, cast(Gateway, None))
    with db.transaction() as session:
        plans = serving.offer(session, world, clock.now())
        account = worlds.account(session, world, clock.now())
        made = serving.ordered(session, world, account, plans.stream, clock.now())
    street = Street(house, clock, world, plans, account, made.public_id)
    activate_service.activate(house, street.asked, TODAY)
    return street


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def billed(street: Street) -> list[tuple[str, int]]:
    return [(one.kind, one.total_minor) for one in street.invoices()]


# --- beginning -------------------------------------------------------------------------------------


def test_staff_activate_a_line_when_it_works(street: Street):
    assert street.row().activated_on == TODAY
    assert street.may_use()
    assert street.mails() == ["Stream is running"]
    with pytest.raises(AlreadyThere):
        activate_service.activate(street.house, street.asked, TODAY)
    assert street.mails() == ["Stream is running"]


def test_a_digital_plan_begins_with_its_order(street: Street):
    def confirm(session):
        order = orders.write(
            session,
            street.world,
            street.account.id,
            street.clock.now(),
            (street.plans.backup, 1),
            (street.plans.brook, 1),
        )
        lines = placing.lines_of(session, order.id)
        for line in lines:
            line.charge_kind = "monthly"
        session.flush()
        confirm_order.confirm(session, street.house, order, "paid", lines)

    street.house.db.run_tx(confirm)
    with street.house.db.reading() as session:
        states = session.scalars(
            select(Subscription.state)
            .where(Subscription.public_id != street.public_id)
            .order_by(Subscription.state)
        ).all()
    assert states == ["active", "ordered"]
    assert street.may_use("backup")


# --- changing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_period_end", [False, True])
def test_a_change_is_billed_as_it_was_shown(street: Street, at_period_end: bool):
    bill(street)
    street.pass_days(10)
    wanted = Wanted(street.plans.brook.sku, 2, at_period_end=at_period_end)
    shown = change_service.preview_change(street.house, street.asked, wanted)
    before = billed(street)
    done = change_service.change(street.house, street.asked, wanted, shown.bill.total)
    charged = sum(one.total_minor for one in done.billed.invoices)
    given = sum(one.total_minor for one in done.billed.memos)
    assert charged - given == shown.bill.total.minor
    assert [days for _, days in done.timeline.spans()] == [d for _, d in shown.after.spans()]
    assert shown.on == (date(2026, 12, 17) if at_period_end else date(2026, 11, 27))
    assert (len(billed(street)) == len(before)) == at_period_end
    again = change_service.preview_pause(street.house, street.asked, None).bill
    assert not [line for line in again.charges if line.public_id == street.public_id]
    assert street.mails()[-1] == "Your service changes to Brook × 2"


def bill(street: Street) -> None:
    """As the night does."""
    as_of = street.pass_days(0)
    billed_ = bill_account.bill(street.house, street.row().payer_account_id, as_of, "system")
    assert not billed_.parked


def test_what_was_seen_is_what_is_agreed_or_nothing_is(street: Street):
    wanted = Wanted(street.plans.brook.sku, 1, at_period_end=False)
    with pytest.raises(BillMoved) as caught:
        change_service.change(street.house, street.asked, wanted, usd("1.00"))
    assert caught.value.expected_minor == 100
    assert len(reading_of(street).phases) == 1
    assert street.invoices() == []


def reading_of(street: Street):
    with street.house.db.reading() as session:
        return reading.timeline(session, street.row().id)


def test_a_new_plan_waits_while_the_payers_bills_wait_but_an_end_does_not(street: Street):
    with street.house.db.transaction() as session:
        parking.park(session, street.account.id, ValueError("odd"), TODAY, BY, street.clock.now())
    wanted = Wanted(street.plans.brook.sku, 1, at_period_end=False)
    with pytest.raises(NotBillable):
        change_service.change(street.house, street.asked, wanted)
    change_service.end(street.house, street.asked, "moving", "", at_period_end=False)
    assert street.row().state == "ended"


def test_only_what_is_of_the_family_and_has_a_price_can_be_had(street: Street):
    for sku, kind in ((street.plans.backup.sku, OtherFamily), ("NOTHING", NotFound)):
        with pytest.raises(kind):
            change_service.preview_change(street.house, street.asked, Wanted(sku, 1, False))


def test_a_scheduled_plan_moves_what_may_be_used_on_its_day(street: Street):
    with street.house.db.transaction() as session:
        plan = session.scalars(
            select(Plan).where(Plan.variant_id == street.plans.brook.variant_id)
        ).one()
        plan.features = ["slow"]
    wanted = Wanted(street.plans.brook.sku, 1, at_period_end=True)
    change_service.change(street.house, street.asked, wanted)
    assert (street.may_use(), street.may_use("slow")) == (True, False)
    assert end_services.run(street.house).seen == 0
    street.pass_days(30)
    assert end_services.run(street.house).seen == 1
    assert (street.may_use(), street.may_use("slow")) == (False, True)
    assert end_services.run(street.house).seen == 0, "what is done is not looked at again"


def test_a_change_ahead_can_be_kept_away(street: Street):
    bill(street)
    wanted = Wanted(street.plans.brook.sku, 1, at_period_end=True)
    change_service.change(street.house, street.asked, wanted)
    done = change_service.keep(street.house, street.asked)
    assert [phase.sku for phase in done.timeline.phases] == [street.plans.stream.sku]
    assert street.mails()[-1] == "Stream stays as it is"


# --- resting ---------------------------------------------------------------------------------------


def test_days_of_rest_are_given_back_and_the_service_comes_back_by_itself(street: Street):
    bill(street)
    day = street.pass_days(3)
    until = day + 10 * DAY
    shown = change_service.preview_pause(street.house, street.asked, until)
    done = change_service.pause(street.house, street.asked, "away", "", until)
    assert -sum(one.total_minor for one in done.billed.memos) == shown.bill.total.minor < 0
    assert not street.may_use()
    street.pass_days(10)
    assert end_services.run(street.house).changed == 1
    assert street.row().state == "active"
    assert street.may_use()
    assert end_services.run(street.house).changed == 0
    assert street.mails()[-2:] == ["Stream is paused", "Stream is running again"]


def test_a_service_that_is_resumed_is_unlocked_unless_it_is_locked_for_more(street: Street):
    change_service.pause(street.house, street.asked, "away", "", None)
    with street.house.db.transaction() as session:
        row = reading.lock(session, street.row().id)
        locking.lock(session, row, "past_due", BY, street.clock.now())
    change_service.resume(street.house, street.asked)
    assert not street.may_use()
    with street.house.db.transaction() as session:
        row = reading.lock(session, street.row().id)
        locking.unlock(session, row, "past_due", BY, street.clock.now())
    assert street.may_use(), "the pause's own lock went with the pause"


# --- ending ----------------------------------------------------------------------------------------


def test_an_end_today_gives_back_the_days_that_are_left(street: Street):
    bill(street)
    street.pass_days(15)
    shown = change_service.preview_end(street.house, street.asked, at_period_end=False)
    done = change_service.end(street.house, street.asked, "moving", "Maine", at_period_end=False)
    assert shown.bill.total == usd("-14.50")
    assert -sum(one.total_minor for one in done.billed.memos) == -1450
    assert (street.row().state, street.may_use()) == ("ended", False)
    assert street.mails()[1:] == ["Stream has ended"]
    with pytest.raises(NotRunning):
        change_service.end(street.house, street.asked, "moving", "", at_period_end=False)


def test_an_end_with_the_period_comes_on_its_day(street: Street):
    bill(street)
    done = change_service.end(street.house, street.asked, "unhappy", "", at_period_end=True)
    assert (done.billed.invoices, done.billed.memos) == ((), ())
    assert street.row().ended_on == date(2026, 12, 17)
    assert street.mails()[1:] == ["Stream will end"]
    street.pass_days(29)
    assert end_services.run(street.house).changed == 0
    assert street.may_use()
    street.pass_days(1)
    assert end_services.run(street.house).changed == 1
    assert (street.row().state, street.may_use()) == ("ended", False)
    assert street.mails()[1:] == ["Stream will end", "Stream has ended"]


def test_who_agreed_to_a_term_stays_for_it_but_staff_may_let_them_go(street: Street):
    with street.house.db.transaction() as session:
        session.get_one(Subscription, street.row().id).term_months = 12
    mine = street.by()
    with pytest.raises(TermRuns) as caught:
        change_service.end(street.house, mine, "moving", "", at_period_end=False)
    assert caught.value.until == date(2027, 11, 17)
    shown = change_service.preview_end(street.house, mine, at_period_end=True)
    assert shown.on == date(2027, 11, 17)
    change_service.end(street.house, street.asked, "moving", "", at_period_end=False)
    assert street.row().state == "ended"


# --- who may, and who pays -------------------------------------------------------------------------


def test_owners_change_and_others_look_on_or_see_nothing(street: Street):
    with pytest.raises(Forbidden):
        change_service.keep(street.house, street.by(may_change=False))
    with pytest.raises(Forbidden):
        change_service.preview_pause(street.house, street.by(may_change=False), None)
    with pytest.raises(NotFound):
        change_service.keep(street.house, replace(street.by(), accounts={}))
    change_service.pause(street.house, street.by(), "away", "", None)


def test_a_page_of_yesterday_changes_nothing(street: Street):
    seen = replace(street.asked, revision=street.row().revision)
    change_service.pause(street.house, seen, "away", "", None)
    with pytest.raises(StaleState):
        change_service.resume(street.house, seen)


def test_who_paid_until_now_is_billed_until_now(street: Street):
    with street.house.db.transaction() as session:
        payer = worlds.account(session, street.world, street.clock.now(), name="June Ash")
    change_service.set_payer(street.house, street.asked, payer.number)
    (first,) = street.invoices()
    assert first.payer_account_id == street.account.id
    street.pass_days(30)
    bill(street)
    assert [one.payer_account_id for one in street.invoices()] == [street.account.id, payer.id]
    assert street.mails()[-2:] == ["Stream has another payer"] * 2
    with pytest.raises(NotFound):
        change_service.set_payer(street.house, street.asked, "000000000")


# --- usage -----------------------------------------------------------------------------------------


def test_usage_is_told_by_the_name_of_its_meter(street: Street):
    told = Told(street.public_id, "moved", "a", Decimal(1), street.clock.now())
    with pytest.raises(NoSuchMeter):
        record_usage.record(street.house, told, "test")
    with pytest.raises(NoSuchMeter):
        record_usage.record(street.house, replace(told, meter="smiles"), "test")
    with pytest.raises(NotFound):
        record_usage.record(street.house, replace(told, public_id="0" * 32), "test")
