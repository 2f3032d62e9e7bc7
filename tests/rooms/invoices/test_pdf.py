"""Printed documents: archival and accessible, the same bytes each time, and nothing from outside."""

import hashlib
import io
import subprocess
import sys
import zlib
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import page
import pypdf
import pytest

from invoices import pdf, pdf_file
from invoices.arrangement import Arrangement
from invoices.document import InvoiceDocument
from invoices.theme import Theme
from tests.rooms.invoices.documents import BILL, FERNWAY, MEMO, PAID, long_invoice, seeded

pytestmark = pytest.mark.typeset

ROOT = Path(__file__).parents[3]
PROFILES = (page.ValidationProfile.PDF_A_3A, page.ValidationProfile.PDF_UA_1)


def printed(document: InvoiceDocument, theme: Theme = FERNWAY) -> bytes:
    return pdf.render(document, theme=theme).bytes


def pages(content: bytes) -> list[str]:
    """The text of each page, white space as single spaces."""
    reader = pypdf.PdfReader(io.BytesIO(content))
    return [" ".join(each.extract_text().split()) for each in reader.pages]


def faults(content: bytes) -> list[str]:
    """What a validator of PDF/A-3a and PDF/UA-1 has to say."""
    reports = [page.validate_pdf_bytes(content, profile=profile) for profile in PROFILES]
    assert all(report.rules.total > 50 for report in reports)
    return [
        f"{failure.rule_id}: {failure.message}" for report in reports for failure in report.failures
    ]


def test_a_bill_is_the_same_to_the_byte_in_another_process() -> None:
    script = (
        "import sys; from invoices import pdf; assert 'weasyprint' not in sys.modules;"
        "from tests.rooms.invoices.documents import BILL, FERNWAY;"
        "print(pdf.render(BILL, theme=FERNWAY).sha256)"
    )
    other = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    here = pdf.render(BILL, theme=FERNWAY)
    assert other.stdout.strip() == here.sha256
    assert hashlib.sha256(here.bytes).hexdigest() == here.sha256


def test_the_first_document_of_a_process_is_like_every_later_one() -> None:
    # The press is this process's own, made anew, as a worker makes it when it starts.
    pdf._press.cache_clear()
    first = printed(BILL)
    assert printed(BILL) == first


def test_a_bill_is_the_same_whatever_was_printed_before_it() -> None:
    before = printed(BILL)
    printed(long_invoice(70))
    printed(MEMO, Theme(wordmark="Another", accent="#83460d"))
    assert printed(BILL) == before


def test_what_made_the_bytes_is_named_and_fits_its_columns() -> None:
    made = pdf.render(PAID)
    assert made.media_type == "application/pdf"
    assert len(made.template_version) == len(made.fonts_version) == 16
    assert made.renderer_version.startswith("wp 70.")
    assert len(made.renderer_version) <= 40


def holds(seed: int) -> None:
    """What is promised of any document at all."""
    document = seeded(seed)
    content = printed(document)
    assert faults(content) == []
    plan = Arrangement(document, FERNWAY.paper_for(document.locale))
    text = pages(content)
    assert plan.summary or len(text) == 1, "counted to fit page one, but went over it"
    assert f"1 {plan.words.pages} {len(text)}" in text[0]
    if document.scan_line and document.asks_for_money:
        assert document.scan_line in text[0]


@pytest.mark.parametrize("seed", range(24))
def test_any_document_is_valid_for_archives_and_screen_readers_and_stands_as_planned(
    seed: int,
) -> None:
    holds(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(24, 84))
def test_many_more_documents_are_valid_and_stand_as_planned(seed: int) -> None:
    holds(seed)


@pytest.mark.parametrize("document", [BILL, PAID, MEMO], ids=["bill", "paid", "memo"])
def test_named_documents_are_valid_without_a_theme_too(document: InvoiceDocument) -> None:
    assert faults(printed(document, Theme())) == []


def test_page_one_of_a_bill_is_enough_to_understand_and_to_pay() -> None:
    first, second = pages(printed(BILL))
    for said in (
        "Please pay",
        "$ 72.11",
        "Monday, November 30",
        "118204",
        "204 187 751",
        "Mara Hollis",
        "Internet 53.26",
        "Sales tax, Ohio",
        "To pay 72.11",
        "Say so by January 8, 2027",
        "Fernway Payments",
        "pay.fernway.example.com/b/7Q2M-4KXD-91",
        "204187751 00118204 0000007211 4",
        "1 of 2",
    ):
        assert said in first.replace("$72.11", "$ 72.11"), said
    assert "What the change cost 8.26" in second
    assert "−14.97" in second


