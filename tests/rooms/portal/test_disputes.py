"""A customer disputes a line on the bill's page, follows it, adds to it, takes it back."""

import io

import pytest
from werkzeug.test import TestResponse

from core.kernel.money import Money
from core.parties.models import Membership
from flows import resolve_dispute
from flows.resolve_dispute import Answer
from invoices.disputes.models import Dispute, DisputeFile, DisputeMessage
from tests.rooms.web import disputed
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import JUNE, KIM, Browser, Stage


@pytest.fixture
def ash(stage: Stage) -> str:
    """A customer whom no other test knows."""
    return stage.newcomer()


def bill(stage: Stage, who: str) -> str:
    order = stage.order_on_terms(stage.world.visit.sku, who=who)
    stage.drain()
    return f"/account/bills/{stage.bill_of(order).public_id}"


def form_of(browser: Browser, path: str, action: str = "") -> dict[str, str]:
    """The form as it comes, filled in but for files."""
    forms = {action: fields for action, _, fields in Page(browser.get(path)).forms}
    return {name: value for name, value in forms[action or path].items() if name != "files"}


def pictures(*data: bytes) -> list[tuple[io.BytesIO, str]]:
    return [(io.BytesIO(one), f"../../{place}.svg") for place, one in enumerate(data)]


def test_a_line_is_disputed_in_two_clicks_from_the_bill(stage: Stage, ash: str):
    browser, path = stage.browser(ash), bill(stage, ash)
    (leads,) = [link for link in Page(browser.get(path)).values if "/lines/1/dispute" in link]
    form = form_of(browser, leads)
    assert (form["reason"], form["amount"], form["wish"]) == ("overcharge", "60.00", "keep")
    answer = browser.post(leads, form)
    assert answer.status_code == 303
    where = answer.headers["Location"]
    page = Page(browser.get(where))
    assert "We look at it" in page.text
    assert "you need not pay 60.00 of the bill" in page.text.replace("$ ", "").replace("$", "")
    assert browser.post(leads, form).headers["Location"] == where, "a double click"
    seen = Page(browser.get(path)).text
    assert "You dispute it" in seen
    assert "Something is wrong with this" not in seen
    assert Page(browser.get("/account/disputes")).text.count("Installation visit") == 1


def test_what_is_wrong_stands_next_to_its_field(stage: Stage, ash: str):
    browser, path = stage.browser(ash), bill(stage, ash)
    leads = f"{path}/lines/1/dispute"
    form = form_of(browser, leads)
    for wrong, said in (
        ({"amount": "60.01"}, "60.00 USD is left of this line, not 60.01 USD."),
        ({"amount": "a lot"}, "An amount with a point, like 45.00."),
        ({"amount": "0"}, "More than nothing."),
        ({"reason": "mood"}, "Not a valid choice."),
        ({"text": "x" * 4001}, "At most 4000 characters."),
        ({"files": pictures(b"<svg onload=alert(1)>")}, "not a whole JPEG, PNG or WebP"),
        ({"files": pictures(disputed.photo(), b"%PDF-1.7")}, "Picture 2: This is not a whole"),
    ):
        answer = browser.post(leads, form | wrong)
        assert answer.status_code == 422, wrong
        assert said in Page(answer).text
    assert stage.rows(Dispute, Dispute.account_id == stage.accounts[ash]) == []


