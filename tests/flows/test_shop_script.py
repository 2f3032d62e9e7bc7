"""``./shop`` on machines that lack something: it installs what it may, or says in one line who should."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# A python3 that lacks one library of the system; all else it hands on to the real one.
LACKS_PANGO = f"""#!/bin/sh
[ "$1" = - ] && echo libpango-1.0-0 && exit
exec {sys.executable} "$@"
"""
TOO_OLD = "#!/bin/sh\nexit 1\n"


class Machine:
    """A machine that is made of a few programs; each call of apt-get is noted."""

    def __init__(self, folder):
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.calls = folder / "calls"
        for name in ("shop", "lock.txt"):
            shutil.copy(ROOT / name, folder / name)
        for name in (
            "bash",
            "cat",
            "dirname",
            "env",
            "grep",
            "mkdir",
            "readlink",
            "sed",
            "tail",
            "true",
        ):
            (self.bin / name).symlink_to(shutil.which(name))
        for name in ("python3.11", "python3.12", "python3.13", "python3.14"):
            self.has(name, TOO_OLD)
        self.has("python3", LACKS_PANGO)

    def has(self, name, code):
        path = self.bin / name
        path.write_text(code)
        path.chmod(0o755)

    def has_venv(self):
        """One that was made from this very lock."""
        (self.folder / ".venv" / "bin").mkdir(parents=True)
        (self.folder / ".venv" / "bin" / "python").symlink_to(sys.executable)
        stamp = subprocess.run(
            ["sha256sum", ROOT / "lock.txt"], capture_output=True, text=True, check=True
        )
        (self.folder / ".venv" / "locked").write_text(stamp.stdout.split()[0] + "\n")

    def has_apt(self, *, succeeds_at=1):
        self.has(
            "apt-get",
            f'#!/bin/sh\necho "$@" >>{self.calls}\n[ "$(sed -n \\$= {self.calls})" -ge {succeeds_at} ] '
            "|| { echo E: no such package; exit 100; }\n",
        )

    def is_used_by(self, user_id, *, sudo=False):
        self.has("id", f"#!/bin/sh\necho {user_id}\n")
        self.has("sudo", '#!/bin/sh\nshift\nexec "$@"\n' if sudo else TOO_OLD)

    def run(self, *words):
        done = subprocess.run(
            [self.folder / "shop", *words],
            env={**os.environ, "PATH": f"{self.bin}:{self.folder / 'other'}"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stderr.splitlines()

    def asked_of_apt(self):
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [line.split("Timeout=120 ")[1] for line in lines]


INSTALL = "install -y --no-install-recommends libpango-1.0-0"


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_whoever_may_not_install_is_told_in_one_line_what_to_ask_for(machine):
    machine.has_apt()
    machine.is_used_by(1000)
    assert machine.run("demo") == (
        1,
        [f"System packages are missing. Ask an administrator to run: apt-get {INSTALL}"],
    )
    assert machine.asked_of_apt() == []


@pytest.mark.parametrize(("user_id", "sudo"), [(0, False), (1000, True)])
def test_what_is_missing_is_installed_by_whoever_may(machine, user_id, sudo):
    machine.has_apt()
    machine.has_venv()
    machine.is_used_by(user_id, sudo=sudo)
    assert machine.run("install") == (0, ["Installing libpango-1.0-0"])
    assert machine.asked_of_apt() == [INSTALL]


def test_old_package_lists_are_fetched_anew_once(machine):
    machine.has_apt(succeeds_at=2)
    machine.has_venv()
    machine.is_used_by(0)
    assert machine.run("install")[0] == 0
    assert machine.asked_of_apt() == [INSTALL, "update", INSTALL]


def test_when_nothing_helps_it_says_so_and_where_to_look(machine):
    machine.has_apt(succeeds_at=9)
    machine.is_used_by(0)
    code, said = machine.run("install")
    assert code == 1
    assert (
        said[-1] == "These could not be installed: libpango-1.0-0. All of it is in var/install.log"
    )
    assert "E: no such package" in said


def test_without_apt_the_packages_are_named(machine):
    machine.is_used_by(0)
    code, said = machine.run("install")
    assert code == 1
    assert said == [
        "System packages are missing: libpango-1.0-0 (Debian's names). Install them, then run this again."
    ]


def test_an_old_python_is_said_in_one_line(machine):
    machine.has("python3", TOO_OLD)
    code, said = machine.run("demo")
    assert code == 1
    assert said == ["Missing: Python 3.11 or newer. On Debian 12: apt-get install python3"]


@pytest.mark.parametrize(
    ("weights", "taken"),
    [
        (("3.11 900", "3.11 300"), "other"),
        (("3.11 300", "3.11 900"), "bin"),
        (("3.11 900", "3.12 300"), "bin"),
        (("", "3.11 900"), "other"),
    ],
    ids=["the second is faster", "the first is faster", "another version", "no venv"],
)
def test_of_two_pythons_of_one_version_the_faster_makes_the_venv(machine, weights, taken):
    (machine.folder / "other").mkdir()
    for folder, weight in zip(("bin", "other"), weights, strict=True):
        machine.has(
            f"../{folder}/python3",
            f"""#!/bin/sh
[ "$1" = - ] && exit
[ "$2" = venv ] && echo {folder} >>{machine.calls} && exit 1
case "$2" in *begun*) echo {weight} | grep .; exit; esac
exec {sys.executable} "$@"
""",
        )
    code, said = machine.run("install")
    assert (code, said[-1]) == (1, ".venv could not be made. All of it is in var/install.log")
    assert machine.calls.read_text().split() == [taken]


def test_help_needs_nothing_installed(machine):
    machine.has("python3", TOO_OLD)
    assert machine.run("help")[0] == 0
