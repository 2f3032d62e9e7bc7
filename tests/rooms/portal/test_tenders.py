"""A bill paid with a gift card and the own credit, on the pay page."""

import pytest
from sqlalchemy import select

from core.ledger import items
from core.parties.models import Account
from tests.giving import give_credit, new_card
from tests.rooms.portal.test_pay import Payer
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import Stage


@pytest.fixture
def payer(stage: Stage) -> Payer:
    """Somebody with a bill of 60.00."""
    return Payer(stage, "60.00")


def _open(payer: Payer) -> list[int]:
    with payer.stage.db.reading() as session:
        found = items.of_sources(session, [bill.id for bill in payer.bills])
    return [item.open.minor for item in found.values()]


def _credit(payer: Payer, minor: int) -> None:
    with payer.stage.db.transaction() as session:
        key = payer.stage.accounts[payer.who]
        account = session.scalars(select(Account).where(Account.id == key)).one()
        give_credit(session, account, minor, payer.stage.house)


def test_a_gift_card_pays_a_part_of_a_bill(payer: Payer):
    code = new_card(payer.stage)
    shown = payer.press(*payer.ids, step="sum", gift_card=code)
    text = Page(shown).text.replace("$", "")
    assert shown.status_code == 200
    assert "By card now 10.00" in text
    answer = payer.press(*payer.ids, kept=code)
    assert answer.status_code == 303
    (operation,) = payer.operations()
    assert operation.amount_minor == 1000
    payer.stage.pay(operation)
    assert _open(payer) == [0]
    payer.stage.drain()
    bill = payer.read(f"/account/bills/{payer.ids[0]}")
    assert "Gift card" in bill


def test_credit_and_a_gift_card_pay_a_bill_without_a_processor(payer: Payer):
    code = new_card(payer.stage)
    _credit(payer, 1500)
    assert "Use my credit of $15.00" in payer.read("/account/pay")
    shown = payer.press(*payer.ids, gift_card=code, use_credit="1")
    assert "Pay it now" in Page(shown).text
    answer = payer.press(*payer.ids, kept=code, use_credit="1", credit_shown="1")
    assert answer.headers["Location"] == "/account"
    assert "it is paid" in payer.read("/account")
    assert _open(payer) == [0]
    assert payer.operations() == []


def test_an_unknown_code_is_told_at_its_field_and_begins_nothing(payer: Payer):
    answer = payer.press(*payer.ids, gift_card="1234-1234-1234-1234")
    page = Page(answer)
    assert answer.status_code == 422
    assert "gift_card-error" in page.values
    assert "We know no gift card with this code" in page.text
    assert payer.operations() == []


def test_a_tick_that_the_sums_do_not_show_yet_is_shown_first(payer: Payer):
    _credit(payer, 6000)
    answer = payer.press(*payer.ids, use_credit="1")
    assert answer.status_code == 200
    assert _open(payer) == [6000]
