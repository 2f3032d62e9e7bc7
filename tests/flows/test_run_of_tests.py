"""A run of the tests tells what it left out, and fails when something was left out that should run."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTS = """
import pytest
def test_plain(): pass
def test_pdf(): pytest.skip("needs libpango: apt-get install libpango-1.0-0")
@pytest.mark.stripe_live
def test_stripe(): raise AssertionError("ran without a key")
@pytest.mark.long
def test_sweep(): raise AssertionError("ran, though nobody asked for long sweeps")
"""

INI = """
[pytest]
addopts = -p tests.conftest -p no:cacheprovider -p no:schemathesis --strict-markers
markers =
    long
    stripe_live
"""


@pytest.fixture
def run(tmp_path):
    """Runs a small suite under this project's rules; answers the exit code and the lines printed."""
    (tmp_path / "pytest.ini").write_text(INI)

    def run(*options, code=TESTS, **environment):
        (tmp_path / "test_small.py").write_text(code)
        hidden = {"STRIPE_TEST_KEY", "FAILED_CHECKS", "CHECK_BESIDE", "PYTEST_ADDOPTS"}
        inherited = {name: value for name, value in os.environ.items() if name not in hidden}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", str(tmp_path), *options],
            cwd=tmp_path,
            env={**inherited, "PYTHONPATH": str(ROOT), **environment},
            text=True,
            capture_output=True,
            timeout=60,
        )
        return done.returncode, done.stdout.splitlines()

    return run


def test_a_test_that_could_not_run_is_named_and_fails_the_run(run):
    code, lines = run("--all-must-run", "-n", "2")
    assert code == 1
    at = lines.index("1 x needs libpango: apt-get install libpango-1.0-0")
    assert lines[at + 1].endswith("test_small.py::test_pdf")
    assert "This run fails for it: these tests should run everywhere." in lines
    assert "1 passed, 2 skipped" in lines[-1]


def test_only_tests_of_stripe_itself_may_be_left_out(run):
    code, lines = run("--all-must-run", code=TESTS.replace("pytest.skip(", "str("))
    assert code == 0
    assert "1 x needs STRIPE_TEST_KEY, a Stripe test key" in lines
    assert "2 passed, 1 skipped, 1 deselected" in lines[-1]


def test_long_sweeps_run_when_asked_for(run):
    code, lines = run("--long")
    assert code == 1
    assert any("ran, though nobody asked for long sweeps" in line for line in lines)


def test_a_check_that_failed_before_fails_the_run(run):
    code, lines = run(code="def test_plain(): pass", FAILED_CHECKS="mypy,codespell")
    assert code == 1
    assert "mypy, codespell" in lines
    assert "1 passed" in lines[-1]


@pytest.mark.parametrize(
    ("said", "code", "told"), [("ok", 0, "ok"), ("shop.py:1: error", 1, "shop.py:1: error")]
)
def test_a_check_beside_the_tests_is_waited_for_and_fails_the_run(run, tmp_path, said, code, told):
    answer = tmp_path / "mypy"
    (tmp_path / "part").write_text(said)
    command = "import os, sys, time; time.sleep(1); os.rename(*sys.argv[1:])"
    with subprocess.Popen([sys.executable, "-c", command, str(tmp_path / "part"), str(answer)]):
        found, lines = run(code="def test_plain(): pass", CHECK_BESIDE=str(answer))
    assert found == code
    assert told in lines
    assert "1 passed" in lines[-1]
