"""Errors as a page for people and as problem+json for programs, and what an error does not tell."""

from pathlib import Path

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from payments.gateway import Misconfigured
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import START, Browser, Stage
from tests.shop import Shop, make_shop
from web.access import Guard, Who, allow

SECRET = "psycopg://shop:hunter2@db.internal/shop"
AWAY = ("sqlite:////no/such/folder/shop.db", "postgresql+psycopg://shop@127.0.0.1:1/shop")


def _assert_page(answer: TestResponse, status: int, words: str) -> None:
    """A page that says it in words, names the request, and offers a way on."""
    assert answer.status_code == status
    assert answer.mimetype == "text/html"
    page = Page(answer)
    assert words in page.text
    assert f"Error {status}" in page.text
    assert answer.headers["X-Request-Id"] in page.text
    assert "/account" in page.values, "there is a way on"


def _assert_problem(answer: TestResponse, status: int, code: str) -> None:
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    told = answer.get_json()
    assert (told["status"], told["code"]) == (status, code)
    assert told["type"] == f"urn:counterfoil:problem:{code}"
    assert told["title"]
    assert told["detail"]
    assert told["request_id"] == answer.headers["X-Request-Id"]


def test_what_is_not_there(one_stage: Stage):
    browser = one_stage.browser()
    _assert_page(browser.get("/nothing"), 404, "Nothing here")
    _assert_page(browser.get("/p/nothing"), 404, "There is no product here")
    _assert_problem(browser.get("/api/v1/nothing"), 404, "http_404")
    _assert_problem(browser.get("/api/v1/products/nothing"), 404, "not_found")


def test_a_method_that_does_not_fit(one_stage: Stage):
    browser = one_stage.browser()
    page, problem = browser.ask("DELETE", "/terms"), browser.ask("PUT", "/api/v1/products")
    _assert_page(page, 405, "cannot be asked in that way")
    _assert_problem(problem, 405, "http_405")
    for answer in (page, problem):
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_what_is_too_large(one_stage: Stage):
    browser, large = one_stage.browser(), "x" * (1024 * 1024 + 1)
    _assert_page(browser.post("/account/login", {"email": large}), 413, "larger than we take")
    _assert_page(browser.post("/cart/lines", {"sku": large}), 413, "larger than we take")
    problem = browser.ask("POST", "/api/v1/carts", json={"x": large})
    _assert_problem(problem, 413, "http_413")
    assert browser.ask("POST", "/webhooks/stripe", data=large).status_code == 413


def test_signs_that_no_text_has(stage: Stage):
    browser = stage.browser()
    for path in ("/p/a%00b", "/c/%00", "/c/all?after=%00", "/account/reset/%00", "/o/%00/%00"):
        _assert_page(browser.get(path), 400, "could not be read")
    for path in ("/account/login", "/cart/lines", "/checkout", "/account/register"):
        answer = browser.post(path, {"email": "a\0b@example.com", "sku": "a\0b"})
        _assert_page(answer, 400, "could not be read")
    assert browser.get("/api/v1/products/a%00b").status_code in (400, 404)


# --- our own mistakes --------------------------------------------------------------------------------


@pytest.fixture
def broken(one_stage: Stage) -> Shop:
    """A shop two of whose views break."""

    @allow(Who.EVERYBODY, Guard.NONE)
    def view() -> str:
        raise RuntimeError(f"cannot reach {SECRET}")

    shop = one_stage.another_shop()
    shop.app.view_functions["pages.terms"] = view
    shop.app.view_functions["api_products.listing"] = view
    return shop


def test_what_broke_stands_in_no_answer(broken: Shop):
    browser = Browser(broken)
    page, problem = browser.get("/terms"), browser.get("/api/v1/products")
    _assert_page(page, 500, "That was our mistake")
    _assert_problem(problem, 500, "internal_error")
    for answer in (page, problem):
        text = answer.get_data(as_text=True)
        for word in ("hunter2", "RuntimeError", "Traceback", "cannot reach", ".py"):
            assert word not in text
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers.getlist("Set-Cookie") == []


def test_what_broke_stands_in_the_log(broken: Shop):
    structlog.reset_defaults()
    with capture_logs() as lines:
        Browser(broken).get("/terms")
    (line,) = [line for line in lines if line["event"] == "request.broke"]
    assert (line["log_level"], line["error"], line["exc_info"]) == ("error", "RuntimeError", True)


def test_how_payments_are_set_up_stands_in_no_answer(
    one_stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object) -> None:
        raise Misconfigured(f"key {SECRET}")

    shop = one_stage.another_shop()
    monkeypatch.setattr(shop.house.gateway, "parse_webhook", refuse)
    answer = Browser(shop).ask("POST", "/webhooks/stripe", data=b"{}")
    _assert_problem(answer, 500, "payment_misconfigured")
    assert "hunter2" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("url", AWAY, ids=["sqlite", "postgresql"])
def test_without_a_database_the_shop_says_so_and_stands(one_stage: Stage, tmp_path: Path, url: str):
    db = Database(url)
    shop = make_shop(db, ManualClock(START), tmp_path, one_stage.house.gateway)
    browser = Browser(shop)
    assert (browser.get("/healthz").status_code, browser.get("/readyz").status_code) == (200, 503)
    for path in ("/", "/account/login", "/p/wi-fi-6-router"):
        answer = browser.get(path)
        _assert_page(answer, 500, "That was our mistake")
        assert "folder" not in answer.get_data(as_text=True)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    _assert_problem(browser.get("/api/v1/products"), 500, "internal_error")
    db.close()


@pytest.mark.parametrize(("writes", "tries", "status"), [(False, 2, 200), (True, 1, 500)])
def test_a_lost_connection_is_not_seen_unless_something_had_begun_to_be_written(
    one_stage: Stage, writes: bool, tries: int, status: int
):
    shop, asked = one_stage.another_shop(), list[int]()

    def work() -> str:
        asked.append(1)
        if len(asked) == 1:
            if writes:
                shop.house.db.run_tx(lambda session: session.execute(text("SELECT 1")))
            raise DBAPIError("SELECT 1", None, OSError("gone"), connection_invalidated=True)
        return "here it is"

    shop.app.view_functions["pages.terms"] = allow(Who.EVERYBODY, Guard.NONE)(work)
    answer = Browser(shop).get("/terms")
    assert (answer.status_code, len(asked)) == (status, tries)
