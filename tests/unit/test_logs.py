"""Logs tell what happened and never a secret, nor who somebody is."""

import io
import json
import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator

import pytest
import structlog

from app import logs
from core.kernel.ids import derived_token, new_public_id, new_token
from tests.rooms.web.routes import ROUTES

TOKEN = derived_token("s" * 32, "order", "77")


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Configuring logs is for the whole process: put it back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def written() -> Callable[[], str]:
    """What was logged in production."""
    stream = io.StringIO()
    logs.configure("production", stream)
    return stream.getvalue


def only(text: str) -> dict[str, object]:
    (line,) = text.splitlines()
    found: dict[str, object] = json.loads(line)
    return found


# --- the line -------------------------------------------------------------------------------------


def test_an_event_is_one_line_of_json_with_the_requests_id(written: Callable[[], str]):
    structlog.contextvars.bind_contextvars(request_id="5" * 32)
    logs.get_logger("web").info("request", method="GET", route="/p/<slug>", status=200, ms=3.1)
    line = only(written())
    assert line.pop("timestamp")
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "web",
        "method": "GET",
        "ms": 3.1,
        "request_id": "5" * 32,
        "route": "/p/<slug>",
        "status": 200,
    }


def test_the_time_is_told_in_utc(written: Callable[[], str]):
    logs.get_logger("web").info("request")
    assert str(only(written())["timestamp"]).endswith("Z")


def test_a_traceback_stays_on_its_line(written: Callable[[], str]):
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        logs.get_logger("web").exception("request.broke")
    line = only(written())
    assert line["level"] == "error"
    assert "ValueError: first\nsecond" in str(line["exception"])


def test_details_for_developers_are_left_out(written: Callable[[], str]):
    logs.get_logger("web").debug("detail")
    assert written() == ""


def test_libraries_speak_in_the_same_form(written: Callable[[], str]):
    logging.getLogger("granian").warning("worker %s ended, token=%s", 3, TOKEN)
    logging.getLogger("granian").info("chatter")
    line = only(written())
    assert line["logger"] == "granian"
    assert line["event"] == "worker 3 ended, token=[hidden]"


