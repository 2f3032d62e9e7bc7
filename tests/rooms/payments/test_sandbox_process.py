"""The sandbox as a process: how it starts, what it refuses, and that it remembers."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.kernel.money import Money
from payments.saved import ChargeRequest
from tests.rooms.payments.conftest import gateway_to, side_of
from tests.sandbox_process import ROOT, SandboxProcess, running_sandbox


def test_it_ends_at_once_when_told_to(data_dir: Path) -> None:
    with running_sandbox(data_dir) as sandbox:
        assert sandbox.look(f"{sandbox.base_url}/healthz").body == "ok\n"
        assert sandbox.stop() == 0


def test_what_it_knows_and_its_clock_outlive_it_even_when_it_is_killed(data_dir: Path) -> None:
    with running_sandbox(data_dir) as first:
        side = side_of(first)
        first.advance(10 * 86_400)
        request = side.request()
        session = side.gateway.start_checkout(request)
        now = first.now()
        first.process.kill()
    with running_sandbox(data_dir, api_key=first.api_key) as second:
        assert 0 <= second.now() - now < 60
        assert side_of(second).gateway.start_checkout(request).id == session.id


def test_it_forgets_when_told_to_and_only_then(data_dir: Path) -> None:
    with running_sandbox(data_dir) as sandbox:
        side = side_of(sandbox)
        request = side.request()
        session = side.gateway.start_checkout(request)
        now = sandbox.now()
        assert side.gateway.start_checkout(request).id == session.id
        sandbox.forget()
        assert sandbox.events == []
        assert side.gateway.start_checkout(request).id != session.id
        assert 0 <= sandbox.now() - now < 60


def test_it_takes_over_cards_that_were_put_on_file_before_it_ran(data_dir: Path) -> None:
    card = {"customer": "cus_before", "name": "June Alder", "email": "june@example.com"}
    card |= {"method": "pm_before", "number": "4242424242424242"}
    data_dir.mkdir(exist_ok=True)
    listed = json.dumps([card | {"exp_month": 12, "exp_year": 2040}])
    (data_dir / "known.json").write_text(listed)
    with running_sandbox(data_dir) as sandbox:
        side = side_of(sandbox)
        asked = ChargeRequest(
            "key-1", "op-1", "cus_before", "pm_before", Money(959, "USD"), "Bill INV-1001"
        )
        paid = side.gateway.charge_saved(asked)
        assert (paid.status, paid.card_last4) == ("succeeded", "4242")
    with running_sandbox(data_dir, api_key=sandbox.api_key) as again:
        assert side_of(again).gateway.get_payment(paid.id) == paid


def _start(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "payments.sandbox", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)


def test_a_taken_port_is_said_in_one_line(sandbox: SandboxProcess, data_dir: Path) -> None:
    port = sandbox.base_url.rpartition(":")[2]
    ended = _start("--port", port, "--data", str(data_dir), "--api-key", "sk_sandbox_1")
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert port in ended.stderr


@pytest.mark.parametrize("key", ["sk_live_1", "sk_test_1"])
def test_a_real_key_is_never_taken(data_dir: Path, key: str) -> None:
    ended = _start("--port", "0", "--data", str(data_dir), "--api-key", key)
    assert ended.returncode == 2
    assert "sk_sandbox_" in ended.stderr
    assert not data_dir.exists()


@pytest.mark.parametrize(
    ("address", "authorization"),
    [
        ("/v1/events", "Bearer sk_sandbox_wrong"),
        ("/v1/events", ""),
        ("/v1/events", "Basic !"),
        ("/sandbox/clock", "Bearer sk_sandbox_wrong"),
        ("/sandbox/webhooks", ""),
    ],
)
def test_nobody_asks_it_anything_without_the_key(
    sandbox: SandboxProcess, address: str, authorization: str
) -> None:
    status, _, body = sandbox.api("GET", address, Authorization=authorization)
    assert status == 401
    assert json.loads(body)["error"]["type"] == "invalid_request_error"


def test_another_host_name_is_not_answered(sandbox: SandboxProcess) -> None:
    status, _, _ = sandbox.api("GET", "/v1/events", Host="shop.example.com")
    assert status == 421


def test_an_unknown_address_is_told_as_stripe_tells_it(sandbox: SandboxProcess) -> None:
    status, _, body = sandbox.api("GET", "/v1/unicorns")
    assert (status, json.loads(body)["error"]["message"]) == (
        404,
        "Unrecognized request URL (GET: /v1/unicorns).",
    )


def test_a_fault_of_no_known_kind_is_refused(sandbox: SandboxProcess) -> None:
    status, _, body = sandbox.api("POST", "/sandbox/faults", json.dumps({"kind": "earthquake"}))
    assert status == 400
    assert "drop_after_success" in json.loads(body)["error"]["message"]


def test_it_runs_without_the_rest_of_the_project(tmp_path: Path) -> None:
    """It shares no import with the shop: a copy of its folder alone starts and answers."""
    package = tmp_path / "payments"
    package.mkdir()
    (package / "__init__.py").touch()
    shutil.copytree(ROOT / "payments" / "sandbox", package / "sandbox")
    ended = subprocess.run(
        [sys.executable, "-c", "import payments.sandbox.__main__, sys; print(*sys.modules)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.returncode == 0, ended.stderr
    loaded = set(ended.stdout.split())
    assert "payments.sandbox.processor" in loaded
    assert not loaded & {"payments.gateway", "core", "stripe", "flask", "sqlalchemy"}


def test_a_chargeback_from_before_is_known_and_decided_by_a_button_of_its_own_page(
    data_dir: Path,
) -> None:
    data_dir.mkdir()
    dispute = {"id": "dp_before", "created": 1794000000, "due": 1794600000, "won": False}
    payment: dict[str, object] = {"payment": "pi_before", "operation": "op-before"}
    payment |= {"number": "4242424242424242"}
    payment |= {"amount": 5000, "currency": "usd", "created": 1793900000, "refunded": 0}
    (data_dir / "known.json").write_text(json.dumps([payment | {"dispute": dispute}]))
    with running_sandbox(data_dir) as process:
        gateway = gateway_to(process)
        found = gateway.get_chargeback("dp_before")
        assert (found.status, found.payment_id) == ("needs_response", "pi_before")
        assert found.created.timestamp() == 1794000000
        assert "The shop wins" in process.look("/").body
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        elsewhere = form | {"Sec-Fetch-Site": "cross-site"}
        assert process._request("POST", "/disputes/dp_before", b"won=1", elsewhere)[0] == 403
        assert process._request("POST", "/disputes/dp_before", b"won=1", form)[0] == 303
        assert gateway.get_chargeback("dp_before").status == "won"
        assert "The shop wins" not in process.look("/").body
