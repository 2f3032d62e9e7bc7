"""Work, plans and bundles are added to a placed order: billed as at placing, begun as at placing, and what is
shown before is what is posted."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from cart.additions import NotAdded, NumberToChoose
from core.catalog.models import Variant
from core.kernel import crash
from core.kernel.clock import ManualClock
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import chargebacks, items
from core.ledger.chargebacks import Chargeback
from core.ledger.writeoffs import WriteOff
from core.orders.fulfilment_models import OrderChange
from core.orders.models import Order, OrderLine
from core.orders.provisioning import Provisioning
from core.prices.models import Plan
from core.subscriptions.models import Subscription
from flows import (
    activate_service,
    begin_added,
    bill_account,
    change_order,
    correct_invoice,
    correct_payment,
    end_services,
    ship_order,
    take_back,
)
from flows.add_goods import AwaitsPayment
from flows.correct_invoice import Correction
from flows.edits import Added, Edits
from flows.hold_service import Asked as Held
from flows.house import House
from flows.pay_bill import pay_order
from flows.settle_payment import settle
from flows.ship_order import Done
from flows.take_back import Asked
from invoices.models import Invoice, InvoiceLine
from payments.models import Payment, PaymentOperation
from tests import packs
from tests.changing import (
    assert_sound,
    bought,
    changed,
    every,
    level,
    lines_of,
    number,
    on_terms,
    order_of,
    owed,
    paid_back,
    posted,
    seen,
)
from tests.packs import Inside
from tests.paying import CARD, drain, usd
from tests.sandbox_process import SandboxProcess
from tests.world import World

BY = "user:ada"
PLAN, VISIT = "FW-RIVER-100", "FW-VISIT"


def _begins(house: House, how: str) -> None:
    with house.db.transaction() as session:
        session.execute(update(Plan).values(activation=how))


def _service(house: House) -> Subscription:
    (found,) = every(house, Subscription)
    assert isinstance(found, Subscription)
    return found


def _added(house: House, order: Order) -> dict[str, OrderLine]:
    return {line.sku: line for line in lines_of(house, order) if line.change_id is not None}


def _pay(house: House, sandbox: SandboxProcess, order: Order) -> None:
    """The customer pays what is open of the order's bills, by its link."""
    sandbox.pay(pay_order(house, order.id), CARD)
    for operation in every(house, PaymentOperation, PaymentOperation.state == "sent"):
        assert settle(house, operation.id) == "succeeded"
    drain(house)


def test_a_plan_is_billed_for_its_first_period_and_begins_when_it_is_connected(
    house: House, world: World
):
    order = on_terms(house, {"FW-RT-6": 1})
    plan, change = changed(house, order, Edits(added=[Added(PLAN, 2)]))
    assert posted(house, change) == (plan.back, plan.more)
    assert [line.sku for line in plan.added] == [PLAN]
    assert [(one.amount, one.interval, one.name) for one in plan.recurring] == [
        (usd(9000), "month", "River 100")
    ]
    line, service = _added(house, order)[PLAN], _service(house)
    assert (line.subscription_id, line.period_index, line.waiting) == (service.id, 0, 2)
    assert (service.state, service.payer_account_id) == ("ordered", order.payer_account_id)
    (billed,) = every(house, InvoiceLine, InvoiceLine.order_line_id == line.id)
    assert (billed.period_index, billed.net_minor) == (0, 9000)
    assert_sound(house)
    today = house.clock.now().date()
    activate_service.activate(house, Held(service.public_id, BY), today)
    assert _service(house).state == "active"
    assert _added(house, order)[PLAN].fulfilled == 2
    assert_sound(house)


def test_what_begins_at_once_begins_with_the_change_of_an_order_on_terms(
    house: House, world: World
):
    _begins(house, "at_once")
    order = on_terms(house, {"FW-RT-6": 1})
    changed(house, order, Edits(added=[Added(PLAN)]))
    assert _service(house).state == "active"
    assert _added(house, order)[PLAN].fulfilled == 1
    assert begin_added.run(house) == 0
    assert_sound(house)


