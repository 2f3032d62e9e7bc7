"""Disputes at the desk: the list, an answer that is looked at before it is given, a second person."""

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from core.kernel.audit import AuditEntry
from core.kernel.clock import ManualClock
from core.kernel.money import Money
from core.notices.models import Notice
from core.parties.models import Account
from core.parties.roles import Role
from flows import resolve_dispute
from flows.resolve_dispute import Answer
from invoices.disputes.models import Dispute, DisputeProposal
from invoices.disputes.rules import Rules
from invoices.models import Invoice
from tests.rooms.portal.test_disputes import form_of
from tests.rooms.web import disputed
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, Browser, Stage

THANKS = {"answer": "You are right, and we are sorry."}


@pytest.fixture
def kim(stage: Stage) -> Browser:
    return stage.browser(KIM)


@pytest.fixture
def ash(stage: Stage) -> str:
    """A customer whom no other test knows."""
    return stage.newcomer()


def row_of(stage: Stage, path: str) -> Dispute:
    return stage.row(Dispute, Dispute.public_id == path.rpartition("/")[2])


def test_an_answer_is_looked_at_before_it_is_given(stage: Stage, kim: Browser, ash: str):
    path = f"/desk/disputes/{disputed.opened(stage, ash).public_id}"
    said = Page(kim.get(path)).text
    assert "Installation visit" in said
    assert "We promised an answer by" in said
    assert "Answer them" not in said, "not before it was looked at"
    wanted = {"outcome": "part", "amount": "20.00", **THANKS}
    seen = Page(kim.post(f"{path}/preview", wanted))
    assert "A credit memo of $20.00" in seen.text
    assert "Lowers what is open of the bill 20.00" in seen.text
    assert f"{path}/decision" in seen.values
    assert row_of(stage, path).state == "open", "looking changes nothing"
    for wrong, said in (
        (
            {"outcome": "part", "amount": "60.01"},
            "At most 60.00 USD can be credited here, not 60.01 USD.",
        ),
        ({"outcome": "part", "amount": "some"}, "An amount with a point"),
        ({"outcome": "part", "amount": "0"}, "More than nothing"),
        ({"outcome": ""}, "Choose what we do."),
        ({"outcome": "none", "answer": " "}, "Tell them what you found."),
    ):
        for act in ("preview", "decision"):
            answer = kim.post(f"{path}/{act}", {**wanted, **wrong})
            assert answer.status_code == 422, wrong
            assert said in Page(answer).text
    assert kim.post(f"{path}/decision", wanted).headers["Location"] == path
    row = row_of(stage, path)
    assert (row.state, row.outcome, row.credited_minor) == ("resolved", "part", 2000)
    memo = stage.row(Invoice, Invoice.id == row.memo_id)
    assert f"credit memo {memo.number}" in Page(kim.get(path)).text
    again = kim.post(f"{path}/decision", wanted)
    assert again.headers["Location"] == path
    assert f"{row.number} is over already." in Page(kim.get(path)).text


def test_two_people_for_what_is_over_the_limit(stage: Stage, ash: str):
    shop = stage.another_shop()
    wired = shop.app.extensions["counterfoil"]
    small = replace(wired.house.rules, disputes=Rules(credit_limit=10))
    shop.app.extensions["counterfoil"] = replace(wired, house=replace(wired.house, rules=small))
    kim, path = stage.browser(KIM, shop), f"/desk/disputes/{disputed.opened(stage, ash).public_id}"
    wanted = {"outcome": "full", **THANKS}
    seen = Page(kim.post(f"{path}/preview", wanted)).text
    assert "somebody else has to agree" in seen
    assert "Ask a second person" in seen
    kim.post(f"{path}/decision", wanted)
    waits = Page(kim.get(path)).text
    assert "you proposed it" in waits
    assert "Agree, and answer them" not in waits
    row = row_of(stage, path)
    proposal = stage.row(DisputeProposal, DisputeProposal.dispute_id == row.id).public_id
    own = kim.post(f"{path}/second", {"proposal": proposal, "approve": "1"})
    assert own.status_code == 422
    assert "Somebody else has to decide this." in Page(own).text
    assert "dispute waits for a second person" in Page(kim.get("/desk")).text
    other = stage.browser(Role.BILLING.value, shop)
    assert "Agree, and answer them" in Page(other.get(path)).text
    form = {"proposal": proposal, "approve": "1", "note": "Fine by me"}
    assert other.post(f"{path}/second", form).headers["Location"] == path
    said = Page(kim.get(path)).text
    assert "Billing, as Kim Lund had proposed" in said
    assert "Fine by me" in said
    assert row_of(stage, path).credited_minor == 6000


