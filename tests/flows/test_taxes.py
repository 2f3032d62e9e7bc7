"""Taxes from the shelf to the bill, the report and the ledger: contained in prices, exempt, a business's own,
and worked out by somebody outside."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select, text

from cart.checkout import CheckoutIncomplete
from cart.quotes.wanting import Wanted
from core.kernel.audit import AuditEntry
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.orders.models import Order
from core.tax import exemptions
from core.tax.arithmetic import Tax, Taxed, TaxedLine
from core.tax.exemptions import NewExemption
from core.tax.models import VatCheck
from core.tax.register import Verdict
from core.tax.service import ElseOwnTable, NoTaxAnswer, Question
from flows import send_quote
from flows.verify import verify
from invoices import markup, tax_report
from invoices.theme import Theme
from tests.flows.selling import BERLIN, LEEDS, PARIS, Seller
from tests.quoting import ANN, Quoting, off
from tests.world import ADDRESS, World

ROUTER, CAMERA = "FW-RT-6", "FW-CAM-1"
FRENCH, GERMAN = "FR61954506077", "DE136695976"


@pytest.fixture
def seller(db: Database, clock: ManualClock, world: World, tmp_path: Path) -> Seller:
    return Seller.open(db, clock, world, tmp_path)


@pytest.fixture
def german(seller: Seller) -> Seller:
    """Sells from Germany in euros, tax on top, and at the French rate to France."""
    seller.move("DE", "EUR", included=False, rounding="document")
    seller.levy("DE", "VAT", 190_000)
    seller.levy("FR", "VAT", 200_000)
    return seller


def proved(seller: Seller) -> list[str]:
    return [word for one in verify(seller.db, seller.house.clock) for word in one.offenders]


def printed(billed) -> str:
    return markup.INVOICES.xhtml(billed.document, Theme(), "")


def report(seller: Seller) -> tax_report.Report:
    on = seller.house.clock.now().date()
    with seller.db.snapshot() as session:
        days = tax_report.month(on.year, on.month)
        return tax_report.report(session, seller.world.legal_entity_id, days)


# --- prices with their tax ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "currency", "to"), [("GB", "GBP", LEEDS), ("DE", "EUR", BERLIN)]
)
def test_a_price_with_its_tax_is_what_is_paid_and_the_bill_says_what_it_contains(
    seller, country, currency, to
):
    seller.move(country, currency, included=True, rounding="document")
    seller.levy(country, "VAT", 200_000)
    billed = seller.bill(seller.order(CAMERA, to=to))
    # 59.00 and delivery at 6.90, both with 20 %
    assert billed.amounts == (5_492, 1_098, 6_590)
    assert billed.document.disagreements() == ()
    assert billed.document.totals.gross == Decimal("65.90")
    assert [line.net for line in billed.document.lines] == [Decimal("59.00"), Decimal("6.90")]
    (contained,) = billed.document.tax_contained
    assert (contained.base, contained.amount) == (Decimal("54.92"), Decimal("10.98"))
    assert "Contains VAT" in printed(billed)
    assert proved(seller) == []
    (row,) = report(seller).rows[currency]
    assert (row.taxable.minor, row.tax_due.minor) == (5_492, 1_098)


def test_rounding_by_the_line_is_the_legal_entitys_choice(seller):
    seller.move("GB", "GBP", included=False, rounding="line")
    seller.levy("GB", "VAT", 72_500)
    billed = seller.bill(seller.order(CAMERA, to=LEEDS))
    assert [tax.amount_minor for tax in billed.taxes] == [428, 50]


# --- certificates ---------------------------------------------------------------------------------


def exempt(seller: Seller, ends_on: date | None = None, **more) -> str:
    new = NewExemption(
        seller.account().id, "OH-2041-77", (), more.get("categories", ()), date(2020, 1, 1), ends_on
    )
    with seller.db.transaction() as session:
        return exemptions.enter(session, new, "user:kim", seller.house.clock.now()).public_id


def test_whoever_has_a_certificate_is_not_taxed_and_the_bill_names_it_with_the_base(seller):
    who = seller.customer()
    exempt(seller)
    billed = seller.bill(seller.order(ROUTER, to=ADDRESS, who=who))
    assert billed.amounts == (12_900, 0, 12_900)
    (tax,) = billed.document.tax_breakdown
    assert (tax.category, tax.relief, tax.base, tax.amount) == (
        "E",
        "exempt",
        Decimal("129.00"),
        Decimal("0.00"),
    )
    assert "certificate OH-2041-77, 129.00 free of tax" in printed(billed)
    assert billed.document.disagreements() == ()
    assert proved(seller) == []
    (row,) = report(seller).rows["USD"]
    assert (row.taxable.minor, row.exempt.minor, row.tax_due.minor) == (0, 12_900, 0)


def test_from_its_end_on_tax_is_charged_again(seller):
    who = seller.customer()
    today = seller.house.clock.now().date()
    exempt(seller, ends_on=today + timedelta(days=1))
    assert seller.bill(seller.order(ROUTER, to=ADDRESS, who=who)).amounts[1] == 0
    seller.house.clock.advance(timedelta(days=1))
    assert seller.bill(seller.order(ROUTER, to=ADDRESS, who=who)).amounts[1] == 839


def test_a_revoked_one_frees_nobody(seller):
    who = seller.customer()
    public_id = exempt(seller)
    with seller.db.transaction() as session:
        row = exemptions.one(session, public_id).exemption
        exemptions.revoke(session, row, "not theirs", "user:kim", seller.house.clock.now())
    assert seller.bill(seller.order(ROUTER, to=ADDRESS, who=who)).amounts[1] == 839


def test_it_frees_only_from_what_it_names_and_only_its_account(seller):
    who = seller.customer()
    exempt(seller, categories=("phone",))
    assert seller.bill(seller.order(ROUTER, to=ADDRESS, who=who)).amounts[1] == 839
    assert seller.bill(seller.order(ROUTER, to=ADDRESS)).amounts[1] == 839


# --- reverse charge -------------------------------------------------------------------------------


def test_a_business_across_a_border_of_the_eu_accounts_for_the_tax_itself(german):
    billed = german.bill(german.order(ROUTER, to=PARIS, vat_id="fr 61 954 506 077"))
    assert billed.amounts == (13_590, 0, 13_590)
    assert billed.order.vat_id == FRENCH
    assert billed.document.buyer.vat_id == FRENCH
    assert {tax.category for tax in billed.document.tax_breakdown} == {"AE"}
    (note,) = billed.document.notes
    assert note.startswith("Reverse charge: you account for the VAT.")
    page = printed(billed)
    assert FRENCH in page
    assert "Directive 2006/112/EC" in page
    assert proved(german) == []
    (row,) = report(german).rows["EUR"]
    assert (row.reverse_charge.minor, row.tax_due.minor) == (13_590, 0)
    with german.db.reading() as session:
        acts = session.scalars(select(AuditEntry.act).where(AuditEntry.act == "vat_id.entered"))
        assert list(acts) == ["vat_id.entered"]


def test_anybody_else_pays_it(german):
    found = {
        why: german.bill(german.order(CAMERA, to=to, vat_id=vat_id)).amounts[1]
        for why, to, vat_id in (
            ("nobody's business", PARIS, ""),
            ("at home", BERLIN, GERMAN),
            ("a business of our own country", PARIS, GERMAN),
            ("delivered at home", BERLIN, FRENCH),
        )
    }
    assert list(found.values()) == [1_318, 1_252, 1_318, 1_252]


def test_where_we_have_no_rate_the_base_is_told_all_the_same(seller):
    seller.move("DE", "EUR", included=False, rounding="document")
    german_only = seller.bill(seller.order(ROUTER, to=PARIS, vat_id=FRENCH))
    assert {(tax.relief, tax.rate_ppm) for tax in german_only.taxes} == {("reverse_charge", 0)}
    assert sum(row.reverse_charge.minor for row in report(seller).rows["EUR"]) == 13_590


def test_a_business_pays_a_price_with_tax_without_it(seller):
    seller.move("DE", "EUR", included=True, rounding="document")
    seller.levy("FR", "VAT", 200_000)
    billed = seller.bill(seller.order(ROUTER, to=PARIS, vat_id=FRENCH))
    assert billed.amounts == (11_325, 0, 11_325)  # 135.90 with 20 %
    assert billed.document.disagreements() == ()
    assert billed.document.tax_contained == ()
    assert proved(seller) == []


def test_an_account_keeps_its_vat_id(german):
    who = german.customer(vat_id=FRENCH)
    assert german.bill(german.order(ROUTER, to=PARIS, who=who)).amounts[1] == 0


def test_an_id_that_cannot_be_is_told_at_its_field(german):
    with pytest.raises(CheckoutIncomplete) as refused:
        german.order(ROUTER, to=PARIS, vat_id="FR61954506078")
    (missing,) = refused.value.requirements
    assert (missing.code, missing.field) == ("vat_id", "vat_id")
    assert "check digit" in missing.text or "does not look like" in missing.text


class FakeRegister:
    """Says what it was told to say, and proves that nobody holds a transaction meanwhile."""

    def __init__(self, db: Database, outcome: str) -> None:
        self.db, self.outcome = db, outcome
        self.asked: list[str] = []

    def check(self, number: str) -> Verdict:
        with self.db.transaction() as session:
            session.execute(text("SELECT 1"))
        self.asked.append(number)
        return Verdict(self.outcome, "Quai SARL" if self.outcome == "valid" else "", "W1")


@pytest.mark.parametrize(
    ("outcome", "tax"), [("valid", 0), ("invalid", 2_718), ("no_answer", 2_718)]
)
def test_the_register_has_the_last_word_and_its_answer_is_kept(german, outcome, tax):
    register = FakeRegister(german.db, outcome)
    asking = german.with_house(vat_register=register)
    assert asking.bill(asking.order(ROUTER, to=PARIS, vat_id=FRENCH)).amounts[1] == tax
    with german.db.reading() as session:
        (kept,) = session.scalars(select(VatCheck))
    assert (kept.number, kept.outcome) == (FRENCH, outcome)
    assert kept.asked_at == german.house.clock.now()
    asking.order(ROUTER, to=PARIS, vat_id=FRENCH)
    assert len(register.asked) == (2 if outcome == "no_answer" else 1)
    german.house.clock.advance(timedelta(days=31))
    asking.order(ROUTER, to=PARIS, vat_id=FRENCH)
    assert len(register.asked) == (3 if outcome == "no_answer" else 2)
    without = german.bill(german.order(ROUTER, to=PARIS, vat_id=FRENCH))
    assert without.amounts[1] == tax  # what it did not confirm does not count without it either


def test_a_seller_outside_the_eu_asks_no_register(seller):
    register = FakeRegister(seller.db, "valid")
    seller.with_house(vat_register=register).order(ROUTER, to=ADDRESS, vat_id=FRENCH)
    assert register.asked == []


def test_an_accounts_own_id_is_looked_up_before_it_counts(german):
    asking = german.with_house(vat_register=FakeRegister(german.db, "valid"))
    who = german.customer(vat_id=FRENCH)
    assert asking.bill(asking.order(ROUTER, to=PARIS, who=who)).amounts[1] == 0
    assert asking.house.vat_register.asked == [FRENCH]


def test_a_quote_for_an_account_is_priced_with_that_accounts_own_id(german):
    asking = german.with_house(vat_register=FakeRegister(german.db, "valid"))
    who = german.customer(vat_id=FRENCH)
    quoting = Quoting.ask(asking.house, german.world, user_id=who)
    quoting.write(Wanted(sku=ROUTER), sites=(PARIS,))
    assert asking.house.vat_register.asked == []
    quoting.send()
    assert asking.house.vat_register.asked == [FRENCH]
    assert quoting.version().tax_minor == 0


def test_whoever_approves_a_quote_sees_the_taxes_that_will_be_sent(german):
    asking = german.with_house(vat_register=FakeRegister(german.db, "valid"))
    who = german.customer(vat_id=FRENCH)
    quoting = Quoting.ask(asking.house, german.world, user_id=who)
    quoting.write(Wanted(sku=ROUTER), sites=(PARIS,), discount=off("50"))
    revision = quoting.version().revision
    send_quote.ask_approval(asking.house, quoting.public_id, revision, "", ANN)
    assert asking.house.vat_register.asked == [FRENCH]


def test_a_silence_does_not_undo_what_the_register_said_before(german):
    asking = german.with_house(vat_register=FakeRegister(german.db, "valid"))
    asking.order(ROUTER, to=PARIS, vat_id=FRENCH)
    german.house.clock.advance(timedelta(days=31))
    silent = german.with_house(vat_register=FakeRegister(german.db, "no_answer"))
    assert silent.bill(silent.order(ROUTER, to=PARIS, vat_id=FRENCH)).amounts[1] == 0


# --- a service outside ----------------------------------------------------------------------------


class Outside:
    """Takes ten percent of everything; it answers only when nobody holds a transaction."""

    calls_out = True

    def __init__(self, db: Database, *, up: bool = True) -> None:
        self.db, self.up = db, up
        self.asked: list[Question] = []

    def answer(self, question: Question) -> list[TaxedLine]:
        with self.db.transaction() as session:
            session.execute(text("SELECT 1"))
        self.asked.append(question)
        if not self.up:
            raise NoTaxAnswer
        tithe = Tax("Elsewhere", "Tithe", 100_000)
        return [
            TaxedLine(
                line.amount_minor, (Taxed(tithe, line.amount_minor, line.amount_minor // 10),)
            )
            for line in question.lines
        ]


def test_an_outside_service_is_asked_before_the_order_is_written_and_its_taxes_are_billed(seller):
    outside = Outside(seller.db)
    asking = seller.with_house(taxes=outside)
    billed = asking.bill(asking.order(ROUTER, to=ADDRESS))
    assert billed.amounts == (12_900, 1_290, 14_190)
    (question,) = outside.asked
    assert (question.place.region, question.currency, question.vat_id) == ("OH", "USD", "")
    assert [line.category for line in question.lines] == ["device", "delivery"]
    assert proved(seller) == []


def test_when_it_does_not_answer_nothing_is_ordered_and_the_shop_says_so(seller):
    asking = seller.with_house(taxes=Outside(seller.db, up=False))
    with pytest.raises(NoTaxAnswer) as refused:
        asking.order(ROUTER, to=ADDRESS)
    assert "We cannot work out the tax just now" in str(refused.value)
    with seller.db.reading() as session:
        assert session.scalars(select(Order)).all() == []


def test_or_our_own_table_stands_in(seller):
    outside = Outside(seller.db, up=False)
    asking = seller.with_house(taxes=ElseOwnTable(outside))
    assert asking.bill(asking.order(ROUTER, to=ADDRESS)).amounts == (12_900, 839, 13_739)
    assert len(outside.asked) == 1
