"""Services at the desk: found, activated, paid for by somebody else, locked, and told what they used."""

import re
from datetime import timedelta

import pytest

from core.entitlements import asking
from core.kernel.audit import AuditEntry
from core.parties.models import Account
from core.subscriptions.models import Subscription, UsageRecord
from tests import serving
from tests.rooms.web.stage import KIM, Stage


class Desk:
    """Kim looks at a service of somebody new."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.who = stage, stage.newcomer("Lee Ford")
        self.browser = stage.browser(KIM)
        self.account_id = stage.accounts[self.who]
        self.backup = stage.service(self.who)
        with stage.db.transaction() as session:
            account = session.get_one(Account, self.account_id)
            brook = serving.goods(session, "T-BROOK")
            made = serving.ordered(session, stage.world, account, brook, stage.clock.now())
            self.waiting, self.number = made.public_id, account.number

    def row(self, public_id: str) -> Subscription:
        found: Subscription = self.stage.row(Subscription, Subscription.public_id == public_id)
        return found

    def page(self, path: str) -> str:
        answer = self.browser.get(f"/desk/services{path}")
        assert answer.status_code == 200
        return answer.get_data(as_text=True)

    def send(self, public_id: str, act: str, **data: str) -> tuple[int, str]:
        data.setdefault("revision", str(self.row(public_id).revision))
        answer = self.browser.post(f"/desk/services/{public_id}/{act}", data)
        return answer.status_code, answer.get_data(as_text=True)

    def acts(self, public_id: str) -> list[str]:
        rows = self.stage.rows(AuditEntry, AuditEntry.subject_id == public_id)
        return [row.act for row in rows if row.actor == f"user:{self.stage.people[KIM]}"]


@pytest.fixture
def desk(stage: Stage) -> Desk:
    return Desk(stage)


def test_services_are_found_by_state_plan_and_words(desk: Desk):
    everything = desk.page(f"?q={desk.number}")
    assert everything.count('class="at-number"') == 2
    for query, there in (
        ("state=ordered", desk.waiting),
        ("plan=T-BACKUP", desk.backup),
        ("state=active&plan=T-BACKUP", desk.backup),
    ):
        page = desk.page(f"?q={desk.number}&{query}")
        assert re.findall(r"/desk/services/([0-9a-f]{32})", page) == [there]
    assert "No service looks like that" in desk.page("?q=nobody-of-that-name")


def test_the_list_is_a_file_too(desk: Desk):
    answer = desk.browser.get(f"/desk/services/export.csv?q={desk.number}&plan=T-BACKUP")
    head, row = answer.get_data(as_text=True).splitlines()
    told = dict(zip(head.split(","), row.split(","), strict=True))
    assert (told["id"], told["state"], told["account"]) == (desk.backup, "active", desk.number)
    assert (told["price"], told["next_amount"]) == ("9.00", "9.00")


def test_staff_activate_a_line_on_the_day_that_it_began_to_work(desk: Desk):
    today = desk.stage.clock.now().date()
    late = (today + timedelta(days=3)).isoformat()
    status, page = desk.send(desk.waiting, "activate", on_date=late)
    assert (status, "is not between" in page) == (422, True)
    day = today - timedelta(days=2)
    assert desk.send(desk.waiting, "activate", on_date=day.isoformat())[0] == 303
    assert desk.row(desk.waiting).activated_on == day
    assert desk.acts(desk.waiting) == ["service.activated"]
    assert desk.send(desk.waiting, "activate", on_date=day.isoformat())[0] == 303
    assert "active already" in desk.page(f"/{desk.waiting}")


def test_todays_page_says_that_a_line_waits_to_be_connected(desk: Desk):
    page = desk.browser.get("/desk").get_data(as_text=True)
    assert re.search(
        r'href="/desk/services\?state=ordered">\d+ services? (is|are) to be connected', page
    )


def test_a_line_that_was_never_connected_is_called_off(desk: Desk):
    assert "Call it off" in desk.page(f"/{desk.waiting}")
    assert desk.send(desk.waiting, "end", when="now", reason="other")[0] == 303
    assert desk.row(desk.waiting).state == "ended"


def test_usage_is_written_down_once_and_corrected(desk: Desk):
    def tell(**data: str) -> tuple[int, str]:
        today = desk.stage.clock.now().date().isoformat()
        told = {"meter": "moved", "quantity": "2.5", "key": "tuesday", "used_date": today}
        return desk.send(desk.backup, "usage", **{**told, **data})

    assert tell()[0] == 303
    assert tell(quantity="3")[0] == 422
    assert "with other content" in tell(quantity="3")[1]
    fix = {"quantity": "3", "key": "tuesday-2", "corrects": "tuesday", "used_date": ""}
    assert tell(**fix)[0] == 303
    rows = desk.stage.rows(UsageRecord, UsageRecord.subscription_id == desk.row(desk.backup).id)
    assert sorted(row.record_key for row in rows) == ["monday", "tuesday", "tuesday-2"]
    page = desk.page(f"/{desk.backup}")
    assert "10 GB" in page
    assert re.search(r"Record [a-z, ]*tuesday", page), "a correction has to name the first record"
    assert desk.acts(desk.backup) == ["service.usage_corrected"]
    for bad in ({"quantity": "-1"}, {"quantity": "1e9"}, {"key": ""}, {"meter": "smiles"}):
        assert tell(**bad)[0] == 422
    assert "The day it was used" in tell(key="new", used_date="")[1]


def test_another_account_pays(desk: Desk):
    payer = desk.stage.newcomer("Pat Moor")
    number = desk.stage.row(Account, Account.id == desk.stage.accounts[payer]).number
    assert desk.send(desk.backup, "payer", account="000000000")[0] == 422
    assert desk.send(desk.backup, "payer", account=desk.number)[0] == 422
    assert desk.send(desk.backup, "payer", account=number)[0] == 303
    assert desk.row(desk.backup).payer_account_id == desk.stage.accounts[payer]
    assert f"paid for by Pat Moor, account {number}" in desk.page(f"/{desk.backup}")


def test_staff_lock_and_unlock_with_a_reason(desk: Desk):
    def may_use() -> bool:
        with desk.stage.db.reading() as session:
            return asking.may_use(session, desk.account_id, "backup").allowed

    assert desk.send(desk.backup, "lock", feature="backup")[0] == 422
    assert desk.send(desk.backup, "lock", feature="backup", note="Spam")[0] == 303
    assert not may_use()
    status, page = desk.send(desk.backup, "lock", feature="backup", note="Spam")
    assert (status, "like that already" in page) == (422, True)
    assert desk.send(desk.backup, "lock", feature="backup", note="Fixed", unlock="1")[0] == 303
    assert may_use()
    assert desk.acts(desk.backup) == ["service.locked", "service.unlocked"]
    assert "Kim Lund" in desk.page(f"/{desk.backup}")


def test_staff_do_all_that_customers_do(desk: Desk):
    assert "Show what it costs" in desk.page(f"/{desk.backup}/change")
    assert desk.send(desk.backup, "pause", reason="works")[0] == 303
    assert desk.send(desk.backup, "resume")[0] == 303
    assert desk.send(desk.backup, "end", when="later", reason="other")[0] == 303
    assert desk.send(desk.backup, "keep")[0] == 303
    assert desk.acts(desk.backup) == [
        "service.paused",
        "service.resumed",
        "service.cancelled",
        "service.kept",
    ]
