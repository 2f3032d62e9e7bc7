"""Logging in at the desk with a code of a telephone: set up once, each code once, a way without it."""

import re
from dataclasses import dataclass
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import func, select

from core.kernel.audit import AuditEntry
from core.kernel.clock import ManualClock
from core.kernel.ids import new_public_id
from core.parties import second_step as steps
from core.parties.factor_models import RecoveryCode, SecondFactor
from core.parties.models import User
from tests import world as worlds
from tests.rooms.web.stage import PASSWORD, Browser, Stage, password_hash
from tests.shop import Shop


@dataclass
class Desk:
    """A shop that asks its staff for a code, with a clock of its own, and somebody new in it."""

    stage: Stage
    shop: Shop
    clock: ManualClock
    email: str

    def browser(self) -> Browser:
        return Browser(self.shop)

    def password(self, browser: Browser, onward: str = "") -> str:
        answer = browser.post(
            "/desk/login", {"email": self.email, "password": PASSWORD, "next": onward}
        )
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return str(answer.headers["Location"])

    def code(self, browser: Browser, code: str) -> int:
        return browser.post("/desk/login/code", {"code": code}).status_code

    def user(self) -> User:
        found: User = self.stage.row(User, User.email == self.email)
        return found

    def set_up(self) -> tuple[Browser, pyotp.TOTP, list[str]]:
        """The first log-in: they are in, with an app and recovery codes."""
        browser = self.browser()
        assert self.password(browser) == "/desk/login/set-up"
        app = pyotp.TOTP(secret_on(browser))
        answer = browser.post("/desk/login/set-up", {"code": self.now(app)})
        assert answer.status_code == 200
        codes = re.findall(r"<code>(\w{5}-\w{5})</code>", answer.get_data(as_text=True))
        assert len(set(codes)) == steps.RECOVERY_CODES
        self.later()
        return browser, app, codes

    def now(self, app: pyotp.TOTP, off: int = 0) -> str:
        return str(app.at(int(self.clock.now().timestamp()) + off * 30))

    def later(self, seconds: int = 120) -> None:
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))

    def acts(self) -> list[str]:
        """What stands in the audit log about them, the first first."""
        with self.stage.db.reading() as session:
            return list(
                session.scalars(
                    select(AuditEntry.act)
                    .where(AuditEntry.subject_id == self.user().public_id)
                    .order_by(AuditEntry.id)
                )
            )


def secret_on(browser: Browser, path: str = "/desk/login/set-up") -> str:
    page = browser.get(path).get_data(as_text=True)
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in page or "<svg" in page
    found = re.search(r"as a key: <code[^>]*>([A-Z2-7 ]+)</code>", page)
    assert found is not None, page
    return found[1].replace(" ", "")


@pytest.fixture
def desk(stage: Stage) -> Desk:
    clock = ManualClock(stage.clock.now())
    shop = stage.shop_at(clock, STAFF_SECOND_STEP="required", RATE_CODE="1000 per hour")
    email = f"ferry-{new_public_id()[:10]}@example.com"
    with stage.db.transaction() as session:
        user = worlds.user(session, clock.now(), email=email, name="Ferry Hand")
        user.password_hash, user.is_staff, user.roles = password_hash(), True, ["admin"]
    return Desk(stage, shop, clock, email)


def test_the_first_log_in_sets_it_up_and_the_next_asks_for_a_code(desk: Desk):
    browser, app, codes = desk.set_up()
    assert browser.get("/desk").status_code == 200
    again = desk.browser()
    assert desk.password(again, "/desk/orders") == "/desk/login/code"
    assert again.get("/desk").status_code == 302  # the password alone opens nothing
    assert desk.code(again, "000000") == 401
    answer = again.post("/desk/login/code", {"code": desk.now(app)})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/orders")
    assert again.get("/desk/orders").status_code == 200
    assert desk.acts() == ["second_step.set_up", "desk.entered", "desk.entered"]
    with desk.stage.db.reading() as session:
        row = session.get_one(SecondFactor, desk.user().id)
        stored = session.scalars(
            select(RecoveryCode.code_hash).where(RecoveryCode.user_id == row.user_id)
        ).all()
    assert app.secret not in row.sealed_secret
    assert not {code.replace("-", "") for code in codes} & set(stored)


