"""A part of what is open is paid, with what it pays shown before: without JavaScript after a promise, and by
keyboard alone from a printed bill; both without logging in too.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.kernel.clock import ManualClock
from core.parties.models import Account
from payments.dunning.models import DunningCase
from tests.browser.conftest import DESKTOP, PHONE, NewVisitor
from tests.browser.installation import Installation
from tests.browser.served import PASSWORD, Served, move_in
from tests.browser.test_keyboard import _tab_to
from tests.browser.test_without_javascript import PAYS
from tests.browser.visitor import Visitor, origin_of
from tests.on_file import owe
from tests.processes import wait_until

pytestmark = pytest.mark.browser


def _late(place: Installation, name: str, street: str) -> Served:
    """Somebody whose bill of 45.00 was due five days ago; the worker knows."""
    served, now = move_in(place, name, street), place.house.clock.now()
    with place.house.db.transaction() as session:
        session.get_one(Account, served.account.id).terms_days = 0
    owe(replace(place.house, clock=ManualClock(now - timedelta(days=5))), served.account)
    mine = DunningCase.account_id == served.account.id
    assert wait_until(lambda: place.count(DunningCase.id, mine) == 1), "nobody noticed"
    return served


def _see_what_it_pays(visitor: Visitor) -> None:
    assert "What $20.00 pays" in visitor.text
    plan = visitor.page.locator("#plan").inner_text()
    assert "of $45.00" in plan
    assert "25.00" in plan, "what stays open of it"
    visitor.see_that_nothing_sticks_out()
    visitor.keep_picture()


def test_a_day_is_promised_and_a_part_paid_without_javascript(
    visit: NewVisitor, installation: Installation
) -> None:
    customer = _late(installation, "Prudence Late", "8 Plain Walk")
    visitor = visit(PHONE, script=False)
    visitor.log_in(customer.email, PASSWORD, door="/account/login?next=/account")
    visitor.follow("I need a few days more")
    assert "$45.00 is past due" in visitor.heading
    visitor.may_answer = {422}
    visitor.press("Promise to pay by then")
    assert "Choose a day." in visitor.text
    day = installation.house.clock.now() + timedelta(days=5)
    visitor.page.get_by_label("I will pay by").fill(day.date().isoformat())
    visitor.press("Promise to pay by then")
    assert "Until then nothing happens." in visitor.text
    visitor.see_that_nothing_sticks_out()

    visitor.go("/account/pay")
    visitor.page.get_by_label("Amount").fill("20.00")
    visitor.press("Show what it pays")
    _see_what_it_pays(visitor)
    visitor.press("Continue to pay $20.00")
    assert origin_of(visitor.page.url) == installation.processor
    visitor.fill_card(PAYS)
    visitor.press("Pay $20.00")
    visitor.press("Show me how it went")
    assert "Thank you. It arrived." in visitor.text
    visitor.see_that_nothing_sticks_out()


def test_who_is_not_logged_in_pays_by_a_mails_link_or_by_keyboard_from_a_printed_bill(
    visit: NewVisitor, installation: Installation
) -> None:
    customer = _late(installation, "Percy Late", "9 Plain Walk")
    links = installation.house.links
    [account] = installation.values(Account, Account.id == customer.account.id)
    phone = visit(PHONE)
    phone.go(links.pay_page(account))
    assert "For P… L…" in phone.text
    assert "Percy" not in phone.text
    phone.look()
    phone.page.get_by_label("Amount").fill("20")
    phone.press("Show what it pays")
    _see_what_it_pays(phone)
    phone.look()

    desk = visit(DESKTOP)
    desk.go("/pay-a-bill")
    desk.look()
    _tab_to(desk, "account")
    desk.page.keyboard.type(account.number)
    _tab_to(desk, "code")
    desk.page.keyboard.type(links.pay_code(account).lower())
    _press_by_key(desk, "Show what is open")
    assert "For P… L…" in desk.text
    _tab_to(desk, "amount")
    desk.page.keyboard.type("20.00")
    _press_by_key(desk, "Show what it pays")
    _see_what_it_pays(desk)
    _press_by_key(desk, "Continue to pay $20.00")
    assert origin_of(desk.page.url) == installation.processor


def _press_by_key(visitor: Visitor, name: str) -> None:
    _tab_to(visitor, name)
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")
