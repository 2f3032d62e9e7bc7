"""Whatever taxes its lines have, contained, on top, compound or relieved: a document adds up, and says it."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.ids import new_id
from core.parties.models import Account, Channel, LegalEntity
from core.tax.arithmetic import EXEMPT, REVERSE_CHARGE, Tax, Taxed, tax_lines
from invoices import wording
from invoices.content import Content, Item, TaxPart
from invoices.document import InvoiceDocument, Kind
from invoices.markup import INVOICES
from invoices.theme import Theme
from invoices.wording import Name, Printing

ON_TOP = Tax("Ohio", "Sales tax", 65_000)
COMPOUND = Tax("Quebec", "QST", 99_750, compound=True)
WITHIN = Tax("United Kingdom", "VAT", 200_000, inclusive=True)
FREED = Tax("Ohio", "Sales tax", 65_000, relief=EXEMPT, reference="OH-2041-77")
ABROAD = Tax("France", "VAT", 200_000, True, False, REVERSE_CHARGE, "FR61954506077")
SEVERAL = st.lists(st.sampled_from([ON_TOP, COMPOUND, WITHIN, FREED, ABROAD]), unique=True)
LINES = st.lists(st.tuples(st.integers(0, 10**7), SEVERAL), min_size=1, max_size=6)


def _part(one: Taxed) -> TaxPart:
    tax = one.tax
    more = {"compound": tax.compound, "relief": tax.relief, "reference": tax.reference}
    return TaxPart(
        tax.jurisdiction,
        tax.name,
        tax.rate_ppm,
        one.base_minor,
        one.amount_minor,
        tax.inclusive,
        more,
    )


def bill(
    lines: list[tuple[int, list[Tax]]], rounding: str = "document", locale: str = "en_US"
) -> InvoiceDocument:
    """A bill of these amounts with these taxes."""
    items = [
        Item(number, "Something", line.net_minor, tuple(map(_part, line.taxes)))
        for number, line in enumerate(tax_lines(lines, rounding), start=1)
    ]
    content = Content(
        kind=Kind.INVOICE,
        entity=LegalEntity(name="Fernway", address=["1 Ferry Street"], country="US"),
        channel=Channel(locale=locale),
        payer=Account(name="Quai SARL", number="204187751"),
        currency="EUR",
        issue_date=date(2026, 11, 17),
        due_date=date(2026, 12, 1),
        items=items,
        service_account_id=new_id(),
    )
    outside = Printing(lambda public_id: f"https://pay.example.com/{public_id}", lambda place: ())
    return wording.document(content, Name("100001", 100_001, "https://pay.example.com/b"), outside)


@given(LINES, st.sampled_from(["document", "line"]))
def test_the_total_is_the_sum_of_its_lines_and_taxes(lines, rounding):
    document = bill(lines, rounding)
    assert document.disagreements() == ()
    taxed = tax_lines(lines, rounding)
    minor = sum(line.net_minor + line.tax_minor for line in taxed)
    assert document.totals.gross == Decimal(minor).scaleb(-2)


@given(LINES)
def test_each_ground_for_not_charging_stands_on_it_with_its_base(lines):
    document = bill(lines)
    taxed = tax_lines(lines, "document")
    for tax in {tax for _, taxes in lines for tax in taxes if tax.relief}:
        base = sum(one.base_minor for line in taxed for one in line.taxes if one.tax == tax)
        (told,) = [part for part in document.tax_breakdown if part.reference == tax.reference]
        assert (told.base, told.amount) == (Decimal(base).scaleb(-2), Decimal(0))


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en_GB", ("Reverse charge: you account for the VAT.", "Your VAT id")),
        ("de_DE", ("Steuerschuldnerschaft des Leistungsempfängers", "Ihre USt-IdNr.")),
    ],
)
def test_whoever_accounts_for_the_tax_is_told_in_the_words_of_the_law(locale, words):
    page = INVOICES.xhtml(bill([(12_000, [ABROAD])], locale=locale), Theme(), "")
    assert all(word in page for word in (*words, "FR61954506077", "2006/112/E"))


def test_a_certificate_is_named():
    page = INVOICES.xhtml(bill([(12_900, [FREED])]), Theme(), "")
    assert "certificate OH-2041-77, 129.00 free of tax" in page