def test_a_code_works_once_and_one_step_early_or_late(desk: Desk):
    _, app, _ = desk.set_up()
    browser = desk.browser()
    desk.password(browser)
    assert desk.code(browser, desk.now(app, -1)) == 303  # a telephone that is half a minute slow
    replayed = desk.browser()
    desk.password(replayed)
    assert desk.code(replayed, desk.now(app, -1)) == 401
    assert desk.code(replayed, f" {desk.now(app)[:3]} {desk.now(app)[3:]} ") == 303
    slow = desk.browser()
    desk.later()
    desk.password(slow)
    assert desk.code(slow, desk.now(app, -2)) == 401
    assert desk.code(slow, desk.now(app, 2)) == 401
    assert desk.code(slow, desk.now(app, 1)) == 303
    older = desk.browser()
    desk.password(older)
    assert desk.code(older, desk.now(app)) == 401  # before one that was taken


def test_a_recovery_code_stands_in_once(desk: Desk):
    _, _, codes = desk.set_up()
    browser, another = desk.browser(), desk.browser()
    desk.password(browser)
    assert desk.code(browser, codes[3].upper().replace("-", " ")) == 303
    desk.password(another)
    assert desk.code(another, codes[3]) == 401
    assert "second_step.recovery_used" in desk.acts()
    assert "9 recovery codes left" in browser.get("/desk/me").get_data(as_text=True)


def test_new_recovery_codes_end_the_ones_before(desk: Desk):
    browser, app, codes = desk.set_up()
    answer = browser.post("/desk/me/recovery-codes", {"renew-code": desk.now(app)})
    fresh = re.findall(r"<code>(\w{5}-\w{5})</code>", answer.get_data(as_text=True))
    assert (answer.status_code, len(fresh)) == (200, steps.RECOVERY_CODES)
    another = desk.browser()
    desk.password(another)
    assert desk.code(another, codes[0]) == 401
    assert desk.code(another, fresh[0]) == 303


def test_who_guesses_for_long_enough_is_refused_until_a_recovery_code_helps(desk: Desk):
    _, app, codes = desk.set_up()
    browser = desk.browser()
    desk.password(browser)
    for _ in range(steps.MOST_WRONG):
        assert desk.code(browser, "12345") == 401
    right = browser.post("/desk/login/code", {"code": desk.now(app)})
    assert right.status_code == 401
    assert "too many wrong codes" in right.get_data(as_text=True)
    assert desk.code(browser, codes[0]) == 303
    desk.later()
    another = desk.browser()
    desk.password(another)
    assert desk.code(another, desk.now(app)) == 303


def test_codes_are_counted_by_person_not_by_address(desk: Desk):
    desk.set_up()
    shop = desk.stage.shop_at(
        desk.clock, STAFF_SECOND_STEP="required", RATE_CODE="3 per hour", TRUSTED_PROXIES="1"
    )
    told = []
    for n in range(5):
        browser = Browser(shop)
        desk.password(browser)
        told.append(
            browser.post(
                "/desk/login/code", {"code": "1"}, headers={"X-Forwarded-For": f"198.51.100.{n}"}
            ).status_code
        )
    assert told[-1] == 429
    assert 401 in told


def test_between_the_steps_one_waits_ten_minutes_and_is_nobody_yet(desk: Desk):
    _, app, _ = desk.set_up()
    browser = desk.browser()
    desk.password(browser)
    assert browser.get("/account").status_code == 302
    desk.later(700)
    late = browser.post("/desk/login/code", {"code": desk.now(app)})
    assert (late.status_code, late.headers["Location"]) == (303, "/desk/login")


def test_no_other_door_leads_to_the_desk(desk: Desk):
    desk.set_up()
    browser = desk.browser()
    answer = browser.post("/account/login", {"email": desk.email, "password": PASSWORD})
    assert answer.status_code == 303
    assert browser.get("/account").status_code == 200
    assert browser.get("/desk/orders").headers["Location"].startswith("/desk/login")
    user = desk.user()
    desk.stage.people[user.email] = user.id
    link = desk.stage.link("reset", user.email)
    fresh = desk.browser()
    answer = fresh.post(f"/account/reset/{link}", {"password": PASSWORD})
    assert answer.headers["Location"] == "/desk/login"
    assert fresh.get("/desk").status_code == 302


