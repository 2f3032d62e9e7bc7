"""A quote's paper: one frozen document of page and PDF, archival and accessible, kept once by its hash."""

import io
from dataclasses import replace

import pypdf
import pytest
from sqlalchemy import select

from cart.quotes.models import QuoteFile
from cart.quotes.wanting import Wanted
from flows import draft_quote, send_quote
from flows.house import House
from invoices import pdf
from invoices.document import InvoiceDocument, Kind
from tests.paying import drain
from tests.quoting import DEPOT, MILL, YARD, Quoting, mails, off
from tests.rooms.invoices.test_pdf import faults
from tests.world import World

pytestmark = pytest.mark.typeset


def _sent(house: House, world: World) -> Quoting:
    return Quoting.ask(house, world).ready(
        Wanted(sku=world.router.sku, quantity=3),
        Wanted(sku=world.plan.sku, term_months=24, site=1),
        Wanted(name="Trench and duct", price_micros=310_000_000, tax_category="service", site=2),
        sites=(DEPOT, MILL, YARD),
        discount=off("5"),
        note="We come in March.",
    )


def _text(content: bytes) -> str:
    reader = pypdf.PdfReader(io.BytesIO(content))
    return " ".join(" ".join(page.extract_text().split()) for page in reader.pages)


def _document(quoting: Quoting) -> InvoiceDocument:
    return InvoiceDocument.from_dict(quoting.version().document or {})


def test_it_says_what_is_offered_until_when_and_what_recurs_and_asks_for_no_money(
    house: House, world: World
):
    quoting = _sent(house, world)
    sha256 = send_quote.store(house, quoting.version().id)
    content = house.blobs.get(sha256)
    assert faults(content) == []
    text = _text(content)
    for said in (
        "Quote Q-1001/1",
        "We offer you",
        "valid until",
        "Tuesday, December 1",
        "The mill, 3 Weir Street",
        "for 24 months",
        "list price 45.00",
        "Due when you accept",
        "Then each month",
        "We come in March.",
        "For three places",
    ):
        assert said in text, said
    for bill in ("Pay stub", "Please pay", "To pay", "Invoice"):
        assert bill not in text, bill


def test_the_pdf_is_kept_once_and_is_the_same_to_the_byte(house: House, world: World):
    quoting = _sent(house, world)
    drain(house)
    kept = send_quote.store(house, quoting.version().id)
    with house.db.reading() as session:
        assert session.scalars(select(QuoteFile.sha256)).all() == [kept]
    assert pdf.render(_document(quoting), theme=_theme(house)).sha256 == kept
    (mail,) = [one for one in mails(house) if "valid until" in one["Subject"]]
    (attached,) = list(mail.iter_attachments())
    assert attached.get_content() == house.blobs.get(kept)
    assert attached.get_filename() == "quote-Q-1001-1.pdf"


def _theme(house: House):
    from core.parties.models import Channel
    from invoices import theme

    with house.db.reading() as session:
        return theme.of_brand(session.scalars(select(Channel)).one().brand)


def test_before_it_is_sent_it_is_marked_as_a_draft_and_has_no_number(house: House, world: World):
    quoting = Quoting.ask(house, world)
    quoting.write(Wanted(sku=world.router.sku))
    with house.db.reading() as session:
        made = draft_quote.preview(session, house, quoting.quote)
    assert made is not None
    document = made[1]
    assert (document.kind, document.number, document.draft) == (Kind.QUOTE, "", True)
    assert "Draft" in _text(pdf.render(document).bytes)


def test_it_speaks_the_customers_language(house: House, world: World):
    german = replace(_document(_sent(house, world)), locale="de-DE")
    text = _text(pdf.render(german).bytes)
    assert "Wir bieten Ihnen an" in text
    assert "Danach jeden Monat" in text
    assert faults(pdf.render(german).bytes) == []


def test_a_long_quote_has_its_sums_on_page_one_and_every_line_later(house: House, world: World):
    quoting = Quoting.ask(house, world)
    wanted = [
        Wanted(name=f"Visit of day {day}", price_micros=40_000_000, site=day % 3)
        for day in range(90)
    ]
    quoting.ready(*wanted, sites=(DEPOT, MILL, YARD))
    content = pdf.render(_document(quoting)).bytes
    reader = pypdf.PdfReader(io.BytesIO(content))
    assert "3,600.00" in reader.pages[0].extract_text()
    assert "Visit of day 89" in _text(content)
    assert faults(content) == []
