"""An ordered service is begun by a system outside: at once, after tries, or by a person; and only once."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import select, update

from app import worker
from app.provisioners import Pretend
from cart.checkout import Details
from core.entitlements import asking
from core.kernel import audit, crash
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import StaleState
from core.kernel.jobs import Job
from core.notices.models import Notice
from core.orders import provisioning
from core.orders.models import Order, OrderLine
from core.orders.provisioning import ByHand, NotProvisioned, Provisioned, Provisioning, Wanted
from core.prices.models import Plan
from core.subscriptions.errors import WrongDay
from core.subscriptions.models import Subscription
from flows import activate_service, change_service, provision_service
from flows.hold_service import Asked
from flows.house import House
from flows.place_order import Placed, Wish, place
from flows.verify import verify
from payments.gateway import Gateway
from tests.paying import fill_cart
from tests.shop import make_house
from tests.world import ADDRESS, World

SKU = "FW-RIVER-100"


@dataclass
class Exchange:
    """A system that begins services: it keeps to its keys, and can be told to refuse or to be busy."""

    says: list[NotProvisioned] = field(default_factory=list)
    begun: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    def provision(self, wanted: Wanted) -> Provisioned:
        self.asked += 1
        if self.says:
            raise self.says.pop(0)
        reference = self.begun.setdefault(wanted.key, f"X-{len(self.begun) + 1}")
        return Provisioned(reference)


BUSY = NotProvisioned("The exchange does not answer.", again=True)
REFUSED = NotProvisioned("No line leads to this place.")


@dataclass
class Street:
    """A shop whose line is begun by an exchange."""

    house: House
    clock: ManualClock
    exchange: Exchange

    def order(self) -> Placed:
        details = Details("riley@example.com", dict(ADDRESS), None, "invoice")
        return place(self.house, Wish(fill_cart(self.house, SKU), details))

    def drain(self, later: timedelta = timedelta()) -> None:
        self.clock.advance(later)
        provision_service.run(self.house)
        worker.drain(self.house)

    def row(self) -> Provisioning:
        with self.house.db.reading() as session:
            return session.scalars(select(Provisioning)).one()

    def service(self) -> Subscription:
        with self.house.db.reading() as session:
            return session.scalars(select(Subscription)).one()

    def fulfilled(self) -> int:
        with self.house.db.reading() as session:
            return session.scalars(
                select(OrderLine.fulfilled).where(OrderLine.subscription_id.is_not(None))
            ).one()

    def mails(self) -> list[str]:
        with self.house.db.reading() as session:
            found = session.scalars(select(Notice.subject).where(Notice.template == "service"))
            return list(found)

    def sound(self) -> None:
        found = list(verify(self.house.db, self.house.clock))
        assert [one.offenders for one in found if not one.holds] == []
        with self.house.db.reading() as session:
            assert session.scalars(select(Job).where(Job.state == "dead")).all() == []

    def done_once(self) -> None:
        """It began, once, and everybody knows."""
        row, service = self.row(), self.service()
        assert (row.state, service.state, self.fulfilled()) == ("done", "active", 1)
        assert row.began_on == service.activated_on
        assert len(self.exchange.begun) <= 1
        with self.house.db.reading() as session:
            assert asking.may_use(session, service.service_account_id, "internet").allowed
        assert self.mails() == ["River 100 is running"]
        self.sound()


@pytest.fixture
def street(db: Database, clock: ManualClock, world: World, tmp_path: Path) -> Street:
    exchange = Exchange()
    house = make_house(db, clock, tmp_path, cast(Gateway, None))
    with db.transaction() as session:
        session.execute(update(Plan).values(activation="by_system", features=["internet"]))
    return Street(replace(house, provisioner=exchange), clock, exchange)


def test_the_system_begins_it_and_its_customer_hears_so(street: Street):
    street.order()
    assert (street.row().state, street.service().state) == ("waiting", "ordered")
    street.drain()
    assert (street.row().reference, street.row().closed_by) == ("X-1", "system")
    street.done_once()
    street.drain(timedelta(days=1))
    assert street.exchange.asked == 1


def test_it_is_tried_again_by_a_schedule_and_then_left_to_a_person(street: Street):
    street.exchange.says = [BUSY] * 6
    street.order()
    street.drain()
    for number, after in enumerate(provisioning.RETRY_AFTER, start=1):
        row = street.row()
        assert (row.state, row.tries, row.next_at) == (
            "waiting",
            number,
            street.clock.now() + after,
        )
        street.drain(after - timedelta(seconds=1))
        assert street.exchange.asked == number, "not before its time"
        street.drain(timedelta(seconds=1))
    assert (street.row().state, street.row().trouble) == ("failed", "The exchange does not answer.")
    street.sound()
    provision_service.try_again(street.house, street.row().public_id, "user:kim")
    with pytest.raises(StaleState):
        provision_service.try_again(street.house, street.row().public_id, "user:kim")
    street.drain()
    assert (street.row().round, street.row().tries) == (2, 0)
    street.done_once()


def test_what_it_refuses_is_done_by_hand_on_a_day(street: Street):
    street.exchange.says = [REFUSED]
    street.order()
    street.drain()
    row, today = street.row(), street.clock.now().date()
    assert (row.state, street.exchange.asked) == ("failed", 1)
    with pytest.raises(WrongDay):
        provision_service.by_hand(
            street.house, row.public_id, today + timedelta(days=1), "", "user:kim"
        )
    provision_service.by_hand(street.house, row.public_id, today, "Went there.", "user:kim")
    with pytest.raises(StaleState):
        provision_service.try_again(street.house, row.public_id, "user:kim")
    street.drain()
    row = street.row()
    assert (row.closed_by, row.note, row.reference) == ("user:kim", "Went there.", "")
    street.done_once()
    with street.house.db.reading() as session:
        acts = session.scalars(
            select(audit.AuditEntry.act).where(audit.AuditEntry.subject_id == row.public_id)
        ).all()
    assert sorted(acts) == ["provisioning.done_by_hand", "provisioning.failed"]


def test_without_a_system_a_person_is_asked(street: Street):
    street.house = replace(street.house, provisioner=ByHand())
    street.order()
    street.drain()
    assert (street.row().state, "do it by hand" in street.row().trouble) == ("failed", True)


def test_the_pretend_system_refuses_and_is_busy_for_what_it_is_told():
    wanted = Wanted("k" * 32, "A", "A", 1, "O-1", "1")
    assert Pretend().provision(wanted).reference == "X-kkkkkkkk"
    for pretend, again in ((Pretend(["A"]), False), (Pretend(busy=["A"]), True)):
        with pytest.raises(NotProvisioned) as refused:
            pretend.provision(wanted)
        assert refused.value.again == again


def _activated_at_its_page(street: Street, placed: Placed) -> None:
    asked = Asked(street.service().public_id, "user:kim")
    activate_service.activate(street.house, asked, street.clock.now().date())


def _given_up(street: Street, placed: Placed) -> None:
    asked = Asked(street.service().public_id, "user:kim")
    change_service.end(street.house, asked, "moving", "", at_period_end=False)


@pytest.mark.parametrize("how", [_activated_at_its_page, _given_up])
def test_what_began_or_ended_otherwise_is_not_asked_for(
    street: Street, how: Callable[[Street, Placed], None]
):
    placed = street.order()
    how(street, placed)
    street.drain()
    expected = "done" if how is _activated_at_its_page else "dropped"
    assert (street.row().state, street.exchange.asked) == (expected, 0)
    street.drain(timedelta(days=1))
    street.sound()


@pytest.mark.parametrize(
    "point",
    ["provision.before_call", "provision.called", "provision.before_commit", "job.before_finish"],
)
def test_a_crash_neither_loses_nor_doubles_it(street: Street, point: str):
    street.order()
    with crash.crash_at(point):
        worker.drain(street.house)
    street.drain(timedelta(minutes=10))
    assert street.exchange.asked <= 2
    street.done_once()


def test_verify_names_what_is_provided_and_has_not_begun(street: Street):
    street.order()
    street.drain()
    with street.house.db.transaction() as session:
        session.execute(update(OrderLine).values(fulfilled=0))
        session.execute(update(Order).values(lifecycle="confirmed", fulfilment="unfulfilled"))
    (wrong,) = [one for one in verify(street.house.db, street.house.clock) if one.number == 11]
    assert any("is not as it is provided" in one for one in wrong.offenders)
    assert any("at the system outside" in one for one in wrong.offenders)
