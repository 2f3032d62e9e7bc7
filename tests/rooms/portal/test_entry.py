"""Getting in: log-in, registering, and the links that mails carry."""

import re
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from werkzeug.test import TestResponse

from core.kernel.audit import AuditEntry
from core.kernel.clock import ManualClock
from core.kernel.ids import new_public_id
from core.kernel.jobs import Job
from core.parties import users
from core.parties.models import Account, Membership, User, UserSession
from tests import world as worlds
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import JUNE, KIM, PASSWORD, RILEY, Browser, Stage, password_hash

BETTER = "another calm sentence"


class Hasher:
    """Counts what the real one is asked."""

    def __init__(self) -> None:
        self.real = users._hasher
        self.verified: list[str] = []

    def verify(self, stored: str, password: str) -> bool:
        self.verified.append(stored)
        return self.real.verify(stored, password)

    def hash(self, password: str) -> str:
        return self.real.hash(password)


@pytest.fixture
def hasher(monkeypatch: pytest.MonkeyPatch) -> Hasher:
    found = Hasher()
    monkeypatch.setattr(users, "_hasher", found)
    return found


def _log_in(
    stage: Stage, email: str, password: str = PASSWORD, door: str = "/account/login", **more: str
) -> tuple[Browser, TestResponse]:
    browser = stage.browser()
    return browser, browser.post(door, {"email": email, "password": password, **more})


def _somebody(stage: Stage, **values: Any) -> str:
    """A new user's e-mail address."""
    email = f"{new_public_id()[:12]}@example.com"
    with stage.db.transaction() as session:
        user = worlds.user(session, stage.clock.now(), email=email, name="Ash Vale")
        user.password_hash = password_hash()
        for name, value in values.items():
            setattr(user, name, value)
    return email


def _words(answer: TestResponse, email: str) -> str:
    """What stands on the page, whoever it was asked for."""
    text = answer.get_data(as_text=True).replace(email, "EMAIL")
    return re.sub(r'name="csrf_token" value="[^"]+"', "TOKEN", text)


# --- logging in --------------------------------------------------------------------------------------


@pytest.mark.parametrize("door", ["/account/login", "/desk/login"])
def test_a_wrong_log_in_is_answered_alike_whoever_it_was(stage: Stage, hasher: Hasher, door: str):
    known = ["riley@example.com", "kim@example.com"]
    invited = _somebody(stage, password_hash=None)
    gone = _somebody(stage, disabled_at=stage.clock.now())
    answers = set()
    for email in (*known, invited, gone, "nobody@example.com", "not an address"):
        before = len(hasher.verified)
        password = PASSWORD if email == gone else "a wrong password"
        _, answer = _log_in(stage, email, password, door)
        assert len(hasher.verified) == before + 1, "the same work for everybody"
        answers.add((answer.status_code, _words(answer, email)))
    assert len(answers) == 1
    ((status, words),) = answers
    assert status == 401
    assert "do not belong together" in words


def test_the_desks_door_tells_a_customer_no_more_than_a_stranger(stage: Stage):
    before = len(stage.rows(UserSession))
    _, right = _log_in(stage, "june@example.com", PASSWORD, "/desk/login")
    _, wrong = _log_in(stage, "nobody@example.com", PASSWORD, "/desk/login")
    assert right.status_code == wrong.status_code == 401
    assert _words(right, "june@example.com") == _words(wrong, "nobody@example.com")
    assert len(stage.rows(UserSession)) == before


def test_staff_come_in_at_the_desk_and_that_is_written_down(stage: Stage):
    browser, answer = _log_in(stage, "kim@example.com", PASSWORD, "/desk/login")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk")
    assert browser.get("/desk").status_code == 200
    entered = stage.rows(AuditEntry, AuditEntry.act == "desk.entered")
    assert {entry.actor for entry in entered} == {f"user:{stage.people[KIM]}"}


