"""Forged requests: a form must prove that it comes from our own pages; add-to-cart by its origin."""

import pytest

from core.kernel.jobs import Job
from core.orders.models import Order
from payments.models import PaymentOperation
from tests.rooms.web.looking import Page
from tests.rooms.web.names import Names
from tests.rooms.web.routes import ROUTES, Route
from tests.rooms.web.stage import KIM, RILEY, Browser, Stage
from web.access import Guard, Who

UNSAFE = [route for route in ROUTES if route.method != "GET"]
WITH_TOKEN = [route for route in UNSAFE if route.guard == Guard.TOKEN]
OUR_ORIGIN = "http://localhost:8000"
ELSEWHERE = (
    {"Origin": "https://evil.example.com"},
    {"Origin": "http://localhost:8001"},
    {"Origin": "https://localhost:8000"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": OUR_ORIGIN, "Sec-Fetch-Site": "cross-site"},
)


def _who(route: Route) -> str:
    """Somebody who may use the route."""
    return KIM if route.who == Who.STAFF else RILEY


def _with_token(stage: Stage) -> list[tuple[Route, str, Browser]]:
    """Each route that needs a token, its address, and somebody who may use it."""
    names, people = Names(stage), {who: stage.browser(who) for who in (KIM, RILEY)}
    return [(route, names.fill(_used(route)), people[_who(route)]) for route in WITH_TOKEN]


def _used(route: Route) -> str:
    """The route's address with things that are there already."""
    used = route.path.replace("{fresh_operation}", "{operation}")
    used = used.replace("{fresh_setup}", "{setup}")
    return used.replace("{fresh_verify_link}", "{verify_link}").replace("{dead_job}", "{job}")


def _everything(stage: Stage) -> list[int]:
    return [len(stage.rows(model)) for model in (Order, PaymentOperation, Job)]


def test_only_programs_routes_go_without_a_guard():
    unguarded = [route for route in UNSAFE if route.guard == Guard.NONE]
    assert unguarded
    assert [route.name for route in unguarded if not route.is_for_programs] == []
    assert [route.name for route in UNSAFE if route.guard == Guard.ORIGIN] == ["POST /cart/lines"]
    assert len(WITH_TOKEN) > 15


def test_every_form_needs_the_token_of_the_visitor_who_sends_it(stage: Stage):
    stranger, asked = stage.browser().token(), _with_token(stage)
    before = _everything(stage)
    for route, path, browser in asked:
        browser.token()
        for token in (None, "", "made-up", stranger, f"{stranger[:-1]}!"):
            given = {} if token is None else {"csrf_token": token}
            answer = browser.ask("POST", path, data=dict(route.form) | given)
            assert answer.status_code == 403, (route.name, token)
            assert b"forged_request" in answer.data
    assert _everything(stage) == before


def test_a_token_counts_only_with_the_cookie_that_we_signed(one_stage: Stage):
    browser, path = one_stage.browser(RILEY), "/account/logout"
    token = browser.token()
    without = one_stage.browser(RILEY)
    assert without.ask("POST", path, data={"csrf_token": token}).status_code == 403
    planted = one_stage.browser(RILEY)
    planted.keep("csrf", "planted")
    assert planted.ask("POST", path, data={"csrf_token": "planted"}).status_code == 403
    assert browser.post(path).status_code == 303


def test_a_script_of_ours_may_send_the_token_as_a_header(one_stage: Stage):
    browser = one_stage.browser()
    headers = {"X-CSRF-Token": browser.token(), "Sec-Fetch-Site": "same-origin"}
    assert browser.ask("POST", "/cart/hold", headers=headers).status_code == 303


def test_a_form_from_elsewhere_is_refused_even_with_the_right_token(one_stage: Stage):
    asked = _with_token(one_stage)
    before = _everything(one_stage)
    for route, path, browser in asked:
        for headers in ELSEWHERE:
            answer = browser.post(path, dict(route.form), headers=headers)
            assert answer.status_code == 403, (route.name, headers)
    assert _everything(one_stage) == before


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_nothing_is_put_into_a_cart_from_elsewhere(one_stage: Stage, headers: dict[str, str]):
    browser = one_stage.browser()
    answer = browser.ask("POST", "/cart/lines", data={"sku": "FW-VISIT"}, headers=headers)
    assert answer.status_code == 403
    assert browser.cookie("cart") is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": OUR_ORIGIN},
        {"Origin": OUR_ORIGIN, "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
def test_a_shared_page_puts_things_into_the_cart_without_a_token(
    stage: Stage, headers: dict[str, str]
):
    browser = stage.browser()
    answer = browser.ask("POST", "/cart/lines", data={"sku": "FW-VISIT"}, headers=headers)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/cart")
    assert "1" in browser.get("/cart/count").get_data(as_text=True)


def test_the_origin_is_that_of_the_address_which_the_shop_is_reached_by(one_stage: Stage):
    shop = one_stage.another_shop(TRUSTED_HOSTS="localhost, shop.example.com")
    for host, origin, status in (
        ("http://shop.example.com", "http://shop.example.com", 303),
        ("http://shop.example.com", OUR_ORIGIN, 303),
        ("http://shop.example.com", "http://shop.example.com.evil.example.com", 403),
        ("http://localhost:8000", "http://shop.example.com", 403),
    ):
        browser = Browser(shop, host)
        data, headers = {"sku": "FW-VISIT"}, {"Origin": origin}
        answer = browser.ask("POST", "/cart/lines", data=data, headers=headers)
        assert answer.status_code == status, (host, origin)


def test_the_token_changes_when_somebody_logs_in_and_out(stage: Stage):
    browser = stage.browser(RILEY)
    before = browser.token()
    browser.post("/account/logout")
    after = browser.cookie("csrf")
    assert after not in (before, None)
    assert browser.ask("POST", "/cart/hold", data={"csrf_token": before}).status_code == 403
    assert browser.ask("POST", "/cart/hold", data={"csrf_token": after}).status_code == 303


def test_every_form_of_ours_carries_the_token_and_posts_to_ourselves(stage: Stage):
    names, seen = Names(stage), 0
    people = {who: stage.browser(who) for who in (KIM, RILEY)}
    for route in ROUTES:
        if route.method != "GET" or route.is_for_programs or route.rule.startswith("/static"):
            continue
        browser = people[_who(route)]
        browser.keep("cart", names["cart"])
        answer = browser.get(names.fill(route.path))
        if not answer.mimetype.startswith("text/html"):
            continue
        for action, method, fields in Page(answer).forms:
            seen += 1
            assert action == "" or action[0] in "/#", (route.name, action)
            if method == "post" and action != "/cart/lines":
                assert fields.get("csrf_token") == browser.token(), (route.name, action)
    assert seen > 30
