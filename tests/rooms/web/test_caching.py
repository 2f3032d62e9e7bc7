"""What may be kept by others: pages that hold no byte of their visitor, and nothing else."""

import pytest

from tests.paying import fill_cart
from tests.rooms.web.stage import NOBODY, RILEY, Browser, Stage
from tests.rooms.web.walk import walked

_PAGE, _YEAR = "public, max-age=30", "public, max-age=31536000"
#: What everybody shares, by its rule; the address of a static file changes with what is in it.
SHARED = {
    "/": _PAGE,
    "/c/<slug>": _PAGE,
    "/p/<slug>": _PAGE,
    "/pages/<slug>": _PAGE,
    "/robots.txt": "public, max-age=300",
    "/sitemap.xml": "public, max-age=300",
    "/sitemap/<int:number>.xml": "public, max-age=300",
    "/media/<public_id>-<int:width>.<suffix>": f"{_YEAR}, immutable",
    "/brand/<int:number>.css": f"{_YEAR}, immutable",
    "/terms": _PAGE,
    "/privacy": _PAGE,
    "/accessibility": _PAGE,
    "/static/<path:filename>": _YEAR,
    "/api/v1/openapi.json": "max-age=300",
}


def test_only_what_everybody_shares_may_be_kept_by_others(stage: Stage):
    kept = {
        (step.route.rule, step.headers["Cache-Control"])
        for step in walked(stage)
        if "no-store" not in step.headers["Cache-Control"]
    }
    assert kept == set(SHARED.items())


def test_a_shared_page_sets_no_cookie_and_asks_for_none(stage: Stage):
    for step in walked(stage):
        if step.route.rule in SHARED:
            assert step.headers.getlist("Set-Cookie") == [], str(step)
            assert "Cookie" not in step.headers.get("Vary", ""), str(step)


def _with_a_cart(stage: Stage, browser: Browser) -> Browser:
    browser.keep("cart", fill_cart(stage.house, stage.world.visit.sku))
    browser.token()
    browser.post("/account/logout")  # a sentence waits for the next page
    assert browser.cookie("said")
    return browser


@pytest.mark.parametrize(
    "path",
    ["/", "/c/all", "/c/devices", "/p/wi-fi-6-router", "/terms", "/privacy", "/accessibility"],
)
def test_a_shared_page_is_the_same_bytes_for_everybody(stage: Stage, path: str):
    stranger = stage.browser().get(path)
    shopper = _with_a_cart(stage, stage.browser(NOBODY)).get(path)
    customer = stage.browser(RILEY).get(path)
    assert stranger.status_code == 200
    assert b"csrf_token" not in stranger.data
    assert shopper.data == stranger.data
    assert customer.data == stranger.data


def test_an_error_on_a_shared_address_is_kept_by_nobody(one_stage: Stage):
    for path in ("/p/nothing", "/c/nothing", "/c/all?after=nothing", "/static/css/nothing.css"):
        answer = one_stage.browser().get(path)
        assert answer.status_code == 404, path
        assert answer.headers["Cache-Control"] == "no-store", path


def test_what_the_page_before_said_is_shown_once_and_on_no_shared_page(stage: Stage):
    browser = _with_a_cart(stage, stage.browser())
    assert b"You are logged out" not in browser.get("/").data
    assert b"You are logged out" in browser.get("/account/login").data
    assert b"You are logged out" not in browser.get("/account/login").data
