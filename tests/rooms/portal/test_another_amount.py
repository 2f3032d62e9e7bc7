"""Another amount: which bills it pays is shown before, and what was shown is what is posted.

As a customer, and as somebody who is not logged in.
"""

import re

import pytest
from werkzeug.test import TestResponse

from core.kernel.audit import AuditEntry
from core.ledger import items
from core.parties.models import Account
from flows.verify import verify
from tests.rooms.portal.test_pay import Payer
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, Browser, Stage


@pytest.fixture
def three_bills(stage: Stage) -> Payer:
    return Payer(stage, "60.00", "45.00", "60.00")


def shown_digest(answer: TestResponse) -> str:
    found = re.search(r'name="shown" value="([0-9a-f]{32})"', answer.get_data(as_text=True))
    assert found is not None
    return found.group(1)


def ask(payer: Payer, amount: str, *bills: str, step: str = "amount", **more: str) -> TestResponse:
    form = {"bill": list(bills or payer.ids), "amount": amount, "step": step, **more}
    return payer.browser.post("/account/pay", {"expected_total": "0", **form})


def come_back(payer: Payer, pressed: TestResponse, browser: Browser | None = None) -> TestResponse:
    assert pressed.status_code == 303, pressed.get_data(as_text=True)
    operation = payer.operations()[-1]
    payer.stage.sandbox.pay(pressed.headers["Location"])
    return (browser or payer.browser).post(f"/pay/{operation.public_id}/return")


def still_open(payer: Payer) -> list[int]:
    with payer.stage.db.reading() as session:
        found = items.of_sources(session, [bill.id for bill in payer.bills])
    return [found[bill.id].open.minor for bill in payer.bills]


def kept(payer: Payer) -> int:
    with payer.stage.db.reading() as session:
        held = items.held_for(session, [payer.stage.accounts[payer.who]])
    return sum(item.open.minor for item in held)


def sound(payer: Payer) -> None:
    payer.stage.drain()
    wrong = [one for one in verify(payer.stage.db, payer.stage.clock) if not one.holds]
    assert [one for one in wrong if "document" not in one.claim] == []


def test_a_part_pays_the_earliest_and_is_posted_as_it_was_shown(three_bills: Payer):
    seen = ask(three_bills, "70")
    words = Page(seen).text
    assert seen.status_code == 200
    assert "What $70.00 pays" in words
    assert three_bills.operations() == []
    ended = come_back(three_bills, ask(three_bills, "70", step="pay", shown=shown_digest(seen)))
    assert ended.status_code == 303
    assert still_open(three_bills) == [0, 3500, 6000]
    assert kept(three_bills) == 0
    sound(three_bills)


def test_chosen_bills_come_first_and_what_is_over_goes_on_to_the_others(three_bills: Payer):
    last = three_bills.ids[2]
    seen = ask(three_bills, "75.00", last)
    come_back(three_bills, ask(three_bills, "75.00", last, step="pay", shown=shown_digest(seen)))
    assert still_open(three_bills) == [4500, 4500, 0]
    sound(three_bills)


def test_more_than_is_open_is_kept_as_credit_and_told_before(three_bills: Payer):
    seen = ask(three_bills, "180")
    assert "credit for later bills" in Page(seen).text
    come_back(three_bills, ask(three_bills, "180", step="pay", shown=shown_digest(seen)))
    assert still_open(three_bills) == [0, 0, 0]
    assert kept(three_bills) == 1500
    sound(three_bills)


@pytest.mark.parametrize(
    "amount, words",
    [
        ("0", "above zero"),
        ("-5", "like 25.00"),
        ("ten", "like 25.00"),
        ("1.234", "like 25.00"),
        ("9000", "more than twice"),
    ],
)
def test_an_amount_that_cannot_be_is_told_at_its_field(three_bills: Payer, amount: str, words: str):
    answer = ask(three_bills, amount)
    assert answer.status_code == 422
    assert words in Page(answer).text
    assert three_bills.operations() == []


def test_nothing_begins_before_the_allocation_was_seen_or_when_it_has_changed(three_bills: Payer):
    assert ask(three_bills, "70", step="pay").status_code == 200, "it is shown first"
    digest = shown_digest(ask(three_bills, "70"))
    come_back(three_bills, three_bills.press(three_bills.ids[0], expected_total="6000"))
    answer = ask(three_bills, "70", *three_bills.ids[1:], step="pay", shown=digest)
    assert answer.status_code == 409
    assert "has changed" in Page(answer).text
    assert len(three_bills.operations()) == 1


# --- not logged in --------------------------------------------------------------------------------


def link(payer: Payer) -> str:
    account = payer.stage.row(Account, Account.id == payer.stage.accounts[payer.who])
    return f"/due/{account.public_id}/{payer.stage.house.links.pay_token(account)}"


