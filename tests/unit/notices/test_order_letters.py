"""Mails about placed orders: plain text and HTML say the same, and strangers' words stay words."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.kernel.ids import new_id
from core.notices import samples
from core.notices.letters import Letter
from core.notices.order_letters import (
    DeliveredLetter,
    Parcel,
    ParcelLetter,
)
from core.notices.rendering import WIDTH, render
from core.notices.samples.everyday import HEAD, LINK
from core.notices.samples.orders import ALL, TRACKING
from core.orders.models import Order
from core.parties.models import Account
from flows.letters import buyer
from tests.unit.notices.test_rendering import NASTY, _Read

TEMPLATES = Path(samples.__file__).parents[1] / "templates"
everyone = pytest.mark.parametrize("letter", ALL.values(), ids=ALL)


@everyone
def test_both_say_the_same_amounts_and_lead_to_the_same_pages(letter: Letter):
    mail = render(letter)
    page, figure = _Read(mail.html), re.compile(r"\d[\d,]*\.\d\d\b")
    assert set(figure.findall(mail.text)) == set(figure.findall(page.text))
    in_html = {link for link in page.links if link.startswith("http")}
    assert set(re.findall(r"https?://\S+", mail.text)) == in_html
    assert LINK in in_html
    assert not {"img", "script", "link", "iframe", "form"} & set(page.tags)


@everyone
def test_plain_text_is_folded_and_plain(letter: Letter):
    text = render(letter).text
    assert [one for one in text.splitlines() if len(one) > WIDTH and "://" not in one] == []
    assert re.search(r"&[a-z#0-9]+;|<[a-z/]|\n\n\n", text) is None


@everyone
def test_strangers_words_stay_words(letter: Letter):
    strange: dict[str, Any] = {"name": NASTY}
    if hasattr(letter, "number"):
        strange["number"] = NASTY
    if isinstance(letter, ParcelLetter | DeliveredLetter):
        strange["parcel"] = Parcel(NASTY, NASTY, TRACKING, (NASTY,))
    else:
        strange["pieces"] = (NASTY,)
    mail = render(replace(letter, **strange))
    assert "script" not in _Read(mail.html).tags
    assert "{{7*7}}" in mail.text
    assert "49" not in mail.subject
    assert "\n" not in mail.subject


def test_a_quotes_order_thanks_its_buyer_and_not_a_place():
    otis = Account(name="Otis Fell", kind="person")
    to = {"name": "The yard"}
    assert buyer(Order(shipping_address=to, quote_version_id=new_id()), otis) == "Otis"
    assert buyer(Order(shipping_address={"name": "Riley Moreno"}), otis) == "Riley"
    assert buyer(Order(shipping_address=None), otis) == "Otis"


def test_the_subject_says_what_happens():
    said = {name: render(letter).subject for name, letter in ALL.items()}
    assert said["parcel"] == "On its way: order O-10001"
    assert said["delivered"] == "Delivered: order O-10001"
    assert said["all-well"] == "Was all well with order O-10001?"
    assert said["cancelled"] == "Order O-10001 is cancelled"
    assert said["announced"] == "Your return for order O-10001"
    assert said["pay-link"] == "Your order with us: $96.72 to pay"


def test_there_is_a_sample_of_every_mail_with_its_plain_text_twin():
    def kinds(letter: type[Letter]) -> set[type[Letter]]:
        return {letter}.union(*(kinds(each) for each in letter.__subclasses__()))

    names = {path.stem for path in TEMPLATES.glob("*.html") if not path.stem.startswith("_")}
    assert names == {path.stem for path in TEMPLATES.glob("[!_]*.txt")}
    found = samples.every(HEAD)
    assert {one.TEMPLATE for one in found.values()} == names
    assert {type(one) for one in found.values()} <= kinds(Letter)
    for one in found.values():
        mail = render(one)
        assert mail.subject
        assert mail.text
        assert mail.html.startswith("<!doctype html>")
