"""A bundle from the cart to the bill: one line for the shopper, pieces for stock, tax, plans and books."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.money import extend
from core.orders import grouping, placing
from core.orders.grouping import Standing
from core.orders.models import OrderLine, OrderLineCharge
from core.stock.models import Hold, StockLevel
from core.subscriptions.models import Subscription, SubscriptionPhase
from flows import correct_invoice
from flows.abandon_payment import abandon
from flows.correct_invoice import Correction
from flows.follow_order import follow
from flows.house import House
from flows.place_order import Placed, place
from flows.verify import Finding, verify
from invoices import correctable
from invoices.document import InvoiceDocument
from invoices.models import Invoice, InvoiceLine, InvoiceLineTax
from payments.models import PaymentOperation
from tests import packs
from tests.flows.selling import PARIS, Seller
from tests.giving import balance, buy_gift_card, member, wish_with
from tests.packs import Inside
from tests.paying import CARD, buy, come_back, drain, fill_cart, house, processor, sandbox, wish
from tests.sandbox_process import SandboxProcess
from tests.world import Goods, World

__all__ = ["house", "processor", "sandbox"]


@pytest.fixture
def home(db: Database, clock: ManualClock, world: World) -> Goods:
    """Line, router and visit for 149.00 once and 42.00 a month."""
    return db.run_tx(lambda session: packs.home(session, world, clock.now()))


def standing(house: House, placed: Placed) -> list[Standing]:
    with house.db.reading() as session:
        return grouping.standing(placing.lines_of(session, placed.order_id))


def level(house: House, goods: Goods) -> tuple[int, int]:
    """Held and sold."""
    with house.db.reading() as session:
        row = session.get_one(StockLevel, goods.level_id)
        return row.held, row.allocated


def wrong(house: House) -> list[Finding]:
    return [one for one in verify(house.db, house.clock, blobs=house.blobs) if not one.holds]


def paid(house: House, sandbox: SandboxProcess, *skus: str) -> Placed:
    placed = buy(house, *skus)
    assert placed.redirect_url is not None
    sandbox.pay(placed.redirect_url, CARD)
    assert come_back(house, placed) == "succeeded"
    drain(house)
    return placed


def test_it_is_ordered_as_a_line_with_its_pieces_below(house: House, world: World, home: Goods):
    placed = buy(house, home.sku, world.router.sku)
    pack, single, delivery = standing(house, placed)
    assert (pack.line.kind, pack.line.net_minor, pack.line.tax_minor) == ("bundle", 19_100, 0)
    assert [
        (one.sku, one.charge_kind, one.quantity, one.net_minor, one.sale_price_minor)
        for one in pack.pieces
    ] == [
        ("FW-RT-6", "one_off", 1, 10_170, 12_900),
        ("FW-VISIT", "one_off", 1, 4_730, 6_000),
        ("FW-RIVER-100", "monthly", 1, 4_200, 4_500),
    ]
    assert [one.line.line_number for one in (pack, single, delivery)] == [1, 5, 6]
    with house.db.reading() as session:
        charges = session.execute(
            select(OrderLineCharge.charge_kind, OrderLineCharge.priced_minor)
        ).all()
    assert dict(charges) == {"one_off": 14_900, "monthly": 4_200}
    assert level(house, world.router) == (2, 0)


def test_the_payment_page_lists_it_once(house: House, world: World, home: Goods):
    placed = buy(house, home.sku)
    with house.db.reading() as session:
        operation = session.scalars(select(PaymentOperation)).one()
    assert operation.request["lines"] == [["River at home", 19_100, 1], ["Sales tax", 661, 1]]
    assert placed.redirect_url is not None


def test_paid_its_goods_are_sold_its_plan_begins_and_the_bill_shows_the_pieces(
    house: House, sandbox: SandboxProcess, world: World, home: Goods
):
    placed = paid(house, sandbox, home.sku)
    assert level(house, world.router) == (0, 1)
    with house.db.reading() as session:
        subscription = session.scalars(select(Subscription)).one()
        phase = session.scalars(select(SubscriptionPhase)).one()
        plan = session.scalars(select(OrderLine).where(OrderLine.kind == "plan")).one()
        invoice = session.scalars(select(Invoice)).one()
        lines = session.scalars(select(InvoiceLine).order_by(InvoiceLine.line_number)).all()
        taxes = session.scalars(select(InvoiceLineTax.invoice_line_id)).all()
    assert (plan.subscription_id, plan.period_index) == (subscription.id, 0)
    assert (phase.variant_id, phase.quantity, phase.unit_price_micros, phase.interval) == (
        world.plan.variant_id,
        1,
        42_000_000,
        "month",
    )
    pack, router, visit, line, _ = lines
    assert {one.parent_id for one in (router, visit, line)} == {pack.id}
    assert pack.net_minor == router.net_minor + visit.net_minor + line.net_minor == 19_100
    assert set(taxes) == {router.id}
    assert (invoice.net_minor, invoice.tax_minor) == (19_100, 661)
    assert wrong(house) == []
    with house.db.snapshot() as session:
        followed = follow(session, placing.by_public_id(session, placed.public_id))
    assert followed.due.minor == 0


def test_the_bill_says_which_part_of_the_price_each_piece_is(
    house: House, sandbox: SandboxProcess, home: Goods
):
    paid(house, sandbox, home.sku)
    with house.db.reading() as session:
        found = session.scalars(select(Invoice)).one()
        whys = session.scalars(select(InvoiceLine.why).order_by(InvoiceLine.line_number)).all()
    document = InvoiceDocument.from_dict(found.document)
    assert document.disagreements() == ()
    (group, _) = document.groups
    assert [(row.is_bundle, row.is_piece) for row in group.rows] == [
        (True, False),
        *[(False, True)] * 3,
    ]
    router, line = group.rows[1].line, group.rows[3].line
    assert router.why[0].label == "Its part of the bundle’s price of $149.00: 129 of 189."
    assert (line.description, line.why[0].label) == (
        "First month",
        "The bundle’s price of $42.00 is for this alone.",
    )
    kept = [(why["formula"], why["weight"], why["of_weight"], why["of"]) for why in whys[1:4]]
    assert kept == [
        ("share", "129", "189", "149.00"),
        ("share", "60", "189", "149.00"),
        ("share", "45", "45", "42.00"),
    ]


def test_a_plan_of_several_bundles_is_billed_again_at_exactly_its_part(
    house: House, clock: ManualClock, world: World, sandbox: SandboxProcess
):
    """Of a price in parts of a cent three come to ten dollars."""

    def work(session: Session) -> Goods:
        inside = [Inside(world.plan), Inside(world.router), Inside(world.visit)]
        prices: dict[str, str | int] = {"one_off": "100.00", "monthly": 3_333_333}
        return packs.pack(session, world, clock.now(), inside, prices)

    goods = house.db.run_tx(work)
    paid(house, sandbox, goods.sku, goods.sku, goods.sku)
    with house.db.reading() as session:
        phase = session.scalars(select(SubscriptionPhase)).one()
        plan = session.scalars(select(OrderLine).where(OrderLine.kind == "plan")).one()
    assert (phase.quantity, plan.net_minor) == (3, 1_000)
    assert extend(phase.unit_price_micros, phase.quantity, "USD").minor == plan.net_minor
    assert wrong(house) == []


def test_gift_card_and_bill_pay_for_it_like_for_anything(
    house: House, sandbox: SandboxProcess, world: World, home: Goods
):
    code, _ = buy_gift_card(house, sandbox, world)
    asked = wish_with(house, home.sku, codes=(code,), who=member(house), method="invoice")
    placed = place(house, asked)
    drain(house)
    assert balance(house, code) == (0, 0)
    with house.db.snapshot() as session:
        followed = follow(session, placing.by_public_id(session, placed.public_id))
    assert followed.due.minor == 19_761 - 5_000
    assert wrong(house) == []


def test_a_piece_is_credited_alone_or_the_whole_bill_with_all_of_them(
    house: House, sandbox: SandboxProcess, home: Goods
):
    """A memo is of the pieces, with their own taxes; the bundle's line has nothing to give back."""
    paid(house, sandbox, home.sku)
    with house.db.reading() as session:
        bill = session.scalars(select(Invoice)).one()
        named = [one.row.sku for one in correctable.lines_of(session, bill.id)]
    assert named == ["FW-RT-6", "FW-VISIT", "FW-RIVER-100", "delivery:standard"]
    with house.db.reading() as session:
        router = session.scalars(select(InvoiceLine).where(InvoiceLine.sku == "FW-RT-6")).one()
    part = Correction(
        bill.public_id, {router.line_number: router.net_minor}, "goodwill", "part", "t"
    )
    alone, _ = correct_invoice.credit(house, part)
    assert (alone.net_minor, alone.tax_minor) == (10_170, 661)
    memo, _ = correct_invoice.void(house, bill.public_id, "once", "test", refunded=False)
    assert (memo.net_minor, memo.tax_minor) == (bill.net_minor - 10_170, bill.tax_minor - 661)
    drain(house)
    assert wrong(house) == []