def test_what_a_system_begins_is_asked_for_once(house: House, world: World):
    _begins(house, "by_system")
    order = on_terms(house, {"FW-RT-6": 1})
    changed(house, order, Edits(added=[Added(PLAN)]))
    (asked,) = every(house, Provisioning)
    assert asked.order_line_id == _added(house, order)[PLAN].id
    assert begin_added.run(house) == 0
    drain(house)
    assert len(every(house, Provisioning)) == 1
    assert_sound(house)


@pytest.mark.parametrize("how", ["at_once", "by_system", "by_hand"])
def test_of_an_order_paid_at_once_it_begins_when_its_bill_is_paid(
    house: House, sandbox: SandboxProcess, world: World, how: str
):
    _begins(house, how)
    order = bought(house, sandbox, {"FW-RT-6": 1})
    plan, _ = changed(house, order, Edits(added=[Added(PLAN), Added(VISIT)]))
    drain(house)
    assert owed(house, order) == plan.difference.minor > 0
    service, today = _service(house), house.clock.now().date()
    assert begin_added.run(house) == 0
    assert service.state == "ordered"
    with pytest.raises(AwaitsPayment):
        activate_service.activate(house, Held(service.public_id, BY), today)
    visit = _added(house, order)[VISIT].line_number
    with pytest.raises(AwaitsPayment):
        ship_order.provide(house, Done(order.public_id, {visit: 1}, BY, "v1"))
    assert every(house, Provisioning) == []
    _pay(house, sandbox, order)
    assert begin_added.run(house) == (0 if how == "by_hand" else 1)
    assert begin_added.run(house) == 0
    drain(house)
    if how == "by_hand":
        activate_service.activate(house, Held(service.public_id, BY), today)
    asked = every(house, Provisioning)
    assert [one.state for one in asked] == ([] if how != "by_system" else [asked[0].state])
    assert _service(house).state == ("ordered" if how == "by_system" else "active")
    ship_order.provide(house, Done(order.public_id, {visit: 1}, BY, "v1"))
    assert _added(house, order)[VISIT].fulfilled == 1
    assert_sound(house)


def _bill_of_a_plan(house: House, sandbox: SandboxProcess, how: str) -> tuple[Order, Invoice]:
    _begins(house, how)
    order = bought(house, sandbox, {"FW-RT-6": 1})
    _, change = changed(house, order, Edits(added=[Added(PLAN), Added(VISIT)]))
    drain(house)
    (bill,) = every(house, Invoice, Invoice.order_change_id == change.id)
    assert isinstance(bill, Invoice)
    return order, bill


@pytest.mark.parametrize("how", ["at_once", "by_system"])
def test_nothing_begins_by_itself_when_its_bill_was_taken_back(
    house: House, sandbox: SandboxProcess, world: World, how: str
):
    _, bill = _bill_of_a_plan(house, sandbox, how)
    correct_invoice.void(house, bill.public_id, "v1", BY, refunded=True)
    drain(house)
    assert begin_added.run(house) == 0
    assert (_service(house).state, every(house, Provisioning)) == ("ordered", [])
    # Somebody may begin it all the same.
    today = house.clock.now().date()
    activate_service.activate(house, Held(_service(house).public_id, BY), today)
    assert _service(house).state == "active"
    assert_sound(house)


def test_nothing_begins_by_itself_when_its_bill_was_written_off(
    house: House, sandbox: SandboxProcess, world: World
):
    _, bill = _bill_of_a_plan(house, sandbox, "at_once")
    owed_ = Money(bill.total_minor, "USD")
    correct_payment.ask_write_off(house, bill.public_id, owed_, "uncollectible", BY)
    (asked,) = every(house, WriteOff)
    correct_payment.decide_write_off(house, asked.id, approved=True, by="user:bob")
    drain(house)
    assert begin_added.run(house) == 0
    assert _service(house).state == "ordered"
    assert_sound(house)


