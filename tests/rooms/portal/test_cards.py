"""Cards, AutoPay and payments on a date on the account's pages, from the processor's page to the charge."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from core.kernel.clock import local_date
from core.ledger import items
from core.parties import accounts
from core.parties.models import Membership
from payments.automatic_models import AutoPayRule, ScheduledPayment
from payments.models import Authorisation, PaymentMethod
from tests.rooms.web import carded
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import JUNE, Stage
from tests.world import ZONE


class Holder:
    """Somebody with an open bill, in their browser."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.who = stage, stage.newcomer()
        self.account = stage.accounts[self.who]
        self.bill = stage.bill_of(stage.order_on_terms(stage.world.visit.sku, who=self.who))
        self.browser = stage.browser(self.who)

    def read(self, path: str) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200, path
        return Page(answer).text

    def press(self, path: str, **form: object) -> TestResponse:
        return self.browser.post(path, form)

    def agree(self, path: str, **form: object) -> TestResponse:
        """See what it means, then agree to exactly that."""
        seen = self.press(path, **form).get_data(as_text=True)
        shown = seen.partition('name="shown" value="')[2].partition('"')[0]
        return self.press(path, **form, step="agree", shown=shown)

    def through_the_processor(self, answer: TestResponse, card: str = "4242424242424242") -> str:
        """Fill in the processor's page and come back; answers where that ends."""
        assert answer.status_code == 303
        self.stage.sandbox.pay(answer.headers["Location"], card)
        from payments.models import PaymentOperation

        operation = self.stage.row(
            PaymentOperation, PaymentOperation.redirect_url == answer.headers["Location"]
        )
        back = self.browser.post(f"/methods/{operation.public_id}/return")
        self.stage.drain()
        return back.headers["Location"]

    def cards(self) -> list[PaymentMethod]:
        return self.stage.rows(PaymentMethod, PaymentMethod.account_id == self.account)

    def payments(self) -> list[ScheduledPayment]:
        return self.stage.rows(ScheduledPayment, ScheduledPayment.account_id == self.account)

    def rules(self) -> list[AutoPayRule]:
        return self.stage.rows(AutoPayRule, AutoPayRule.account_id == self.account)

    def mails(self) -> list[str]:
        self.stage.drain()
        return [str(mail["Subject"]) for mail in self.stage.shop.post.to(f"{self.who}@example.com")]


@pytest.fixture
def holder(stage: Stage) -> Holder:
    return Holder(stage)


def test_a_card_is_added_from_the_account_and_its_owner_has_what_was_agreed(holder: Holder):
    assert "No card on file" in holder.read("/account/cards")
    onward = holder.through_the_processor(holder.press("/account/cards/add"))
    assert urlsplit(onward).path == "/account/cards"
    assert "Visa ending 4242" in holder.read("/account/cards")
    given = holder.stage.row(Authorisation, Authorisation.account_id == holder.account)
    assert (given.purpose, given.address) == ("on_file", "127.0.0.1")
    assert given.text in holder.read("/account/cards")
    assert "Visa ending 4242 is on file at Fernway Broadband" in " ".join(holder.mails())


def test_the_first_card_is_chosen_and_one_is_removed_after_a_question(holder: Holder):
    old = carded.on_file(holder.stage, holder.who)
    carded.on_file(holder.stage, holder.who, "5555555555554444")
    assert holder.press(f"/account/cards/{old}/default").status_code == 303
    assert "Visa ending 4242 is your first choice now." in holder.read("/account/cards")
    assert "Remove Visa ending 4242?" in holder.read(f"/account/cards/{old}/remove")
    assert len(holder.stage.rows(PaymentMethod, PaymentMethod.account_id == holder.account)) == 2
    holder.press(f"/account/cards/{old}/remove")
    assert "Visa ending 4242 is off file" in holder.read("/account/cards")
    assert {card.brand: card.state for card in holder.cards()} == {
        "visa": "detached",
        "mastercard": "active",
    }
    assert "is off file" in holder.read(f"/account/cards/{old}/remove")


def test_autopay_is_turned_on_with_a_new_card_and_off_again(holder: Holder):
    assert "Put a card on file first" in holder.read("/account/autopay")
    wanted = holder.press("/account/cards/add", next="/account/autopay")
    assert holder.through_the_processor(wanted) == "/account/autopay"
    page = holder.read("/account/autopay")
    assert "may charge Visa ending 4242" in page
    (card,) = holder.cards()
    assert holder.press("/account/autopay", card=card.public_id, shown="").status_code == 409
    assert holder.rules() == []
    agreed = {"card": card.public_id, "shown": card.public_id}
    assert holder.press("/account/autopay", **agreed).status_code == 303
    (rule,) = holder.rules()
    kept = holder.stage.row(Authorisation, Authorisation.id == rule.authorisation_id)
    assert kept.text in page
    assert "AutoPay is on" in holder.read("/account/autopay")
    assert holder.press("/account/autopay", **agreed).status_code == 422
    needed = holder.read(f"/account/cards/{card.public_id}/remove")
    assert "is still needed" in needed
    assert "AutoPay" in needed
    assert holder.press(f"/account/cards/{card.public_id}/remove").status_code == 303
    assert holder.cards()[0].state == "active"
    assert "Stop AutoPay?" in holder.read("/account/autopay/stop")
    holder.press("/account/autopay/stop")
    assert "AutoPay is off." in holder.read("/account/autopay")
    assert [rule.state for rule in holder.rules()] == ["stopped"]


