"""What docs/production.md and deploy/ name is there: settings, commands, files, ports, headers."""

import os
import re
import subprocess
from configparser import RawConfigParser
from dataclasses import fields
from pathlib import Path

import pytest

from app.cli import _OTHERS, COMMANDS
from app.handlers import SCHEDULES
from app.settings import Settings, load
from flows.hear_event import _SETTLED_BY

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCS = (ROOT / "docs" / "production.md").read_text()
SETTINGS = {item.metadata["name"] for item in fields(Settings)}
REQUIRED = {item.metadata["name"] for item in fields(Settings) if item.metadata["default"] is None}
UNITS = sorted(DEPLOY.glob("*.service"))


def _example() -> dict[str, str]:
    lines = (DEPLOY / "environment.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _unit(path: Path) -> RawConfigParser:
    unit = RawConfigParser()
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their capitals
    unit.read(path)
    return unit


def test_the_example_environment_starts_a_shop_in_production():
    given = _example()
    assert given.keys() <= SETTINGS
    assert given.keys() >= REQUIRED
    settings = load(given)
    assert (settings.mode, settings.secure, settings.proxies) == ("production", True, 1)


def test_the_docs_name_settings_and_commands_that_there_are():
    named = set(re.findall(r"`([A-Z][A-Z_]{4,})[=`]", DOCS)) - {"STARTTLS"}
    assert named <= SETTINGS
    assert named >= REQUIRED - {"DATA_DIR"} - {"BASE_URL"} or "BASE_URL" in DOCS
    commands = set(re.findall(r"(?:\./shop|^    shop|`shop) ([a-z][a-z-]+)", DOCS, re.MULTILINE))
    assert commands <= {*COMMANDS, *_OTHERS}
    assert commands >= {"migrate", "staff", "backup", "verify", "install", "restore", "reconcile"}


def test_each_file_that_the_docs_name_is_there():
    for name in re.findall(r"deploy/([A-Za-z.-]+[a-z])", DOCS):
        if "*" not in name and not name.startswith("counterfoil-."):
            assert (DEPLOY / name).exists() or list(DEPLOY.glob(f"{name}*")), name
    for link in re.findall(r"\]\(([a-z-]+\.md)[#)]", DOCS):
        assert (ROOT / "docs" / link).exists(), link


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_starts_what_there_is_without_rights(path: Path):
    service = _unit(path)["Service"]
    program, *words = service["ExecStart"].split()
    assert program.startswith("/opt/counterfoil/")
    assert os.access(ROOT / program.removeprefix("/opt/counterfoil/"), os.X_OK)
    if program.endswith("/shop"):
        assert words[0] in COMMANDS
    assert service["User"] == "counterfoil"
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["EnvironmentFile"] == "/etc/counterfoil/environment"
    assert path.stem in DOCS


def test_the_proxies_say_what_the_shop_believes():
    nginx = (DEPLOY / "nginx.conf").read_text()
    port = re.search(r"serve --port (\d+)", (DEPLOY / "counterfoil-web.service").read_text())
    assert port is not None
    for header in ("Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"):
        assert f"proxy_set_header {header} " in nginx
    assert "$proxy_add_x_forwarded_for" not in nginx, "a visitor would choose their own address"
    assert f"127.0.0.1:{port[1]}" in nginx
    assert f"127.0.0.1:{port[1]}" in (DEPLOY / "Caddyfile").read_text()


def test_the_container_is_nobody_and_tells_how_it_is():
    text = (DEPLOY / "Containerfile").read_text()
    assert re.search(r"^USER \d{5}$", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
    assert "/readyz" in text
    assert "--require-hashes" in text
    assert (ROOT / ".dockerignore").read_text() == (ROOT / ".containerignore").read_text()


def test_the_events_to_choose_at_stripe_are_of_objects_that_are_heard():
    named = set(re.findall(r"`((?:checkout\.session|payment_intent|refund)\.[a-z_]+)`", DOCS))
    assert {name.rpartition(".")[0] for name in named} == {
        "checkout.session",
        "payment_intent",
        "refund",
    }
    assert _SETTLED_BY.keys() >= {"checkout", "setup", "charge"}
    assert SCHEDULES["reconcile"] == 120, "every two minutes, say the docs"


def test_the_nightly_script_is_a_backup_and_its_drill(tmp_path: Path):
    script = DEPLOY / "nightly.sh"
    assert os.access(script, os.X_OK)
    done = subprocess.run([script], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "name a folder for backups" in done.stderr
    shop = tmp_path / "shop"
    shop.write_text(
        '#!/bin/sh\necho "$1 $(basename "$2") ${DATABASE_URL%%:*}" >> "$LOG"\n: > "$2"\n'
    )
    shop.chmod(0o755)
    (tmp_path / "deploy").mkdir()
    copy = tmp_path / "deploy" / "nightly.sh"
    copy.write_text(script.read_text())
    copy.chmod(0o755)
    old = tmp_path / "shop-2020-01-01T00-00-00Z.backup"
    old.touch()
    os.utime(old, (0, 0))
    environment = {
        **os.environ,
        "LOG": str(tmp_path / "log"),
        "DATABASE_URL": "postgresql+psycopg://x",
    }
    subprocess.run([copy, tmp_path], env=environment, check=True)
    first, second = (tmp_path / "log").read_text().splitlines()
    assert first.startswith("backup shop-")
    assert first.endswith(" postgresql+psycopg")
    assert second.startswith("restore shop-")
    assert second.endswith(" sqlite")
    assert not old.exists()
    assert len(list(tmp_path.glob("shop-*.backup"))) == 1
