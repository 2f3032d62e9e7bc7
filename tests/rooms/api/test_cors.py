"""A page of another origin may ask the API when the channel's merchant says so, and nothing more."""

from pathlib import Path

import pytest

from app.settings import SettingsError, load
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from tests.paying import gateway
from tests.rooms.api.conftest import Program
from tests.sandbox_process import SandboxProcess
from tests.shop import make_shop
from tests.world import World

OURS, OTHER = "https://headless.example.com", "https://evil.example.com"
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}


@pytest.fixture
def far(
    db: Database, world: World, clock: ManualClock, sandbox: SandboxProcess, tmp_path: Path
) -> Program:
    """A shop whose API two origins may ask."""
    origins = f"{OURS}, http://localhost:5173"
    return Program(make_shop(db, clock, tmp_path, gateway(sandbox), API_ORIGINS=origins))


def _cors(answer) -> dict[str, str]:
    return {
        name: value for name, value in answer.headers.items() if name.startswith("Access-Control")
    }


def test_a_page_of_ours_may_ask_and_read(far: Program):
    asked = far.ask("OPTIONS", "/carts", headers={"Origin": OURS, **ASKS})
    assert asked.status_code == 200
    said = _cors(asked)
    assert said["Access-Control-Allow-Origin"] == OURS
    assert "POST" in said["Access-Control-Allow-Methods"]
    assert "Idempotency-Key" in said["Access-Control-Allow-Headers"]
    made = far.ask("POST", "/carts", headers={"Origin": "http://localhost:5173"})
    assert made.status_code == 201
    assert made.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
    assert "Location" in made.headers["Access-Control-Expose-Headers"]
    missing = far.ask("GET", "/products/none", headers={"Origin": OURS})
    assert (missing.status_code, missing.headers["Access-Control-Allow-Origin"]) == (404, OURS)
    for answer in (asked, made, missing):
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [OTHER, "null", "", f"{OURS}.evil.example.com", f"{OURS}:8443", "http://headless.example.com"],
)
def test_no_other_origin_is_told_anything(far: Program, origin: str):
    headers = {"Origin": origin, **ASKS}
    for method in ("OPTIONS", "GET"):
        answer = far.ask(method, "/products", headers=headers)
        assert _cors(answer) == {}
        assert "Origin" in answer.headers["Vary"], "nobody may keep it for somebody else"


def test_the_desks_side_and_the_pages_are_for_no_other_origin(far: Program):
    for path in ("/desk/quotes", "/desk/webhooks"):
        assert _cors(far.ask("OPTIONS", path, headers={"Origin": OURS, **ASKS})) == {}
    for path in ("/", "/cart", "/account/login", "/webhooks/stripe"):
        answer = far.client.open(path, method="OPTIONS", headers={"Origin": OURS, **ASKS})
        assert _cors(answer) == {}


def test_without_the_setting_nobody_is_told(
    db: Database, world: World, clock: ManualClock, sandbox: SandboxProcess, tmp_path: Path
):
    near = Program(make_shop(db, clock, tmp_path, gateway(sandbox)))
    assert _cors(near.ask("OPTIONS", "/carts", headers={"Origin": OURS, **ASKS})) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        "*",
        "null",
        "headless.example.com",
        f"{OURS}/",
        f"{OURS}/shop",
        "https://",
        "https://*.example.com",
    ],
)
def test_an_origin_that_is_none_stops_the_start(wrong: str):
    given = {
        "SHOP_MODE": "test",
        "DATABASE_URL": "sqlite:///x.db",
        "SECRET_KEY": "x" * 32,
        "BASE_URL": "http://localhost:8000",
        "STRIPE_KEY": "sk_sandbox_x",
        "STRIPE_WEBHOOK_SECRETS": "whsec_x",
        "MAIL_FROM": "a@example.com",
        "API_ORIGINS": wrong,
    }
    with pytest.raises(SettingsError, match="API_ORIGINS"):
        load(given)