def test_a_payment_is_planned_after_it_was_seen_changed_and_cancelled(holder: Holder):
    card = carded.on_file(holder.stage, holder.who)
    day = local_date(holder.stage.clock.now(), ZONE) + timedelta(days=9)
    wish = {"kind": "amount", "amount": "10.00", "on": day.isoformat(), "card": card}
    seen = Page(holder.press("/account/scheduled/new", **wish)).text
    assert "10.00" in seen
    assert "may charge Visa ending 4242 once" in seen
    assert holder.payments() == []
    unseen = holder.press("/account/scheduled/new", **wish, step="agree", shown="")
    assert "may charge Visa ending 4242 once" in Page(unseen).text
    assert holder.payments() == []
    made = holder.agree("/account/scheduled/new", **wish)
    where = urlsplit(made.headers["Location"]).path
    (row,) = holder.payments()
    assert (row.wants, row.amount_minor, row.on_date) == ("amount", 1000, day)
    assert "Planned" in holder.read(where)
    form = holder.read(f"{where}/change")
    assert "10" in form
    bills = {"kind": "bills", "bill": holder.bill.public_id, "on": day.isoformat(), "card": card}
    holder.agree(f"{where}/change", **bills, revision="1")
    (row,) = holder.payments()
    assert (row.wants, row.invoice_ids, row.revision) == ("bills", [str(holder.bill.id)], 2)
    assert "Cancel this payment?" in holder.read(f"{where}/cancel")
    holder.press(f"{where}/cancel")
    assert "Cancelled" in holder.read(where)
    assert "Nothing to cancel" in holder.read(f"{where}/cancel")
    assert len([mail for mail in holder.mails() if "planned" in mail.lower()]) == 3


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"on": "2020-01-01"}, "Choose a day from tomorrow on."),
        ({"on": "someday"}, "Not a valid date"),
        ({"kind": "amount", "amount": "ten"}, "Give an amount"),
        ({"kind": "amount", "amount": "-5"}, "amount"),
        ({"kind": "bills"}, "Choose at least one bill."),
        ({"kind": "everything"}, "Not a valid choice"),
        ({"card": "nobodys"}, "Not a valid choice"),
        ({"kind": "amount", "amount": "9" * 40}, "amount"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_planned(
    holder: Holder, wrong: dict[str, str], said: str
):
    card = carded.on_file(holder.stage, holder.who)
    day = local_date(holder.stage.clock.now(), ZONE) + timedelta(days=9)
    form = {"kind": "balance", "on": day.isoformat(), "card": card, "step": "agree"} | wrong
    answer = holder.press("/account/scheduled/new", **form)
    assert answer.status_code == 422
    assert said in Page(answer).text
    assert holder.payments() == []


def test_the_mails_link_opens_the_page_that_puts_a_decline_right(holder: Holder):
    card = carded.on_file(holder.stage, holder.who, "4000000000000341")
    holder.press("/account/autopay", card=card, shown=card)
    holder.stage.drain()
    (row,) = holder.payments()
    # its day has come, and it was told
    from flows.charge_on_file import charge_payment

    with holder.stage.db.transaction() as session:
        mine = session.get_one(ScheduledPayment, row.id)
        mine.noticed_at = mine.next_at = holder.stage.clock.now()
        mine.invoice_ids, mine.noticed_minor = [str(holder.bill.id)], 100_000
    assert charge_payment(holder.stage.house, row.id, 0) == "failed"
    assert any("could not be charged" in each for each in holder.mails())
    page = holder.read(f"/account/cards/{card}/instead")
    assert "Visa ending 0341 was declined" in page
    assert "Your bank declined the charge." in page
    assert "A payment was declined" in holder.read("/account")
    moved = holder.press(f"/account/cards/{card}/instead", card="new", shown="new")
    holder.through_the_processor(moved, "5555555555554444")
    with holder.stage.db.reading() as session:
        assert not items.of_sources(session, [holder.bill.id])[holder.bill.id].open
    (row,) = holder.payments()
    assert row.state == "paid"
    assert "was declined" not in holder.read("/account/cards")


def test_a_viewer_sees_the_cards_and_changes_nothing(holder: Holder):
    card = carded.on_file(holder.stage, holder.who)
    with holder.stage.db.transaction() as session:
        key = {"user_id": holder.stage.people[JUNE], "account_id": holder.account}
        accounts.join(session, key["user_id"], key["account_id"], "viewer", holder.bill.issued_at)
    try:
        june = holder.stage.browser(JUNE)
        number = holder.stage.row(PaymentMethod, PaymentMethod.public_id == card)
        account = holder.stage.rows(Membership, Membership.account_id == holder.account)
        assert len(account) == 2
        where = f"?account={_number(holder)}"
        page = Page(june.get(f"/account/cards{where}")).text
        assert "Visa ending 4242" in page
        assert "Remove" not in page
        assert number.state == "active"
        for path in ("cards/add", "autopay", "autopay/stop", "scheduled/new"):
            answer = june.post(f"/account/{path}", {"account": _number(holder), "card": card})
            assert answer.status_code == 403, path
        assert june.post(f"/account/cards/{card}/remove").status_code == 404
    finally:
        with holder.stage.db.transaction() as session:
            session.delete(session.get_one(Membership, tuple(key.values())))


def _number(holder: Holder) -> str:
    from core.parties.models import Account

    return str(holder.stage.row(Account, Account.id == holder.account).number)


def test_nobody_finds_the_cards_of_others(holder: Holder):
    card = carded.on_file(holder.stage, holder.who)
    planned = carded.planned(holder.stage, holder.who, card)
    june = holder.stage.browser(JUNE)
    for path in (
        f"cards/{card}/remove",
        f"cards/{card}/instead",
        f"scheduled/{planned}",
        f"scheduled/{planned}/cancel",
        f"cards?account={_number(holder)}",
        f"autopay?account={_number(holder)}",
    ):
        assert june.get(f"/account/{path}").status_code == 404, path
