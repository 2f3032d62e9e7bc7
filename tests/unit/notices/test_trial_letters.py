"""Mails about trials: plain text and HTML say the same, each names its dates, and one click cancels."""

import re
from dataclasses import fields, replace
from typing import Any

import pytest

from core.notices.rendering import WIDTH, render
from core.notices.samples import trials as letters
from core.notices.trial_letters import TrialLetter
from tests.unit.notices.test_rendering import NASTY, _Read

FIGURE = re.compile(r"\d[\d,]*\.\d\d\b")
YEAR = re.compile(r"[A-Z][a-z]+ \d{1,2}, \d{4}")
everyone = pytest.mark.parametrize("letter", letters.ALL.values(), ids=letters.ALL)


@everyone
def test_plain_text_and_html_say_the_same_amounts_and_days(letter: TrialLetter):
    mail = render(letter)
    html = " ".join(_Read(mail.html).text.split())
    text = " ".join(mail.text.split())
    assert set(FIGURE.findall(text)) == set(FIGURE.findall(html))
    assert set(YEAR.findall(text)) <= set(YEAR.findall(html))


@everyone
def test_plain_text_and_html_lead_to_the_same_pages(letter: TrialLetter):
    mail = render(letter)
    in_text = set(re.findall(r"https?://\S+", mail.text))
    in_html = {link for link in _Read(mail.html).links if link.startswith("http")}
    assert in_text == in_html
    assert in_text <= {letters.LINK, letters.GO_ON, letters.SHOP}


@everyone
def test_every_mail_but_the_last_carries_the_link_that_cancels(letter: TrialLetter):
    over = letter.TEMPLATE == "trial_over"
    assert (letters.LINK in render(letter).text) is not over


@everyone
def test_plain_text_is_folded_and_plain(letter: TrialLetter):
    lines = render(letter).text.splitlines()
    assert [line for line in lines if len(line) > WIDTH and "://" not in line] == []
    assert not any(re.search(r"&[a-z#0-9]+;|<[a-z/]", line) for line in lines)
    assert "\n\n\n" not in render(letter).text


@everyone
def test_strangers_words_stay_words(letter: TrialLetter):
    strange: dict[str, Any] = {
        field.name: NASTY
        for field in fields(letter)
        if field.type is str and field.name in ("name", "plan", "price", "used", "free")
    }
    mail = render(replace(letter, head=replace(letter.head, name=NASTY), **strange))
    page = _Read(mail.html)
    assert "script" not in page.tags
    assert "49" not in mail.subject
    assert "{{7*7}}" in mail.text
    assert "\n" not in mail.subject


def test_the_notice_before_a_charge_names_day_and_amount_in_its_subject():
    mail = render(letters.ALL["ending"])
    assert mail.subject == "Burrow backup: $9.59 with tax from December 29, 2026, unless you cancel"
    for said in ("Tuesday, December 29, 2026", "$9.59 with tax, each month", "the card you stored"):
        assert said in mail.text
    assert "Cancel until Monday, December 28, 2026 and nothing is charged" in " ".join(
        mail.text.split()
    )


def test_without_a_card_nothing_is_asked_for():
    mail = render(letters.ALL["ending-no-card"])
    assert mail.subject == "Your trial of Burrow backup ends on December 28, 2026"
    assert "Nothing is charged, and you have to do nothing." in " ".join(mail.text.split())


def test_whoever_goes_on_is_not_told_of_a_card():
    assert "card" not in render(letters.ALL["ending-going-on"]).text
