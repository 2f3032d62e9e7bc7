"""Walk (a): from the shelf to an order, a deposit, an invoice and its stored document."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.handlers import ROUTES
from cart import lines
from cart.checkout import CheckoutIncomplete, Details, TotalChanged
from core.kernel.jobs import Job
from core.kernel.money import Money
from core.ledger import items
from core.ledger.chart import CLEARING, CONTRACT_LIABILITY, RECEIVABLE, TAX_PAYABLE
from core.ledger.models import JournalLine, OpenItem
from core.orders.models import Order, OrderLine
from core.stock import levels
from core.stock.holds import OutOfStock
from core.stock.models import Hold, StockLevel
from core.subscriptions.models import Subscription, SubscriptionPhase
from flows import reconcile
from flows.abandon_payment import abandon
from flows.house import House
from flows.pay_bill import NothingToPay, pay_order
from flows.place_order import Wish, place
from flows.settle_payment import settle
from flows.verify import verify
from invoices.models import Invoice, StoredDocument
from payments.gateway import Indeterminate
from payments.models import Payment, PaymentOperation, Refund
from tests.paying import (
    CARD,
    DECLINED,
    buy,
    come_back,
    drain,
    fill_cart,
    order,
    pass_time,
    usd,
    wish,
)
from tests.sandbox_process import SandboxProcess
from tests.world import ADDRESS, World


def _all(house: House, model):
    with house.db.reading() as session:
        return session.scalars(select(model)).all()


def _balance(house: House, code: str) -> int:
    with house.db.reading() as session:
        return session.scalar(
            select(func.coalesce(func.sum(JournalLine.amount_minor), 0)).where(
                JournalLine.ledger_code == code
            )
        )


def _assert_sound(house: House) -> None:
    """The ledger balances, and nothing is left to do."""
    drain(house)
    assert [job.last_error for job in _all(house, Job) if job.state != "done"] == []
    assert [
        line for line in verify(house.db, house.clock, blobs=house.blobs) if not line.holds
    ] == []


def test_a_paid_order_becomes_an_invoice_that_takes_its_deposit(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.router.sku, world.visit.sku, world.plan.sku)
    assert order(house, placed.order_id).lifecycle == "pending"
    sandbox.pay(placed.redirect_url, CARD)

    assert come_back(house, placed) == "succeeded"
    confirmed = order(house, placed.order_id)
    assert (confirmed.lifecycle, confirmed.payment) == ("confirmed", "paid")
    assert confirmed.number == "O-10001"
    # 129.00 + 60.00 + 45.00, and 6.5 % on the router alone; delivery is free from 50.00
    assert confirmed.due_now_minor == 23400 + 839
    assert _balance(house, CLEARING) == confirmed.due_now_minor

    _assert_sound(house)
    (invoice,) = _all(house, Invoice)
    assert invoice.total_minor == confirmed.due_now_minor
    with house.db.reading() as session:
        assert items.of_sources(session, [invoice.id])[invoice.id].open == usd(0)
    assert _balance(house, RECEIVABLE) == 0
    assert _balance(house, CONTRACT_LIABILITY) == -23400
    assert _balance(house, TAX_PAYABLE) == -839
    (document,) = _all(house, StoredDocument)
    assert house.blobs.get(document.sha256).startswith(b"%PDF")


def test_the_hold_becomes_an_allocation(house: House, sandbox: SandboxProcess, world: World):
    placed = buy(house, world.router.sku)
    (level,) = [row for row in _all(house, StockLevel) if row.id == world.router.level_id]
    assert (level.held, level.allocated) == (1, 0)
    sandbox.pay(placed.redirect_url, CARD)
    come_back(house, placed)
    (level,) = [row for row in _all(house, StockLevel) if row.id == world.router.level_id]
    assert (level.held, level.allocated) == (0, 1)
    assert {row.state for row in _all(house, Hold)} == {"allocated"}
    _assert_sound(house)


def test_a_plan_begins_a_subscription_whose_first_period_is_the_orders(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.plan.sku)
    sandbox.pay(placed.redirect_url, CARD)
    come_back(house, placed)
    (subscription,) = _all(house, Subscription)
    (phase,) = _all(house, SubscriptionPhase)
    assert (subscription.state, subscription.activated_on) == ("ordered", None)
    assert (phase.subscription_id, phase.number, phase.interval) == (subscription.id, 0, "month")
    assert (phase.starts_on, phase.unit_price_micros) == (None, world.plan.unit_price_micros)
    (line,) = [row for row in _all(house, OrderLine) if row.subscription_id]
    assert (line.subscription_id, line.period_index) == (subscription.id, 0)
    _assert_sound(house)


def test_webhook_and_return_page_confirm_an_order_once(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.router.sku)
    sandbox.pay(placed.redirect_url, CARD)
    reconcile.read_events(house)
    drain(house)
    assert order(house, placed.order_id).lifecycle == "confirmed"
    assert come_back(house, placed) == "succeeded"
    assert len(_all(house, Payment)) == len(_all(house, Invoice)) == 1
    _assert_sound(house)


def test_a_declined_card_leaves_the_order_pending_and_another_card_pays_it(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.camera.sku)
    seen = sandbox.pay(placed.redirect_url, DECLINED)
    assert seen.redirect is None
    assert come_back(house, placed) == "sent"
    assert order(house, placed.order_id).lifecycle == "pending"
    sandbox.pay(placed.redirect_url, CARD)
    assert come_back(house, placed) == "succeeded"
    _assert_sound(house)


def test_coming_back_unpaid_cancels_the_order_and_gives_the_cart_back(
    house: House, sandbox: SandboxProcess, world: World
):
    cart_id = fill_cart(house, world.camera.sku)
    placed = place(house, wish(cart_id))
    assert abandon(house, placed.order_id, "came_back") is True
    assert order(house, placed.order_id).lifecycle == "cancelled"
    with house.db.reading() as session:
        cart = lines.find(session, cart_id)
        assert cart.state == "open"
        assert levels.available(session, [world.camera.variant_id], house.clock.now()) == {
            world.camera.variant_id: 3
        }
    again = place(house, wish(cart_id))
    assert again.order_id != placed.order_id
    sandbox.pay(again.redirect_url, CARD)
    assert come_back(house, again) == "succeeded"
    _assert_sound(house)


def test_nobody_can_pay_on_a_page_that_was_given_up(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.camera.sku)
    abandon(house, placed.order_id, "came_back")
    assert sandbox.pay(placed.redirect_url, CARD).redirect is None
    _assert_sound(house)
    assert _all(house, Payment) == []


def test_giving_up_what_was_paid_a_moment_ago_confirms_it_instead(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.camera.sku)
    sandbox.pay(placed.redirect_url, CARD)
    assert abandon(house, placed.order_id, "came_back") is False
    assert order(house, placed.order_id).lifecycle == "confirmed"
    _assert_sound(house)


def test_pressing_the_button_twice_is_one_order(
    house: House, sandbox: SandboxProcess, world: World
):
    cart_id = fill_cart(house, world.router.sku)
    first, second = place(house, wish(cart_id)), place(house, wish(cart_id))
    assert first == second
    assert len(_all(house, Order)) == len(_all(house, PaymentOperation)) == 1


def test_another_address_at_the_second_try_gives_the_first_try_up(
    house: House, sandbox: SandboxProcess, world: World
):
    cart_id = fill_cart(house, world.router.sku)
    first = place(house, wish(cart_id))
    elsewhere = Wish(
        cart_id, Details("riley@example.com", {**ADDRESS, "region": "IN"}, None, "card")
    )
    second = place(house, elsewhere)
    assert order(house, first.order_id).lifecycle == "cancelled"
    assert order(house, second.order_id).tax_minor == 0
    sandbox.pay(second.redirect_url, CARD)
    assert come_back(house, second) == "succeeded"
    _assert_sound(house)


def test_a_lapsed_hold_is_taken_again_when_payment_arrives_late(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.camera.sku)
    sandbox.pay(placed.redirect_url, CARD)
    pass_time(house, sandbox, timedelta(hours=2))
    assert come_back(house, placed) == "succeeded"
    assert order(house, placed.order_id).lifecycle == "confirmed"
    _assert_sound(house)


def test_money_for_goods_that_are_gone_meanwhile_goes_back(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.camera.sku)
    sandbox.pay(placed.redirect_url, CARD)
    pass_time(house, sandbox, timedelta(hours=2))
    others = [place(house, wish(fill_cart(house, world.camera.sku), "invoice")) for _ in range(4)]
    assert come_back(house, placed) == "succeeded"
    drain(house)
    assert order(house, placed.order_id).payment == "refunded"
    (refund,) = _all(house, Refund)
    assert refund.reason == "sold_out"
    assert all(order(house, other.order_id).lifecycle == "confirmed" for other in others)
    _assert_sound(house)


def test_a_visit_that_ran_out_cancels_the_order(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.camera.sku)
    pass_time(house, sandbox, timedelta(hours=1))
    assert come_back(house, placed) == "expired"
    assert order(house, placed.order_id).lifecycle == "cancelled"
    _assert_sound(house)


def test_an_answer_that_never_came_is_no_failure_and_the_same_wish_goes_on(
    house: House, sandbox: SandboxProcess, world: World
):
    cart_id = fill_cart(house, world.router.sku)
    sandbox.fault("drop_after_success", path="/v1/checkout/sessions", times=1)
    with pytest.raises(Indeterminate):
        place(house, wish(cart_id))
    placed = place(house, wish(cart_id))
    sandbox.pay(placed.redirect_url, CARD)
    assert come_back(house, placed) == "succeeded"
    assert len(_all(house, Order)) == 1
    _assert_sound(house)


def test_an_order_on_terms_is_placed_and_billed_at_once(house: House, world: World):
    placed = place(house, wish(fill_cart(house, world.router.sku), "invoice"))
    assert placed.redirect_url is None
    _assert_sound(house)
    (invoice,) = _all(house, Invoice)
    assert (invoice.due_date - invoice.issue_date).days == 14
    with house.db.reading() as session:
        assert items.of_sources(session, [invoice.id])[invoice.id].open == usd(13739)


def test_a_total_that_differs_from_the_one_shown_places_nothing(house: House, world: World):
    cart_id = fill_cart(house, world.router.sku)
    asked = wish(cart_id, "invoice")
    with pytest.raises(TotalChanged) as caught:
        place(house, Wish(cart_id, asked.details, expected_total=Money(12900, "USD")))
    assert (caught.value.expected, caught.value.actual) == (usd(12900), usd(13739))
    assert _all(house, Order) == []


def test_what_is_missing_is_told_by_field(house: House, world: World):
    cart_id = fill_cart(house, world.router.sku)
    bad = Details("nobody", {**ADDRESS, "postal_code": "4309"}, None, "cheque")
    with pytest.raises(CheckoutIncomplete) as caught:
        place(house, Wish(cart_id, bad))
    assert {item.field for item in caught.value.requirements} == {
        "email",
        "shipping_address.postal_code",
        "payment_method",
    }


def test_more_than_there_is_cannot_be_held(house: House, world: World):
    for _ in range(4):
        fill_cart(house, world.camera.sku)
    with pytest.raises(OutOfStock) as caught:
        fill_cart(house, world.camera.sku)
    assert (caught.value.wanted, caught.value.available) == (1, 0)


def test_a_lapsed_hold_is_free_for_somebody_else(
    house: House, sandbox: SandboxProcess, world: World
):
    for _ in range(4):
        fill_cart(house, world.camera.sku)
    pass_time(house, sandbox, timedelta(minutes=31))
    fill_cart(house, world.camera.sku)
    assert sum(row.state == "lapsed" for row in _all(house, Hold)) == 4
    _assert_sound(house)


def test_every_event_has_somebody_who_hears_it():
    from core.events import EVENTS

    assert set(ROUTES) == set(EVENTS)


def test_an_items_open_amount_is_read_not_stored():
    assert "open_minor" not in OpenItem.__table__.columns


def test_a_guest_pays_the_bill_of_an_order_by_its_link(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = place(house, wish(fill_cart(house, world.router.sku), "invoice"))
    drain(house)
    sandbox.pay(pay_order(house, placed.order_id), CARD)
    (operation,) = _all(house, PaymentOperation)
    assert settle(house, operation.id) == "succeeded"
    (invoice,) = _all(house, Invoice)
    with house.db.reading() as session:
        assert items.of_sources(session, [invoice.id])[invoice.id].open == usd(0)
    with pytest.raises(NothingToPay):
        pay_order(house, placed.order_id)
    _assert_sound(house)


def test_a_processor_that_stores_its_failure_gets_a_new_operation_in_the_end(
    house: House, sandbox: SandboxProcess, world: World
):
    cart_id = fill_cart(house, world.router.sku)
    sandbox.fault("stored_500", path="/v1/checkout/sessions", times=1)
    for _ in range(3):
        with pytest.raises(Indeterminate):
            place(house, wish(cart_id))
    placed = place(house, wish(cart_id))
    sandbox.pay(placed.redirect_url, CARD)
    assert come_back(house, placed) == "succeeded"
    _assert_sound(house)
