"""The two lock files name every library that the project asks for, by hash, and agree with each other."""

import pathlib
import re
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def locked(file):
    """Each library of a lock file with its version and how many hashes it may have."""
    entries = re.split(r"\n(?=[a-zA-Z0-9])", (ROOT / file).read_text())
    found = {}
    for entry in entries:
        match = re.match(r"([a-zA-Z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", entry)
        if match:
            found[match[1].lower()] = (match[2], entry.count("--hash=sha256:"))
    return found


def wanted(requirements):
    return {re.split(r"[\[<>=;! ]", requirement)[0].lower() for requirement in requirements}


def test_the_shop_starts_from_a_lock_that_holds_all_it_needs():
    assert wanted(PROJECT["dependencies"]) <= set(locked("lock.txt"))


def test_the_tests_run_from_a_lock_that_holds_all_they_need():
    assert wanted(PROJECT["optional-dependencies"]["test"]) <= set(locked("lock-test.txt"))


def test_what_is_tested_is_what_runs():
    run, test = locked("lock.txt"), locked("lock-test.txt")
    assert {name: version for name, (version, _) in run.items()} == {
        name: test[name][0] for name in run
    }


def test_every_library_is_locked_by_hash():
    assert all(hashes > 0 for _, hashes in locked("lock-test.txt").values())
    assert len(locked("lock-test.txt")) > len(locked("lock.txt")) > len(PROJECT["dependencies"])
