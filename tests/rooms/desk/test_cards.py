"""What staff see of cards: what is on file, AutoPay with what was agreed, and every try that was declined."""

import pytest

from core.parties.models import Account
from flows.charge_on_file import charge_payment
from payments.automatic_models import ScheduledPayment
from tests.rooms.web import carded
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, Stage


@pytest.fixture
def who(stage: Stage) -> str:
    """Somebody with an open bill, whose card will be declined."""
    who = stage.newcomer("Abel Crane")
    stage.order_on_terms(stage.world.visit.sku, who=who)
    return who


def test_a_declined_payment_is_found_with_its_code_and_what_was_agreed(stage: Stage, who: str):
    card = carded.on_file(stage, who, "4000008260003178")
    planned = carded.planned(stage, who, card)
    desk = stage.browser(KIM)
    with stage.db.transaction() as session:
        row = session.merge(stage.row(ScheduledPayment, ScheduledPayment.public_id == planned))
        row.next_at = stage.clock.now()
        key = row.id
    assert charge_payment(stage.house, key, 0) == "failed"
    stage.drain()
    number = stage.row(Account, Account.id == stage.accounts[who]).number
    listed = Page(desk.get(f"/desk/payments/planned?tab=declined&q={number}")).text
    assert "Abel Crane" in listed
    assert "Insufficient funds" in listed
    one = Page(desk.get(f"/desk/payments/planned/{planned}")).text
    assert "everything that I owe on that day" in one
    assert "Version 2026-11, from 203.0.113.7." in one
    assert "Your bank says that there is too little money on the card." in one
    account = Page(desk.get(f"/desk/payments/cards/{number}")).text
    assert "Visa ending 3178" in account
    assert "A payment that is tried again" in account
    nothing = Page(desk.get("/desk/payments/planned?q=nobody-of-this-name")).text
    assert "No payment looks like that" in nothing
