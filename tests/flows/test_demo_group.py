"""Several processes run as one: whatever ends the group, none of them is left."""

import os
import pathlib
import signal
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from tests.ports import free_ports
from tests.processes import lives, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]

# As stubborn as they come: it has a child of its own, and neither ends for SIGTERM; they note that it came.
STUBBORN = """
import os, pathlib, signal, sys, time
os.fork()
note = pathlib.Path(sys.argv[1], str(os.getpid()))
signal.signal(signal.SIGTERM, lambda *_: note.write_text("asked to stop"))
note.touch()
while True:
    time.sleep(120)
"""
# As a server is: it has a worker, answers when asked for its health, and stops when asked to.
SERVER = """
import http.server, os, pathlib, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
worker = os.fork() == 0
pathlib.Path(sys.argv[1], str(os.getpid())).touch()
if worker:
    time.sleep(120)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
"""


class Demo:
    """A supervisor in a process of its own, its children, and where they note their process ids."""

    def __init__(self, folder):
        self.pid_folder = folder / "pids"
        self.pid_folder.mkdir()
        self.logs = folder / "log"
        self.process: Any = None

    def start(self, *children, steps=(), before="", held=""):
        script = textwrap.dedent("""
            import os, pathlib
            from app.demo.group import Child, Step, run_group
            {before}
            raise SystemExit(run_group(
                [Child(*child) for child in {children!r}],
                steps=[Step(*step) for step in {steps!r}],
                logs=pathlib.Path({logs!r}),
                env=dict(os.environ),
                on_ready=lambda: print("ready", flush=True),
                held=[{held}],
            ))
        """).format(children=children, steps=steps, logs=str(self.logs), before=before, held=held)
        self.process = subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def child(self, name, code, *argv, health=None):
        return (name, (sys.executable, "-c", code, str(self.pid_folder), *argv), health)

    def server(self, name="web"):
        port = str(free_ports())
        return self.child(name, SERVER, port, health=f"http://127.0.0.1:{port}/healthz")

    def wait_until_ready(self):
        assert self.process.stdout.readline() == "ready\n"

    def pids(self):
        return [int(path.name) for path in self.pid_folder.iterdir()]

    def living(self):
        return [pid for pid in self.pids() if lives(pid)]

    def asked(self):
        return [path for path in self.pid_folder.iterdir() if path.read_text() == "asked to stop"]

    def end(self):
        """The exit code and what was said as an error."""
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors


@pytest.fixture
def demo(tmp_path):
    demo = Demo(tmp_path)
    yield demo
    if demo.process:
        demo.process.kill()
        demo.process.communicate()
    for pid in demo.living():
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_every_process_and_counts_as_a_good_end(demo, number):
    demo.start(demo.server("web"), demo.server("mail"))
    demo.wait_until_ready()
    assert wait_until(lambda: len(demo.living()) == 4)
    demo.process.send_signal(number)
    assert demo.end() == (0, "")
    assert demo.living() == []


def test_a_process_that_heeds_no_signal_is_made_to_stop(demo):
    demo.start(demo.child("worker", STUBBORN))
    demo.wait_until_ready()
    assert wait_until(lambda: len(demo.living()) == 2)
    demo.process.terminate()
    assert wait_until(demo.asked)
    demo.process.terminate()  # in haste: nobody waits any longer
    assert demo.end() == (0, "")
    assert demo.living() == []


def test_a_supervisor_killed_outright_leaves_no_process(demo):
    demo.start(demo.server(), demo.child("worker", STUBBORN))
    demo.wait_until_ready()
    assert wait_until(lambda: len(demo.living()) == 4)
    demo.process.kill()
    assert wait_until(lambda: demo.living() == [], seconds=10)


def test_a_lock_is_held_until_the_last_process_is_gone(demo, tmp_path):
    lock = tmp_path / "lock"
    demo.start(
        demo.child("worker", STUBBORN),
        before=f"import fcntl; lock = os.open({str(lock)!r}, os.O_CREAT | os.O_RDWR); "
        "fcntl.flock(lock, fcntl.LOCK_EX)",
        held="lock",
    )
    demo.wait_until_ready()
    assert wait_until(lambda: len(demo.living()) == 2)
    demo.process.kill()
    demo.process.wait()
    subprocess.run(["flock", lock, "true"], timeout=10, check=True)
    assert demo.living() == []


def test_when_one_process_ends_the_others_are_stopped_and_its_last_words_shown(demo):
    failing = "import time; time.sleep(0.5); print('the disk is full'); raise SystemExit(3)"
    demo.start(demo.server(), demo.child("worker", failing))
    code, errors = demo.end()
    assert code == 1
    assert errors.startswith("worker ended by itself (exit code 3).")
    assert "    the disk is full\n" in errors
    assert str(demo.logs / "worker.log") in errors
    assert demo.living() == []


def test_a_process_that_is_killed_is_named_with_the_signal(demo):
    demo.start(demo.child("mail", "import os; os.kill(os.getpid(), 9)"))
    code, errors = demo.end()
    assert code == 1
    assert errors.startswith("mail ended by itself (signal SIGKILL). It wrote nothing")


def test_a_step_that_fails_keeps_the_processes_from_starting(demo):
    broken = (sys.executable, "-c", "raise SystemExit('no such table')")
    demo.start(demo.child("worker", STUBBORN), steps=[("migrate", broken)])
    code, errors = demo.end()
    assert code == 1
    assert errors.startswith("migrate ended by itself (exit code 1).")
    assert "    no such table\n" in errors
    assert demo.pids() == []


def test_a_program_that_is_not_there_is_named(demo):
    demo.start(demo.server(), ("worker", ("/no/such/program",), None))
    code, errors = demo.end()
    assert code == 1
    assert errors.startswith("worker could not be started: ")
    assert "/no/such/program" in errors
    assert demo.living() == []


def test_a_signal_during_a_step_ends_it(demo):
    _, argv, _ = demo.child("migrate", STUBBORN.replace("note.write_text", "sys.exit"))
    demo.start(demo.server(), steps=[("migrate", argv)])
    assert wait_until(lambda: len(demo.living()) == 2)
    demo.process.terminate()
    assert demo.end() == (0, "")
    assert demo.living() == []
    assert len(demo.pids()) == 2