def test_nothing_begins_by_itself_while_its_payment_is_charged_back(
    house: House, sandbox: SandboxProcess, world: World
):
    order, bill = _bill_of_a_plan(house, sandbox, "at_once")
    _pay(house, sandbox, order)
    (paid,) = every(house, Payment, Payment.order_id.is_(None))
    now = house.clock.now()
    with house.db.transaction() as session:
        owed_ = Money(bill.total_minor, "USD")
        taken = Chargeback(new_id(), paid.id, owed_, Money.zero("USD"))
        assert chargebacks.begin(session, taken, now.date(), now)
    assert begin_added.run(house) == 0
    with house.db.transaction() as session:
        assert chargebacks.win(session, taken.id, Money.zero("USD"), now.date(), now)
    assert begin_added.run(house) == 1
    assert _service(house).state == "active"


def test_a_courtesy_on_its_bill_lets_it_begin_once_the_rest_is_paid(
    house: House, sandbox: SandboxProcess, world: World
):
    order, bill = _bill_of_a_plan(house, sandbox, "at_once")
    lines = {
        line.sku: line for line in every(house, InvoiceLine, InvoiceLine.invoice_id == bill.id)
    }
    # The visit is credited in full, the plan in part: only what is left of the bill is paid.
    parts = {lines[VISIT].line_number: lines[VISIT].net_minor, lines[PLAN].line_number: 500}
    asked = Correction(bill.public_id, parts, "goodwill", "g1", BY)
    correct_invoice.credit(house, asked)
    drain(house)
    assert begin_added.run(house) == 0
    _pay(house, sandbox, order)
    assert begin_added.run(house) == 1
    assert _service(house).state == "active"
    assert_sound(house)


def test_what_is_credited_pays_for_it_and_then_it_begins_with_the_change(
    house: House, sandbox: SandboxProcess, world: World
):
    _begins(house, "at_once")
    order = bought(house, sandbox, {"FW-RT-6": 2})
    router = number(house, order, "FW-RT-6")
    plan, change = changed(house, order, Edits({router: 1}, added=[Added(PLAN)]))
    assert plan.difference < usd(0)
    assert posted(house, change) == (plan.back, plan.more)
    assert _service(house).state == "active"
    drain(house)
    assert paid_back(house, order) == -plan.difference.minor
    assert_sound(house)


def test_more_of_work_and_another_thing_instead_of_it(house: House, world: World):
    order = on_terms(house, {"FW-RT-6": 1, VISIT: 1})
    visit = number(house, order, VISIT)
    plan, change = changed(house, order, Edits({visit: 3}))
    assert [(line.sku, line.quantity) for line in plan.added] == [(VISIT, 2)]
    assert plan.removed == []
    assert posted(house, change) == (plan.back, plan.more)
    plan, change = changed(house, order, Edits({}, {visit: "FW-CAM-1"}), once="s2")
    assert posted(house, change) == (plan.back, plan.more)
    assert_sound(house)


def _packed(house: House, world: World) -> None:
    with house.db.transaction() as session:
        inside = [
            Inside(world.router, weight=7),
            Inside(world.visit, 2, weight=3),
            Inside(world.plan, weight=1),
        ]
        prices = {"one_off": "199.99", "monthly": "39.00"}
        packs.pack(session, world, house.clock.now(), inside, prices, sku="FW-ALL")


def test_a_bundle_of_goods_work_and_a_plan_is_added_and_given_up_again(
    house: House, sandbox: SandboxProcess, world: World
):
    _packed(house, world)
    order = bought(house, sandbox, {"FW-CAM-1": 1})
    plan, change = changed(house, order, Edits(added=[Added("FW-ALL", 2)]))
    assert posted(house, change) == (plan.back, plan.more)
    assert [(one.amount, one.interval) for one in plan.recurring] == [(usd(7800), "month")]
    pieces = _added(house, order)
    assert {sku: pieces[sku].quantity for sku in ("FW-RT-6", VISIT, PLAN)} == {
        "FW-RT-6": 2,
        VISIT: 4,
        PLAN: 2,
    }
    assert sum(pieces[sku].net_minor for sku in ("FW-RT-6", VISIT)) == 39998
    assert pieces[PLAN].net_minor == 7800
    assert level(house, world.router.level_id)[1] == 2
    _pay(house, sandbox, order)
    assert_sound(house)
    asked = Asked(order.public_id, None, "changed_mind", "usual", BY, "c1")
    take_back.cancel(house, asked)
    drain(house)
    assert _service(house).state == "ended"
    assert order_of(house, order).lifecycle == "cancelled"
    assert owed(house, order) == 0
    assert level(house, world.router.level_id)[1] == 0
    assert_sound(house)