def test_whoever_comes_back_from_the_payment_page_has_it_in_the_cart_and_held(
    house: House, world: World, home: Goods
):
    cart_id = fill_cart(house, home.sku, world.router.sku)
    placed = place(house, wish(cart_id))
    assert level(house, world.router) == (2, 0)
    assert abandon(house, placed.order_id, "came_back")
    assert level(house, world.router) == (2, 0)
    again = place(house, wish(cart_id))
    assert again.order_id != placed.order_id
    assert level(house, world.router) == (2, 0)
    with house.db.reading() as session:
        owners = session.scalars(select(Hold.owner_id).where(Hold.state == "active")).all()
    assert set(owners) == {again.order_id}


# --- prices that contain tax, and buyers who pay none ---------------------------------------------


@pytest.mark.parametrize(
    ("vat_id", "amounts"),
    [("", (16_492, 3_298, 19_790)), ("FR61954506077", (16_492, 0, 16_492))],
    ids=["with its tax", "free of tax"],
)
def test_where_prices_contain_tax_the_pieces_still_are_the_bundle(
    vat_id: str, amounts, db: Database, clock: ManualClock, world: World, home: Goods, tmp_path
):
    """191.00 and delivery at 6.90, at 20 %; of a business abroad the tax is taken off."""
    seller = Seller.open(db, clock, world, tmp_path)
    seller.move("DE", "EUR", included=True, rounding="document")
    seller.levy("FR", "VAT", 200_000)
    placed = seller.order(home.sku, to=PARIS, vat_id=vat_id)
    billed = seller.bill(placed)
    assert billed.amounts == amounts
    assert billed.document.disagreements() == ()
    (pack, *_) = standing(seller.house, placed)
    assert pack.line.net_minor == sum(piece.net_minor for piece in pack.pieces)
    assert (pack.priced_minor == 19_100) is (not vat_id)
    assert [one for one in verify(db, clock) if not one.holds] == []


