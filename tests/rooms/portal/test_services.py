"""Services on the portal: seen by members, changed by owners, shown before they are agreed to."""

import re
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.parties.models import Account, Membership
from core.subscriptions import reading
from core.subscriptions.models import Subscription
from invoices.models import Invoice
from tests import serving
from tests.rooms.web.stage import Browser, Stage


@pytest.fixture
def line(stage: Stage) -> "Line":
    return Line(stage, stage.newcomer())


class Line:
    """A line of somebody new, who is logged in."""

    def __init__(self, stage: Stage, who: str) -> None:
        self.stage, self.who = stage, who
        stage.service(who)  # a backup, too
        with stage.db.transaction() as session:
            account = session.get_one(Account, stage.accounts[who])
            stream = serving.goods(session, "T-STREAM")
            row = serving.running(session, stage.world, account, stream, stage.clock.now())
            self.public_id, self.id = row.public_id, row.id
        self.path = f"/account/services/{self.public_id}"
        self.browser: Browser = stage.browser(who)

    def row(self) -> Subscription:
        found: Subscription = self.stage.row(Subscription, Subscription.id == self.id)
        return found

    def text(self, path: str = "") -> str:
        answer = self.browser.get(f"{self.path}{path}")
        assert answer.status_code == 200
        return words(answer.get_data(as_text=True))

    def form(self, page: str) -> dict[str, str]:
        """The hidden fields of a page's form."""
        found = re.findall(r'<input[^>]*name="(revision|expected)"[^>]*value="([^"]*)"', page)
        return dict(found)

    def send(self, act: str, **data: str) -> tuple[int, str]:
        data.setdefault("revision", str(self.row().revision))
        answer = self.browser.post(f"{self.path}/{act}", data)
        return answer.status_code, answer.get_data(as_text=True)

    def invoices(self) -> list[Invoice]:
        key = self.stage.accounts[self.who]
        return self.stage.rows(Invoice, Invoice.payer_account_id == key)


