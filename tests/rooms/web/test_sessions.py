"""Sessions: when they begin, change and end, and how the cookies are made."""

from datetime import timedelta

import pytest

from core.kernel.clock import ManualClock
from core.kernel.ids import token_hash
from core.parties.models import UserSession
from tests.rooms.web.stage import JUNE, PASSWORD, RILEY, Browser, Stage
from tests.shop import Shop

HTTPS = {"BASE_URL": "https://shop.example.com"}


def _log_in(browser: Browser, who: str, password: str = PASSWORD) -> str:
    answer = browser.post("/account/login", {"email": f"{who}@example.com", "password": password})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return browser.cookie("session") or ""


def _is_in(stage: Stage, token: str) -> bool:
    browser = stage.browser()
    browser.keep("session", token)
    return browser.get("/account").status_code == 200


def _sessions(stage: Stage) -> set[str]:
    return {row.token_hash for row in stage.rows(UserSession)}


def test_a_session_begins_with_a_post_that_has_something_to_remember(stage: Stage):
    before, browser = _sessions(stage), stage.browser()
    for path in ("/", "/cart", "/account/login", "/account/forgot", "/checkout"):
        browser.get(path)
    browser.post("/cart/lines", {"sku": "FW-VISIT"})
    browser.post("/account/login", {"email": "riley@example.com", "password": "wrong password"})
    browser.post("/account/logout")
    assert _sessions(stage) == before
    assert browser.cookie("session") is None

    token = _log_in(browser, RILEY)
    assert _sessions(stage) - before == {token_hash(token)}


def test_the_token_is_a_new_one_after_logging_in_and_the_old_one_opens_nothing(stage: Stage):
    browser = stage.browser()
    first = _log_in(browser, RILEY)
    second = _log_in(browser, JUNE)
    assert first != second
    assert (_is_in(stage, first), _is_in(stage, second)) == (False, True)
    assert token_hash(first) not in _sessions(stage)


def test_a_token_that_somebody_planted_is_not_taken_over(stage: Stage):
    browser = stage.browser()
    browser.keep("session", "planted-by-somebody-else")
    token = _log_in(browser, RILEY)
    assert token != "planted-by-somebody-else"
    assert not _is_in(stage, "planted-by-somebody-else")


def test_logging_out_ends_the_session_everywhere(stage: Stage):
    browser, other = stage.browser(RILEY), stage.browser(RILEY)
    token = browser.cookie("session") or ""
    assert _is_in(stage, token)
    answer = browser.post("/account/logout")
    assert answer.headers["Location"] == "/account/login"
    assert browser.cookie("session") is None
    assert not _is_in(stage, token)
    assert token_hash(token) not in _sessions(stage)
    assert other.get("/account").status_code == 200, "another browser of theirs stays in"


def test_the_desk_logs_out_by_itself(stage: Stage):
    browser = stage.browser("kim")
    token = browser.cookie("session") or ""
    assert browser.post("/desk/logout").headers["Location"] == "/desk/login"
    assert not _is_in(stage, token)


def test_another_password_ends_every_session(stage: Stage):
    tokens = [stage.session_of(JUNE) for _ in range(3)]
    browser, link = stage.browser(), stage.link("reset", JUNE)
    answer = browser.post(f"/account/reset/{link}", {"password": PASSWORD})
    assert answer.headers["Location"] == "/account"
    assert [_is_in(stage, token) for token in tokens] == [False] * 3
    assert browser.get("/account").status_code == 200, "whoever chose it is in"
    assert browser.post(f"/account/reset/{link}", {"password": PASSWORD}).status_code == 410


def test_a_session_ends_after_two_weeks(stage: Stage):
    token = stage.session_of(RILEY)
    for days, status in ((13, 200), (15, 302)):
        later = ManualClock(stage.clock.now() + timedelta(days=days))
        browser = Browser(stage.shop_at(later))
        browser.keep("session", token)
        assert browser.get("/account").status_code == status


def test_only_the_hash_of_a_session_is_stored(stage: Stage):
    token = stage.session_of(RILEY)
    row = stage.row(UserSession, UserSession.token_hash == token_hash(token))
    assert token not in str(vars(row))
    assert not _is_in(stage, row.token_hash)


# --- cookies -----------------------------------------------------------------------------------------


def _cookies(shop: Shop) -> dict[str, set[str]]:
    """Every cookie that the shop sets, with its flags."""
    browser, found = Browser(shop), {}
    data = {"email": "riley@example.com", "password": PASSWORD}
    for answer in (
        browser.get("/account/login"),
        browser.post("/cart/lines", {"sku": "FW-VISIT"}),
        browser.post("/account/login", data),
        browser.post("/account/logout"),
        browser.get("/account/login"),
    ):
        for header in answer.headers.getlist("Set-Cookie"):
            name, _, rest = header.partition("=")
            flags = {part.strip() for part in rest.split(";")[1:]}
            found[name if "Max-Age=0" not in flags else f"{name} taken back"] = flags
    return found


@pytest.mark.parametrize("environment", [{}, HTTPS], ids=["http", "https"])
def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(
    one_stage: Stage, environment: dict[str, str]
):
    cookies = _cookies(one_stage.another_shop(**environment))
    prefix = "__Host-" if environment else ""
    kept = ("session", "csrf", "cart", "said")
    # A guest's cart is the account's once its shopper has logged in.
    names = (*kept, "session taken back", "cart taken back", "said taken back")
    assert set(cookies) == {f"{prefix}{name}" for name in names}
    for name, flags in cookies.items():
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= flags, name
        assert ("Secure" in flags) == bool(environment), name
        assert not any(flag.startswith("Domain") for flag in flags), name
