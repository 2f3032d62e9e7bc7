"""A refund goes back to what paid, in the stated order, and never more than each of them paid."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from core.kernel import crash
from core.kernel.jobs import Job
from core.ledger import items
from core.ledger.gift_cards import GiftCardInUse, GiftCardUsed
from core.ledger.models import OpenItem
from core.ledger.returns import RefundTooMuch
from core.ledger.tender_models import GiftCard, TenderReturn
from core.orders.models import Order
from core.parties import accounts
from flows import correct_invoice, keep_gift_cards, reconcile, refund
from flows.choose_tenders import ByCredit, ByGiftCard, Paying
from flows.give_back import Back, give_back
from flows.hear_event import hear
from flows.house import House
from flows.place_order import Placed, Wish, place
from flows.verify import verify
from invoices.memos import NothingToCredit
from invoices.models import Invoice
from payments import inbox
from payments.gateway import WebhookEvent
from payments.models import Payment, Refund
from tests.giving import balance, buy_gift_card, credit_left, member, wish_with
from tests.paying import CARD, buy, come_back, drain, fill_cart, pass_time, usd, wish
from tests.sandbox_process import SandboxProcess
from tests.together import together, until_it_waits
from tests.world import World

#: A card that pays, and whose refunds fail an hour after they were taken.
REFUND_FAILS = "4000000000005126"


def _all(house: House, model, *where):
    with house.db.reading() as session:
        return session.scalars(select(model).where(*where)).all()


def _assert_sound(house: House) -> None:
    drain(house)
    assert [job.last_error for job in _all(house, Job) if job.state != "done"] == []
    found = verify(house.db, house.clock, blobs=house.blobs)
    assert [finding for finding in found if not finding.holds] == []


def _mixed(house: House, sandbox: SandboxProcess, world: World, number: str = CARD):
    """A visit of 60.00 paid by gift card (20.00), credit (15.00) and card (25.00); not billed yet."""
    code, _ = buy_gift_card(house, sandbox, world)
    riley = member(house, credit_minor=1500)
    plain = wish(fill_cart(house, world.visit.sku))
    paying = Paying((ByGiftCard(code, usd(2000)), ByCredit()))
    placed = place(house, Wish(plain.cart_id, plain.details, riley.user_id, paying=paying))
    sandbox.pay(placed.redirect_url, number)
    assert come_back(house, placed) == "succeeded"
    return code, riley, placed


def _back(placed: Placed, minor: int, key: str = "one", **more) -> Back:
    return Back(placed.order_id, usd(minor), key, "goodwill", **more)


def _paid_back(house: House, placed: Placed) -> int:
    (payment,) = _all(house, Payment, Payment.order_id == placed.order_id)
    return house.gateway.get_payment(payment.gateway_id).amount_refunded.minor


def test_the_card_first_then_the_gift_card_then_credit(
    house: House, sandbox: SandboxProcess, world: World
):
    code, riley, placed = _mixed(house, sandbox, world)
    give_back(house, _back(placed, 3000))
    assert _paid_back(house, placed) == 2500
    assert balance(house, code) == (3500, 0)
    assert credit_left(house, riley) == 0
    give_back(house, _back(placed, 3000, "two"))
    assert _paid_back(house, placed) == 2500
    assert balance(house, code) == (5000, 0)
    assert credit_left(house, riley) == 1500
    with pytest.raises(RefundTooMuch):
        give_back(house, _back(placed, 1, "three"))
    with house.db.reading() as session:
        held = items.find(session, OpenItem.order_id == placed.order_id)
    assert [item.open.minor for item in held] == [0, 0, 0]
    _assert_sound(house)


def test_another_order_is_as_stated(house: House, sandbox: SandboxProcess, world: World):
    code, riley, placed = _mixed(house, sandbox, world)
    give_back(house, _back(placed, 3000, order=("credit", "gift_card")))
    assert _paid_back(house, placed) == 0
    assert (balance(house, code), credit_left(house, riley)) == ((4500, 0), 1500)
    with pytest.raises(RefundTooMuch) as raised:
        give_back(house, _back(placed, 3000, "two", order=("credit", "gift_card")))
    assert raised.value.possible == usd(500)


def test_the_same_key_gives_back_once_also_at_once(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _, placed = _mixed(house, sandbox, world)
    together([lambda: give_back(house, _back(placed, 4000)) for _ in range(3)])
    give_back(house, _back(placed, 4000))
    assert _paid_back(house, placed) == 2500
    assert balance(house, code) == (4500, 0)
    assert len(_all(house, Refund)) == 1


def test_different_refunds_at_once_never_give_more_than_was_paid(
    house: House, sandbox: SandboxProcess, world: World
):
    code, riley, placed = _mixed(house, sandbox, world)
    outcomes = together(
        [partial(give_back, house, _back(placed, 2500, f"k{at}")) for at in range(4)]
    )
    assert sum(isinstance(one, RefundTooMuch) for one in outcomes) == 2, outcomes
    assert (
        _paid_back(house, placed) + balance(house, code)[0] - 3000 + credit_left(house, riley)
        == 5000
    )


@pytest.mark.parametrize("point", ["give_back.before_commit", "refund.prepared", "refund.asked"])
def test_a_crash_gives_back_once(point: str, house: House, sandbox: SandboxProcess, world: World):
    code, _, placed = _mixed(house, sandbox, world)
    with crash.crash_at(point):
        give_back(house, _back(placed, 3000))
    pass_time(house, sandbox, timedelta(minutes=5))
    if point == "give_back.before_commit":
        assert balance(house, code) == (3000, 0)
        give_back(house, _back(placed, 3000))
    else:
        assert reconcile.run(house).problems == ()
    give_back(house, _back(placed, 3000))
    assert _paid_back(house, placed) == 2500
    assert balance(house, code) == (3500, 0)
    assert [row.state for row in _all(house, Refund)] == ["succeeded"]


def test_a_refund_that_fails_later_is_posted_back_and_can_go_elsewhere(
    house: House, sandbox: SandboxProcess, world: World
):
    code, riley, placed = _mixed(house, sandbox, world, REFUND_FAILS)
    give_back(house, _back(placed, 3000))
    (refund,) = _all(house, Refund)
    pass_time(house, sandbox, timedelta(hours=2))
    event = WebhookEvent(
        "evt_r", "refund.failed", "refund", refund.gateway_id, house.clock.now(), livemode=False
    )
    house.db.run_tx(lambda session: inbox.receive(session, event, house.clock.now()))
    with crash.crash_at("refund.posted_back"):
        hear(house, event.id)
    hear(house, event.id)
    hear(house, event.id)
    assert [row.state for row in _all(house, Refund)] == ["failed"]
    assert sum(row.amount_minor for row in _all(house, TenderReturn)) == 500
    give_back(house, _back(placed, 3000, "again", order=("gift_card", "credit")))
    assert (balance(house, code), credit_left(house, riley)) == ((5000, 0), 1500)
    _assert_sound(house)


def test_the_end_of_a_refund_that_nobody_told_is_asked_for(
    house: House, sandbox: SandboxProcess, world: World
):
    _, _, placed = _mixed(house, sandbox, world, REFUND_FAILS)
    give_back(house, _back(placed, 2500))
    pass_time(house, sandbox, timedelta(hours=2))
    reconcile.run(house)
    drain(house)
    assert [row.state for row in _all(house, Refund)] == ["failed"]


def test_a_failed_refund_of_a_memos_credit_is_asked_for_again_from_the_desk(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = place(house, wish_with(house, world.visit.sku))
    sandbox.pay(placed.redirect_url, REFUND_FAILS)
    assert come_back(house, placed) == "succeeded"
    drain(house)
    (bill,) = _all(house, Invoice)
    correct_invoice.void(house, bill.public_id, "once", "user:kim", refunded=True)
    drain(house)
    pass_time(house, sandbox, timedelta(hours=2))
    reconcile.run(house)
    drain(house)
    (failed,) = _all(house, Refund)
    assert failed.state == "failed"
    refund.again(house, failed.id)
    refund.again(house, failed.id)
    assert sorted(row.state for row in _all(house, Refund)) == ["failed", "succeeded"]
    assert sum(row.amount_minor for row in _all(house, TenderReturn)) == bill.total_minor
    with pytest.raises(RefundTooMuch):
        give_back(house, _back(placed, 1, "more"))
    _assert_sound(house)


# --- gift cards -----------------------------------------------------------------------------------


def test_an_unused_gift_card_goes_back_to_the_card_that_bought_it(
    house: House, sandbox: SandboxProcess, world: World
):
    code, bought = buy_gift_card(house, sandbox, world)
    (card,) = _all(house, GiftCard)
    with crash.crash_at("gift_card.taken_back"):
        keep_gift_cards.refund_unused(house, card.public_id, "user:kim")
    keep_gift_cards.refund_unused(house, card.public_id, "user:kim")
    keep_gift_cards.refund_unused(house, card.public_id, "user:kim")
    assert _paid_back(house, bought) == 5000
    assert balance(house, code) == (0, 0)
    assert _all(house, GiftCard)[0].state == "void"
    _assert_sound(house)


def test_a_used_or_reserved_gift_card_does_not_go_back(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    (card,) = _all(house, GiftCard)
    placed = place(house, wish_with(house, world.visit.sku, codes=(code,)))
    with pytest.raises(GiftCardInUse):
        keep_gift_cards.refund_unused(house, card.public_id, "user:kim")
    sandbox.pay(placed.redirect_url, CARD)
    come_back(house, placed)
    with pytest.raises(GiftCardUsed):
        keep_gift_cards.refund_unused(house, card.public_id, "user:kim")
    _assert_sound(house)


@pytest.mark.parametrize("forfeit", [True, False])
def test_a_voided_card_is_worth_nothing_and_its_money_goes_as_the_desk_says(
    forfeit: bool, house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    (card,) = _all(house, GiftCard)
    keep_gift_cards.void(house, card.public_id, "Lost in the post", "user:kim", forfeit=forfeit)
    assert balance(house, code) == (0, 0)
    with house.db.reading() as session:
        held = items.held_for(session, [card.account_id])
    assert sum(item.open.minor for item in held) == (0 if forfeit else 5000)
    _assert_sound(house)


def test_voiding_the_bill_of_a_gift_card_leaves_its_money_on_the_card(
    house: House, sandbox: SandboxProcess, world: World
):
    code, bought = buy_gift_card(house, sandbox, world)
    (bill,) = _all(house, Invoice)
    with pytest.raises(NothingToCredit):
        correct_invoice.void(house, bill.public_id, "once", "user:kim", refunded=True)
    drain(house)
    assert balance(house, code) == (5000, 0)
    assert _paid_back(house, bought) == 0
    _assert_sound(house)


def test_what_a_memo_on_the_bill_left_goes_back_to_what_paid(
    house: House, sandbox: SandboxProcess, world: World
):
    code, riley, placed = _mixed(house, sandbox, world)
    drain(house)
    with house.db.reading() as session:
        (bill,) = session.scalars(select(Invoice).where(Invoice.order_id == placed.order_id))
    correct_invoice.void(house, bill.public_id, "all", "user:kim", refunded=False)
    assert credit_left(house, riley) == 6000
    give_back(house, _back(placed, 4500))
    assert _paid_back(house, placed) == 2500
    assert (balance(house, code), credit_left(house, riley)) == ((5000, 0), 1500)
    _assert_sound(house)


def test_it_waits_behind_the_payer_like_everything_that_moves_an_orders_money(
    house: House, world: World, sandbox: SandboxProcess
):
    """Who holds the account takes the order next: a refund that held the order already would stop both."""
    placed = buy(house, world.visit.sku)
    sandbox.pay(placed.redirect_url, CARD)
    assert come_back(house, placed) == "succeeded"
    with ThreadPoolExecutor(1) as pool:
        with house.db.transaction() as session:
            order = session.get_one(Order, placed.order_id)
            accounts.lock(session, order.payer_account_id)
            going = pool.submit(give_back, house, _back(placed, 1000))
            until_it_waits(session, going)
            free = {"nowait": True}  # it is held by nobody who waits for the account
            session.get_one(Order, order.id, with_for_update=free, populate_existing=True)
        going.result(timeout=20)
    assert _paid_back(house, placed) == 1000