def test_a_guest_pays_all_or_a_part_by_the_link_and_learns_no_more_than_needed(three_bills: Payer):
    payer, path = three_bills, link(three_bills)
    guest = payer.stage.browser()
    seen = guest.get(path)
    text = Page(seen).text
    account = payer.stage.row(Account, Account.id == payer.stage.accounts[payer.who])
    assert "A… V…" in text
    for secret in (account.name, account.email, account.number, "Chestnut Row"):
        assert secret not in text
    assert "noindex" in seen.get_data(as_text=True)
    form = {"amount": "70", "expected_total": "16500"}
    shown = shown_digest(guest.post(path, {**form, "step": "amount"}))
    pressed = guest.post(path, {**form, "step": "pay", "shown": shown})
    back = come_back(payer, pressed, guest)
    assert back.headers["Location"].endswith(path)
    assert "has arrived" in Page(guest.get(path)).text
    assert still_open(payer) == [0, 3500, 6000]
    assert guest.post(path, {"step": "pay", "expected_total": "16500"}).status_code == 409
    come_back(payer, guest.post(path, {"step": "pay", "expected_total": "9500"}), guest)
    assert "Every bill is paid" in Page(guest.get(path)).text
    assert [one.amount_minor for one in payer.payments()] == [7000, 9500]
    sound(payer)


def test_account_number_and_pay_code_open_the_same_page_and_any_mistake_is_answered_alike(
    one_bill: Payer,
):
    stage = one_bill.stage
    account = stage.row(Account, Account.id == stage.accounts[one_bill.who])
    code = stage.house.links.pay_code(account)
    number = f"{account.number[:3]} {account.number[3:6]} {account.number[6:]}"
    found = stage.browser().post("/pay-a-bill", {"account": number, "code": code.lower()})
    assert found.status_code == 303
    assert found.headers["Location"].endswith(link(one_bill))
    stage.drain()
    mails = [str(mail) for mail in stage.shop.post.to(f"{one_bill.who}@example.com")]
    path = link(one_bill)
    assert any(path[:40] in mail.replace("=\r\n", "").replace("=\n", "") for mail in mails)
    document = one_bill.bills[0].document
    assert document["pay_code"] == code, "it is printed on the bill"
    answers = set()
    for typed in (
        (account.number, "AAAAA-AAAAA"),
        ("999999999", code),
        ("222222222", "BBBBB-BBBBB"),
    ):
        answer = stage.browser().post("/pay-a-bill", {"account": typed[0], "code": typed[1]})
        assert answer.status_code == 422
        text = Page(answer).text
        answers.add(text.replace(typed[0], "").replace(typed[1], ""))
    assert len(answers) == 1
    assert stage.browser().get("/due/nobody/0").status_code == 404


@pytest.fixture
def one_bill(stage: Stage) -> Payer:
    return Payer(stage, "60.00")


def test_codes_are_tried_a_few_times_for_each_account_whoever_tries(stage: Stage):
    browser = stage.browser(shop=stage.another_shop(RATE_PAY_CODE_ACCOUNT="3 per hour"))
    typed = {"account": "123 456 789", "code": "AAAAA-AAAAA"}
    assert [browser.post("/pay-a-bill", typed).status_code for _ in range(4)] == [422] * 3 + [429]
    other = {"account": "223 456 789", "code": "AAAAA-AAAAA"}
    assert browser.post("/pay-a-bill", other).status_code == 422


def test_a_new_pay_code_ends_the_old_one_and_the_links_that_were_sent(one_bill: Payer):
    """Made by the customer, then by staff."""
    stage, guest, kim = one_bill.stage, one_bill.stage.browser(), one_bill.stage.browser(KIM)
    account = stage.row(Account, Account.id == stage.accounts[one_bill.who])
    at_the_desk = f"/desk/customers/{account.public_id}/pay-code"
    for browser, page in ((one_bill.browser, "/account/pay-code"), (kim, at_the_desk)):
        account = stage.row(Account, Account.id == account.id)
        old_link, old_code = link(one_bill), stage.house.links.pay_code(account)
        assert old_code in one_bill.read("/account/pay-code")
        assert guest.get(old_link).status_code == 200
        assert browser.post(page).status_code == 303
        account = stage.row(Account, Account.id == account.id)
        typed = {"account": account.number, "code": old_code}
        assert guest.post("/pay-a-bill", typed).status_code == 422
        assert guest.get(old_link).status_code == 404
        new_code = stage.house.links.pay_code(account)
        assert new_code in Page(kim.get(at_the_desk)).text
        found = guest.post("/pay-a-bill", typed | {"code": new_code})
        assert found.headers["Location"].endswith(link(one_bill))
    acts = stage.rows(AuditEntry, AuditEntry.act == "account.pay_code_made_anew")
    actors = [act.actor for act in acts if act.subject_id == account.public_id]
    assert actors == [f"user:{stage.people[who]}" for who in (one_bill.who, KIM)]


def test_whoever_comes_back_from_paying_by_an_old_code_is_not_told_the_new_link(one_bill: Payer):
    guest = one_bill.stage.browser()
    begun = guest.post(link(one_bill), {"step": "pay", "expected_total": "6000"})
    one_bill.browser.post("/account/pay-code")
    back = come_back(one_bill, begun, guest)
    assert back.headers["Location"].endswith("/pay-a-bill")
    assert still_open(one_bill) == [0]