def test_pictures_are_served_as_ours_and_to_nobody_else(stage: Stage, ash: str):
    browser, leads = stage.browser(ash), f"{bill(stage, ash)}/lines/1/dispute"
    sent = disputed.photo(size=(900, 600)) + b"<script>alert(1)</script>"
    form = form_of(browser, leads) | {"files": pictures(sent, disputed.photo("WEBP"))}
    where = browser.post(leads, form).headers["Location"]
    row = stage.row(Dispute, Dispute.public_id == where.rpartition("/")[2])
    first, second = stage.rows(DisputeFile, DisputeFile.dispute_id == row.id)
    answer = browser.get(f"{where}/files/{first.public_id}")
    assert b"script" not in answer.data
    assert (answer.mimetype, answer.headers["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
    name = f"{row.number}-{first.public_id[:8]}.jpg"
    assert answer.headers["Content-Disposition"] == f'inline; filename="{name}"'
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert browser.get(f"{where}/files/{second.public_id}").mimetype == "image/webp"
    assert stage.browser(JUNE).get(f"{where}/files/{first.public_id}").status_code == 404
    other = disputed.opened(stage, JUNE)
    theirs = f"/account/disputes/{other.public_id}/files"
    assert stage.browser(JUNE).get(f"{theirs}/{first.public_id}").status_code == 404
    assert (
        browser.get(f"{where}/files/{disputed.file_of(stage, other.public_id)}").status_code == 404
    )


def test_a_large_request_is_taken_here_and_only_of_who_is_logged_in(stage: Stage, ash: str):
    browser, path = stage.browser(ash), bill(stage, ash)
    leads = f"{path}/lines/1/dispute"
    form = form_of(browser, leads)

    def send(by: Browser, to: str) -> TestResponse:
        """Three million bytes that are no picture, written by hand."""
        fields = {"csrf_token": by.token(), **form}
        parts = [f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                 for name, value in fields.items()]  # fmt: skip
        head = '--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
        data = b"\xff\xd8" + b"\0" * 3_000_000
        body = "".join([*parts, head]).encode() + data + b"\r\n--x--\r\n"
        return by.ask("POST", to, data=body, content_type="multipart/form-data; boundary=x")

    assert "not a whole JPEG" in Page(send(browser, leads)).text
    assert send(browser, "/account/pay").status_code == 413
    assert send(stage.browser(), leads).status_code == 413


def test_they_add_something_and_take_it_back(stage: Stage, ash: str):
    browser = stage.browser(ash)
    where = f"/account/disputes/{disputed.opened(stage, ash).public_id}"
    form = form_of(browser, where, f"{where}/messages")
    said = "<b>Look</b> {{7*7}}"
    for _ in range(2):
        answer = browser.post(f"{where}/messages", form | {"text": said})
        assert answer.headers["Location"] == f"{where}#messages"
    page = browser.get(where)
    assert page.text.count("&lt;b&gt;Look&lt;/b&gt; {{7*7}}") == 1
    assert browser.post(f"{where}/messages", form | {"text": " "}).status_code == 422
    assert "Take it back?" in Page(browser.get(f"{where}/withdraw")).text
    assert browser.post(f"{where}/withdraw").headers["Location"] == where
    assert "Taken back" in Page(browser.get(where)).text
    assert browser.get(f"{where}/withdraw").status_code == 302
    row = stage.row(Dispute, Dispute.public_id == where.rpartition("/")[2])
    assert len(stage.rows(DisputeMessage, DisputeMessage.dispute_id == row.id)) == 2


def test_who_may_only_look_looks(stage: Stage, ash: str):
    path, where = bill(stage, ash), f"/account/disputes/{disputed.opened(stage, ash).public_id}"
    with stage.db.transaction() as session:
        session.get_one(Membership, (stage.people[ash], stage.accounts[ash])).role = "viewer"
    browser = stage.browser(ash)
    assert "Something is wrong with this" not in Page(browser.get(path)).text
    assert browser.get(f"{path}/lines/1/dispute").status_code == 403
    seen = Page(browser.get(where)).text
    assert "Take it back" not in seen
    assert "Send the message" not in seen
    for act in ("messages", "withdraw", "refund"):
        assert browser.post(f"{where}/{act}", {"text": "x"}).status_code == 403


def test_the_answer_stands_where_it_was_asked(stage: Stage, ash: str):
    row = disputed.opened(stage, ash)
    answer = Answer(Money(4500, "USD"), "We came twice.\nOnce was ours.")
    resolve_dispute.decide(stage.house, row.public_id, answer, disputed.author(stage, KIM, "staff"))
    stage.drain()
    page = Page(stage.browser(ash).get(f"/account/disputes/{row.public_id}")).text
    assert "We credit $45.00, by credit memo C" in page
    assert "Your bill is so much lower." in page
    assert "Once was ours." in page
    assert "We answered: credited in part" in page
