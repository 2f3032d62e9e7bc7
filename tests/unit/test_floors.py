"""The floors of the house: an import goes down, never up, never sideways."""

import ast
import pathlib
import re
import tomllib

from importlinter import cli

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = CONFIG["tool"]["importlinter"]["contracts"]
# Folders at the top that hold no part of the shop.
NOT_OF_THE_HOUSE = {"bench", "docs", "static", "tests", "var"}
# The counters' library takes its folder from nowhere else.
OF_A_LIBRARY = "PROMETHEUS_MULTIPROC_DIR"
# Who may read the environment: the settings, and processes that only start other ones or stand apart.
READS_THE_ENVIRONMENT = (
    "app/settings.py",
    "app/demo/",
    "payments/sandbox/",
    "app/migrations/env.py",
)


def floors():
    (contract,) = (contract for contract in CONTRACTS if contract["id"] == "floors")
    return {name.strip() for layer in contract["layers"] for name in layer.split("|")}


def top_level_packages():
    for folder in ROOT.iterdir():
        hidden = folder.name.startswith((".", "_")) or folder.name in NOT_OF_THE_HOUSE
        if folder.is_dir() and not hidden and any(folder.rglob("*.py")):
            yield folder.name


def modules():
    for package in sorted(top_level_packages()):
        yield from sorted((ROOT / package).rglob("*.py"))


def test_every_top_level_package_has_a_floor():
    assert set(top_level_packages()) <= floors()


def test_every_floor_is_held_against_every_rule():
    assert set(CONFIG["tool"]["importlinter"]["root_packages"]) == floors()
    packaged = CONFIG["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {name.rstrip("*") for name in packaged} == floors()


def test_every_import_keeps_the_rules(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    outcome = cli.lint_imports(no_cache=True, no_logo=True)
    assert outcome == cli.EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_only_the_settings_read_the_environment():
    readers = []
    for path in modules():
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(READS_THE_ENVIRONMENT):
            continue
        readers += [
            f"{name}: {line.strip()}"
            for line in path.read_text().splitlines()
            if re.search(r"\bos\.(environ|getenv)\b", line)
            and OF_A_LIBRARY not in line
            and "``" not in line  # words about it
        ]
    assert readers == []


def test_no_module_grows_past_four_hundred_lines():
    long = {
        path.relative_to(ROOT).as_posix(): count
        for path in modules()
        if "versions" not in path.parts and (count := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


def test_every_module_says_what_lives_in_it():
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in modules()
        if path.read_text().strip() and ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert silent == []