def words(page: str) -> str:
    """What is read in the middle of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.split("<main")[1].split("</main")[0]))


def test_the_list_says_what_there_is_and_what_comes_next(line: Line):
    text = words(line.browser.get("/account/services").get_data(as_text=True))
    assert "Stream" in text
    assert "Running" in text
    assert "Moved: 7 GB" in text
    assert "$0.20 so far" in text, "five of seven gigabytes are free"


def test_who_has_none_is_led_to_the_plans(stage: Stage):
    text = words(stage.browser(stage.newcomer()).get("/account/services").get_data(as_text=True))
    assert "No services yet" in text
    assert "See the plans" in text


def test_a_page_tells_price_days_and_what_may_be_used(line: Line):
    text = line.text()
    for said in ("Price, before tax $ 29.00 a month", "Internet Ready to use", "What was agreed"):
        assert said in text


def test_a_change_is_looked_at_and_then_agreed_to(line: Line):
    assert "Brook" in line.text("/change")
    wanted = {"plan": "T-BROOK", "quantity": "2", "when": "now"}
    status, page = line.send("change", look="1", **wanted)
    assert status == 200
    assert "Change to Brook × 2" in page
    assert line.row().revision == 2, "nothing was written"
    seen = line.form(page)
    status, _ = line.send("change", **wanted, **seen)
    assert status == 303
    assert sum(one.total_minor for one in line.invoices()) == int(seen["expected"])
    assert "Brook × 2" in line.text()


def test_without_a_look_the_first_press_shows_what_it_costs(line: Line):
    status, page = line.send("change", plan="T-BROOK", quantity="1", when="later")
    assert (status, "Change to Brook" in page) == (200, True)
    assert len(line.invoices()) == 0


def test_another_amount_than_the_one_they_saw_is_shown_once_more(line: Line):
    wanted = {"plan": "T-BROOK", "quantity": "1", "when": "now"}
    status, page = line.send("change", **wanted, expected="1")
    assert status == 409
    assert "look once more" in page
    assert line.form(page)["expected"] != "1"
    assert line.row().revision == 2


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("quantity", "0", "Between 1 and"),
        ("quantity", "many", "Not a valid integer"),
        ("plan", "NOTHING", "Not a valid choice"),
        ("plan", "T-STREAM", "That is how it is already"),
    ],
)
def test_what_cannot_be_had_is_told_in_its_place(line: Line, field: str, value: str, told: str):
    wanted = {"plan": "T-BROOK", "quantity": "1", "when": "now", "look": "1", field: value}
    status, page = line.send("change", **wanted)
    assert status == 422
    assert told in page


def test_a_page_of_before_leads_to_how_it_is_now(line: Line):
    old = str(line.row().revision)
    assert line.send("pause", reason="away")[0] == 303
    status, _ = line.send("keep", revision=old)
    assert status == 303
    assert "changed in the meantime" in line.browser.get(line.path).get_data(as_text=True)


def test_a_pause_is_shown_then_rests_and_is_resumed(line: Line):
    until = (line.stage.clock.now() + timedelta(days=9)).date().isoformat()
    status, page = line.send("pause", reason="away", until=until, look="1")
    assert (status, line.row().state) == (200, "active")
    assert line.send("pause", reason="away", until=until)[0] == 303
    assert "Rests until" in line.text()
    assert "Resume it today" in line.text("/resume")
    assert line.send("resume")[0] == 303
    assert line.row().state == "active"
    assert line.browser.get(f"{line.path}/resume").status_code == 422
    status, page = line.send("pause", reason="away", until="2020-01-01")
    assert status == 422
    assert "is not between" in page


def test_a_cancellation_says_what_comes_back_and_can_be_taken_back(line: Line):
    assert "The last day is" in line.text("/end").replace("the last day is", "The last day is")
    assert line.send("end", when="later", reason="too_expensive", note="Sorry")[0] == 303
    row = line.row()
    assert (row.state, row.end_reason, row.end_note) == ("active", "too_expensive", "Sorry")
    assert "Keep it after all" in line.text()
    assert line.send("keep")[0] == 303
    assert line.row().ended_on is None
    assert line.send("end", when="now", reason="moving")[0] == 303
    assert line.row().state == "ended"
    assert "Ended" in line.text()
    assert line.send("end", when="now", reason="moving")[0] == 422


def test_a_viewer_sees_and_changes_nothing(line: Line):
    with line.stage.db.transaction() as session:
        member = session.scalars(
            select(Membership).where(Membership.account_id == line.stage.accounts[line.who])
        ).one()
        member.role = "viewer"
    text = line.text()
    assert "Only an owner of the account can change it" in text
    assert "Pause it" not in text
    for path in ("change", "pause", "end"):
        assert line.browser.get(f"{line.path}/{path}").status_code == 403
        assert line.send(path)[0] == 403
    assert line.send("resume")[0] == 403


def test_who_pays_for_it_sees_it_and_may_change_it(line: Line):
    payer = line.stage.newcomer("Pat Moor")
    with line.stage.db.transaction() as session:
        row = reading.lock(session, line.id)
        row.payer_account_id = line.stage.accounts[payer]
    theirs = line.stage.browser(payer)
    assert theirs.get(line.path).status_code == 200
    assert theirs.get(f"{line.path}/end").status_code == 200
    stranger = line.stage.browser(line.stage.newcomer("Sam Reed"))
    assert stranger.get(line.path).status_code == 404
    assert stranger.get(f"/account/services/{uuid.uuid4().hex}").status_code == 404


def test_many_services_stand_on_pages(line: Line):
    with line.stage.db.transaction() as session:
        account = session.get_one(Account, line.stage.accounts[line.who])
        brook = serving.goods(session, "T-BROOK")
        for _ in range(26):
            serving.running(session, line.stage.world, account, brook, line.stage.clock.now())
    page = line.browser.get("/account/services").get_data(as_text=True)
    following = re.search(r'href="(/account/services\?before=[^"]+)" rel="next"', page)
    assert following is not None
    second = line.browser.get(following[1].replace("&amp;", "&")).get_data(as_text=True)
    assert "Stream" in words(second)
