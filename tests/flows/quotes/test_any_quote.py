"""What was accepted is what is ordered and billed: to the cent, per document and per line, for any quote."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from cart.quotes.offer import Discount
from cart.quotes.wanting import Wanted
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.money import Money, extend
from core.ledger import items
from core.orders.models import OrderLineTax
from core.parties.models import Account, Channel, LegalEntity
from core.tax.models import TaxRate
from flows import issue_invoice
from flows.house import House
from invoices.document import InvoiceDocument
from invoices.models import Invoice, InvoiceLine, InvoiceLineTax
from tests.quoting import DEPOT, MILL, YARD, Quoting
from tests.shop import make_house
from tests.world import World

_PRICES = st.integers(0, 40_000_000).map(lambda micros: micros * 7)
_SKUS = ("FW-RT-6", "FW-CAM-1", "FW-VISIT", "FW-RIVER-100", "")


@st.composite
def _wanted(draw: st.DrawFn) -> Wanted:
    sku = draw(st.sampled_from(_SKUS))
    return Wanted(
        sku=sku,
        name="Trench and duct" if not sku else "",
        quantity=draw(st.integers(1, 3)),
        price_micros=draw(_PRICES if not sku else st.none() | _PRICES),
        term_months=draw(st.none() | st.integers(1, 60)) if sku == "FW-RIVER-100" else None,
        cost_micros=draw(st.none() | _PRICES),
        tax_category=draw(st.sampled_from(("device", "service", ""))) if not sku else "",
        site=draw(st.integers(0, 2)),
    )


_DISCOUNTS = st.one_of(
    st.just(Discount()),
    st.integers(1, 999_999).map(lambda ppm: Discount(ppm, 0, "For all of it")),
    st.integers(1, 3_000).map(lambda minor: Discount(0, minor, "For all of it")),
)


@pytest.fixture
def shop(db: Database, clock: ManualClock, world: World, tmp_path: Path) -> House:
    from typing import cast

    from payments.gateway import Gateway

    made = make_house(db, clock, tmp_path, cast(Gateway, None))
    # One pallet is enough for all examples: each is accepted for good.
    with db.transaction() as session:
        from core.stock import levels

        for goods in (world.router, world.camera):
            levels.receive(session, goods.variant_id, world.location_id, 5_000, clock.now())
    return made


def _taxed(house: House, included: bool, rounding: str, ppm: int) -> None:
    with house.db.transaction() as session:
        session.execute(update(Channel).values(prices_include_tax=included))
        session.execute(update(LegalEntity).values(tax_rounding=rounding))
        session.execute(update(TaxRate).values(rate_ppm=ppm))


@given(
    wanted=st.lists(_wanted(), min_size=1, max_size=6),
    discount=_DISCOUNTS,
    included=st.booleans(),
    rounding=st.sampled_from(("document", "line")),
    ppm=st.integers(0, 270_000),
    delivery=st.none() | st.integers(0, 5_000),
)
@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_was_accepted_is_ordered_and_billed_to_the_cent(
    shop: House,
    world: World,
    wanted: list[Wanted],
    discount: Discount,
    included: bool,
    rounding: str,
    ppm: int,
    delivery: int | None,
):
    _taxed(shop, included, rounding, ppm)
    quoting = Quoting.ask(shop, world)
    once = sum(
        extend(one.price_micros or 0, one.quantity, "USD").minor
        for one in wanted
        if one.sku != "FW-RIVER-100" and one.price_micros is not None
    )
    if discount.minor > once:
        discount = replace(discount, minor=0, reason="")
    quoting.ready(*wanted, sites=(DEPOT, MILL, YARD), discount=discount, delivery_minor=delivery)
    shown = InvoiceDocument.from_dict(quoting.version().document or {})
    placed = quoting.accept()
    with shop.db.transaction() as session:
        issue_invoice.for_order(session, shop, placed.order_id)
    _assert_the_same(shop, quoting, shown, placed.order_id)


def _assert_the_same(house: House, quoting: Quoting, shown: InvoiceDocument, order_id) -> None:
    """Document shown = frozen lines = order = invoice = what the ledger asks for; line by line."""
    version, offered = quoting.version(), quoting.lines()
    ordered = quoting.order_lines(order_id)
    with house.db.reading() as session:
        invoice = session.scalars(select(Invoice).where(Invoice.order_id == order_id)).one()
        billed = session.scalars(
            select(InvoiceLine)
            .where(InvoiceLine.invoice_id == invoice.id)
            .order_by(InvoiceLine.line_number)
        ).all()
        order_taxes = {
            line.id: session.scalars(
                select(OrderLineTax.amount_minor)
                .where(OrderLineTax.order_line_id == line.id)
                .order_by(OrderLineTax.position)
            ).all()
            for line in ordered
        }
        bill_taxes = {
            line.order_line_id: session.scalars(
                select(InvoiceLineTax.amount_minor)
                .where(InvoiceLineTax.invoice_line_id == line.id)
                .order_by(InvoiceLineTax.position)
            ).all()
            for line in billed
        }
        owed = items.of_sources(session, [invoice.id])
    due = (version.net_minor or 0) + (version.tax_minor or 0)
    order = next(row for row in quoting.orders() if row.id == order_id)
    assert Money.parse(str(shown.totals.gross), "USD").minor == due
    assert (order.net_minor, order.tax_minor) == (version.net_minor, version.tax_minor)
    assert (invoice.net_minor, invoice.tax_minor) == (version.net_minor, version.tax_minor)
    assert invoice.total_minor == order.due_now_minor == due
    if due:
        assert owed[invoice.id].amount.minor == due
    amounts = [(line.net_minor, line.tax_minor) for line in offered]
    assert [(line.net_minor, line.tax_minor) for line in ordered] == amounts
    assert [(line.net_minor, line.tax_minor) for line in billed] == amounts
    assert order_taxes == bill_taxes
    for line in ordered:
        priced = extend(line.unit_price_micros, line.quantity, "USD").minor
        assert line.net_minor + line.contained_minor == priced
    assert [Money.parse(str(one.net), "USD").minor for one in shown.lines] == [
        line.net_minor + line.contained_minor for line in ordered
    ]


@given(
    prices=st.lists(
        st.tuples(st.integers(0, 10**11), st.integers(1, 999)), min_size=1, max_size=20
    ),
    share=st.integers(0, 10**6),
    currency=st.sampled_from(("USD", "JPY", "KWD")),
)
def test_an_amount_off_is_taken_off_exactly_and_each_line_has_a_price_that_says_its_amount(
    prices: list[tuple[int, int]], share: int, currency: str
):
    from cart.quotes import offer as offers
    from cart.quotes.offer import Offer, OfferLine

    lines = tuple(OfferLine("Thing", pieces, micros) for micros, pieces in prices)
    whole = sum(extend(micros, pieces, currency).minor for micros, pieces in prices)
    off = whole * share // 10**6
    offer = Offer(lines, discount=Discount(0, off, "Because"))
    finals = offers.final_prices(offer, currency)
    pieces_of = [pieces for _, pieces in prices]
    amounts = [extend(*one, currency).minor for one in zip(finals, pieces_of, strict=True)]
    assert sum(amounts) == whole - off
    assert all(price >= 0 for price in finals)


def test_an_amount_off_that_is_more_than_what_is_charged_once_is_refused():
    from cart.quotes import offer as offers
    from cart.quotes.offer import Offer, OfferLine

    plan = OfferLine("River", 1, 45_000_000, charge_kind="monthly")
    offer = Offer((OfferLine("Router", 1, 9_000_000), plan), discount=Discount(0, 901, "Too much"))
    with pytest.raises(ValueError, match="more than"):
        offers.final_prices(offer, "USD")


def test_a_new_customers_account_is_opened_when_they_accept_and_is_billed(
    shop: House, world: World
):
    quoting = Quoting.ask(shop, world).ready()
    with shop.db.reading() as session:
        assert session.scalars(select(Account)).all() == []
    placed = quoting.accept()
    with shop.db.reading() as session:
        account = session.scalars(select(Account)).one()
    assert (account.name, account.email, account.kind) == (
        "Rowan Mills",
        "pat@rowan.example.com",
        "organisation",
    )
    (order,) = quoting.orders()
    assert (order.id, order.payer_account_id) == (placed.order_id, account.id)
