"""Every mail in words: plain text and HTML say the same, and take nothing over from strangers."""

import re
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from core.kernel.money import Money
from core.notices import paper
from core.notices.letters import Letter, Row, ServiceLetter
from core.notices.rendering import WIDTH, render
from core.notices.samples import everyday as letters

FIGURE = re.compile(r"−?\d[\d,]*\.\d\d\b")
NASTY = '<script>alert("x")</script>\r\nBcc: eve@example.com {{7*7}} {% raw %}'
TOKEN = re.compile(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})")
everyone = pytest.mark.parametrize("letter", letters.ALL.values(), ids=letters.ALL)


class _Read(HTMLParser):
    """What somebody reads of a page: its words, and where its links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.outside: list[str] = []
        self._unseen = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("style", "title"):
            self._unseen = tag
        for name, value in attrs:
            if name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in ("src", "href", "background", "srcset", "action"):
                self.outside.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._unseen:
            self._unseen = ""
        if tag in ("td", "th", "p"):
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


@everyone
def test_plain_text_and_html_say_the_same_amounts(letter: Letter):
    mail = render(letter)
    in_text, in_html = set(FIGURE.findall(mail.text)), set(FIGURE.findall(_Read(mail.html).text))
    assert in_text == in_html
    told = {value.minor for value in vars(letter).values() if isinstance(value, Money) and value}
    said = {int(re.sub(r"\D", "", figure)) for figure in in_text}
    assert told <= said
    tells = any(field.name in ("total", "amount") for field in fields(letter))
    if isinstance(letter, ServiceLetter):  # some of what is told of a service costs nothing
        tells = bool(letter.rows) or letter.back is not None
    assert bool(in_text) == tells


@everyone
def test_plain_text_and_html_lead_to_the_same_page(letter: Letter):
    mail = render(letter)
    in_text = set(re.findall(r"https?://\S+", mail.text))
    in_html = {link for link in _Read(mail.html).links if link.startswith("http")}
    assert in_text == in_html == {letter.link}


@everyone
def test_a_mail_needs_nothing_from_outside(letter: Letter):
    mail = render(letter)
    page = _Read(mail.html)
    assert not {"img", "script", "link", "iframe", "form", "svg"} & set(page.tags)
    assert page.outside == []
    assert "url(" not in mail.html
    assert "@import" not in mail.html


@everyone
def test_plain_text_is_folded_and_plain(letter: Letter):
    lines = render(letter).text.splitlines()
    assert [line for line in lines if len(line) > WIDTH and "://" not in line] == []
    assert not any(re.search(r"&[a-z#0-9]+;|<[a-z/]", line) for line in lines)
    assert "\n\n\n" not in render(letter).text


@everyone
def test_strangers_words_stay_words(letter: Letter):
    strange = {
        field.name: NASTY
        for field in fields(letter)
        if field.type == "str" or (field.type is str and field.name not in ("link", "kind"))
    }
    strange.pop("reason", None)
    if isinstance(letter, (type(letters.ORDER), type(letters.BILL))):
        row = Row(NASTY, Money(100, "USD"), NASTY)
        letter = replace(letter, rows=(row, *letter.rows))
    if isinstance(letter, type(letters.ORDER)):
        letter = replace(letter, address=(NASTY, NASTY), visits=(NASTY,))
    mail = render(replace(letter, head=replace(letter.head, name=NASTY), **strange))
    page = _Read(mail.html)
    assert "script" not in page.tags
    assert '<script>alert("x")</script> Bcc: eve@example.com {{7*7}} {% raw %}' in page.text
    assert "{{7*7}}" in mail.text
    assert "49" not in mail.subject
    assert re.search(r"^Bcc:", mail.text, re.MULTILINE) is None
    assert "\n" not in mail.subject
    assert "\r" not in mail.subject


def test_an_address_without_a_name_is_greeted_without_one():
    mail = render(replace(letters.ORDER, name=""))
    assert mail.text.startswith("Thank you.\n")
    assert ">Thank you.</h1>" in mail.html


def test_amounts_and_dates_follow_the_readers_locale():
    head = replace(letters.HEAD, locale="de_DE")
    bill = replace(letters.BILL, head=head, open=Money(123450, "EUR"), total=Money(123450, "EUR"))
    mail = render(bill)
    assert "1.234,50\N{NO-BREAK SPACE}€" in mail.text
    assert "30. November 2026" in mail.text


def test_a_currency_without_decimals_is_not_given_any():
    yen = Money(1234, "JPY")
    mail = render(replace(letters.REFUND, amount=yen))
    assert "¥1,234" in mail.text
    assert "1,234.0" not in mail.text + mail.html


def test_a_refund_says_why_for_each_reason_and_speaks_of_none_that_it_does_not_know():
    said = {
        reason: render(replace(letters.REFUND, reason=reason)).text
        for reason in ("paid_too_late", "sold_out", "paid_twice", "goodwill")
    }
    assert "after the order had been cancelled" in said["paid_too_late"]
    assert "the last pieces went to somebody else" in said["sold_out"]
    assert "paid already" in said["paid_twice"]
    assert "goodwill" not in said["goodwill"]
    assert len(set(said.values())) == 4


def test_a_paid_bill_asks_for_nothing():
    mail = render(letters.PAID_BILL)
    assert mail.subject == "Your bill 118204: paid, nothing to do"
    assert "Due" not in mail.text
    assert "pay:" not in mail.text


def test_an_open_bill_says_how_much_by_when_in_its_subject():
    assert render(letters.BILL).subject == "Your bill 118204: $72.11, due November 30, 2026"
    assert "Monday, November 30, 2026" in render(letters.BILL).text


@pytest.mark.parametrize("names, scheme", [(paper.LIGHT, 0), (paper.DARK, 1)])
def test_mails_have_the_webs_colours(names: dict[str, str], scheme: int):
    css = (Path(__file__).parents[3] / "static/css/tokens.css").read_text()
    tokens = dict(TOKEN.findall(css.split("prefers-color-scheme: dark")[scheme]))
    assert names == {name: tokens[name.replace("_", "-")] for name in names}


def test_the_dark_paper_reaches_every_colour():
    html = render(letters.RECEIPT).html
    dark = html.split("prefers-color-scheme: dark")[1].split("</style>")[0]
    used = set(" ".join(re.findall(r'class="([^"]+)"', html)).split())
    assert used - {"side", "in", "head", "amount"} <= set(re.findall(r"\.([a-z0-9]+)[ ,{]", dark))


def test_a_refused_charge_says_why_and_speaks_of_no_code():
    reasons = (
        "authentication_required",
        "insufficient_funds",
        "expired_card",
        "method_detached",
        "lost_card",
        "no_answer",
        "generic_decline",
    )
    said = {
        reason: render(replace(letters.CHARGE_FAILED, reason=reason)).text for reason in reasons
    }
    assert len(set(said.values())) == len(reasons)
    assert not [reason for reason, words in said.items() if reason in words]
    assert "Nothing was charged" in said["no_answer"]


def test_whoever_has_no_page_to_pay_on_is_asked_to_call():
    mail = render(replace(letters.CHARGE_FAILED, name="", link="", due_on=None))
    assert "Call us" in mail.text
    assert "Call us" in mail.html
    assert "Due" not in mail.text
