"""What every answer carries for the browser's guard, and which hosts the shop answers to."""

import pytest

from tests.rooms.web.stage import RILEY, Browser, Stage
from tests.rooms.web.walk import walked
from tests.shop import Shop

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "media-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
CARRIED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
HTTPS = {
    "SHOP_MODE": "production",
    "BASE_URL": "https://shop.example.com",
    "STRIPE_KEY": "sk_live_tests",
    "STRIPE_BASE": "",
}


@pytest.fixture(scope="module")
def by_https(stages, processor) -> Shop:
    """The same shop as it is reached by https, with live payments."""
    return stages.get("sqlite", processor).another_shop(**HTTPS)


def _policy(text: str) -> dict[str, str]:
    return {name: rest for name, _, rest in (part.partition(" ") for part in text.split("; "))}


#: Pages that show one of ours in a frame, pages that our own editor shows in one, and a mail, which
#: carries its style in itself and may do nothing at all.
FRAMING = {
    "/desk/content/pages/<public_id>/edit",
    "/desk/content/brand",
    "/desk/content/mails/<name>",
}
FRAMED = {"/desk/content/pages/<public_id>/preview", "/desk/content/brand/preview"}
MAILS = {"/desk/content/brand/preview-mail", "/desk/content/mails/<name>/preview-mail"}
#: What strangers sent: pictures that we wrote anew, and even so as a page of their own they may do nothing.
OF_STRANGERS = {
    "/account/disputes/<public_id>/files/<file_id>",
    "/desk/disputes/<public_id>/files/<file_id>",
    "/desk/chargebacks/<public_id>/files/<file_id>",
}


def _wanted(rule: str, status: int) -> dict[str, str]:
    strict = POLICY | {"form-action": "'self' http://127.0.0.1:8001"}
    if rule in OF_STRANGERS and status == 200:
        return {"default-src": "'none'", "sandbox": ""}
    if rule in FRAMING and status not in (303, 404):
        return strict | {"frame-src": "'self'"}
    if rule in FRAMED and status == 200:
        return strict | {"frame-ancestors": "'self'"}
    return strict


def test_every_answer_carries_the_strict_policy(stage: Stage):
    for step in walked(stage):
        policy = _policy(step.headers["Content-Security-Policy"])
        if step.route.rule in MAILS and step.status == 200:
            assert policy["default-src"] == "'none'"
            assert "sandbox" in policy
            assert "script-src" not in policy
        elif step.status != 302:
            assert policy == _wanted(step.route.rule, step.status), str(step)


def test_every_answer_forbids_guessing_framing_and_telling(stage: Stage):
    for step in walked(stage):
        framed = step.route.rule in FRAMED | MAILS and step.status == 200
        wanted = CARRIED | {"X-Frame-Options": "SAMEORIGIN"} if framed else CARRIED
        assert {name: step.headers.get(name) for name in CARRIED} == wanted, str(step)
        assert step.headers["X-Request-Id"], str(step)


def test_errors_carry_them_too(one_stage: Stage):
    browser = one_stage.browser()
    for answer in (
        browser.get("/nothing"),
        browser.ask("DELETE", "/cart"),
        browser.ask("POST", "/checkout"),
        browser.get("/api/v1/nothing"),
        browser.get("/", base_url="http://elsewhere.example.com"),
    ):
        assert answer.status_code in (400, 403, 404, 405)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert {name: answer.headers.get(name) for name in CARRIED} == CARRIED
        assert answer.headers["Cache-Control"] == "no-store"


def test_forms_may_lead_to_the_processors_own_page(by_https: Shop):
    answer = Browser(by_https).get("/checkout")
    policy = _policy(answer.headers["Content-Security-Policy"])
    assert policy["form-action"] == "'self' https://checkout.stripe.com"


def test_the_processors_page_may_have_several_addresses(one_stage: Stage):
    shop = one_stage.another_shop(
        PAY_PAGE_ORIGINS="https://pay.example.com, https://pay2.example.com"
    )
    policy = _policy(Browser(shop).get("/").headers["Content-Security-Policy"])
    assert policy["form-action"] == "'self' https://pay.example.com https://pay2.example.com"


def test_by_https_the_browser_is_told_to_stay_there(one_stage: Stage, by_https: Shop):
    told = Browser(by_https).get("/").headers["Strict-Transport-Security"]
    assert told == "max-age=31536000; includeSubDomains"
    assert "Strict-Transport-Security" not in one_stage.browser().get("/").headers


def test_a_foreign_host_is_refused(one_stage: Stage, by_https: Shop):
    browser = one_stage.browser(RILEY)
    for host in ("evil.example.com", "localhost.evil.example.com", "127.0.0.1", "[::1]"):
        for path in ("/", "/account", "/account/forgot", "/static/css/base.css", "/healthz"):
            answer = browser.get(path, base_url=f"http://{host}:8000")
            assert answer.status_code == 400, (host, path)
            assert host.encode() not in answer.data
    assert Browser(by_https).get("/", base_url="https://localhost").status_code == 400


def test_hosts_are_trusted_by_name(one_stage: Stage):
    shop = one_stage.another_shop(TRUSTED_HOSTS="shop.example.com, .branch.example.com")
    browser = Browser(shop)
    for host, status in {
        "shop.example.com": 200,
        "north.branch.example.com": 200,
        "localhost": 400,
        "www.shop.example.com": 400,
    }.items():
        assert browser.get("/", base_url=f"http://{host}").status_code == status, host


def test_a_mail_names_the_shops_own_address_whatever_host_was_asked(one_stage: Stage):
    shop = one_stage.another_shop(TRUSTED_HOSTS="localhost, other.example.com")
    browser = Browser(shop, "http://other.example.com")
    browser.post("/account/forgot", {"email": "riley@example.com"})
    shop.drain()
    (mail, *_) = shop.post.to("riley@example.com")[::-1]
    body = mail.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "http://localhost:8000/account/reset/" in text
    assert "other.example.com" not in text