def test_a_service_that_ends_before_it_begins_is_credited_on_its_own_bill(
    house: House, world: World
):
    order = on_terms(house, {"FW-RT-6": 1})
    plan, change = changed(house, order, Edits(added=[Added(PLAN)]))
    line = _added(house, order)[PLAN].line_number
    take_back.cancel(house, Asked(order.public_id, {line: 1}, "changed_mind", "usual", BY, "c1"))
    drain(house)
    assert _service(house).state == "ended"
    (bill,) = every(house, Invoice, Invoice.order_change_id == change.id)
    with house.db.reading() as session:
        assert items.of_sources(session, [bill.id])[bill.id].open == Money(0, "USD")
    assert owed(house, order) == order.due_now_minor
    assert plan.more > usd(0)
    assert_sound(house)


def test_what_is_given_at_once_or_has_a_number_to_choose_is_ordered_by_itself(
    house: House, world: World
):
    order = on_terms(house, {"FW-RT-6": 1})
    for kind in ("digital", "gift_card"):
        with house.db.transaction() as session:
            session.execute(update(Variant).where(Variant.sku == VISIT).values(kind=kind))
        with pytest.raises(NotAdded) as refused:
            seen(house, order, Edits(added=[Added(VISIT)]))
        assert refused.value.code == "cannot_be_added"
    with house.db.transaction() as session:
        session.execute(update(Variant).where(Variant.sku == PLAN).values(numbered=True))
    with pytest.raises(NumberToChoose) as numbered:
        seen(house, order, Edits(added=[Added(PLAN)]))
    assert numbered.value.code == "number_to_choose"
    assert every(house, OrderChange) == []


def test_a_crash_at_any_point_adds_a_service_once_or_not(house: House, world: World):
    _begins(house, "at_once")
    order = on_terms(house, {"FW-RT-6": 1})
    plan, wish = seen(house, order, Edits(added=[Added(PLAN), Added(VISIT)]))
    points = ("add.written", "issue.written", "add.billed", "added.begun", "change.before_commit")
    for point in points:
        with crash.crash_at(point):
            change_order.change(house, wish)
        assert every(house, OrderChange) == []
        assert every(house, Subscription) == []
    change = change_order.change(house, wish)
    assert change_order.change(house, wish).id == change.id
    assert posted(house, change) == (plan.back, plan.more)
    assert _service(house).state == "active"
    assert_sound(house)


def test_the_second_month_is_billed_by_the_run_and_the_first_is_not_billed_again(
    house: House, clock: ManualClock, world: World
):
    _begins(house, "at_once")
    order = on_terms(house, {"FW-RT-6": 1})
    changed(house, order, Edits(added=[Added(PLAN)]))
    drain(house)
    first = len(every(house, InvoiceLine, InvoiceLine.phase_id.is_not(None)))
    bill_account.bill(house, order.payer_account_id, clock.now().date(), "system")
    assert len(every(house, InvoiceLine, InvoiceLine.phase_id.is_not(None))) == first == 1
    clock.advance(timedelta(days=32))
    end_services.run(house)
    bill_account.bill(house, order.payer_account_id, clock.now().date(), "system")
    with house.db.reading() as session:
        query = select(InvoiceLine.period_index).where(InvoiceLine.phase_id.is_not(None))
        assert sorted(session.scalars(query.order_by(InvoiceLine.period_index))) == [0, 1]
    assert_sound(house)