@pytest.mark.parametrize("email", ["RILEY@Example.com", "  riley@example.com "])
def test_an_address_is_the_same_however_it_is_typed(stage: Stage, email: str):
    _, answer = _log_in(stage, email)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/account/bills", "/account/bills"),
        ("/account/pay?bill=a&bill=b", "/account/pay?bill=a&bill=b"),
        ("/checkout", "/checkout"),
        ("", "/account"),
        ("https://evil.example.com/", "/account"),
        ("http:evil.example.com", "/account"),
        ("//evil.example.com", "/account"),
        ("///evil.example.com", "/account"),
        ("/\\evil.example.com", "/account"),
        ("\\\\evil.example.com", "/account"),
        ("/\t/evil.example.com", "/account"),
        ("/\n///evil.example.com", "/account"),
        ("/\r\nSet-Cookie: session=x", "/account"),
        (" //evil.example.com", "/account"),
        ("javascript:alert(1)", "/account"),
        ("account", "/account"),
    ],
)
def test_after_logging_in_nobody_is_led_out_of_the_shop(
    one_stage: Stage, target: str, leads_to: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(users, "verify_login", lambda user, password: user)  # it takes its time
    browser, answer = _log_in(one_stage, "riley@example.com", next=target)
    assert answer.headers["Location"] == leads_to
    again = browser.get("/account/login", query_string={"next": target})
    assert again.headers["Location"] == leads_to, "whoever is in already goes on at once"
    desk = one_stage.browser(KIM).get("/desk/login", query_string={"next": target})
    assert desk.headers["Location"] == leads_to.replace("/account", "/desk") or (
        desk.headers["Location"] == leads_to
    )


# --- registering -------------------------------------------------------------------------------------


def test_whoever_registers_has_an_account_and_a_mail_that_asks_for_a_click(stage: Stage):
    browser = stage.browser()
    email = f"{new_public_id()[:12]}@example.com"
    form = {"name": "Ash Vale", "email": email.upper(), "password": PASSWORD}
    answer = browser.post("/account/register", form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert "Nothing to pay" in Page(browser.get("/account")).text
    user = stage.row(User, User.email == email)
    assert user.email_verified_at is None
    member = stage.row(Membership, Membership.user_id == user.id)
    assert member.role == "owner"
    stage.drain()
    path = _link_in(stage.shop.post.to(email)[0])
    assert path.startswith("/account/verify/")

    for _ in range(2):
        assert browser.get(path).status_code == 200
    assert stage.row(User, User.email == email).email_verified_at is None, "a link only opens"
    assert browser.post(path).status_code == 200
    assert stage.row(User, User.email == email).email_verified_at is not None
    assert browser.post(path).status_code == 410


def test_registering_opens_nothing_of_somebody_elses(stage: Stage):
    """An account that has the same address is not theirs by that alone."""
    email = f"{new_public_id()[:12]}@example.com"
    with stage.db.transaction() as session:
        other = worlds.account(session, stage.world, stage.clock.now(), name="Ash Vale")
        other.email = email
        key = other.id
    browser = stage.browser()
    browser.post("/account/register", {"name": "Ash", "email": email, "password": PASSWORD})
    user = stage.row(User, User.email == email)
    assert [m.account_id for m in stage.rows(Membership, Membership.user_id == user.id)] != [key]
    assert stage.row(Account, Account.id == key).number not in Page(browser.get("/account")).text


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"email": "riley@example.com"}, "There is an account with this e-mail already"),
        ({"email": "nobody"}, "does not look like an e-mail address"),
        ({"email": "a\r\nBcc: b@example.com"}, "does not look like an e-mail address"),
        ({"email": f"{'x' * 250}@example.com"}, "does not look like an e-mail address"),
        ({"password": "short"}, "Use at least 10 characters"),
        ({"password": "x" * 201}, "Use at most 200 characters"),
        ({"password": "aaaaaaaaaaaa"}, "too easy to guess"),
        ({"name": "x" * 121}, "Use at most 120 characters"),
        ({"name": ""}, "Tell us your name"),
    ],
)
def test_what_is_wrong_with_a_new_account_is_told_at_its_field(
    stage: Stage, changes: dict[str, str], problem: str
):
    before = len(stage.rows(User))
    form = {"name": "Ash Vale", "email": "ash@example.com", "password": PASSWORD}
    answer = stage.browser().post("/account/register", form | changes)
    assert answer.status_code == 422
    assert problem in Page(answer).text
    assert PASSWORD not in answer.get_data(as_text=True)
    assert len(stage.rows(User)) == before