# --- proofs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, word",
    [
        (
            "UPDATE order_line SET net_minor = net_minor - 1 WHERE sku = 'FW-VISIT'",
            "order O-10001, line 1: its pieces come to 190.99 USD",
        ),
        (
            "UPDATE order_line SET parent_id = NULL WHERE sku = 'FW-VISIT'",
            "order O-10001, line 1: its pieces come to 143.70 USD",
        ),
        (
            "UPDATE order_line SET charge_kind = 'monthly' WHERE sku = 'FW-VISIT'",
            "order O-10001, line 1: monthly pieces come to 89.30 USD of 42.00 USD",
        ),
        (
            "UPDATE order_line SET charge_kind = 'yearly' WHERE sku = 'FW-VISIT'",
            "order O-10001, line 1: yearly pieces come to 47.30 USD of 0.00 USD",
        ),
        (
            "UPDATE order_line_charge SET priced_minor = 4300 WHERE charge_kind = 'monthly'",
            "invoice 100001: monthly pieces of a bundle come to 42.00 USD of 43.00 USD",
        ),
        (
            "UPDATE order_line_charge SET priced_minor = 4300 WHERE charge_kind = 'monthly'",
            "order O-10001, line 1: monthly pieces come to 42.00 USD of 43.00 USD",
        ),
    ],
)
def test_pieces_that_are_not_their_bundle_are_found(
    change: str, word: str, house: House, home: Goods
):
    place(house, wish(fill_cart(house, home.sku), "invoice"))
    drain(house)
    with house.db.transaction() as session:
        session.execute(text(change))
    (found,) = [one for one in wrong(house) if one.number == 6]
    assert word in found.offenders


def test_a_bundles_line_has_no_tax_no_parent_and_no_plan_of_its_own(house: House, home: Goods):
    place(house, wish(fill_cart(house, home.sku), "invoice"))
    for change in ("tax_minor = 1", "contained_minor = 1", "parent_id = id"):
        with pytest.raises(IntegrityError), house.db.transaction() as session:
            session.execute(text(f"UPDATE order_line SET {change} WHERE kind = 'bundle'"))