def test_a_paid_invoice_says_so_and_has_no_stub() -> None:
    (only,) = pages(printed(PAID))
    assert "Paid, thank you" in only
    assert "Visa ending 4242" in only
    assert "−113.11" in only
    assert "Pay stub" not in only


def test_a_credit_memo_names_what_it_corrects() -> None:
    (only,) = pages(printed(MEMO))
    assert "Credit to you" in only
    assert "Corrects 118204" in only
    assert "Pay stub" not in only


def test_a_draft_says_so_across_every_page_and_asks_for_nothing() -> None:
    draft = replace(long_invoice(120), draft=True, number="")
    content = printed(draft)
    each = pages(content)
    assert len(each) > 1
    assert all("Draft" in text for text in each)
    assert not any("Pay stub" in text for text in each)
    assert faults(content) == []


@pytest.mark.parametrize(
    ("currency", "locale", "net", "shown"),
    [("JPY", "ja-JP", "4500", "4,500"), ("KWD", "en-KW", "14.250", "14.250")],
)
def test_amounts_have_their_currencys_decimals(
    currency: str, locale: str, net: str, shown: str
) -> None:
    lines = (replace(BILL.lines[0], net=Decimal(net)),)
    totals = replace(
        BILL.totals, **dict.fromkeys(("line_total", "gross", "amount_due"), Decimal(net))
    )
    document = replace(BILL, currency=currency, locale=locale, lines=lines, totals=totals)
    (first,) = pages(printed(document))
    assert f"To pay {shown}" in first


def test_a_long_invoice_repeats_its_head_and_counts_its_pages() -> None:
    content = printed(long_invoice(250))
    each = pages(content)
    assert len(each) > 3
    for number, text in enumerate(each, 1):
        assert f"{number} of {len(each)}" in text
        assert "Charges Quantity" in text
    assert sum(text.count("Hanging heart holder") for text in each) == 250
    assert faults(content) == []


def test_a_script_of_the_machine_or_a_box_stands_for_what_our_fonts_lack() -> None:
    unknown = replace(BILL.buyer, name="Mara \U0001e900\U000101fc Hollis")
    content = printed(replace(BILL, buyer=unknown))
    assert faults(content) == []
    assert "Mara □□ Hollis" in pages(content)[0]


def test_characters_that_no_printer_knows_are_left_out() -> None:
    odd = replace(BILL.buyer, name="Mara\x00\x0b\ufffeHollis</p>&<script>")
    content = printed(replace(BILL, buyer=odd))
    assert "Hollis</p>&<script>" in pages(content)[0]
    assert faults(content) == []


@pytest.mark.parametrize(
    "address",
    ["https://example.com/leaf.png", "file:///etc/passwd", "asset:fonts/../document.html"],
)
def test_nothing_is_fetched_but_our_own_assets(address: str) -> None:
    mark = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="9" height="9"><image width="9" height="9" xlink:href="{address}"/></svg>'
    )
    with pytest.raises(pdf.ForeignAsset) as refused:
        printed(BILL, Theme(mark=mark))
    assert refused.value.address.endswith(address.rpartition("/")[2])


def test_no_stream_ends_in_a_byte_that_reads_as_the_end_of_its_line() -> None:
    for length in range(600):
        file = bytearray()
        pdf_file.add_stream(file, 7, {}, b"%d " % length * length)
        facts, _, body = bytes(file).partition(b"stream\n")
        packed = body.removesuffix(b"\nendstream\nendobj\n")
        assert b"/Length %d" % len(packed) in facts
        assert packed[-1:] not in (b"\r", b"\n")
        assert zlib.decompress(packed).removesuffix(b"\n") == b"%d " % length * length


def test_a_machine_without_pango_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pdf.available() is None

    def missing() -> None:
        raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.setattr(pdf, "_weasyprint", missing)
    pdf.available.cache_clear()
    pdf._press.cache_clear()
    try:
        assert "libpango-1.0-0" in (pdf.available() or "")
        with pytest.raises(pdf.PdfsUnavailable, match="libpango"):
            pdf.render(PAID)
    finally:
        pdf.available.cache_clear()