def test_what_is_late_stands_out(stage: Stage, ash: str):
    row = disputed.opened(stage, ash)
    later = ManualClock(stage.clock.now() + timedelta(days=10))
    kim = stage.browser(KIM, stage.shop_at(later))
    page = Page(kim.get("/desk/disputes?tab=late"))
    assert row.number in page.text
    assert "Late" in page.text
    assert re.search(
        r"disputes? (is|are) past (its|their) promised day", Page(kim.get("/desk")).text
    )


def test_the_list_filters_sorts_and_exports(stage: Stage, kim: Browser, ash: str):
    first, second = disputed.opened(stage, ash), disputed.opened(stage, ash)
    author = disputed.author(stage, KIM, "staff")
    resolve_dispute.decide(stage.house, first.public_id, Answer(Money(0, "USD"), "No."), author)

    def numbers(path: str) -> list[str]:
        found = re.findall(r"DP\d+", Page(kim.get(path)).text)
        return list(dict.fromkeys(found))

    who = f"q={stage.row(Account, Account.id == stage.accounts[ash]).number}"
    assert numbers(f"/desk/disputes?{who}&sort=opened") == [first.number, second.number]
    assert numbers(f"/desk/disputes?{who}&sort=-opened") == [second.number, first.number]
    assert numbers(f"/desk/disputes?{who}&tab=resolved") == [first.number]
    assert numbers(f"/desk/disputes?{who}&tab=open") == [second.number]
    assert numbers(f"/desk/disputes?{who}&reason=duplicate") == []
    assert numbers(f"/desk/disputes?q={second.number.lower()}") == [second.number]
    assert kim.get("/desk/disputes?sort=-amount&before=junk").status_code == 404
    rows = list(csv.DictReader(io.StringIO(
        kim.get(f"/desk/disputes/export.csv?{who}&sort=opened").get_data(as_text=True)
    )))  # fmt: skip
    assert [(one["number"], one["state"], one["disputed"]) for one in rows] == [
        (first.number, "resolved", "60.00"),
        (second.number, "open", "60.00"),
    ]


def test_staff_write_and_see_their_pictures(stage: Stage, kim: Browser, ash: str):
    path = f"/desk/disputes/{disputed.opened(stage, ash).public_id}"
    form = form_of(kim, path, f"{path}/messages")
    sent = {"text": "When was it?", "files": [(io.BytesIO(disputed.photo()), "a.jpg")]}
    assert kim.post(f"{path}/messages", form | sent).status_code == 303
    page = Page(kim.get(path))
    assert "When was it?" in page.text
    shown = [value for value in page.values if value.startswith(f"{path}/files/")]
    assert kim.get(shown[0]).mimetype == "image/jpeg"


def test_staff_open_one_for_somebody_on_the_phone_who_is_told_and_do_not_answer_it(
    stage: Stage, kim: Browser, ash: str
):
    order = stage.order_on_terms(stage.world.visit.sku, who=ash)
    stage.drain()
    bill = f"/desk/invoices/{stage.bill_of(order).public_id}"
    (leads,) = [link for link in Page(kim.get(bill)).values if "/lines/1/dispute" in link]
    form = form_of(kim, leads)
    assert (form["amount"], form["wish"]) == ("60.00", "keep")
    refused = kim.post(leads, form | {"amount": "60.01"})
    assert (refused.status_code, "is left of this line" in refused.text) == (422, True)
    opened = kim.post(leads, form | {"amount": "45.00", "text": "They say nobody came."})
    where = opened.headers["Location"]
    assert where.startswith("/desk/disputes/")
    assert kim.post(leads, form | {"once": ""}).headers["Location"] == where, "it is disputed"
    assert "Disputed now" in Page(kim.get(bill)).text
    stage.drain()
    row = stage.row(Dispute, Dispute.public_id == where.rpartition("/")[2])
    assert (row.amount_minor, row.opened_by) == (4500, f"user:{stage.people[KIM]}")
    told = stage.rows(
        Notice, Notice.account_id == row.account_id, Notice.template == "dispute_opened"
    )
    assert len(told) == 1
    (line,) = stage.rows(AuditEntry, AuditEntry.subject_id == row.public_id)
    assert (line.act, line.actor) == ("dispute.opened", f"user:{stage.people[KIM]}")
    answer = kim.post(f"{where}/decision", {"outcome": "full", "answer": "You are right."})
    assert "Somebody else has to decide this" in answer.text