def test_warnings_are_logged_too(written: Callable[[], str]):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("this will go away", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(False)
    assert "this will go away" in str(only(written())["event"])


def test_the_demo_gets_plain_lines_that_are_masked_as_well():
    stream = io.StringIO()
    logs.configure("demo", stream)
    logs.get_logger("worker").info("job.done", job=7, path=f"/o/abc/{TOKEN}")
    try:
        raise ValueError(f"no page /account/reset/{TOKEN}")
    except ValueError:
        logs.get_logger("web").exception("request.broke")
    logging.getLogger("granian").warning("worker ended")
    shown = stream.getvalue()
    assert "job.done" in shown
    assert "job=7" in shown
    assert "Traceback" in shown
    assert "worker ended" in shown
    assert not shown.lstrip().startswith("{")
    assert "\x1b" not in shown
    assert TOKEN not in shown


def test_without_a_stream_lines_go_to_stderr(capsys: pytest.CaptureFixture[str], monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure("production")
    logs.get_logger("web").info("request")
    assert only(stream.getvalue())["event"] == "request"
    assert capsys.readouterr().out == ""


# --- what is never told ---------------------------------------------------------------------------

SECRETS = {
    "an order's link": f"GET /o/{new_public_id()}/{TOKEN}",
    "its thanks": f"https://shop.example.com/o/{new_public_id()}/{TOKEN}/thanks?x=1",
    "its bill": f"/o/{new_public_id()}/{TOKEN}/bills/77.pdf",
    "a new password": f"/account/reset/{TOKEN}{TOKEN}",
    "an invitation": f"see https://shop.example.com/account/invite/{TOKEN}, please",
    "a confirmation": f"'/account/verify/{TOKEN}'",
    "a question": f"/somewhere?page=2&token={TOKEN}&x=1",
    "another question": f"/somewhere?csrf_token={TOKEN}",
    "a bearer": f"Bearer {TOKEN}",
    "a header": f"Authorization: Basic {TOKEN}",
    "a header of a dict": f"{{'Authorization': 'Bearer {TOKEN}'}}",
    "a cookie": f"Cookie: session={TOKEN}; cart=1",
    "a set cookie": f"set-cookie: session={TOKEN}",
    "a signature": f"Stripe-Signature: t=1,v1={TOKEN}",
    "a live key": f"sk_live_{TOKEN}",
    "a test key": f"No such key: sk_test_{TOKEN}",
    "a restricted key": f"rk_live_{TOKEN}",
    "a signing secret": f"whsec_{TOKEN}",
    "a customer's token": f"no such token: cf_user_{TOKEN}",
    "a key of the desk": f"cf_staff_{TOKEN} is revoked",
    "a client secret": f"pi_123_secret_{TOKEN}",
    "a database's password": f"postgresql+psycopg://shop:{TOKEN}@db/shop",
    "a password": f"login failed: password={TOKEN}",
    "the shop's secret": f"SECRET_KEY={TOKEN}",
}


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_no_secret_is_told_wherever_it_stands(written: Callable[[], str], text: str):
    log = logs.get_logger("web")
    log.info(text)
    log.info("event", path=text, inside={"deep": [text, (text,)]}, error=ValueError(text))
    try:
        raise RuntimeError(text)
    except RuntimeError:
        log.exception("broke")
    logging.getLogger("library").error("said %s", text)
    assert len(written().splitlines()) == 4
    assert TOKEN not in written()


@pytest.mark.parametrize(
    "rule", sorted({route.rule for route in ROUTES if "<token>" in route.rule})
)
def test_no_address_with_a_token_in_it_tells_it(rule: str):
    path = re.sub(r"<[^>]*id>", "0" * 32, rule).replace("<token>", TOKEN)
    assert TOKEN not in logs.mask(f"GET https://shop.example.com{path}?x=1")


@pytest.mark.parametrize(
    "field",
    "authorization Cookie set_cookie password smtp_password csrf api_key token reset_token "
    "secret_key stripe_signature".split(),
)
def test_a_field_that_is_named_like_a_secret_is_never_told(written: Callable[[], str], field: str):
    value = new_token()
    logs.get_logger("web").info("event", **{field: value})
    logs.get_logger("web").info("event", headers={field: value})
    assert value not in written()
    assert written().count("[hidden]") == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "riley@example.com"},
        {"to": "Riley Moreno"},
        {"shipping_address": {"name": "Riley Moreno", "line1": "4 Chestnut Row"}},
        {"person": "Riley Moreno"},
        {"phone": "(555) 010-0100"},
        {"remote_addr": "10.0.0.1"},
        {"error": "Key (email)=(riley@example.com) already exists."},
        {"error": "refused\nDETAIL:  Failing row contains (7, Riley Moreno, 4 Chestnut Row)."},
        {"error": "cannot send to Riley <riley.moreno+shop@mail.example.com>: 550"},
    ],
)
def test_nobody_is_named(written: Callable[[], str], fields: dict[str, object]):
    logs.get_logger("worker").info("event", **fields)
    for personal in ("riley@", "riley.moreno", "Riley Moreno", "Chestnut", "010-0100", "10.0.0.1"):
        assert personal not in written()


@pytest.mark.parametrize("number", ["4242424242424242", "4000 0000 0000 3220", "3782-822463-10005"])
def test_a_card_number_is_never_told(written: Callable[[], str], number: str):
    logs.get_logger("web").info("event", error=f"bad input {number}.")
    assert number not in written()


# --- what stays readable --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "cs_test_a1B2c3D4e5",
        "expire session cs_live_a1B2c3D4e5 of pi_3NabcDEF: gone",
        "order 4242424242424241 is no card",
        "https://shop.example.com/p/porch-camera?page=2",
        "/offers/2026/november",
        "job 17 of holds.expire took 12 ms",
        "sqlite:////var/lib/shop/shop.db",
        "0197f0e4c5b67d1f8a2b3c4d5e6f7a8b",
    ],
)
def test_what_is_needed_to_find_things_stays(text: str):
    assert logs.mask(text) == text


def test_of_an_orders_link_its_id_stays():
    assert logs.mask(f"/o/abc123/{TOKEN}/thanks") == "/o/abc123/[token]/thanks"
    assert logs.mask(f"/o/abc123/{TOKEN}.pdf") == "/o/abc123/[token].pdf"


def test_numbers_and_yes_or_no_stay_what_they_are(written: Callable[[], str]):
    logs.get_logger("worker").info("event", dead=True, job=7, ms=1.5, nothing=None)
    line = only(written())
    assert (line["dead"], line["job"], line["ms"], line["nothing"]) == (True, 7, 1.5, None)
