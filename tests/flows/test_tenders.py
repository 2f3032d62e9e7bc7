"""One order or bill paid by gift cards, credit and a card: reserved, taken and released together."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from app.tables import metadata
from cart.checkout import CheckoutIncomplete
from core.kernel import crash
from core.kernel.jobs import Job
from core.kernel.money import Money
from core.ledger import items, tenders
from core.ledger.gift_cards import GiftCardUnknown
from core.ledger.models import JournalLine, OpenItem
from core.ledger.splitting import Share, Source, TenderTooSmall
from core.ledger.tender_models import GiftCard, Tender
from core.orders.models import Order
from flows import reconcile
from flows.abandon_payment import abandon, give_up_bills
from flows.cancel_order import cancel
from flows.choose_tenders import ByCredit, ByGiftCard, GiftCardForGiftCard, Paying, usual
from flows.house import House
from flows.pay_bill import PayWish, pay
from flows.place_order import Placed, Wish, place
from flows.settle_payment import settle
from flows.verify import verify
from invoices.models import Invoice
from payments import operations
from payments.models import Payment, PaymentOperation
from tests.giving import (
    GIFT_SKU,
    balance,
    buy_gift_card,
    credit_left,
    member,
    wish_with,
)
from tests.paying import CARD, come_back, drain, fill_cart, order, pass_time, usd, wish
from tests.sandbox_process import SandboxProcess
from tests.shop import PostBox
from tests.together import together
from tests.world import World

#: A router with Ohio's tax.
ROUTER = 13739
#: A visit; nothing is charged on it.
VISIT = 6000


def _all(house: House, model, *where):
    with house.db.reading() as session:
        return session.scalars(select(model).where(*where)).all()


def _book(house: House, code: str) -> int:
    with house.db.reading() as session:
        minor = session.scalar(
            select(func.sum(JournalLine.amount_minor)).where(JournalLine.ledger_code == code)
        )
    return int(minor or 0)


def _tenders(house: House, order_id) -> list[tuple[str, int, str]]:
    with house.db.reading() as session:
        found = tenders.of_order(session, order_id)
    return [(row.kind, row.amount_minor, row.state) for row in found]


def _assert_sound(house: House) -> None:
    drain(house)
    assert [job.last_error for job in _all(house, Job) if job.state != "done"] == []
    found = verify(house.db, house.clock, blobs=house.blobs)
    assert [finding for finding in found if not finding.holds] == []


# --- an order -------------------------------------------------------------------------------------


def test_a_gift_card_and_credit_pay_first_and_the_card_pays_the_rest(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    riley = member(house, credit_minor=1000)
    placed = place(
        house, wish_with(house, world.router.sku, codes=(code,), who=riley, use_credit=True)
    )
    assert _tenders(house, placed.order_id) == [
        ("gift_card", 5000, "reserved"),
        ("credit", 1000, "reserved"),
        ("card", ROUTER - 6000, "reserved"),
    ]
    assert balance(house, code) == (5000, 5000)
    assert credit_left(house, riley) == 0
    sandbox.pay(placed.redirect_url, CARD)
    assert come_back(house, placed) == "succeeded"
    assert {state for _, _, state in _tenders(house, placed.order_id)} == {"committed"}
    assert balance(house, code) == (0, 0)
    assert order(house, placed.order_id).payment == "paid"
    assert -_book(house, "order_deposit") == ROUTER
    _assert_sound(house)
    assert _book(house, "order_deposit") == 0
    assert _book(house, "gift_card_liability") == 0
    assert _book(house, "unapplied") == 0
    (invoice,) = _all(house, Invoice, Invoice.order_id == placed.order_id)
    said = [row["label"] for row in invoice.document["applied"]]
    assert f"Gift card ending {code[-4:]}" in said
    assert any("credit" in words for words in said)


def test_an_order_that_a_gift_card_covers_needs_no_processor(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    other, _ = buy_gift_card(house, sandbox, world)
    placed = place(house, wish_with(house, world.visit.sku, codes=(code, other)))
    assert placed.redirect_url is None
    assert order(house, placed.order_id).payment == "paid"
    assert balance(house, code) == (0, 0)
    assert balance(house, other) == (10000 - VISIT, 0)
    assert _all(house, PaymentOperation, PaymentOperation.order_id == placed.order_id) == []


def test_a_gift_card_and_terms_leave_the_rest_to_the_bill(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    placed = place(house, wish_with(house, world.visit.sku, codes=(code,), method="invoice"))
    assert order(house, placed.order_id).payment == "on_terms"
    _assert_sound(house)
    (invoice,) = _all(house, Invoice, Invoice.order_id == placed.order_id)
    with house.db.reading() as session:
        open_ = items.of_sources(session, [invoice.id])[invoice.id].open
    assert open_ == usd(VISIT - 5000)


def test_the_payer_states_the_order_and_the_amounts(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    riley = member(house, credit_minor=3000)
    plain = wish(fill_cart(house, world.visit.sku))
    paying = Paying((ByCredit(usd(1200)), ByGiftCard(code, usd(800))))
    placed = place(house, Wish(plain.cart_id, plain.details, riley.user_id, paying=paying))
    assert _tenders(house, placed.order_id) == [
        ("credit", 1200, "reserved"),
        ("gift_card", 800, "reserved"),
        ("card", VISIT - 2000, "reserved"),
    ]


def test_stating_more_than_a_card_has_begins_nothing(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    plain = wish(fill_cart(house, world.visit.sku))
    paying = Paying((ByGiftCard(code, usd(5001)),))
    with pytest.raises(TenderTooSmall):
        place(house, Wish(plain.cart_id, plain.details, paying=paying))
    assert _all(house, Order, Order.lifecycle == "pending") == []


@pytest.mark.parametrize("code", ["0000000000000000", "not a code"])
def test_a_code_that_we_do_not_know_is_refused_in_one_way(code: str, house: House, world: World):
    with pytest.raises(GiftCardUnknown):
        place(house, wish_with(house, world.visit.sku, codes=(code,)))


def test_a_gift_card_pays_for_no_gift_card_and_none_is_sold_on_terms(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    with pytest.raises(GiftCardForGiftCard):
        place(house, wish_with(house, GIFT_SKU, codes=(code,)))
    with pytest.raises(CheckoutIncomplete) as raised:
        place(house, wish_with(house, GIFT_SKU, method="invoice"))
    assert [one.code for one in raised.value.requirements] == ["gift_cards_on_terms"]
    placed = place(house, wish_with(house, GIFT_SKU, world.visit.sku, codes=(code,)))
    assert _tenders(house, placed.order_id)[0] == ("gift_card", 5000, "reserved")


def test_a_stranger_has_no_credit(house: House, world: World):
    placed = place(house, wish_with(house, world.visit.sku, use_credit=True))
    assert _tenders(house, placed.order_id) == [("card", VISIT, "reserved")]


def test_coming_back_unpaid_gives_the_gift_card_free(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    riley = member(house, credit_minor=500)
    placed = place(
        house, wish_with(house, world.visit.sku, codes=(code,), who=riley, use_credit=True)
    )
    assert abandon(house, placed.order_id, "came_back")
    assert balance(house, code) == (5000, 0)
    assert credit_left(house, riley) == 500
    assert {state for _, _, state in _tenders(house, placed.order_id)} == {"released"}


def test_a_visit_that_runs_out_gives_the_gift_card_free(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    place(house, wish_with(house, world.visit.sku, codes=(code,)))
    pass_time(house, sandbox, timedelta(hours=2))
    assert reconcile.run(house).problems == ()
    assert balance(house, code) == (5000, 0)


def test_the_same_wish_twice_is_one_order_and_another_one_gives_the_first_up(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    first = wish_with(house, world.visit.sku, codes=(code,))
    placed = place(house, first)
    assert place(house, first) == placed
    without = place(house, wish_with(house, cart_id=first.cart_id))
    assert without.order_id != placed.order_id
    assert balance(house, code) == (5000, 0)
    assert _tenders(house, without.order_id) == [("card", VISIT, "reserved")]


def test_a_payment_that_comes_too_late_takes_nothing_from_the_gift_card(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    placed = place(house, wish_with(house, world.visit.sku, codes=(code,)))
    house.db.run_tx(lambda session: cancel(session, house, placed.order_id, "by_hand"))
    sandbox.pay(placed.redirect_url, CARD)
    come_back(house, placed)
    drain(house)
    assert balance(house, code) == (5000, 0)
    assert order(house, placed.order_id).payment == "refunded"
    _assert_sound(house)


# --- races ----------------------------------------------------------------------------------------


def test_two_orders_at_once_never_spend_a_gift_card_twice(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    wishes = [wish_with(house, world.visit.sku, codes=(code,)) for _ in range(4)]
    outcomes = together([partial(place, house, one) for one in wishes])
    assert sum(isinstance(outcome, GiftCardUnknown) for outcome in outcomes) == 3, outcomes
    assert balance(house, code) == (5000, 5000)


def test_two_orders_at_once_never_spend_credit_twice(house: House, sandbox, world: World):
    riley = member(house, credit_minor=4000)
    wishes = [wish_with(house, world.visit.sku, who=riley, use_credit=True) for _ in range(4)]
    placed = together([partial(place, house, one) for one in wishes])
    reserved = [_tenders(house, one.order_id)[0] for one in placed if isinstance(one, Placed)]
    assert sorted(reserved) == [("card", VISIT, "reserved")] * 3 + [("credit", 4000, "reserved")]
    assert credit_left(house, riley) == 0


def test_the_database_refuses_what_a_card_does_not_have(
    house: House, sandbox: SandboxProcess, world: World
):
    """Whatever code may do one day: the fence stands in the tables."""
    _, bought = buy_gift_card(house, sandbox, world)
    (card,) = _all(house, GiftCard)
    too_much = Share(Source("gift_card", "x", card.id), usd(5001))
    payer = order(house, bought.order_id).payer_account_id
    with pytest.raises(DBAPIError, match="gift card has not as much"):
        house.db.run_tx(
            lambda session: tenders.reserve(session, payer, [(None, too_much)], house.clock.now())
        )


def test_reserved_credit_is_not_used_for_a_bill(house: House, sandbox, world: World):
    riley = member(house, credit_minor=1000)
    place(house, wish_with(house, world.visit.sku, who=riley, use_credit=True))
    with house.db.reading() as session:
        (held,) = items.held_for(session, [riley.account_id])
    with pytest.raises(DBAPIError, match="credit has not as much"):
        house.db.run_tx(
            lambda session: tenders.move(
                session,
                held,
                usd(1),
                "unapplied",
                held.id,
                held.effective_date,
                house.clock.now(),
            )
        )


# --- bills ----------------------------------------------------------------------------------------


def _bill(house: House, world: World, who, *skus: str) -> Invoice:
    placed = place(house, wish_with(house, *skus, who=who, method="invoice"))
    drain(house)
    (invoice,) = _all(house, Invoice, Invoice.order_id == placed.order_id)
    return invoice


def _open(house: House, *invoices: Invoice) -> list[int]:
    with house.db.reading() as session:
        found = items.of_sources(session, [row.id for row in invoices])
    return [found[row.id].open.minor for row in invoices]


def test_a_bill_is_paid_by_gift_card_and_credit_without_a_processor(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    riley = member(house, credit_minor=2000)
    bill = _bill(house, world, riley, world.visit.sku)
    paying = usual([code], use_credit=True)
    assert pay(house, PayWish(riley.user_id, [bill.id], paying=paying)) is None
    assert _open(house, bill) == [0]
    assert (balance(house, code), credit_left(house, riley)) == ((0, 0), 1000)
    _assert_sound(house)


def test_two_bills_are_paid_by_gift_card_and_card_together(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    riley = member(house)
    bills = [_bill(house, world, riley, world.visit.sku) for _ in range(2)]
    asked = PayWish(
        riley.user_id, [row.id for row in bills], paying=usual([code], use_credit=False)
    )
    url = pay(house, asked)
    assert pay(house, asked) == url
    (operation,) = _all(house, PaymentOperation, PaymentOperation.state == "sent")
    assert operation.amount_minor == 2 * VISIT - 5000
    sandbox.pay(url, CARD)
    assert settle(house, operation.id) == "succeeded"
    assert _open(house, *bills) == [0, 0]
    assert balance(house, code) == (0, 0)
    _assert_sound(house)


def test_another_choice_for_the_same_bill_gives_the_first_visit_up(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    riley = member(house)
    bill = _bill(house, world, riley, world.visit.sku)
    pay(house, PayWish(riley.user_id, [bill.id], paying=usual([code], use_credit=False)))
    part = Paying((ByGiftCard(code, usd(1000)),))
    url = pay(house, PayWish(riley.user_id, [bill.id], paying=part))
    assert balance(house, code) == (5000, 1000)
    sandbox.pay(url, CARD)
    (operation,) = _all(house, PaymentOperation, PaymentOperation.state == "sent")
    settle(house, operation.id)
    assert balance(house, code) == (4000, 0)
    assert _open(house, bill) == [0]


def test_what_somebody_else_paid_meanwhile_stays_on_the_gift_card(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    riley = member(house)
    bill = _bill(house, world, riley, world.visit.sku)
    by_card = pay(house, PayWish(riley.user_id, [bill.id]))
    (plain,) = _all(house, PaymentOperation, PaymentOperation.state == "sent")
    both = pay(house, PayWish(riley.user_id, [bill.id], paying=usual([code], use_credit=False)))
    for url in (by_card, both):
        sandbox.pay(url, CARD)
    sent = _all(house, PaymentOperation, PaymentOperation.state == "sent")
    for row in sorted(sent, key=lambda row: row.id != plain.id):  # the plain one first
        settle(house, row.id)
    assert _open(house, bill) == [0]
    assert balance(house, code) == (5000, 0)
    assert plain.amount_minor == VISIT
    _assert_sound(house)


def test_giving_a_bill_up_gives_the_gift_card_free(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    riley = member(house)
    bill = _bill(house, world, riley, world.visit.sku)
    pay(house, PayWish(riley.user_id, [bill.id], paying=usual([code], use_credit=False)))
    (operation,) = _all(house, PaymentOperation, PaymentOperation.state == "sent")
    assert give_up_bills(house, operation.id)
    assert balance(house, code) == (5000, 0)
    assert _open(house, bill) == [VISIT]


# --- gift cards -----------------------------------------------------------------------------------


def test_a_bought_gift_card_is_owed_and_its_code_is_in_one_mail(
    house: House, sandbox: SandboxProcess, world: World
):
    code, placed = buy_gift_card(house, sandbox, world)
    drain(house)
    post = house.sender
    assert isinstance(post, PostBox)
    told = [mail for mail in post.to("giver@example.com") if "gift card" in mail["Subject"]]
    assert len(told) == 1
    spaced = "-".join(code[at : at + 4] for at in range(0, 16, 4))
    assert spaced in told[0].get_body(("plain",)).get_content()
    assert -_book(house, "gift_card_liability") == 5000
    assert _book(house, "tax_payable") == 0
    assert _book(house, "contract_liability") == 0
    (card,) = _all(house, GiftCard)
    assert (card.last_four, card.order_id) == (code[-4:], placed.order_id)
    _assert_sound(house)


def test_the_code_stands_nowhere_in_the_database(
    house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    drain(house)
    spaced = "-".join(code[at : at + 4] for at in range(0, 16, 4))
    with house.db.reading() as session:
        for table in metadata.sorted_tables:
            for row in session.execute(select(table)):
                assert code not in str(row), table.name
                assert spaced not in str(row), table.name


# --- crashes --------------------------------------------------------------------------------------

LATER = ("place.before_commit", "send.after_call", "settle.fetched", "settle.committed")
POINTS = (
    "place.after_commit",
    "settle.before_commit",
    *(pytest.param(point, marks=pytest.mark.long) for point in LATER),
)


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_at_any_point_spends_the_gift_card_once(
    point: str, house: House, sandbox: SandboxProcess, world: World
):
    code, _ = buy_gift_card(house, sandbox, world)
    wanted = wish_with(house, world.visit.sku, codes=(code,))

    def buy() -> None:
        placed = place(house, wanted)
        with house.db.reading() as session:
            operation = operations.of_order(session, placed.order_id)
        if operation is not None and operation.state in operations.OPEN_STATES:
            sandbox.pay(operation.redirect_url, CARD)
            settle(house, operation.id)
        drain(house)

    with crash.crash_at(point):
        buy()
    with house.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Tender)) in (1, 3)
    pass_time(house, sandbox, timedelta(minutes=2))
    buy()
    assert balance(house, code) == (0, 0)
    assert len(_all(house, Payment)) == 2
    # The gift card was given with its order; the visit waits for somebody.
    assert sorted(order.lifecycle for order in _all(house, Order)) == ["completed", "confirmed"]
    assert len(_all(house, OpenItem, OpenItem.source_kind == "gift_card")) == 1
    _assert_sound(house)
    assert Money(_book(house, "gift_card_liability"), "USD") == usd(0)