def test_a_dangerous_act_asks_for_a_code_again_after_a_while(desk: Desk):
    browser, app, _ = desk.set_up()
    before = _tokens(desk)
    new = {"name": "Till", "scopes": ["quotes:read"]}
    desk.later(16 * 60)
    assert browser.get("/desk/keys").status_code == 200
    asked = browser.post("/desk/keys", new, headers={"Referer": f"{browser.base_url}/desk/keys"})
    assert (asked.status_code, asked.headers["Location"]) == (303, "/desk/again?next=/desk/keys")
    assert _tokens(desk) == before
    assert "Nothing was done yet" in browser.get("/desk/again").get_data(as_text=True)
    assert browser.post("/desk/again", {"code": "000000", "next": "/desk/keys"}).status_code == 422
    given = browser.post("/desk/again", {"code": desk.now(app), "next": "/desk/keys"})
    assert (given.status_code, given.headers["Location"]) == (303, "/desk/keys")
    assert browser.post("/desk/keys", new).status_code == 201
    assert _tokens(desk) == before + 1


def _tokens(desk: Desk) -> int:
    with desk.stage.db.reading() as session:
        return len(
            session.scalars(select(AuditEntry.id).where(AuditEntry.act == "token.made")).all()
        )


def test_where_it_is_a_choice_one_sets_it_up_and_gives_it_up_oneself(desk: Desk):
    desk.shop = desk.stage.shop_at(desk.clock, STAFF_SECOND_STEP="optional")
    browser = desk.browser()
    assert desk.password(browser) == "/desk"
    assert browser.post("/desk/me/second-step/begin").status_code == 303
    app = pyotp.TOTP(secret_on(browser, "/desk/me/second-step"))
    assert browser.post("/desk/me/second-step", {"code": "000000"}).status_code == 422
    assert browser.post("/desk/me/second-step", {"code": desk.now(app)}).status_code == 200
    assert browser.get("/desk/me/second-step").status_code == 302  # the secret is not shown again
    desk.later()
    assert desk.password(desk.browser()) == "/desk/login/code"
    assert browser.post("/desk/me/second-step/give-up", {"stop-code": "1"}).status_code == 422
    stopped = browser.post("/desk/me/second-step/give-up", {"stop-code": desk.now(app)})
    assert stopped.status_code == 303
    assert desk.password(desk.browser()) == "/desk"
    assert desk.acts()[-2:] == ["second_step.given_up", "desk.entered"]


def test_where_it_is_the_rule_nobody_gives_it_up(desk: Desk):
    browser, app, _ = desk.set_up()
    refused = browser.post("/desk/me/second-step/give-up", {"stop-code": desk.now(app)})
    assert refused.status_code == 403
    assert desk.password(desk.browser()) == "/desk/login/code"


def test_a_secret_that_was_not_confirmed_is_another_one_each_time(desk: Desk):
    """Whoever saw the first page, with a stolen password, has not the secret that counts in the end."""
    thief, owner = desk.browser(), desk.browser()
    desk.password(thief)
    stolen = secret_on(thief)
    desk.password(owner)
    app = pyotp.TOTP(secret_on(owner))
    assert app.secret != stolen
    assert owner.post("/desk/login/set-up", {"code": desk.now(app)}).status_code == 200
    assert thief.get("/desk/login/set-up").headers["Location"] == "/desk/login/code"


def test_when_the_shops_secret_changes_no_code_is_right(desk: Desk):
    _, app, codes = desk.set_up()
    with desk.stage.db.transaction() as session:
        keys = steps.Secrets("another secret of the shop, quite as long")
        user_id = desk.user().id
        assert steps.take(session, keys, user_id, desk.now(app), desk.clock.now()) is None
        assert steps.take(session, keys, user_id, codes[0], desk.clock.now()) is None
        assert session.scalar(
            select(func.max(SecondFactor.wrong_in_a_row)).where(SecondFactor.user_id == user_id)
        )