# --- links in mails ----------------------------------------------------------------------------------


def _link_in(mail: EmailMessage) -> str:
    """The path of the link that a mail carries."""
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(r"http://localhost:8000(/account/\w+/\w+)", body.get_content())
    assert found, body.get_content()
    return found[1]


def test_asking_for_another_password_says_the_same_whoever_asks(stage: Stage):
    gone = _somebody(stage, disabled_at=stage.clock.now())
    stage.drain()
    jobs, mails = len(stage.rows(Job)), len(stage.shop.post.mails)
    told = {
        _words(stage.browser().post("/account/forgot", {"email": email}), email)
        for email in ("nobody@example.com", "not an address", gone)
    }
    stage.drain()
    assert len(stage.rows(Job)) == jobs, "nothing is sent to nobody"
    assert len(stage.shop.post.mails) == mails
    email = "riley@example.com"
    told.add(_words(stage.browser().post("/account/forgot", {"email": email}), email))
    assert len(told) == 1
    stage.drain()
    assert len(stage.shop.post.mails) == mails + 1


def test_a_mailed_link_chooses_another_password_once(stage: Stage):
    email = _somebody(stage)
    stage.browser().post("/account/forgot", {"email": email})
    stage.drain()
    path = _link_in(stage.shop.post.to(email)[-1])
    browser = stage.browser()
    for _ in range(3):
        assert email in Page(browser.get(path)).text
    assert browser.post(path, {"password": "short"}).status_code == 422
    answer = browser.post(path, {"password": BETTER})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert browser.get(path).status_code == 410
    assert _log_in(stage, email, PASSWORD)[1].status_code == 401
    assert _log_in(stage, email, BETTER)[1].status_code == 303


def test_a_link_for_another_password_lasts_two_hours(stage: Stage):
    link = stage.link("reset", JUNE)
    for minutes, status in ((119, 200), (121, 410)):
        later = ManualClock(stage.clock.now() + timedelta(minutes=minutes))
        browser = Browser(stage.shop_at(later))
        assert browser.get(f"/account/reset/{link}").status_code == status


def test_an_invitation_chooses_the_first_password(stage: Stage):
    email = _somebody(stage, password_hash=None, email_verified_at=None)
    key = stage.row(User, User.email == email).id
    stage.people["invited"] = key
    path, browser = f"/account/invite/{stage.link('invite', 'invited')}", stage.browser()
    assert "Welcome" in Page(browser.get(path)).text
    assert browser.post(path, {"password": BETTER}).headers["Location"] == "/account"
    assert "No bills here" in Page(browser.get("/account")).text
    assert stage.row(User, User.id == key).email_verified_at is not None


def test_staff_who_choose_a_password_go_to_the_desks_door(stage: Stage):
    """A link of a mail is no way around the second step: it lets nobody in."""
    browser, link = stage.browser(), stage.link("reset", KIM)
    answer = browser.post(f"/account/reset/{link}", {"password": BETTER})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/login")
    for path in ("/desk", "/account"):
        assert browser.get(path).status_code == 302
    email = stage.row(User, User.id == stage.people[KIM]).email
    answer = browser.post("/desk/login", {"email": email, "password": BETTER})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk")
    assert browser.get("/desk").status_code == 200


def test_no_password_stands_on_a_page_that_comes_back(stage: Stage):
    for path, form in (
        ("/account/login", {"email": "riley@example.com", "password": BETTER}),
        ("/desk/login", {"email": "riley@example.com", "password": BETTER}),
        (f"/account/reset/{stage.link('reset', RILEY)}", {"password": "  short"}),
    ):
        answer = stage.browser().post(path, form)
        assert answer.status_code in (401, 422)
        assert form["password"] not in answer.get_data(as_text=True)
